"""The process of one analysis: it ends by itself, at its deadline, at its limits or with its parent, and knows no secret of ours."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from service.analysis import runner
from service.analysis.job import (
    AnalysisError,
    Archive,
    ArchiveComparison,
    ArchiveSide,
    GitComparison,
    GitRevision,
    GitSide,
    Merging,
    Order,
    Pair,
    Subject,
    Wanted,
)
from service.analysis.opening import link
from service.analysis.wording import conflict_note
from tests.forges.origin import shop
from tests.service.test_api import zipped


@pytest.fixture
def order(tmp_path: Path) -> Order:
    for side, port in (("base", 7070), ("head", 9090)):
        (tmp_path / side).write_bytes(zipped(shop(port)))
    work = tmp_path / "work"
    work.mkdir()
    base, head = (ArchiveSide(side, str(tmp_path / side)) for side in ("base", "head"))
    wanted = (Wanted("report", "json"),)
    return Order(ArchiveComparison(base, head), wanted, str(work), host_network="node", cpu=60, memory=4_000_000_000)


@pytest.fixture
def stuck(order: Order, tmp_path: Path) -> Order:
    """An order whose input never comes: a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "never")
    return replace(order, subject=ArchiveComparison(ArchiveSide("base", str(tmp_path / "never")), ArchiveSide("head", "")))


def failure(order: Order, timeout: float = 60.0) -> str:
    with pytest.raises(AnalysisError) as failed:
        runner.run(order, timeout)
    return failed.value.reason


def test_an_analysis_writes_its_reports_and_says_what_it_found(order: Order) -> None:
    result = runner.run(order, 60.0)
    assert (result.complete, result.headline, result.conflicts) == (True, "1 flow opens, 1 closes", ())
    assert json.loads((Path(order.directory) / "report").read_text())["digest"] == result.digest


def test_an_explanation_of_a_comparison_is_of_its_head(order: Order) -> None:
    result = runner.run(replace(order, pair=Pair("shop/web[Deployment]", "shop/cart[Deployment]", "9090/TCP")), 60.0)
    assert (result.headline, result.conflicts) == ("9090/TCP is allowed", ())
    assert json.loads((Path(order.directory) / "report").read_text())["schema"] == "flowdelta.explain/1"


def test_an_analysis_that_hangs_is_killed_at_its_deadline(stuck: Order) -> None:
    assert failure(stuck, 1.0) == "timeout"


def test_an_analysis_is_held_to_its_memory(order: Order, tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(zipped({f"{number}.yaml": "- a: [b, c, d]\n" * 60_000 for number in range(40)}))
    assert failure(replace(order, memory=160_000_000)) == "memory"


def test_an_analysis_is_held_to_its_processor_time(order: Order, tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(zipped({f"{number}.yaml": "- a: [b, c, d]\n" * 60_000 for number in range(40)}))
    assert failure(replace(order, cpu=1)) == "timeout"


def single(order: Order, tmp_path: Path, pair: Pair | None = None) -> Order:
    return replace(order, subject=Archive(ArchiveSide("archive", str(tmp_path / "head"))), pair=pair)


def test_one_tree_gives_its_matrix(order: Order, tmp_path: Path) -> None:
    result = runner.run(single(order, tmp_path), 60.0)
    assert (result.complete, result.digest, result.headline) == (True, "", "reachability of 2 workloads under 1 policy")
    assert json.loads((Path(order.directory) / "report").read_text())["schema"] == "flowdelta.matrix/1"


def test_a_pair_of_one_tree_is_explained(order: Order, tmp_path: Path) -> None:
    pair = Pair("shop/web[Deployment]", "shop/cart[Deployment]", "9090/TCP")
    assert runner.run(single(order, tmp_path, pair), 60.0).headline == "9090/TCP is allowed"
    assert json.loads((Path(order.directory) / "report").read_text())["verdict"] == "allowed"


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (Pair("nothing", "shop/cart[Deployment]"), "unknown-endpoint"),
        (Pair("10.0.0.1", "10.0.0.2"), "unknown-endpoint"),
        (Pair("shop/web[Deployment]", "shop/cart[Deployment]", "http"), "invalid-port"),
    ],
)
def test_a_pair_that_cannot_be_explained_says_why(order: Order, tmp_path: Path, pair: Pair, reason: str) -> None:
    assert failure(single(order, tmp_path, pair)) == reason


