"""Each sample repository does what its README says, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).resolve().parent.parent / "sample_repos"
NAMES = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())

Pair = tuple[str, str]


def flowdelta(*arguments: str | Path) -> Any:
    command = [sys.executable, "-m", "service", *map(str, arguments), "--format", "json"]
    done = subprocess.run(command, cwd=SAMPLES.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected(name: str) -> Any:
    return json.loads((SAMPLES / name / "expected.json").read_text(encoding="utf-8"))


def pairs(groups: list[dict[str, Any]]) -> Iterator[tuple[Pair, Any]]:
    for group in groups:
        for source in group["sources"]:
            for destination in group["destinations"]:
                yield (source, destination), {"opened": group["opened"], "closed": group["closed"]}


def flows(matrix: Any) -> dict[Pair, dict[str, list[list[int]]]]:
    return {(flow["source"], flow["destination"]): flow["connections"] for flow in matrix["flows"]}


def holds(ports: dict[str, list[list[int]]], wanted: str) -> bool:
    number, protocol = wanted.split("/")
    return any(first <= int(number) <= last for first, last in ports.get(protocol, []))


@pytest.mark.parametrize("name", NAMES)
def test_diff_is_what_the_readme_says(name: str) -> None:
    report, facts = flowdelta("diff", SAMPLES / name / "base", SAMPLES / name / "head"), expected(name)
    found = {(row["source"], row["destination"]): {"opened": row["opened"], "closed": row["closed"]} for row in report["changes"]}
    assert found == dict(pairs(facts["changes"]))
    assert dict(pairs(report["groups"])) == found
    behind = {cause["object"] for group in report["groups"] for alternative in group["causes"] for cause in alternative["undo"]}
    behind |= {cause["object"] for group in report["potential"]["groups"] for cause in group["bearing"]}
    behind |= {each["policy"] for each in report["no_effect"] if each["objects"]}
    assert {each["object"] for each in report["policies"]} <= behind
    assert report["workloads"] == {"added": [], "removed": [], "relabelled": facts["relabelled"]}


@pytest.mark.parametrize("name", NAMES)
def test_single_connections_are_what_the_readme_says(name: str) -> None:
    for side in ("base", "head"):
        found = flows(flowdelta("matrix", SAMPLES / name / side))
        wrong = [
            edge
            for edge in expected(name)["edges"]
            if holds(found.get((edge["source"], edge["destination"]), {}), edge["port"]) != edge[side]
        ]
        assert wrong == [], f"in {side}"


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_read_completely_and_without_a_warning(name: str) -> None:
    report = flowdelta("diff", SAMPLES / name / "base", SAMPLES / name / "head")
    assert report["complete"] is True
    assert [each for each in report["diagnostics"] if each["severity"] != "info"] == []


def test_every_sample_is_told_in_a_readme() -> None:
    index = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(NAMES) >= 3
    for name in NAMES:
        assert f"({name}/README.md)" in index
        assert (SAMPLES / name / "README.md").is_file()
