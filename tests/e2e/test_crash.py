"""`kill -9` wherever it hurts: the service is stopped at the moment it makes a given call, started again, and leaves one comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import PATIENCE, Running
from tests.forges.faults import Fault, Gate, When
from tests.service.site import Site

STATUS = r"/repos/acme/shop/statuses/.*"
COMMENTS = r"/repos/acme/shop/issues/7/comments"
PULL = r"/repos/acme/shop/pulls/7"


def moments() -> Iterator[tuple[str, str, str, int, When]]:
    """Every call of a first review, before and after its effect. The number says which of several calls of the kind."""
    calls = [("look", "GET", PULL, 0), ("pending", "POST", STATUS, 0), ("look again", "GET", PULL, 1), ("own comments", "GET", COMMENTS, 0)]
    calls += [("comment", "POST", COMMENTS, 0), ("final status", "POST", STATUS, 1)]
    for name, method, path, number in calls:
        for when in When:
            yield f"{when} {name}", method, path, number, when


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "number", "when"), [row[1:] for row in moments()], ids=[row[0] for row in moments()])
def test_a_service_killed_at_any_call_resumes_and_leaves_one_comment(
    site: Site, tmp_path: Path, method: str, path: str, number: int, when: When
) -> None:
    running = Running(site, tmp_path / "data")
    gate = Gate()
    site.github.inject(Fault(method, path, status=0, when=when, gate=gate, skip=number))
    with running.serve() as first:
        assert running.deliver(first) == 202
        gate.wait_until_reached(PATIENCE)
        first.kill()
        gate.open()
    with running.serve() as second:
        running.wait_for_verdict(second)
    assert "9090" in site.comment
    assert site.status == ("success", "1 flow opens, 1 closes")


@pytest.mark.slow
def test_a_service_killed_during_the_analysis_resumes(site: Site, tmp_path: Path) -> None:
    """The analysis has begun once the pending status is there; it makes no call that could be waited for."""
    running = Running(site, tmp_path / "data")
    with running.serve() as first:
        running.deliver(first)
        running.wait(lambda: site.states == ["pending"], first)
        first.kill()
    with running.serve() as second:
        running.wait_for_verdict(second)
    assert "9090" in site.comment


@pytest.mark.slow
def test_what_was_accepted_before_the_kill_is_reviewed_after_it(site: Site, tmp_path: Path) -> None:
    """The process dies between storing the delivery and making it a job: no worker runs, so it never was one."""
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as web:
        assert running.deliver(web) == 202
        web.kill()
    with running.serve() as service:
        running.wait_for_verdict(service)
    assert "9090" in site.comment