def test_input_that_is_refused_is_a_reason_and_no_crash(order: Order, tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(b"not an archive")
    assert failure(order) == "not-an-archive"


def test_a_crash_says_nothing_of_itself_to_the_outside(order: Order, caplog: pytest.LogCaptureFixture) -> None:
    broken = replace(order, subject=ArchiveComparison(ArchiveSide("base", "/nowhere/at/all"), ArchiveSide("head", "")))
    with pytest.raises(AnalysisError) as failed:
        runner.run(broken, 60.0)
    assert failed.value.reason == "internal"
    assert "/nowhere" not in failed.value.message
    assert "/nowhere" in caplog.text


def test_an_analysis_does_not_outlive_its_parent(stuck: Order) -> None:
    program = (
        "import json, sys, time; from service.analysis import runner; from service.analysis.job import Order\n"
        "process = runner._spawn(Order.from_json(json.loads(sys.argv[1])), 2)\n"
        "print(process.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, json.dumps(stuck.to_json())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2]) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            ended, _, _ = select.select([child], [], [], 60.0)
            assert ended == [child]
        finally:
            os.close(child)


def test_the_process_is_given_nothing_of_our_environment(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWDELTA_GITHUB_TOKEN", "secret-of-ours")
    assert "secret-of-ours" not in str(runner._environment(order.directory))


@pytest.mark.parametrize("code", [-signal.SIGKILL, -signal.SIGXCPU])
def test_a_death_by_signal_is_a_limit_that_was_reached(code: int) -> None:
    assert runner._failure(code, "").reason == "timeout"


def test_an_order_travels_as_json(order: Order) -> None:
    comparison = GitComparison(GitSide("main", "a" * 40), GitSide("x", "b" * 40, "k8s"), "/m", "https://x/y", False, Merging.PREFERRED)
    revision = GitRevision(GitSide("main", "a" * 40), "/m", "https://x/y", False, "https://x/{path}")
    subjects: tuple[Subject, ...] = (comparison, revision, Archive(ArchiveSide("a", "/a")))
    asked = [replace(order, subject=subject, pair=Pair("a", "b", "80/TCP"), namespaces=("shop",)) for subject in subjects]
    for each in (order, replace(order, report_url="https://r"), *asked):
        assert Order.from_json(json.loads(json.dumps(each.to_json()))) == each


def test_lines_are_linked_at_the_commit_of_their_side_and_paths_cannot_break_out() -> None:
    from analyzers.model.diagnostics import SourceLocation
    from analyzers.pipeline import Revision

    sides = (GitSide("main", "a" * 40, "k8s"), GitSide("x", "b" * 40, "k8s"))
    template = "https://github.com/acme/shop/blob/{commit}/{path}#L{line}"
    comparison = GitComparison(*sides, "/m", "file:///r", True, Merging.NO, source_url=template)
    found = link(comparison, Revision("x", "b" * 40), SourceLocation("a b/)(<x>?#%{line}.yaml", 3))
    assert found == f"https://github.com/acme/shop/blob/{'b' * 40}/k8s/a%20b/%29%28%3Cx%3E%3F%23%25%7Bline%7D.yaml#L3"
    assert link(replace(comparison, source_url=""), Revision("x", "b" * 40), SourceLocation("a", 1)) is None
    assert link(comparison, Revision("x"), SourceLocation("a", 1)) is None
    assert link(GitRevision(sides[0], "/m", "file:///r", True, template), Revision("main", "a" * 40), SourceLocation("b", 2)) is not None


def test_many_conflicts_are_counted() -> None:
    assert "and 3 more" in conflict_note([f"{number}.yaml" for number in range(8)])
