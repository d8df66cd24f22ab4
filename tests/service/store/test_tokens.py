"""Tokens of the API: found by digest while they are good, listed for ever, and their digests given to nobody."""

from __future__ import annotations

import time

import pytest

from service.store import Scope, Store, StoreError
from tests.service.store.conftest import Raw

DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"


def test_a_token_is_found_with_its_scopes(store: Store) -> None:
    id = store.add_token(DIGEST, "ci of the shop", [Scope.READ, Scope.ANALYSE, Scope.READ], None)
    token = store.token(DIGEST)
    assert token is not None
    assert (token.id, token.name, token.scopes) == (id, "ci of the shop", frozenset({Scope.READ, Scope.ANALYSE}))
    assert (token.expires, token.revoked) == (None, None)
    assert store.token("0" * 64) is None


def test_a_revoked_token_is_good_for_nothing_but_still_listed(store: Store) -> None:
    id = store.add_token(DIGEST, "ci", list(Scope), None)
    assert store.revoke_token(id)
    assert not store.revoke_token(id)
    assert not store.revoke_token("unknown")
    assert store.token(DIGEST) is None
    (listed,) = store.tokens()
    assert (listed.id, listed.scopes, listed.revoked is not None) == (id, frozenset(Scope), True)


def test_an_expired_token_is_good_for_nothing(store: Store, raw: Raw) -> None:
    store.add_token(DIGEST, "ci", [], time.time() + 1_000)
    token = store.token(DIGEST)
    assert token is not None
    assert token.scopes == frozenset()
    raw("UPDATE tokens SET expires = expires - 2000")
    assert store.token(DIGEST) is None
    assert len(store.tokens()) == 1


def test_a_digest_is_stored_once_and_never_given_out(store: Store) -> None:
    store.add_token(DIGEST, "ci", [Scope.READ], None)
    with pytest.raises(StoreError) as raised:
        store.add_token(DIGEST, "again", [Scope.ADMIN], None)
    assert DIGEST not in str(raised.value)
    assert DIGEST not in repr(store.tokens())
