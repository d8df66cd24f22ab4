"""The commands that make, list and revoke API tokens. They write into the database of the service, which may be running."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from service.exits import BadInput, Exit
from service.settings import Settings
from service.store import Scope, Store, StoreError, TokenAccount
from service.tokens import digest, generate, lifetime

_LONGEST_NAME = 100


def create(settings: Settings, name: str, scopes: Sequence[str], expires: str | None, account: str | None = None) -> Exit:
    """Run `flowdelta token create`. The token goes to stdout, alone, ready for a pipe into a secret store; nothing shows it again."""
    known = None if account is None else _account(settings, account)
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"--name must be 1 to {_LONGEST_NAME} printable characters: it is what the list shows")
    until = _until(expires)
    token = generate()
    with opened(settings) as store:
        identity = store.add_token(digest(token), name.strip(), tuple(map(Scope, scopes)), until, known)
    print(token)
    ends = f"until {_day(until)}" if until is not None else "until it is revoked"
    print(f"Token {identity} ({name.strip()}: {', '.join(scopes)}) holds {ends}. It is shown this once; keep it safe.", file=sys.stderr)
    return Exit.DONE


def show(settings: Settings) -> Exit:
    """Run `flowdelta token list`: one token a line, nothing of it that opens a door."""
    with opened(settings) as store:
        known = store.tokens()
    rows = [("id", "name", "scopes", "created", "expires", "last used", "state", "account")]
    now = time.time()
    for token in known:
        state = "revoked" if token.revoked is not None else "expired" if token.expires is not None and token.expires <= now else "valid"
        dates = (_day(token.created), _day(token.expires, "never"), _day(token.used, "never"))
        rows.append((token.id, token.name, ",".join(token.scopes), *dates, state, str(token.account or "")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return Exit.DONE


def revoke(settings: Settings, identity: str) -> Exit:
    """Run `flowdelta token revoke`. It holds from the next request on."""
    with opened(settings) as store:
        if not store.revoke_token(identity):
            raise BadInput(f"there is no valid token with the id {identity[:40]!r}; `flowdelta token list` shows them")
    print(f"Token {identity} is revoked.", file=sys.stderr)
    return Exit.DONE


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The database of the settings, for a command. Raises `BadInput` where it cannot be used."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(Store.open(settings)) as store:
            yield store
    except (OSError, StoreError) as error:
        raise BadInput(str(error)) from error


def _account(settings: Settings, text: str) -> TokenAccount:
    try:
        found = TokenAccount.parse(text)
    except ValueError as error:
        raise BadInput(f"--account: {error}") from error
    if settings.forge(found.forge) is None:
        raise BadInput(f"--account: there is no forge {found.forge!r} in the settings")
    return found


def _until(expires: str | None) -> float | None:
    if expires is None:
        return None
    try:
        return time.time() + lifetime(expires)
    except ValueError as error:
        raise BadInput(f"--expires: {error}") from error


def _day(seconds: float | None, otherwise: str = "") -> str:
    return otherwise if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
