"""Repositories on this machine, opened so that nothing in them is changed or obeyed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from service.checkout.command import GitRunner
from service.checkout.errors import CheckoutError, GitFailed
from service.checkout.names import is_object_id, object_id, revision, shown

_FORMATS = ("sha1", "sha256")
DEFAULT_TIMEOUT = 120.0


class Repository(Struct, frozen=True):
    """An open repository. `source` runs git in the repository itself and only ever asks what its revisions are.

    `objects` runs git in an empty repository of our own that borrows the objects of `source`. The configuration, hooks, merge drivers,
    attributes, replacements and promisor remotes of `source` do not exist there. What a merge writes stays there and goes with it.
    """

    name: str
    source: GitRunner
    objects: GitRunner
    shallow: bool


@contextlib.contextmanager
def open_repository(path: Path, *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[Repository]:
    """The repository whose top folder, or git directory, is `path`; bare or not. `timeout` is in seconds for each git command.

    Raises `CheckoutError` (`not-a-repository`).
    """
    path = path.absolute()
    marker = path / ".git"
    git_dir = marker if marker.exists() else path
    source = GitRunner(git_dir, timeout)
    created, common = _described(path, source)
    with tempfile.TemporaryDirectory(prefix="flowdelta-git-") as folder:
        yield borrow(str(path), source, common, Path(folder) / "objects.git", created)


def borrow(name: str, source: GitRunner, common: Path, store: Path, created: str = "") -> Repository:
    """A repository over `source`, whose objects lie below `common`, with a new repository at `store` to read and write through.

    `created` is the object format of `source`, where it is known already.
    """
    objects = GitRunner(store, source.timeout)
    created = created or source.run("rev-parse", "--show-object-format").line
    if created not in _FORMATS:
        raise CheckoutError("not-a-repository", f"{name}: object format {shown(created)} is not supported")
    _lay_out(store, created)
    (store / "objects" / "info" / "alternates").write_bytes(_quoted(common / "objects") + b"\n")
    shallow = common / "shallow"
    cut = shallow.read_bytes() if shallow.is_file() else b""
    if cut:  # without it git would look for the commits that are not there
        (store / "shallow").write_bytes(cut)
    return Repository(name, source, objects, bool(cut))


def _lay_out(store: Path, object_format: str) -> None:
    """An empty bare repository as gitrepository-layout(5) has it; `git init` would be one more process in every run."""
    (store / "objects" / "info").mkdir(parents=True)
    (store / "refs").mkdir()
    (store / "HEAD").write_text("ref: refs/heads/main\n")
    settings = f"[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = {object_format}\n"
    (store / "config").write_text(settings)


def resolve_all(repository: Repository, *revs: str) -> tuple[str, ...]:
    """What `resolve` says of each, asked for at once: what is more than the one name of a commit is asked for again by itself."""
    with tempfile.TemporaryFile() as names:
        names.writelines(os.fsencode(revision(rev)) + b"\n" for rev in revs)
        names.seek(0)
        try:
            said = repository.source.run("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=names)
        except GitFailed:
            return tuple(resolve(repository, rev) for rev in revs)
    found = [line.removeprefix("commit ") for line in said.line.split("\n")]
    if said.remarks or len(found) != len(revs) or not all(map(is_object_id, found)):
        return tuple(resolve(repository, rev) for rev in revs)
    return tuple(found)


def resolve(repository: Repository, rev: str) -> str:
    """The full id of the commit that `rev` (a branch, tag, commit id, `HEAD~2`) names.

    Raises `CheckoutError`: `invalid-revision`, `unknown-revision`, `ambiguous-revision`, `not-a-commit`, `empty-repository` or
    `missing-object`.
    """
    named = rev if is_object_id(rev) else _named(repository, revision(rev))
    try:
        commit = repository.objects.run("rev-parse", "--verify", "--end-of-options", f"{named}^{{commit}}").line
    except GitFailed as error:
        raise _no_commit(repository, rev, named) from error
    return object_id(commit)


def _described(path: Path, source: GitRunner) -> tuple[str, Path]:
    """The object format of a repository, and the folder that holds its objects."""
    if not path.is_dir():
        raise CheckoutError("not-a-repository", f"{path}: no such folder")
    try:
        described = source.run("rev-parse", "--show-object-format", "--path-format=absolute", "--git-common-dir").line
    except GitFailed as error:
        raise CheckoutError("not-a-repository", f"{path} is not the top folder of a git repository: {error.complaint}") from error
    created, _, common = described.partition("\n")
    return created, Path(common)


def _quoted(path: Path) -> bytes:
    """A line of `objects/info/alternates`: C-quoted, since a path may hold line breaks or look like a comment."""
    escaped = bytes(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _named(repository: Repository, rev: str) -> str:
    try:
        found = repository.source.run("rev-parse", "--verify", "--end-of-options", rev)
    except GitFailed as error:
        raise _unresolved(repository, rev, error) from error
    if "is ambiguous" in found.remarks:
        raise CheckoutError(
            "ambiguous-revision", f"{repository.name}: {shown(rev)} is more than one ref; write refs/heads/… or refs/tags/…"
        )
    if not is_object_id(found.line):  # git answers ^rev with a negated id
        raise CheckoutError("invalid-revision", f"{shown(rev)} is not the name of one revision")
    return found.line


def _unresolved(repository: Repository, rev: str, error: GitFailed) -> CheckoutError:
    if "is ambiguous" in error.complaint:
        return CheckoutError("ambiguous-revision", f"{repository.name}: {shown(rev)} is short for more than one object: {error.complaint}")
    if not repository.source.run("for-each-ref", "--count=1").stdout:
        return CheckoutError("empty-repository", f"{repository.name} has no commits yet")
    return CheckoutError("unknown-revision", f"{repository.name} has no revision {shown(rev)}{_advice(repository)}")


def _no_commit(repository: Repository, rev: str, named: str) -> CheckoutError:
    try:
        kind = repository.objects.run("cat-file", "-t", named).line
    except GitFailed:
        if is_object_id(rev):
            return CheckoutError("unknown-revision", f"{repository.name} has no object {rev}{_advice(repository)}")
        return CheckoutError("missing-object", f"{repository.name}: {shown(rev)} is {named}, which is missing{_advice(repository)}")
    return CheckoutError("not-a-commit", f"{repository.name}: {shown(rev)} is a {kind}, not a commit")


def _advice(repository: Repository) -> str:
    return "; it is a shallow clone: `git fetch --unshallow` gets the rest of its history" if repository.shallow else ""
