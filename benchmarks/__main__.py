"""`make bench`: run every case in a process of its own and write BENCHMARKS.md and benchmarks/results.json.

Figures are CPU seconds and MiB unless they say otherwise: wall time says more about the machine's other work than about the program.
"""

from __future__ import annotations

import datetime
import json
import math
import platform
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES, HUGE, LARGE, REPOSITORY, SMALL, Measured
from benchmarks.shapes import REPLICAS, Profile

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
"""Each case runs so often, and the run with the least CPU counts: noise only ever adds."""

_ONCE = ("huge, one line", "large, pairs of a mass change", "repository, from git", "large, from git")
"""Cases that take long, or repeat their commands themselves."""

TARGETS = (
    ("10,000 pods, 1,000 policies, cold diff, manifests parsed", "large, one line", "engine", 0.2, "s"),
    ("the same, peak memory", "large, one line", "peak MiB", 80, "MiB"),
    ("the same from git with nothing cached, less the command itself", "large, from git", "nothing cached", 2.0, "s"),
    ("the same with the base's parse cached, ten policies changed", "large, from git", "ten policies", 0.1, "s"),
    ("the same with the base's parse cached, a workload relabelled", "large, from git", "a workload", 0.1, "s"),
    ("the same with the base's parse cached, a workload added", "large, from git", "a newcomer", 0.1, "s"),
    ("the same with the base's parse cached, a namespace relabelled", "large, from git", "a namespace", 0.1, "s"),
    ("10,000 pods, every default-deny dropped", "large, mass change", "engine", 1.0, "s"),
    ("100,000 pods, 10,000 policies, cold diff, manifests parsed", "huge, one line", "engine", 2.0, "s"),
    ("the same, peak memory", "huge, one line", "peak MiB", 500, "MiB"),
    ("listing every changed pair of a mass change adds", "large, pairs of a mass change", "added MiB", 1, "MiB"),
    ("`flowdelta --help`, wall", "start-up", "help", 0.4, "s"),
    ("`flowdelta diff` of a small sample, wall", "start-up", "diff", 0.35, "s"),
)


def main() -> None:
    """Run, and write what came of it."""
    found = {name: _best(name) for name in CASES}
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": head.stdout.strip() or "unknown",
        "python": platform.python_version(),
        "growth exponent": round(_growth(found), 2),
    }
    (ROOT / "benchmarks" / "results.json").write_text(json.dumps({"about": about, "cases": found}, indent=1) + "\n", encoding="utf-8")
    (ROOT / "BENCHMARKS.md").write_text(_page(about, found), encoding="utf-8")
    print(_page(about, found))


def _best(name: str) -> Measured:
    print(f"{name} …", file=sys.stderr, flush=True)
    runs = []
    for _ in range(1 if name in _ONCE else RUNS):
        done = subprocess.run([sys.executable, "-m", "benchmarks.cases", name], cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: sum(value for key, value in run.items() if key not in {"files", "pairs"} and "MiB" not in key))


def _growth(found: dict[str, Measured]) -> float:
    """How the engine's cost grows with the number of pods: cost is proportional to pods to this power."""
    small, huge = found["small, one line"]["engine"], found["huge, one line"]["engine"]
    return math.log(huge / small) / math.log(HUGE.workloads / SMALL.workloads)


def _page(about: dict[str, object], found: dict[str, Measured]) -> str:
    pods = f"{SMALL.workloads * REPLICAS:,} to {HUGE.workloads * REPLICAS:,}"
    lines = [
        "# Benchmarks",
        "",
        f"Made by `make bench` on {about['date']} at commit `{about['commit']}`, CPython {about['python']}, two shared cores. Seconds are",
        "CPU seconds unless they say wall.",
        "",
        "## Targets",
        "",
        "| what | measured | target | met |",
        "| --- | --- | --- | --- |",
        *(_row(what, found[case][key], limit, unit) for what, case, key, limit, unit in TARGETS),
        *_relative(found),
        _row(f"growth exponent of the engine from {pods} pods", _growth(found), 1.25),
        "",
        "## What each stage takes",
        "",
        "| case | CPU | read | reachability | diff | peak memory |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_stages(name, measured) for name, measured in found.items() if "reachability" in measured),
        "",
        "## Every case",
        "",
        *(f"- **{name}**: {', '.join(f'{key} {_shown(value)}' for key, value in measured.items())}" for name, measured in found.items()),
        "",
        "## What the cases are",
        "",
        f"Generated repositories (`benchmarks/shapes.py`), one object a file: small {_size(SMALL)}, large {_size(LARGE)}, huge",
        f"{_size(HUGE)}, repository {_size(REPOSITORY)}. *read* is",
        "listing, parsing and understanding both revisions, whose equal files are read once; *reachability* compiles both; *diff* finds,",
        "groups and explains what changed; *engine* is the last two.",
    ]
    return "\n".join(lines) + "\n"


def _relative(found: dict[str, Measured]) -> list[str]:
    measure, git = found["repository, CSafeLoader"]["cpu"], found["repository, from git"]
    first = git["empty cache"]
    loading = f"loading one revision once with CSafeLoader ({_shown(measure)} s)"
    return [
        _row(f"`diff --repo` with an empty cache, against {loading}", first / measure, 2, "times"),
        _row(f"the same again, against its first run ({_shown(first)} s)", git["again"] / first, 0.1, "times"),
        _row("the same in another format, against the first run", git["in another format"] / first, 0.1, "times"),
        _row("another head of the same base, against the first run", git["another head"] / first, 0.1, "times"),
    ]


def _row(what: str, measured: float, limit: float, unit: str = "") -> str:
    met = "yes" if measured <= limit else "**no**"
    return f"| {what} | {_shown(measured)}{unit and f' {unit}'} | {_shown(limit)}{unit and f' {unit}'} | {met} |"


def _stages(name: str, measured: Measured) -> str:
    """The share of each stage of one comparison in memory."""
    stages = [measured[stage] for stage in ("read", "reachability", "diff")]
    whole = sum(stages)
    shares = " | ".join(f"{each / whole:.0%}" for each in stages)
    return f"| {name} | {_shown(whole)} s | {shares} | {_shown(measured['peak MiB'])} MiB |"


def _size(shape: Profile) -> str:
    return f"({shape.workloads:,} workloads, {shape.namespaces:,} namespaces, {shape.policies:,} policies)"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
