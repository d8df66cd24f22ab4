"""Contents: stored once under their hash, compressed, and never given out damaged."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.store import Store, StoreError
from tests.service.store.conftest import Raw


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2_000))
def test_what_is_kept_comes_back(store: Store, content: bytes) -> None:
    address = store.keep(content)
    assert store.keep(content) == address
    assert store.content(address) == content


def test_contents_are_kept_once_and_small(store: Store, raw: Raw) -> None:
    address = store.keep(b"report" * 1_000)
    assert address == store.keep(b"report" * 1_000)
    assert raw("SELECT count(*), max(length(body)) < 1000 FROM contents") in ([(1, 1)], [(1, True)])


def test_an_address_of_nothing_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="nothing is stored under sha256:0"):
        store.content("sha256:0")


def test_damaged_content_is_not_given_out(store: Store, raw: Raw) -> None:
    address, other = store.keep(b"true"), store.keep(b"false")
    raw(f"UPDATE contents SET body = (SELECT body FROM contents WHERE address = '{other}') WHERE address = '{address}'")
    with pytest.raises(StoreError, match="damaged"):
        store.content(address)


def test_content_that_cannot_be_unpacked_is_not_given_out(store: Store, raw: Raw, database_url: str) -> None:
    address = store.keep(b"true")
    raw(f"UPDATE contents SET body = {'decode(' + repr('00ff') + ', ' + repr('hex') + ')' if database_url else 'x' + repr('00ff')}")
    with pytest.raises(StoreError, match="damaged"):
        store.content(address)
