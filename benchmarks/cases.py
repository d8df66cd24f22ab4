"""The cases, each run in a process of its own: `python -m benchmarks.cases NAME` prints what it cost as one line of JSON."""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.shapes import (
    Files,
    Profile,
    another_change,
    joined_by_another,
    mass_change,
    of_another_stage,
    one_line_change,
    profile,
    relabelled,
    repository,
    ten_changes,
)

Measured = dict[str, float]

SMALL, LARGE, HUGE = profile("small", 1_000, 100), profile("large", 10_000, 1_000), profile("huge", 100_000, 10_000)
REPOSITORY = Profile("repository", 900, 2_000, 3_300)

_FIRST_RUNS, _LATER_RUNS = 6, 25
"""How often commands that read everything, and those that do not, are run. Noise only ever adds: the least counts."""


def in_memory(shape: Profile, change: Callable[[Files], Files]) -> Measured:
    """One diff of two trees in memory, CPU seconds by stage; `engine` is everything after reading."""
    import deepdiff  # noqa: F401  # what a run imports once is counted by the case of start-up

    from analyzers.pipeline import Revision, diff
    from benchmarks.trees import MemoryTree

    base = repository(shape)
    head = change(base)
    began: list[tuple[str, float]] = []
    gc.disable()
    report = diff(
        MemoryTree(base),
        MemoryTree(head),
        base_revision=Revision("base"),
        head_revision=Revision("head"),
        observe=lambda stage, *_: began.append((stage, time.process_time())),
    )
    ended = time.process_time()
    engine = next(at for stage, at in began if stage == "reachability")
    compared = next(at for stage, at in began if stage == "diff")
    pairs = report.summary.pairs
    return {
        "files": len(base),
        "read": engine - began[0][1],
        "reachability": compared - engine,
        "diff": ended - compared,
        "engine": ended - engine,
        "pairs": pairs,
        "peak MiB": _peak(resource.RUSAGE_SELF),
    }


def streamed_pairs(shape: Profile) -> Measured:
    """Listing every changed pair of a mass change: what it adds to the peak memory, in MiB, for the first and for all."""
    from analyzers.pipeline import Revision, diff
    from benchmarks.trees import MemoryTree

    base = repository(shape)
    report = diff(MemoryTree(base), MemoryTree(mass_change(base)), base_revision=Revision("base"), head_revision=Revision("head"))
    stream = report.pairs()
    next(stream)
    before, began = _peak(resource.RUSAGE_SELF), time.process_time()
    count = 1 + sum(1 for _ in stream)
    return {"pairs": count, "listing": time.process_time() - began, "added MiB": _peak(resource.RUSAGE_SELF) - before}


def safe_loader() -> Measured:
    """The measure of parsing: PyYAML's CSafeLoader over one revision's files, once."""
    import yaml

    files = repository(REPOSITORY)
    began = time.process_time()
    for text in files.values():
        for _ in yaml.load_all(text, yaml.CSafeLoader):
            pass
    return {"files": len(files), "cpu": time.process_time() - began}


def from_git() -> Measured:
    """`flowdelta diff --repo` of a one-line change: with an empty parse cache, again, and again as Markdown; then of another head of the
    same base."""
    from benchmarks.trees import git_repository

    with tempfile.TemporaryDirectory() as folder:
        base, cloned = repository(REPOSITORY), Path(folder) / "repository"
        git_repository(cloned, base, {"head": one_line_change(base), "other": another_change(base)})
        first, known = _first(folder, _diff(cloned, "head"))
        asked = (_diff(cloned, "head"), _diff(cloned, "head", "--format", "markdown"), _diff(cloned, "other"))
        again, formatted, other = _later(folder, [(known, each) for each in asked])
    peak = _peak(resource.RUSAGE_CHILDREN)
    return {"empty cache": first, "again": again, "in another format": formatted, "another head": other, "peak MiB": peak}


