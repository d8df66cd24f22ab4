"""Apps as GitHub keeps them: where one is installed, the tokens that it was given, and the key of ours. GitHub Actions is one too."""

from __future__ import annotations

import functools
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.forges.github_state import Caller, Refused

APP_ID, APP_SLUG, APP_BOT_ID = 98_765, "flowdelta", 515_151
ACTIONS_ID, ACTIONS_SLUG, ACTIONS_BOT_ID = 15_368, "github-actions", 41_898_282


@dataclass
class Given:
    """A token of an installation. `expires` is in seconds since 1970; one that does not `write` is what a job of a fork gets."""

    installation: int
    expires: float
    rights: dict[str, str]
    writes: bool = True


@dataclass
class App:
    """An App. `lifetime` is how many seconds a token lives."""

    number: int = APP_ID
    slug: str = APP_SLUG
    bot: int = APP_BOT_ID
    installations: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, Given] = field(default_factory=dict)
    lifetime: float = 3_600.0

    @property
    def user(self) -> tuple[str, int]:
        """The account that writes in the App's name."""
        return f"{self.slug}[bot]", self.bot

    def install(self, repository: str) -> int:
        """Install it on a repository, under an id that was never used before; what an older installation was given holds no more."""
        self.tokens = {token: given for token, given in self.tokens.items() if given.installation != self.installations.get(repository)}
        self.installations[repository] = 7_000 + secrets.randbelow(1_000_000_000)
        return self.installations[repository]

    def give(self, installation: int, rights: dict[str, str]) -> tuple[str, Given]:
        """A new token."""
        if installation not in self.installations.values():
            raise Refused(404, "Not Found")
        token = f"ghs_{secrets.token_hex(18)}"
        self.tokens[token] = Given(installation, time.time() + self.lifetime, rights)
        return token, self.tokens[token]

    def job(self, repository: str, *, writes: bool = True) -> str:
        """The token that a CI job of a repository is given."""
        if repository not in self.installations:
            self.install(repository)
        token, given = self.give(self.installations[repository], {})
        given.writes = writes
        return token

    def proves(self, jwt_token: str) -> bool:
        """Whether it was signed with the App's key, by GitHub's rules for it."""
        import jwt

        try:
            claims = jwt.decode(jwt_token, public_key(), algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]}, leeway=60)
        except jwt.PyJWTError:
            return False
        return bool(claims["iss"] == str(APP_ID) and claims["exp"] - time.time() <= 600)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is."""
        given = self.tokens.get(token)
        if given is None or given.expires < time.time():
            return None
        return Caller("installation", self.user, given.rights or None, self.number, given.writes)

    def may_see(self, token: str, repository: str) -> bool:
        """Whether the installation of a token is the one of the repository."""
        given = self.tokens.get(token)
        return given is not None and self.installations.get(repository) == given.installation


@functools.cache
def _pair() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@functools.cache
def private_key() -> str:
    """The App's private key, as its owner downloads it."""
    from cryptography.hazmat.primitives import serialization as form

    pem: bytes = _pair().private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    return pem.decode()


def public_key() -> Any:
    """What GitHub keeps of it."""
    return _pair().public_key()


def written(seconds: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
