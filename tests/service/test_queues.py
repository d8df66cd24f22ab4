"""Where a job waits: with its own forge, wherever it waited before."""

from __future__ import annotations

import pytest

from service.jobs.queues import COMMANDS, REVIEWS, Queues

QUEUES = Queues(("github", "work"))


@pytest.mark.parametrize(
    ("kind", "lane", "queue"),
    [
        (REVIEWS, "github:acme/shop#7", "reviews:github"),
        (COMMANDS, "work:group/sub/shop#7", "commands:work"),
        (REVIEWS, "gone:acme/shop#7", "reviews"),
        (REVIEWS, "", "reviews"),
    ],
)
def test_a_job_waits_with_its_forge_or_with_those_of_none(kind: str, lane: str, queue: str) -> None:
    assert QUEUES.of(kind, lane) == queue
    assert queue in QUEUES.names


@pytest.mark.parametrize("before", ["reviews", "reviews:github", "reviews:gone"])
def test_a_job_is_moved_to_where_it_would_wait_here(before: str) -> None:
    assert QUEUES.moved(before, "github:acme/shop#7") == "reviews:github"
    assert Queues(()).moved(before, "github:acme/shop#7") == "reviews"


def test_every_queue_is_looked_after_once() -> None:
    assert sorted(QUEUES.names) == ["commands", "commands:github", "commands:work", "reviews", "reviews:github", "reviews:work"]
