"""Settings: everything the service can be told, read once from `FLOWDELTA_*` environment variables, or a file of them.

Each field of `Settings` and of `ForgeSettings` carries its variable, meaning, default and reader; `documentation()` lists them for
`flowdelta serve --help`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from service.secret import Secret
from service.settings import readers as read
from service.settings.forges import REPOSITORY, ForgeSettings, Kind, from_environment, named, rows
from service.settings.readers import PREFIX, Setting, SettingsError, setting, value_of, with_file

__all__ = ["PREFIX", "REPOSITORY", "ForgeSettings", "Kind", "Settings", "SettingsError", "documentation", "table"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Build it with `from_environment`; tests override single fields with `dataclasses.replace`."""

    file: str = field(
        metadata=setting("SETTINGS", "file with more settings, one NAME=value a line; what the environment says wins", "", read.text)
    )
    data_dir: Path = field(metadata=setting("DATA_DIR", "folder of the databases and the git mirrors", "var", read.folder))
    database_url: Secret = field(
        repr=False,
        metadata=setting(
            "DATABASE_URL",
            "postgresql://user:password@host/database for several machines; empty keeps SQLite files in the data folder",
            "",
            read.database_url,
            secret=True,
        ),
    )
    forges: tuple[ForgeSettings, ...] = field(
        metadata=setting("FORGES", "forges that are served: name=kind, or the kind alone as its name, separated by commas", "github", named)
    )
    allow_local_git: bool = field(
        metadata=setting("ALLOW_LOCAL_GIT", "take file:// URLs as GIT_URL of a forge (demo and tests)", "false", read.flag)
    )
    allow_forks: bool = field(metadata=setting("ALLOW_FORKS", "analyse pull requests that come from forks", "false", read.flag))
    review_drafts: bool = field(
        metadata=setting("REVIEW_DRAFTS", "analyse drafts too, not only what is ready for review", "true", read.flag)
    )
    public_url: str = field(
        metadata=setting(
            "PUBLIC_URL", "URL under which people reach this service; comments link full reports below it", "", read.public_url
        )
    )
    status_context: str = field(
        metadata=setting(
            "STATUS_CONTEXT", "name of the check or commit status, and of the comment that belongs to it", "flowdelta", read.text
        )
    )
    host_network: Literal["node", "pod"] = field(
        metadata=setting("HOST_NETWORK", "what pods with hostNetwork count as: node or pod", "node", read.one_of("node", "pod"))
    )
    listen_host: str = field(metadata=setting("LISTEN_HOST", "address to listen on", "127.0.0.1", read.text))
    listen_port: int = field(metadata=setting("LISTEN_PORT", "port to listen on; 0 takes a free one", "8080", read.whole(0, 65_535)))
    metrics: bool = field(
        metadata=setting(
            "METRICS", "answer /metrics, which tells numbers and no names, to everybody who can reach the service", "true", read.flag
        )
    )
    worker_listen: tuple[str, int] | None = field(
        metadata=setting(
            "WORKER_LISTEN", "where `flowdelta worker` answers /metrics and /healthz, as host:port; empty for nowhere", "", read.address
        )
    )
    threads: int = field(metadata=setting("THREADS", "threads that answer requests", "8", read.whole(1, 256)))
    concurrency: int = field(metadata=setting("CONCURRENCY", "reviews that one worker runs at once", "2", read.whole(1, 64)))
    analysis_timeout: float = field(
        metadata=setting("ANALYSIS_TIMEOUT", "seconds an analysis may take before it is killed", "300", read.seconds(0.1, 86_400))
    )
    analysis_memory: int = field(metadata=setting("ANALYSIS_MEMORY_MB", "memory an analysis may use, in megabytes", "4000", read.megabytes))
    fetch_timeout: float = field(metadata=setting("FETCH_TIMEOUT", "seconds a git fetch may take", "300", read.seconds(0.1, 86_400)))
    fetch_bytes: int = field(metadata=setting("FETCH_MAX_MB", "size that a git mirror may reach, in megabytes", "4000", read.megabytes))
    upload_bytes: int = field(metadata=setting("UPLOAD_MAX_MB", "size of an API request with archives, in megabytes", "64", read.megabytes))
    forge_timeout: float = field(
        metadata=setting("FORGE_TIMEOUT", "seconds to wait for an answer of the forge", "20", read.seconds(0.1, 600))
    )
    write_interval: float = field(metadata=setting("WRITE_INTERVAL", "seconds between two writes to the forge", "1", read.seconds(0, 60)))
    retry_attempts: int = field(metadata=setting("RETRY_ATTEMPTS", "times that a failing step is tried", "10", read.whole(1, 100)))
    retry_first: float = field(
        metadata=setting("RETRY_FIRST", "seconds before the first retry; each further wait is twice as long", "2", read.seconds(0, 3_600))
    )
    retry_longest: float = field(
        metadata=setting(
            "RETRY_LONGEST", "longest wait between two tries, also when the forge asks for more", "3600", read.seconds(0, 7_200)
        )
    )
    poll_interval: float = field(metadata=setting("POLL_INTERVAL", "seconds between two looks at the queue", "0.5", read.seconds(0.01, 60)))
    lease: float = field(
        metadata=setting(
            "LEASE", "seconds after which a worker that says nothing is dead and its reviews are taken over", "30", read.seconds(0.2, 3_600)
        )
    )
    debounce: float = field(
        metadata=setting(
            "DEBOUNCE",
            "seconds that a base branch must rest before the open pull requests towards it are reviewed again",
            "30",
            read.seconds(0, 3_600),
        )
    )
    reconcile_interval: float = field(
        metadata=setting(
            "RECONCILE_INTERVAL",
            "seconds between two looks at all open pull requests, for events that got lost",
            "600",
            read.seconds(0.05, 86_400),
        )
    )
    retention_days: int = field(
        metadata=setting("RETENTION_DAYS", "days that deliveries, reviews and reports are kept; 0 keeps them", "90", read.whole(0, 36_500))
    )
    api_rate: int = field(metadata=setting("API_RATE", "requests a minute that one API token may make", "120", read.whole(1, 1_000_000)))
    kustomize: str = field(
        metadata=setting(
            "KUSTOMIZE", "program that renders kustomizations, kustomize or kubectl; empty takes the one on the path", "", read.text
        )
    )
    helm: str = field(metadata=setting("HELM", "program that renders charts; empty takes the one on the path", "", read.text))
    guardrails: str = field(
        metadata=setting(
            "GUARDRAILS", "file with guardrails of the organisation, which hold beside those of each repository", "", read.existing
        )
    )
    guardrails_stricter: bool = field(
        metadata=setting("GUARDRAILS_STRICTER", "hold a change of the guardrails to those of both its sides", "false", read.flag)
    )
    groups: Mapping[str, frozenset[str]] = field(
        metadata=setting("GROUPS", "groups that no forge knows, as name=account+account, separated by commas", "", read.groups)
    )
    grace: float = field(
        metadata=setting("GRACE", "seconds that running work is given to finish when the service stops", "20", read.seconds(0, 600))
    )
    log_level: str = field(
        metadata=setting("LOG_LEVEL", "least severe level that is logged", "INFO", read.one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read every setting. Raises `SettingsError` for the first bad one, and for a `FLOWDELTA_*` variable that is not a setting."""
        environ = with_file(os.environ if environ is None else environ)
        values = {entry.name: value_of(PREFIX + row.variable, row, entry.metadata["read"], environ) for entry, row in _entries()}
        kinds: tuple[tuple[str, Kind], ...] = values["forges"]
        _refuse_unknown(environ, [name for name, _ in kinds])
        forges = tuple(from_environment(name, kind, environ, allow_local_git=values["allow_local_git"]) for name, kind in kinds)
        return cls(**{**values, "forges": forges})

    @property
    def listen_address(self) -> tuple[str, int]:
        """Where to listen."""
        return self.listen_host, self.listen_port

    @property
    def cache_dir(self) -> Path:
        """The folder of the parse cache."""
        return self.data_dir / "cache"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything that must never be shown."""
        return tuple(secret for secret in (self.database_url, *(each for forge in self.forges for each in forge.secrets)) if secret)

    def forge(self, name: str) -> ForgeSettings | None:
        """The forge of a name."""
        return next((forge for forge in self.forges if forge.name == name), None)

    def repository(self, forge: str, name: str) -> str | None:
        """A repository of a forge as it is called here; see `ForgeSettings.repository`."""
        known = self.forge(forge)
        return None if known is None else known.repository(name)


# Not settings: the folder of shared test data, and what Kubernetes puts into every pod beside a Service named flowdelta.
_FOREIGN = re.compile(PREFIX + r"(SHARED|SERVICE_(HOST|PORT)\w*|PORT(_\d+_\w+)?)")


def _entries() -> list[tuple[Any, Setting]]:
    return [(entry, entry.metadata["row"]) for entry in fields(Settings)]


def _refuse_unknown(environ: Mapping[str, str], forges: list[str]) -> None:
    of_forges = [(f"{PREFIX}{name.upper()}_{row.variable}", row) for name in forges for row, _ in rows().values()]
    listed = [(PREFIX + row.variable, row) for _, row in _entries()] + of_forges
    known = {name for name, _ in listed} | {f"{name}_FILE" for name, row in listed if row.secret}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known and not _FOREIGN.fullmatch(name))
    if unknown:
        raise SettingsError(f"{unknown[0]}: is not a setting of Flowdelta")


def table() -> tuple[tuple[str, Setting], ...]:
    """Every setting with its variable, first those of the service, then those of a forge, whose name is written `<NAME>`."""
    own = tuple((PREFIX + row.variable, row) for _, row in _entries())
    return (*own, *((f"{PREFIX}<NAME>_{row.variable}", row) for row, _ in rows().values()))


def documentation() -> str:
    """The settings as a Markdown table, the text of docs/settings.md below its heading."""
    lines = ["| variable | meaning | default |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {row.meaning} | {f'`{row.default}`' if row.default else ''} |" for name, row in table()]
    return "\n".join(lines) + "\n"
