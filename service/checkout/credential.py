"""Credentials for a forge, and keeping them out of everything that is written down."""

from __future__ import annotations

import base64
import re
from typing import Protocol
from urllib.parse import quote

from service.secret import Redaction, Secret

_USERINFO = r"(?<=://)[^/\s@]+@"
_AUTHORIZATION = r"(?i)(authorization:\s*)\S.*"
_LONGEST = 2_000


class Credential(Protocol):
    """What a forge's HTTPS side accepts: GitHub `x-access-token`, GitLab `oauth2`, Gitea any user name, each with a token as password."""

    @property
    def username(self) -> str:
        """The user name; it holds no colon."""
        ...

    @property
    def password(self) -> Secret:
        """The token."""
        ...


def header(credential: Credential) -> str:
    """The HTTP header that carries it. Base64 leaves no way to add a second header."""
    return f"Authorization: Basic {_basic(credential)}"


def redaction(credential: Credential | None) -> Redaction:
    """Takes every spelling of the secret out of text."""
    if credential is None:
        return Redaction(())
    token = credential.password.reveal()
    return Redaction(Secret(spelling) for spelling in (token, _basic(credential), quote(token), quote(token, safe="")))


def readable(text: str, redact: Redaction) -> str:
    """What a program said, fit for a log or a message: no secrets, no user info in URLs, nothing that moves a cursor, 2,000 characters."""
    text = re.sub(_AUTHORIZATION, r"\1***", re.sub(_USERINFO, "***@", redact(text)))
    lines = ("".join(character if character.isprintable() else " " for character in line).strip() for line in text.splitlines())
    return "; ".join(line for line in lines if line)[:_LONGEST]


def _basic(credential: Credential) -> str:
    return base64.b64encode(f"{credential.username}:{credential.password.reveal()}".encode()).decode("ascii")
