"""Pull requests: what the forge said last, and which of them a branch concerns."""

from __future__ import annotations

from dataclasses import replace

from service.forges.port import Account
from service.store import Store
from tests.service.store.events import FORGE, SHOP, asked, pull

RELEASE = "refs/heads/release"


def test_what_the_forge_said_last_is_known(store: Store) -> None:
    store.saw(FORGE, pull(), "b" * 40)
    renamed = replace(pull(head_sha="d" * 40), draft=True, author=Account("583231", "robert", bot=True))
    store.saw(FORGE, renamed, "e" * 40)
    (known,) = store.pulls(FORGE, SHOP)
    assert (known.forge, known.pull, known.base_sha) == (FORGE, renamed, "e" * 40)


def test_a_closed_pull_request_is_not_listed_until_it_is_opened_again(store: Store) -> None:
    for now, listed in ((True, 1), (False, 0), (True, 1)):
        store.saw(FORGE, pull(open=now), "b" * 40)
        assert len(store.pulls(FORGE, SHOP)) == listed


def test_a_branch_finds_the_pull_requests_towards_it(store: Store) -> None:
    store.saw(FORGE, pull(10), "b" * 40)
    store.saw(FORGE, pull(9), "b" * 40)
    store.saw(FORGE, pull(8, base_ref=RELEASE), "b" * 40)
    store.saw("work", pull(7), "b" * 40)
    assert [known.pull.number for known in store.pulls(FORGE, SHOP)] == [8, 9, 10]
    assert [known.pull.number for known in store.pulls(FORGE, SHOP, "refs/heads/main")] == [9, 10]
    assert [known.pull.number for known in store.pulls(FORGE, SHOP, RELEASE)] == [8]
    assert store.pulls(FORGE, "acme/other") == []


def test_repositories_are_those_that_anything_was_heard_of(store: Store) -> None:
    assert store.repositories(FORGE) == []
    store.request(FORGE, "acme/platform", "1", "test")
    store.request("work", "group/app", "1", "test")
    store.saw(FORGE, pull(), "b" * 40)
    asked(store)
    assert store.repositories(FORGE) == ["acme/platform", SHOP]
    assert store.repositories("work") == ["group/app"]
