"""Runs one analysis in a process of its own, because nothing can stop a runaway thread: memory and processor time are limited
inside it, and the whole process group is killed at the deadline."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec import convert

import service
from service.analysis.job import AnalysisError, Order, Result
from service.analysis.programs import PROGRAMS

log = logging.getLogger(__name__)
_ROOT = str(Path(service.__file__).resolve().parents[1])
_STDERR_TAIL = 4_000


def run(order: Order, timeout: float) -> Result:
    """Analyse, writing the reports into `order.directory`. Raises `AnalysisError`; takes at most `timeout` seconds."""
    with tempfile.TemporaryFile() as stderr:
        process = _spawn(order, stderr.fileno())
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AnalysisError("timeout", f"The analysis took longer than {timeout:g} seconds and was stopped.") from None
        finally:
            _kill(process)
        if code != 0:
            stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _STDERR_TAIL))
            raise _failure(code, stderr.read().decode("utf-8", "replace"))
    return _outcome(Path(order.directory))


def _spawn(order: Order, stderr: int) -> subprocess.Popen[bytes]:
    """The process, with its order on standard input. The pipe stays open: when this process dies, the other one notices and dies too."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "service.analysis"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        cwd=order.directory,
        env=_environment(order.directory),
        start_new_session=True,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(order.to_json()).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        log.warning("the analysis process ended before it read its order")
    return process


def _environment(directory: str) -> dict[str, str]:
    """Nothing of ours but which programs render: the secrets of the service are in its environment."""
    programs = {name: os.environ[name] for name in PROGRAMS if name in os.environ}
    own = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": _ROOT, "HOME": directory, "TMPDIR": directory, "LC_ALL": "C.UTF-8"}
    return {**programs, **own}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _failure(code: int, stderr: str) -> AnalysisError:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return AnalysisError("timeout", "The analysis used up its processor time or was killed by the system.")
    log.error("the analysis process failed with %d: %s", code, stderr)
    return AnalysisError("internal", "The analysis failed; the log of the service says why.")


def _outcome(directory: Path) -> Result:
    outcome = json.loads((directory / "outcome.json").read_text(encoding="utf-8"))
    if "reason" in outcome:
        raise AnalysisError(outcome["reason"], outcome["message"])
    return convert(outcome, Result)
