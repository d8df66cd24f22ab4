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
from collections.abc import Callable, Iterable, Sequence
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

_FIRST_RUNS, _LATER_RUNS = 3, 7
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
        base = repository(REPOSITORY)
        git_repository(Path(folder) / "repository", base, {"head": one_line_change(base), "other": another_change(base)})
        asked = (("head",), ("head",), ("head", "--format", "markdown"), ("other",))
        costs = _first_and_after(folder, f"{folder}/repository", asked)
    names = ("empty cache", "again", "in another format", "another head")
    return {**dict(zip(names, costs, strict=True)), "peak MiB": _peak(resource.RUSAGE_CHILDREN)}


def large_from_git() -> Measured:
    """The same of the large profile, by how much of it is known: nothing; then base, with ten policies changed, one workload relabelled or
    added, one namespace relabelled. The cost of the command itself, which `start-up` is about, is measured by a repository of ten pods,
    and taken off."""
    from benchmarks.trees import git_repository

    tiny = repository(profile("tiny", 10, 2))
    with tempfile.TemporaryDirectory() as folder:
        base = repository(LARGE)
        heads = {
            "nothing cached": one_line_change(base),
            "ten policies": ten_changes(base),
            "a workload": relabelled(base),
            "a newcomer": joined_by_another(base),
            "a namespace": of_another_stage(base),
        }
        git_repository(Path(folder) / "large", base, {name.replace(" ", "-"): head for name, head in heads.items()})
        git_repository(Path(folder) / "tiny", tiny, {"head": one_line_change(tiny), "other": relabelled(tiny)})
        _, command = _first_and_after(folder, f"{folder}/tiny", [("head",), ("other",)])
        costs = _first_and_after(folder, f"{folder}/large", [(name.replace(" ", "-"),) for name in heads])
    return {"files": len(base), "command": command, **{name: cost - command for name, cost in zip(heads, costs, strict=True)}}


def _first_and_after(folder: str, cloned: str, heads: Iterable[Sequence[str]]) -> list[float]:
    """What it costs to compare the base of a repository with a head for the first time, and then with others once that one is known: the
    least of several runs, each with what the first left behind and no more. Heads may have options."""
    kept = Path(tempfile.mkdtemp(dir=folder))
    first, *others = (("diff", "--repo", cloned, "base", *head, "-q") for head in heads)
    costs = [min(_command(tempfile.mkdtemp(dir=folder), *first) for _ in range(_FIRST_RUNS))]
    _command(str(kept), *first)
    for each in others:
        copies = (shutil.copytree(kept, Path(tempfile.mkdtemp(dir=folder)) / "copy") for _ in range(_LATER_RUNS))
        costs.append(min(_command(str(copy), *each) for copy in copies))
    return costs


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
