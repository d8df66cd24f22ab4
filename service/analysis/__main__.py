"""The process of one analysis: reads its order from standard input, limits itself, and writes the reports and `outcome.json`."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path

from msgspec import to_builtins

from service.analysis.job import AnalysisError, Order
from service.garbage import look_no_more, look_seldom

_LARGEST_FILE = 2_000_000_000


def main() -> int:
    """Run the order on standard input; the exit status is 0 also for an input that cannot be analysed."""
    look_seldom()
    order = Order.from_json(json.loads(_line()))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _limit(order)
    try:
        from service.analysis.compare import answer

        outcome = to_builtins(answer(order))
    except AnalysisError as error:
        outcome = {"reason": error.reason, "message": error.message}
    except MemoryError:
        outcome = {
            "reason": "memory",
            "message": f"The analysis needed more than {order.memory // 1_000_000} MB of memory and was stopped.",
        }
    (Path(order.directory) / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
    look_no_more()
    return 0


def _line() -> bytes:
    """One line of standard input, read without Python's buffer, whose lock a waiting thread would still hold when the process ends."""
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = os.read(0, 65_536)
        if not chunk:
            raise SystemExit("no order came")
        line += chunk
    return bytes(line)


def _die_with_parent() -> None:
    """The parent keeps our standard input open as long as it lives and waits; without it nobody wants the result."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


def _limit(order: Order) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, order.memory),
        (resource.RLIMIT_CPU, order.cpu),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))


if __name__ == "__main__":
    sys.exit(main())
