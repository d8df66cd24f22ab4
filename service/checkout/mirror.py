"""Mirrors: one bare repository on disk for each repository of a forge, holding the refs that reviews asked for."""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.checkout import remote
from service.checkout.command import GitRunner
from service.checkout.credential import Credential
from service.checkout.disk import size, sweep
from service.checkout.errors import CheckoutError
from service.checkout.fetching import OtherFormat, UnusableMirror, create, fetch, fetched_commit
from service.checkout.lock import exclusive
from service.checkout.merge import require_merge
from service.checkout.names import ref_name
from service.checkout.remote import Remote
from service.checkout.repository import Repository, borrow

_LOG = logging.getLogger(__name__)
_HOUSEKEEPING = ("gc.auto=6700", "gc.autoDetach=false", "gc.cruftPacks=true", "gc.pruneExpire=1.day.ago")


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The mirrors below the folder `root`, shared by threads and processes. Seconds for each git command and for waiting on the lock of a
    mirror; bytes that a mirror may take on disk.

    Everything is fetched: a filtered clone would be a promise to fetch more when a blob is read, and a merge needs the blobs of both sides.
    `http` and local (`file`) URLs are for the demo and tests.
    """

    root: Path
    allow_http: bool = False
    allow_file: bool = False
    timeout: float = 300.0
    lock_timeout: float = 300.0
    max_bytes: int = 4 * 10**9

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", self.root.absolute())

    def fetch(self, url: str, refs: Iterable[str], credential: Credential | None = None) -> dict[str, str]:
        """Fetches `refs` (full names at the forge, such as `refs/heads/main` or `refs/pull/7/head`) and says which commit each one is now.

        Raises `CheckoutError`: `invalid-url`, `invalid-ref`, `unknown-ref`, `unknown-repository`, `access-denied`, `redirected`,
        `fetch-failed`, `timeout`, `too-large`, `locked`, `not-a-commit`, `git-too-old`, `git-missing`.
        """
        place = self._remote(url)
        wanted = tuple(dict.fromkeys(ref_name(ref) for ref in refs))
        if not wanted:
            raise CheckoutError("invalid-ref", "no ref to fetch was named")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(self.root / f"{place.folder}.lock", self.lock_timeout) as held:
            return self._update(place, wanted, credential, held)

    @contextlib.contextmanager
    def open(self, url: str) -> Iterator[Repository]:
        """The mirror of what was fetched from `url`, to read trees from and merge in. No lock is needed: what is read is never rewritten.

        Raises `CheckoutError` (`not-a-repository`) before the first fetch.
        """
        place = self._remote(url)
        folder = self.root / f"{place.folder}.git"
        if not folder.is_dir():
            raise CheckoutError("not-a-repository", f"nothing was fetched yet from {place.origin} for {place.folder}")
        with tempfile.TemporaryDirectory(prefix="flowdelta-git-") as temporary:
            yield borrow(place.folder, GitRunner(folder, self.timeout), folder, Path(temporary) / "objects.git")

    def _remote(self, url: str) -> Remote:
        allowed = {"https": True, "http": self.allow_http, "file": self.allow_file}
        return remote.parse(url, [scheme for scheme in allowed if allowed[scheme]])

    def _update(self, place: Remote, wanted: tuple[str, ...], credential: Credential | None, held: int) -> dict[str, str]:
        folder = self.root / f"{place.folder}.git"
        self._discard_leftovers(place)
        if folder.is_dir() and size(folder) > self.max_bytes:
            self._discard(folder, place)  # what filled it may be gone at the forge; if not, the fetch below says so
        if not self._refresh(folder, place, wanted, credential, held):
            self._clone(folder, place, wanted, credential, held)
        return {ref: fetched_commit(GitRunner(folder, self.timeout), ref) for ref in wanted}

    def _runner(self, folder: Path, place: Remote, credential: Credential | None, held: int) -> GitRunner:
        patience = max(1, int(self.timeout))  # ends a git whose starter was killed and that nobody else would stop
        settings = ("http.lowSpeedLimit=1000", f"http.lowSpeedTime={patience}")
        return GitRunner(folder, self.timeout, (place.scheme,), settings, credential, place.origin, (held,))

    def _refresh(self, folder: Path, place: Remote, wanted: tuple[str, ...], credential: Credential | None, held: int) -> bool:
        """Fetches into the mirror that is there; false when there is none, or it had to go."""
        if not folder.is_dir():
            return False
        sweep(folder)
        try:
            fetch(self._runner(folder, place, credential, held), place, wanted, self.max_bytes)
        except UnusableMirror as error:
            _LOG.warning("mirror %s is made anew: %s", folder.name, error.message)
            self._discard(folder, place)
            return False
        self._keep_house(folder, held)
        return True

    def _clone(self, folder: Path, place: Remote, wanted: tuple[str, ...], credential: Credential | None, held: int) -> None:
        """A mirror appears under its name when its first fetch is complete, never before."""
        partial = self._leftover(place)
        git = self._runner(partial, place, credential, held)
        require_merge(git)
        try:
            try:
                create(git, "sha1")
                fetch(git, place, wanted, self.max_bytes)
            except OtherFormat:
                shutil.rmtree(partial)
                create(git, "sha256")
                fetch(git, place, wanted, self.max_bytes)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _keep_house(self, folder: Path, held: int) -> None:
        """Packs what many fetches have left. A failure costs disk space and nothing else: the next fetch tries again."""
        try:
            GitRunner(folder, self.timeout, settings=_HOUSEKEEPING, held=(held,)).run("gc", "--auto", "--quiet")
        except CheckoutError as error:
            _LOG.warning("housekeeping of mirror %s failed: %s", folder.name, error.message)

    def _discard(self, folder: Path, place: Remote) -> None:
        aside = self._leftover(place)
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def _leftover(self, place: Remote) -> Path:
        return self.root / f".{place.folder}.{secrets.token_hex(8)}.part"

    def _discard_leftovers(self, place: Remote) -> None:
        for path in self.root.glob(f".{place.folder}.*.part"):
            shutil.rmtree(path, ignore_errors=True)
