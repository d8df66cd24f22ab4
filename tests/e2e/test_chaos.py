"""Nothing is lost and nothing is said twice: whatever dies, in whatever order webhooks come, and however the forge misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.e2e.storm import Fleet, Repository, Storm
from tests.forges.faults import Fault, Gate, When
from tests.forges.fixtures import TOKEN
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin
from tests.postgres import database_url, postgres

__all__ = ["database_url", "postgres"]

# Two workers of two reviews each, and leases so short that the dead are noticed within the test.
SETTINGS = {"LEASE": "2", "POLL_INTERVAL": "0.1", "RETRY_ATTEMPTS": "100", "RETRY_LONGEST": "0.4", "FORGE_TIMEOUT": "1"}
COMMENTS = r"/repos/acme/shop/issues/\d+/comments"


@pytest.fixture
def repository(origin: Origin) -> Iterator[Repository]:
    """A forge that checks no call against GitHub's description: other tests do, and here it would be most of the work."""
    with GitHubFake(TOKEN) as github:
        yield Repository(github, origin)


@pytest.mark.slow
def test_every_pull_request_ends_with_one_comment_for_its_newest_head_whoever_is_killed(
    repository: Repository, origin: Origin, tmp_path: Path, database_url: str
) -> None:
    with Fleet(repository.github, origin, tmp_path / "data", **SETTINGS, DATABASE_URL=database_url) as fleet:
        storm = Storm(repository, fleet, Random(4))
        storm.blow(kills=10)
        storm.settle()
        assert fleet.killed == 10


def misbehave(github: GitHubFake, random: Random) -> None:
    """What a forge may do to any call, many times each: some of it instead of the effect, some of it after the effect."""
    kinds: list[tuple[int, When, dict[str, str], bool]] = [
        (500, When.BEFORE, {}, False),
        (502, When.AFTER, {}, False),
        (403, When.BEFORE, {"Retry-After": "1"}, False),
        (429, When.BEFORE, {"Retry-After": "1"}, False),
        (0, When.BEFORE, {}, False),
        (0, When.AFTER, {}, False),
        (0, When.AFTER, {}, True),
    ]
    for method, path in (("GET", ".*"), ("POST", COMMENTS), ("PATCH", ".*"), ("POST", r".*/statuses/.*")):
        for status, when, headers, silent in kinds * 2:
            gate = Gate() if silent else None
            github.inject(Fault(method, path, status, when, headers=headers, gate=gate, skip=random.randrange(20), times=1))


@pytest.mark.slow
def test_the_end_is_the_same_where_the_forge_misbehaves_and_is_gone_for_a_while(
    repository: Repository, origin: Origin, tmp_path: Path
) -> None:
    # On SQLite alone, and with fewer pull requests: what a forge does is the same to either database, and the run is one of the longest.
    github, random = repository.github, Random(5)
    misbehave(github, random)

    def fall(delivered: int) -> None:
        if delivered == 50:  # gone for good as far as the service can tell, until it was asked in vain this often
            for method, times in (("GET", 60), ("POST", 20), ("PATCH", 20)):
                github.inject(Fault(method, ".*", 503, times=times))

    with Fleet(github, origin, tmp_path / "data", **SETTINGS) as fleet:
        storm = Storm(repository, fleet, random, pulls=20)
        storm.blow(kills=2, also=fall)
        storm.settle()
    assert any(call.status == 503 for call in github.calls)
    assert any(call.status == 502 for call in github.calls)
