"""A git revision as a tree of files. Only objects are read: no checkout, no index, no filters, no links followed."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import force_setattr

from analyzers.manifests.tree import Change, EmptyTree, Entry, EntryKind, Tree, Unreadable
from service.checkout.buffered import Buffered
from service.checkout.errors import CheckoutError, GitFailed
from service.checkout.names import folder, object_id, path_text, shown
from service.checkout.repository import Repository

_LINK_MODE, _SUBMODULE_MODE, _NO_MODE = "120000", "160000", "000000"
_LONGEST_TARGET = 4_096  # PATH_MAX: no file system would hold a longer link
_LONGEST_PREFIX = 200  # what git writes before a path or a content: mode, kind, id, size
_DAMAGED_CAP = 100


class TreeLimits(Struct, frozen=True):
    """Caps on one tree: paths, bytes of a path, bytes of a file that is read. Trees can name the same subtree many times over: a small
    repository can spell out billions of paths."""

    entries: int = 200_000
    path_bytes: int = 4_096
    file_bytes: int = 64 * 2**20


class GitTree(Struct, frozen=True):
    """The files of a commit (or of a tree, by its id) of an open repository; a `Tree`. Paths are relative to `subdir`.

    A path that is not UTF-8 is shown with `\\xNN` for the bytes that are not. Raises `CheckoutError` while it is read: `unknown-folder`,
    `invalid-tree`, `too-large`, `missing-object`.
    """

    repository: Repository
    revision: str
    subdir: str = ""
    limits: TreeLimits = TreeLimits()

    def __post_init__(self) -> None:
        object_id(self.revision)
        force_setattr(self, "subdir", folder(self.subdir))

    @property
    def name(self) -> str:
        """Names the content of the whole tree."""
        return f"{self.revision}:{self.subdir}"

    @property
    def whole(self) -> GitTree:
        """The tree that this one is a folder of."""
        return GitTree(self.repository, self.revision, limits=self.limits)

    def changes_from(self, base: Tree, most: int) -> Sequence[Change] | None:
        """What differs in another tree of the same repository, without listing either; sizes are not told. None where there is more than
        `most`, where another repository holds `base`, or git cannot tell."""
        if not isinstance(base, GitTree) or base.repository is not self.repository:
            return None
        found: list[Change] = []
        arguments = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", base._top(), self._top())
        output = Buffered(self.repository.objects.stream("diff-tree", *arguments))
        try:
            with contextlib.closing(output):
                while len(found) <= most and (facts := output.until(b"\0", _LONGEST_PREFIX)):
                    found.append(_change(facts, output.until(b"\0", self.limits.path_bytes).decode()))
        except (GitFailed, OverflowError, UnicodeDecodeError):
            return None  # whoever lists the trees says what is missing or amiss in them
        paths = {each.path for each in found}
        return found if len(found) <= most and len(paths) == len(found) and all(map(_sound, paths)) else None

    def entries(self) -> Iterator[Entry]:
        """Every path; the target of each link is read as well."""
        links = []
        for entry in self._listed():
            if entry.kind is EntryKind.LINK:
                links.append(entry)
            else:
                yield entry
        for entry, content in self.read(links):
            target = b"" if isinstance(content, Unreadable) or len(content) > _LONGEST_TARGET else content
            yield Entry(entry.path, entry.kind, entry.size, entry.content_id, path_text(target))

    def find(self, name: str) -> Entry | None:
        """The file of this name at the top, without listing the rest."""
        found = self.repository.objects.run("ls-tree", "-z", "-l", "--full-tree", self._top(), "--", name).stdout
        entry = _entry(found.removesuffix(b"\0")) if found else None
        return entry if entry is not None and entry.kind is EntryKind.FILE else None

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each entry, by one git process for all of them."""
        wanted = tuple(entries)
        done = 0
        for _ in range(_DAMAGED_CAP):
            try:
                for answer in self._contents(wanted[done:]):
                    done += 1
                    yield answer
                return
            except GitFailed as error:  # git stops at a damaged object: go on behind it
                if done == len(wanted):
                    raise
                yield wanted[done], Unreadable(f"its object is damaged: {error.complaint}")
                done += 1
        raise CheckoutError("missing-object", f"{self.repository.name}: {_DAMAGED_CAP} or more objects are damaged")

    def _contents(self, wanted: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        fitting = [entry for entry in wanted if entry.size <= self.limits.file_bytes]
        with tempfile.TemporaryFile() as requests:
            requests.writelines(object_id(entry.content_id).encode() + b"\n" for entry in fitting)
            requests.seek(0)
            output = Buffered(self.repository.objects.stream("cat-file", "--batch", stdin=requests) if fitting else iter(()))
            with contextlib.closing(output):
                too_large = Unreadable(f"larger than {self.limits.file_bytes} bytes")
                for entry in wanted:
                    yield entry, _answer(output, self.limits.file_bytes) if entry.size <= self.limits.file_bytes else too_large
                output.end()

    def _listed(self) -> Iterator[Entry]:
        seen: set[str] = set()
        output = Buffered(self.repository.objects.stream("ls-tree", "-r", "-z", "-l", "--full-tree", self._top()))
        with contextlib.closing(output):
            while record := self._record(output):
                entry = _entry(record)
                if entry.path in seen or not _sound(entry.path):
                    raise CheckoutError("invalid-tree", f"{self._name}: the path {shown(entry.path)} cannot be in a checkout")
                seen.add(entry.path)
                if len(seen) > self.limits.entries:
                    raise CheckoutError("too-large", f"{self._name} has more than {self.limits.entries} files")
                yield entry

    def _record(self, output: Buffered) -> bytes:
        try:
            return output.until(b"\0", self.limits.path_bytes + _LONGEST_PREFIX)
        except OverflowError as error:
            raise CheckoutError("too-large", f"{self._name} has a path of more than {self.limits.path_bytes} bytes") from error
        except GitFailed as error:
            raise CheckoutError("missing-object", f"{self._name} cannot be listed: {error.complaint}") from error

    @property
    def is_absent(self) -> bool:
        """Whether nothing at all stands at `subdir`."""
        return bool(self.subdir) and not self._found()

    def _found(self) -> bytes:
        """What git lists at `subdir`."""
        try:
            return self.repository.objects.run("ls-tree", "-z", "--full-tree", self.revision, "--", self.subdir).stdout
        except GitFailed as error:
            raise CheckoutError("missing-object", f"{self._name} cannot be listed: {error.complaint}") from error

    def _top(self) -> str:
        """The id of the tree at `subdir`."""
        if not self.subdir:
            return self.revision
        found = self._found()
        mode, kind, name = found.split(b"\t")[0].decode("ascii").split(" ") if found else ("", "nothing", "")
        if kind != "tree":
            what = {"nothing": "there is no such folder", "commit": "it is a submodule"}.get(kind, "it is a file, not a folder")
            what = "it is a symbolic link, which is not followed" if mode == _LINK_MODE else what
            raise CheckoutError("unknown-folder", f"{self.repository.name}: {shown(self.subdir)} in {self.revision}: {what}")
        return name

    @property
    def _name(self) -> str:
        return f"{self.repository.name}: {self.revision}{':' + self.subdir if self.subdir else ''}"


def side_by_side(base: GitTree, head: GitTree) -> tuple[Tree, Tree]:
    """Two trees to compare: a folder that only one of them has is an empty one in the other; one that neither has stays an error."""
    absent = (base.is_absent, head.is_absent)
    if absent[0] is absent[1]:
        return base, head
    return (EmptyTree(), head) if absent[0] else (base, EmptyTree())


def _entry(record: bytes) -> Entry:
    facts, _, path = record.partition(b"\t")
    mode, _, name, size = facts.decode("ascii").split()
    return Entry(path_text(path), _kind(mode), int(size) if size.isdigit() else 0, name)  # git says BAD for the size of a missing blob


def _change(facts: bytes, path: str) -> Change:
    old_mode, mode, old_name, name, _ = facts.decode("ascii").removeprefix(":").split()
    return Change(path, _side(path, old_mode, old_name), _side(path, mode, name))


def _side(path: str, mode: str, name: str) -> Entry | None:
    return None if mode == _NO_MODE else Entry(path, _kind(mode), 0, name)


def _kind(mode: str) -> EntryKind:
    return {_LINK_MODE: EntryKind.LINK, _SUBMODULE_MODE: EntryKind.SUBMODULE}.get(mode, EntryKind.FILE)


def _answer(output: Buffered, largest: int) -> bytes | Unreadable:
    header = output.until(b"\n", _LONGEST_PREFIX).split(b" ")
    if len(header) != 3 or header[1] != b"blob":
        return Unreadable("the repository lacks its content (a partial or damaged clone)")
    size = int(header[2])
    if size > largest:
        output.skip(size + 1)
        return Unreadable(f"larger than {largest} bytes")
    content = output.exactly(size)
    output.exactly(1)
    return content


def _sound(path: str) -> bool:
    segments = path.split("/")
    return not any(segment in ("", ".", "..") or segment.lower() == ".git" for segment in segments)
