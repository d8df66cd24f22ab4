"""Settings: everything the service can be told, read once from `FLOWDELTA_*` environment variables.

Each field of `Settings` carries its variable, meaning, default and reader; `table()` lists them for `flowdelta serve --help`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from service.secret import Secret

PREFIX = "FLOWDELTA_"
REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class SettingsError(Exception):
    """A setting that stops the start. The message names the variable; it never holds the value of a secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: the variable, what it means, what it is when unset, and whether its value must stay hidden."""

    variable: str
    meaning: str
    default: str
    secret: bool = False

    @property
    def name(self) -> str:
        """The environment variable."""
        return PREFIX + self.variable


def _setting(variable: str, meaning: str, default: str, read: Callable[[str], Any], *, secret: bool = False) -> dict[str, Any]:
    """The metadata of a field of `Settings`; `default` is what its reader gets when the variable is unset."""
    return {"row": Setting(variable, meaning, default, secret), "read": read}


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    """Absolute: the analysis runs in another working directory."""
    if not value:
        raise ValueError("must not be empty")
    return Path(value).absolute()


def _flag(value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return read


def _seconds(minimum: float, maximum: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value) or not minimum <= float(value) <= maximum:
            raise ValueError(f"must be a number of seconds from {minimum:g} to {maximum:g}")
        return float(value)

    return read


def _megabytes(value: str) -> int:
    return _whole(1, 1_000_000)(value) * 1_000_000


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return read


def _url(value: str) -> str:
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


def _public_url(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an http or https URL without credentials, query or fragment")
    return value.rstrip("/")


def _repositories(value: str) -> frozenset[str]:
    names = [name for name in re.split(r"[\s,]+", value) if name]
    wrong = [name for name in names if not REPOSITORY.fullmatch(name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not owner/name")
    if not names:
        raise ValueError("must list at least one repository as owner/name")
    return frozenset(names)


def _token_digests(value: str) -> frozenset[str]:
    """SHA-256 digests of the tokens: a token that is not kept cannot leak."""
    digests = set()
    for token in (part.strip() for part in value.split(",")):
        if token.startswith("sha256:"):
            if not re.fullmatch(r"sha256:[0-9a-fA-F]{64}", token):
                raise ValueError("an entry that starts with sha256: must go on with 64 hexadecimal digits")
            digests.add(token.removeprefix("sha256:").lower())
        elif token:
            digests.add(hashlib.sha256(token.encode()).hexdigest())
    return frozenset(digests)


def _secret(value: str) -> Secret:
    return Secret(value)


def _required(what: str) -> Callable[[str], Secret]:
    def read(value: str) -> Secret:
        if not value:
            raise ValueError(f"is required: {what}")
        return Secret(value)

    return read


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Build it with `from_environment`; tests override single fields with `dataclasses.replace`."""

    data_dir: Path = field(metadata=_setting("DATA_DIR", "folder of the databases and the git mirrors", "var", _folder))
    repositories: frozenset[str] = field(
        metadata=_setting("REPOSITORIES", "repositories that are served: owner/name, separated by commas", "", _repositories)
    )
    github_token: Secret = field(
        repr=False,
        metadata=_setting(
            "GITHUB_TOKEN",
            "token that reads the repositories and writes comments and statuses",
            "",
            _required("a GitHub token that can read the repositories and write comments and statuses"),
            secret=True,
        ),
    )
    github_webhook_secret: Secret = field(
        repr=False,
        metadata=_setting(
            "GITHUB_WEBHOOK_SECRET",
            "secret that signs the webhooks",
            "",
            _required("without it nobody can tell a webhook of GitHub from a forged one"),
            secret=True,
        ),
    )
    github_webhook_secret_previous: Secret = field(
        repr=False,
        metadata=_setting(
            "GITHUB_WEBHOOK_SECRET_PREVIOUS", "secret that is being rotated out and is still taken", "", _secret, secret=True
        ),
    )
    github_api_url: str = field(
        metadata=_setting("GITHUB_API_URL", "REST API of GitHub or of GitHub Enterprise Server", "https://api.github.com", _url)
    )
    github_git_url: str = field(
        metadata=_setting("GITHUB_GIT_URL", "where repositories are fetched from and linked to", "https://github.com", _url)
    )
    allow_local_git: bool = field(
        metadata=_setting("ALLOW_LOCAL_GIT", "take a file:// URL as FLOWDELTA_GITHUB_GIT_URL (demo and tests)", "false", _flag)
    )
    allow_forks: bool = field(metadata=_setting("ALLOW_FORKS", "analyse pull requests that come from forks", "false", _flag))
    api_tokens: frozenset[str] = field(
        repr=False,
        metadata=_setting(
            "API_TOKENS", "bearer tokens of the API, separated by commas, each as it is or as sha256:<hex>", "", _token_digests, secret=True
        ),
    )
    public_url: str = field(
        metadata=_setting("PUBLIC_URL", "URL under which people reach this service; comments link full reports below it", "", _public_url)
    )
    status_context: str = field(metadata=_setting("STATUS_CONTEXT", "name of the commit status", "flowdelta", _text))
    host_network: Literal["node", "pod"] = field(
        metadata=_setting("HOST_NETWORK", "what pods with hostNetwork count as: node or pod", "node", _one_of("node", "pod"))
    )
    listen_host: str = field(metadata=_setting("LISTEN_HOST", "address to listen on", "127.0.0.1", _text))
    listen_port: int = field(metadata=_setting("LISTEN_PORT", "port to listen on; 0 takes a free one", "8080", _whole(0, 65_535)))
    threads: int = field(metadata=_setting("THREADS", "threads that answer requests", "8", _whole(1, 256)))
    concurrency: int = field(metadata=_setting("CONCURRENCY", "reviews that one worker runs at once", "2", _whole(1, 64)))
    analysis_timeout: float = field(
        metadata=_setting("ANALYSIS_TIMEOUT", "seconds an analysis may take before it is killed", "300", _seconds(0.1, 86_400))
    )
    analysis_memory: int = field(metadata=_setting("ANALYSIS_MEMORY_MB", "memory an analysis may use, in megabytes", "4000", _megabytes))
    fetch_timeout: float = field(metadata=_setting("FETCH_TIMEOUT", "seconds a git fetch may take", "300", _seconds(0.1, 86_400)))
    fetch_bytes: int = field(metadata=_setting("FETCH_MAX_MB", "size that a git mirror may reach, in megabytes", "4000", _megabytes))
    upload_bytes: int = field(metadata=_setting("UPLOAD_MAX_MB", "size of an API request with archives, in megabytes", "64", _megabytes))
    forge_timeout: float = field(metadata=_setting("FORGE_TIMEOUT", "seconds to wait for an answer of the forge", "20", _seconds(0.1, 600)))
    write_interval: float = field(metadata=_setting("WRITE_INTERVAL", "seconds between two writes to the forge", "1", _seconds(0, 60)))
    retry_attempts: int = field(metadata=_setting("RETRY_ATTEMPTS", "times that a failing step is tried", "10", _whole(1, 100)))
    retry_first: float = field(
        metadata=_setting("RETRY_FIRST", "seconds before the first retry; each further wait is twice as long", "2", _seconds(0, 3_600))
    )
    retry_longest: float = field(
        metadata=_setting("RETRY_LONGEST", "longest wait between two tries, also when the forge asks for more", "3600", _seconds(0, 7_200))
    )
    poll_interval: float = field(metadata=_setting("POLL_INTERVAL", "seconds between two looks at the queue", "0.5", _seconds(0.01, 60)))
    grace: float = field(
        metadata=_setting("GRACE", "seconds that running work is given to finish when the service stops", "20", _seconds(0, 600))
    )
    log_level: str = field(
        metadata=_setting("LOG_LEVEL", "least severe level that is logged", "INFO", _one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    )

    def __post_init__(self) -> None:
        if self.github_git_url.startswith("file:") and not self.allow_local_git:
            raise SettingsError(f"{PREFIX}GITHUB_GIT_URL: a file:// URL needs {PREFIX}ALLOW_LOCAL_GIT=true")
        if self.github_api_url.startswith("file:"):
            raise SettingsError(f"{PREFIX}GITHUB_API_URL: must be an https URL")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read every setting. Raises `SettingsError` for the first bad one, and for a `FLOWDELTA_*` variable that is not a setting."""
        environ = os.environ if environ is None else environ
        known = {row.name for row in table()} | {f"{row.name}_FILE" for row in table() if row.secret}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known and not _FOREIGN.fullmatch(name))
        if unknown:
            raise SettingsError(f"{unknown[0]}: is not a setting of Flowdelta")
        return cls(**{entry.name: _read(entry.metadata["row"], entry.metadata["read"], environ) for entry in fields(cls)})

    @property
    def listen_address(self) -> tuple[str, int]:
        """Where to listen."""
        return self.listen_host, self.listen_port

    @property
    def cache_dir(self) -> Path:
        """The folder of the parse cache."""
        return self.data_dir / "cache"

    @property
    def webhook_secrets(self) -> tuple[Secret, ...]:
        """The secrets that a signature may be made with, the current one first."""
        return tuple(secret for secret in (self.github_webhook_secret, self.github_webhook_secret_previous) if secret)

    def repository(self, name: str) -> str | None:
        """`owner/name` as the allow-list spells it, or None where it is not listed. GitHub's names ignore case."""
        return next((served for served in self.repositories if served.lower() == name.lower()), None)


# Not settings: the folder of shared test data, and what Kubernetes puts into every pod beside a Service named flowdelta.
_FOREIGN = re.compile(PREFIX + r"(SHARED|SERVICE_(HOST|PORT)\w*|PORT(_\d+_\w+)?)")


def table() -> tuple[Setting, ...]:
    """Every setting in the order of the class."""
    return tuple(entry.metadata["row"] for entry in fields(Settings))


def _read(row: Setting, read: Callable[[str], Any], environ: Mapping[str, str]) -> Any:
    value = _from_file(row, environ) if row.secret else None
    try:
        return read((environ.get(row.name, row.default) if value is None else value).strip())
    except ValueError as error:
        raise SettingsError(f"{row.name}: {error}") from None


def _from_file(row: Setting, environ: Mapping[str, str]) -> str | None:
    """The content of the file that `<NAME>_FILE` points at, or None where it is not set."""
    name = f"{row.name}_FILE"
    path = environ.get(name)
    if path is None:
        return None
    if row.name in environ:
        raise SettingsError(f"{name}: {row.name} is set too; keep one of them")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: {path} cannot be read ({type(error).__name__})") from None


def documentation() -> str:
    """The settings as a Markdown table, the text of docs/settings.md below its heading."""
    rows = ["| variable | meaning | default |", "| --- | --- | --- |"]
    rows += [f"| `{row.name}` | {row.meaning} | {f'`{row.default}`' if row.default else ''} |" for row in table()]
    return "\n".join(rows) + "\n"
