"""API tokens: what they look like and how long they hold. Only the SHA-256 of one is ever kept.

Its 256 bits of chance make a plain digest enough: there is nothing to guess. The prefix lets secret scanners, and our own logs, find one
that leaked.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string

PREFIX = "fd_"
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 43  # 62^43 is the first power above 2^256
_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{_LENGTH}}}")
_DURATION = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
_SECONDS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def generate() -> str:
    """A new token."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def is_token(text: str) -> bool:
    """Whether it looks like a token: what does not is refused without a look at the database."""
    return _SHAPE.fullmatch(text) is not None


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def lifetime(text: str) -> int:
    """Seconds, from `12h`, `90d`, `8w` or `1y`. Raises `ValueError`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:20]!r} is no duration; write it like 12h, 90d, 8w or 1y")
    return int(found[1]) * _SECONDS[found[2]]
