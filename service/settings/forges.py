"""The forges that are served: a name and a kind for each, and its own variables, `FLOWDELTA_<NAME>_…`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from service.secret import Secret
from service.settings import readers as read
from service.settings.readers import PREFIX, Setting, SettingsError, setting, value_of

_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.][A-Za-z0-9._-]{0,99}"
REPOSITORY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{1,20}}")
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")


class Kind(StrEnum):
    """A kind of forge: which program answers there."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"


_HOME = {Kind.GITHUB: "https://api.github.com", Kind.GITLAB: "https://gitlab.com", Kind.FORGEJO: "https://codeberg.org"}


def named(value: str) -> tuple[tuple[str, Kind], ...]:
    """`github, work=gitlab`: the name of each forge and its kind, which is the name where nothing else is said."""
    found = {}
    for entry in filter(None, re.split(r"[\s,]+", value)):
        name, _, kind = entry.partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is no name for a forge: small letters and digits")
        if (kind or name) not in set(Kind):
            raise ValueError(f"{entry[:80]!r} says no kind of forge; write name=kind with one of {', '.join(Kind)}")
        if name in found:
            raise ValueError(f"{name!r} is named twice")
        found[name] = Kind(kind or name)
    if not found:
        raise ValueError("must name at least one forge")
    return tuple(found.items())


def _repositories(value: str) -> tuple[str, ...]:
    names = [name for name in re.split(r"[\s,]+", value) if name]
    wrong = [name for name in names if not REPOSITORY.fullmatch(name.removesuffix("/*") + "/x" * name.endswith("/*"))]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is neither owner/name nor owner/*")
    if not names:
        raise ValueError("must list at least one repository as owner/name, or owner/* for all of an owner")
    return tuple(names)


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """One forge: where it is, how it is authenticated, and which of its repositories are served."""

    name: str
    kind: Kind
    repositories: tuple[str, ...] = field(
        metadata=setting(
            "REPOSITORIES",
            "repositories that are served: owner/name, or owner/* for all of an owner, separated by commas",
            "",
            _repositories,
        )
    )
    token: Secret = field(
        repr=False,
        metadata=setting("TOKEN", "token that reads the repositories and writes comments and statuses", "", read.secret, secret=True),
    )
    app_id: str = field(metadata=setting("APP_ID", "id of the GitHub App to act as, instead of a token", "", read.text))
    app_key: Secret = field(repr=False, metadata=setting("APP_KEY", "private key of the GitHub App, as PEM", "", read.secret, secret=True))
    webhook_secret: Secret = field(
        repr=False,
        metadata=setting(
            "WEBHOOK_SECRET",
            "secret that signs the webhooks; of GitLab the signing token (whsec_…) or the secret token",
            "",
            read.secret,
            secret=True,
        ),
    )
    webhook_secret_previous: Secret = field(
        repr=False,
        metadata=setting("WEBHOOK_SECRET_PREVIOUS", "secret that is being rotated out and is still taken", "", read.secret, secret=True),
    )
    api_url: str = field(
        metadata=setting("API_URL", "where the forge answers; of GitHub Enterprise Server https://host/api/v3", "the public one", read.text)
    )
    git_url: str = field(
        metadata=setting("GIT_URL", "where repositories are fetched from and linked to", "the forge's own pages", read.text)
    )

    @property
    def variable(self) -> str:
        """What the names of its variables begin with."""
        return f"{PREFIX}{self.name.upper()}_"

    @property
    def webhook_secrets(self) -> tuple[Secret, ...]:
        """The secrets that a delivery may be signed with, the current one first."""
        return tuple(secret for secret in (self.webhook_secret, self.webhook_secret_previous) if secret)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything about the forge that must never be shown."""
        return tuple(secret for secret in (self.token, self.app_key, *self.webhook_secrets) if secret)

    def repository(self, name: str) -> str | None:
        """A repository as it is called here, or None where it is not served. Forges ignore case, so one repository has one name:
        as the list spells it, else in small letters."""
        folded = name.lower()
        if not REPOSITORY.fullmatch(name):
            return None
        exact = next((served for served in self.repositories if served.lower() == folded), None)
        owners = tuple(served.lower().removesuffix("*") for served in self.repositories if served.endswith("/*"))
        return exact if exact is not None else folded if folded.startswith(owners) else None


def rows(cls: type = ForgeSettings) -> dict[str, tuple[Setting, Any]]:
    """The rows of the table that every forge has, by field."""
    return {entry.name: (entry.metadata["row"], entry.metadata["read"]) for entry in fields(cls) if entry.metadata}


def from_environment(name: str, kind: Kind, environ: Mapping[str, str], *, allow_local_git: bool) -> ForgeSettings:
    """The settings of one forge. Raises `SettingsError`, which names the variable."""
    prefix = f"{PREFIX}{name.upper()}_"
    values = {entry: value_of(prefix + row.variable, row, reader, environ) for entry, (row, reader) in rows().items()}
    values["api_url"], values["git_url"] = _places(prefix, kind, environ, allow_local_git=allow_local_git)
    found = ForgeSettings(name, kind, **values)
    _check(found)
    return found


def _places(prefix: str, kind: Kind, environ: Mapping[str, str], *, allow_local_git: bool) -> tuple[str, str]:
    api = _place(f"{prefix}API_URL", environ.get(f"{prefix}API_URL", "").strip() or _HOME.get(kind, ""))
    git = _place(f"{prefix}GIT_URL", environ.get(f"{prefix}GIT_URL", "").strip() or _pages(api, kind))
    if api.startswith("file:"):
        raise SettingsError(f"{prefix}API_URL: must be an https URL")
    if git.startswith("file:") and not allow_local_git:
        raise SettingsError(f"{prefix}GIT_URL: a file:// URL needs {PREFIX}ALLOW_LOCAL_GIT=true")
    return api, git


def _place(variable: str, value: str) -> str:
    if not value:
        raise SettingsError(f"{variable}: is required: this kind of forge has no public home")
    try:
        return read.url(value)
    except ValueError as error:
        raise SettingsError(f"{variable}: {error}") from None


def _pages(api: str, kind: Kind) -> str:
    """Where people and git go, by the API's URL."""
    if kind is Kind.GITHUB and urlsplit(api).hostname == "api.github.com":
        return "https://github.com"
    return api.removesuffix("/api/v3") if kind is Kind.GITHUB else api


def _check(forge: ForgeSettings) -> None:
    if not forge.webhook_secret:
        raise SettingsError(f"{forge.variable}WEBHOOK_SECRET: is required: without it nobody can tell a webhook from a forged one")
    if forge.app_id or forge.app_key:
        if forge.kind is not Kind.GITHUB:
            raise SettingsError(f"{forge.variable}APP_ID: only GitHub has Apps; use {forge.variable}TOKEN")
        if not re.fullmatch(r"[A-Za-z0-9.]{1,40}", forge.app_id) or not forge.app_key:
            raise SettingsError(f"{forge.variable}APP_ID: an App needs both its id and {forge.variable}APP_KEY")
        if forge.token:
            raise SettingsError(f"{forge.variable}TOKEN: {forge.variable}APP_ID is set too; keep one of them")
    elif not forge.token:
        raise SettingsError(f"{forge.variable}TOKEN: is required: a token that can read the repositories and write comments and statuses")