def large_from_git() -> Measured:
    """The same of the large profile, by how much of it is known: nothing; then base, with ten policies changed, one workload relabelled or
    added, one namespace relabelled. The cost of the command itself, which `start-up` is about, is measured by a repository of ten pods,
    and taken off."""
    from benchmarks.trees import git_repository

    tiny = repository(profile("tiny", 10, 2))
    with tempfile.TemporaryDirectory() as folder:
        base = repository(LARGE)
        heads = {
            "ten policies": ten_changes(base),
            "a workload": relabelled(base),
            "a newcomer": joined_by_another(base),
            "a namespace": of_another_stage(base),
        }
        large, small = Path(folder) / "large", Path(folder) / "tiny"
        git_repository(large, base, {"head": one_line_change(base), **{name.replace(" ", "-"): head for name, head in heads.items()}})
        git_repository(small, tiny, {"head": one_line_change(tiny), "other": relabelled(tiny)})
        first, known = _first(folder, _diff(large, "head"))
        _, known_tiny = _first(folder, _diff(small, "head"))
        asked = [(known, _diff(large, name.replace(" ", "-"))) for name in heads]
        command, *costs = _later(folder, [(known_tiny, _diff(small, "other")), *asked])
    found = {name: cost - command for name, cost in zip(heads, costs, strict=True)}
    return {"files": len(base), "command": command, "nothing cached": first - command, **found}


_Command = tuple[str, ...]


def _diff(cloned: Path, head: str, *options: str) -> _Command:
    return ("diff", "--repo", str(cloned), "base", head, "-q", *options)


def _first(folder: str, command: _Command) -> tuple[float, Path]:
    """What a command costs with an empty cache, the least of several runs; and what one of them leaves behind."""
    caches = [Path(tempfile.mkdtemp(dir=folder)) for _ in range(_FIRST_RUNS)]
    return min(_command(str(cache), *command) for cache in caches), caches[0]


def _later(folder: str, commands: Sequence[tuple[Path, _Command]]) -> list[float]:
    """What each command costs with what is known and no more: the least of several runs, which take turns, since noise comes in spells."""
    costs: list[list[float]] = [[] for _ in commands]
    for _ in range(_LATER_RUNS):
        for found, (known, command) in zip(costs, commands, strict=True):
            copy = shutil.copytree(known, Path(tempfile.mkdtemp(dir=folder)) / "copy")
            found.append(_command(str(copy), *command))
            shutil.rmtree(copy)
    return [min(found) for found in costs]


def start_up() -> Measured:
    """`flowdelta --help`, and `flowdelta diff` of a small sample: wall seconds, the best of five."""
    sample = Path(__file__).parent.parent / "sample_repos" / "relabel"
    with tempfile.TemporaryDirectory() as folder:
        best = {}
        for name, arguments in (("help", ("--help",)), ("diff", ("diff", str(sample / "base"), str(sample / "head")))):
            best[name] = min(_wall(folder, *arguments) for _ in range(5))
    return best


def _command(cache: str, *arguments: str) -> float:
    """The CPU seconds of one command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = _environment(cache)
    subprocess.run([sys.executable, "-m", "service", *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _wall(cache: str, *arguments: str) -> float:
    environment = _environment(cache)
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "service", *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.monotonic() - began


def _environment(cache: str) -> dict[str, str]:
    """That of a usual run: a cache of its own, and compiled modules kept."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "XDG_CACHE_HOME": f"{cache}/cache"}


def _peak(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss / 1024


CASES: dict[str, Callable[[], Measured]] = {
    "small, one line": lambda: in_memory(SMALL, one_line_change),
    "large, one line": lambda: in_memory(LARGE, one_line_change),
    "large, mass change": lambda: in_memory(LARGE, mass_change),
    "huge, one line": lambda: in_memory(HUGE, one_line_change),
    "large, pairs of a mass change": lambda: streamed_pairs(LARGE),
    "repository, CSafeLoader": safe_loader,
    "repository, from git": from_git,
    "large, from git": large_from_git,
    "start-up": start_up,
}

if __name__ == "__main__":
    print(json.dumps(CASES[sys.argv[1]]()))
