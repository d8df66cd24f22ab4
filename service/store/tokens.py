"""Tokens of the API, by the digest of their text: a token that is not kept cannot leak."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from service.store.part import Part
from service.store.records import Scope, Token, TokenAccount
from service.store.tables import tokens

_COLUMNS = tuple(tokens.c[name] for name in ("id", "name", "scopes", "created", "expires", "revoked", "used", "account"))


class Tokens(Part):
    """Keeps the tokens of the API."""

    def add_token(self, digest: str, name: str, scopes: Iterable[Scope], expires: float | None, account: TokenAccount | None = None) -> str:
        """Store a token by the digest of its text; `expires` is in seconds since 1970, None for never. Its id."""
        id = secrets.token_hex(6)
        said = {"digest": digest, "name": name, "scopes": " ".join(sorted(set(scopes))), "expires": expires}
        said["account"] = None if account is None else str(account)
        with self._database.writing() as connection:
            connection.execute(sa.insert(tokens).values(**said, id=id, created=self._database.now()))
        return id

    def token(self, digest: str) -> Token | None:
        """The token of a digest, unless it was revoked or has expired."""
        good = sa.and_(tokens.c.revoked.is_(None), sa.or_(tokens.c.expires.is_(None), tokens.c.expires > self._database.now()))
        with self._database.reading() as connection:
            row = connection.execute(sa.select(*_COLUMNS).where(tokens.c.digest == digest, good)).one_or_none()
        return None if row is None else _token(row)

    def used_token(self, id: str) -> None:
        """Note that a token was used now."""
        with self._database.writing() as connection:
            connection.execute(sa.update(tokens).where(tokens.c.id == id).values(used=self._database.now()))

    def tokens(self) -> list[Token]:
        """Every token, oldest first, also those that are good for nothing any more."""
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(sa.select(*_COLUMNS).order_by(tokens.c.created, tokens.c.id))]

    def revoke_token(self, id: str) -> bool:
        """Make a token good for nothing. False where there is none of that id that was not revoked before."""
        update = sa.update(tokens).where(tokens.c.id == id, tokens.c.revoked.is_(None)).values(revoked=self._database.now())
        with self._database.writing() as connection:
            return bool(connection.execute(update).rowcount)


def _token(row: Any) -> Token:
    account = None if row.account is None else TokenAccount.parse(row.account)
    return Token(row.id, row.name, frozenset(map(Scope, row.scopes.split())), row.created, row.expires, row.revoked, row.used, account)
