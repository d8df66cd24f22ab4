"""How the values of settings are read: a row of the table for each, and one function for each kind of value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.secret import Secret

PREFIX = "FLOWDELTA_"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class SettingsError(Exception):
    """A setting that stops the start. The message names the variable; it never holds the value of a secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: the variable without its prefix, its meaning, its default, and whether its value must stay hidden."""

    variable: str
    meaning: str
    default: str
    secret: bool = False


def setting(variable: str, meaning: str, default: str, read: Callable[[str], Any], *, secret: bool = False) -> dict[str, Any]:
    """The metadata of a field of `Settings`; `default` is what its reader gets when the variable is unset."""
    return {"row": Setting(variable, meaning, default, secret), "read": read}


def text(value: str) -> str:
    """Anything."""
    return value


def folder(value: str) -> Path:
    """Absolute: the analysis runs in another working directory."""
    if not value:
        raise ValueError("must not be empty")
    return Path(value).absolute()


def flag(value: str) -> bool:
    """True or false, as people write it."""
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def whole(minimum: int, maximum: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return read


def seconds(minimum: float, maximum: float) -> Callable[[str], float]:
    """A duration in seconds within bounds."""

    def read(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value) or not minimum <= float(value) <= maximum:
            raise ValueError(f"must be a number of seconds from {minimum:g} to {maximum:g}")
        return float(value)

    return read


def address(value: str) -> tuple[str, int] | None:
    """Where to listen: `host:port`, `[::1]:port`, or nothing."""
    if not value:
        return None
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", value)
    if found is None or int(found[3]) > 65_535:
        raise ValueError("must be host:port, such as 0.0.0.0:9090 or [::]:9090")
    return found[1] or found[2], int(found[3])


def megabytes(value: str) -> int:
    """Bytes, written as megabytes."""
    return whole(1, 1_000_000)(value) * 1_000_000


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words."""

    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return read


def url(value: str) -> str:
    """Where a forge answers: https, or plain http on this machine."""
    parts = urlsplit(value)
    if parts.username or parts.password:
        raise ValueError("must not hold credentials")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https (plain http is taken for loopback addresses only)")
    if parts.scheme not in ("https", "http", "file") or (parts.scheme != "file" and not parts.hostname):
        raise ValueError("must be an https URL")
    return value.rstrip("/")


def public_url(value: str) -> str:
    """Where people read; empty where there is no such place."""
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an http or https URL without credentials, query or fragment")
    return value.rstrip("/")


def existing(value: str) -> str:
    """A file that is there, by its absolute path; empty where none is named."""
    if value and not Path(value).is_file():
        raise ValueError(f"there is no file {value}")
    return str(Path(value).absolute()) if value else ""


def groups(value: str) -> Mapping[str, frozenset[str]]:
    """Account names in small letters, by group."""
    found = {}
    for entry in filter(None, re.split(r"[\s,]+", value)):
        name, _, accounts = entry.partition("=")
        members = frozenset(filter(None, accounts.lower().split("+")))
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", name) or not members:
            raise ValueError(f"{entry[:80]!r} is not name=account+account")
        found[name] = members
    return found


def database_url(value: str) -> Secret:
    """A PostgreSQL database; the URL may hold a password."""
    if value and (urlsplit(value).scheme not in ("postgresql", "postgres") or not urlsplit(value).path.strip("/")):
        raise ValueError("must be a postgresql:// URL that names a database")
    return Secret(value)


def secret(value: str) -> Secret:
    """A value that is never shown."""
    return Secret(value)


def with_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, and below it the lines of the file that it names. Raises `SettingsError` with file and line."""
    variable = f"{PREFIX}SETTINGS"
    path = environ.get(variable, "").strip()
    if not path:
        return environ
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}: {path} cannot be read ({type(error).__name__})") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or not name.startswith(PREFIX) or name == variable or name in found:
            raise SettingsError(f"{variable}: {path}:{number}: a line is {PREFIX}NAME=value, each name once")
        found[name] = value
    return {**found, **environ}


def value_of(variable: str, row: Setting, read: Callable[[str], Any], environ: Mapping[str, str]) -> Any:
    """The value of a variable, or for a secret the content of the file that `<variable>_FILE` names. Raises `SettingsError`."""
    value = _from_file(variable, environ) if row.secret else None
    try:
        return read((environ.get(variable, row.default) if value is None else value).strip())
    except ValueError as error:
        raise SettingsError(f"{variable}: {error}") from None


def _from_file(variable: str, environ: Mapping[str, str]) -> str | None:
    name = f"{variable}_FILE"
    path = environ.get(name)
    if path is None:
        return None
    if variable in environ:
        raise SettingsError(f"{name}: {variable} is set too; keep one of them")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path} cannot be read ({type(error).__name__})") from None
