"""Secrets: text that must never be shown, and the filter that keeps it out of everything that is."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"
# What secrets look like when they turn up where nobody expects them: our tokens, those of forges, private keys, credentials in a URL or
# in a header.
_SHAPES = (
    r"\bfd_[A-Za-z0-9]{43}",
    r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})",
    r"\b(?:glpat-[A-Za-z0-9_.-]{16,}|whsec_[A-Za-z0-9_+/=-]{24,})",
    r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    r"(?i)(?<=authorization: )(?:bearer|basic|token) \S+|\bbearer [A-Za-z0-9._~+/=-]{8,}",
)


class Secret:
    """Text that only `reveal` gives away. Two secrets are compared with `hmac.compare_digest` by those who check one."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Call it where it is used, and keep the result nowhere."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})" if self._value else "Secret('')"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


class Redaction:
    """Takes known secrets, and whatever looks like one, out of text."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._values = sorted({secret.reveal() for secret in secrets if len(secret.reveal()) >= 4}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        for shape in _SHAPES:
            text = re.sub(shape, HIDDEN, text)  # compiled when it is first needed: most commands have nothing to hide
        return text
