"""Reading tar. The headers are walked here: the standard library's walk takes a damaged header for the end of the archive, and its patterns
for pax headers can take hours on a hostile one."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from msgspec import Struct, field

from service.archives.errors import ArchiveError
from service.archives.members import Members, shown

_BLOCK = tarfile.BLOCKSIZE
_LONGEST_EXTENSION = 65_536
_MEANT_FOR_ONE = ("path", "linkpath", "size")
_SPARSE = "GNU.sparse."
_NEITHER = "this is neither a tar nor a zip archive"


class _Extension(Struct):
    """What the headers before a member say about it in place of its own."""

    path: str | None = None
    linkpath: str | None = None
    size: int | None = None


class _Walk(Struct):
    """A position in an archive."""

    data: memoryview
    offset: int = 0
    extension: _Extension = field(default_factory=_Extension)

    def headers(self) -> Iterator[tarfile.TarInfo]:
        """Each header up to the end of the archive, which must be there. `content` follows the header last given."""
        while any(block := self._take(_BLOCK)):
            yield self._header(bytes(block))
        if any(self.data[self.offset :]):
            raise ArchiveError("corrupt", "there are data behind the end of the tar archive")

    def content(self, size: int) -> memoryview:
        """The `size` bytes at the position, which moves on to the next header."""
        if size < 0:
            raise ArchiveError("corrupt", "the tar archive has a member of negative size")
        content = self._take(size)
        self._take(-size % _BLOCK)
        return content

    def _take(self, size: int) -> memoryview:
        if self.offset + size > len(self.data):
            if not self.offset:
                raise ArchiveError("not-an-archive", _NEITHER)
            raise ArchiveError("corrupt", "the tar archive is cut short")
        self.offset += size
        return self.data[self.offset - size : self.offset]

    def _header(self, block: bytes) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError) as error:
            if self.offset == _BLOCK:
                raise ArchiveError("not-an-archive", _NEITHER) from error
            raise ArchiveError("corrupt", f"the tar archive has a damaged header at byte {self.offset - _BLOCK}: {error}") from error


def read_tar(data: memoryview, members: Members) -> None:
    """Takes every member of an uncompressed tar archive. Raises `ArchiveError`."""
    walk = _Walk(data)
    for header in walk.headers():
        if header.type in _EXTENSIONS:
            _extend(walk, header)
        else:
            _take(walk, header, members)
            walk.extension = _Extension()


def _take(walk: _Walk, header: tarfile.TarInfo, members: Members) -> None:
    name = walk.extension.path if walk.extension.path is not None else header.name
    target = walk.extension.linkpath if walk.extension.linkpath is not None else header.linkname
    size = walk.extension.size if walk.extension.size is not None else header.size
    path = members.admit(name, size)
    if header.type not in _KINDS:
        raise ArchiveError("unsupported-member", f"{shown(name)} is neither a file, nor a folder, nor a link")
    if size and header.type not in tarfile.REGULAR_TYPES:
        raise ArchiveError("unsupported-member", f"{shown(name)} is a folder or link with content")
    content = walk.content(size)
    if not path:
        return
    if header.type == tarfile.DIRTYPE:
        members.folder(path)
    elif header.type == tarfile.SYMTYPE:
        members.link(path, target)
    elif header.type == tarfile.LNKTYPE:
        members.hard_link(path, target)
    else:
        members.file(path, content)


def _extend(walk: _Walk, header: tarfile.TarInfo) -> None:
    if header.size > _LONGEST_EXTENSION:
        raise ArchiveError("too-large", f"a header of the tar archive takes more than {_LONGEST_EXTENSION} bytes")
    content = bytes(walk.content(header.size))
    if header.type == tarfile.GNUTYPE_LONGNAME:
        walk.extension.path = _text(content.partition(b"\0")[0])
    elif header.type == tarfile.GNUTYPE_LONGLINK:
        walk.extension.linkpath = _text(content.partition(b"\0")[0])
    elif header.type == tarfile.XGLTYPE:
        if any(key in _MEANT_FOR_ONE or key.startswith(_SPARSE) for key, _ in _records(content)):
            raise ArchiveError("unsupported-member", "the tar archive has a global header that renames its members")
    else:
        for key, value in _records(content):
            _apply(walk.extension, key, value)


def _apply(extension: _Extension, key: str, value: bytes) -> None:
    if key.startswith(_SPARSE):
        raise ArchiveError("unsupported-member", "the tar archive has a sparse file")
    if key == "path":
        extension.path = _text(value)
    elif key == "linkpath":
        extension.linkpath = _text(value)
    elif key == "size":
        if not value.isdigit() or len(value) > 20:
            raise ArchiveError("corrupt", "the tar archive has a damaged pax header")
        extension.size = int(value)


def _records(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The records of a pax header: `<length of the record> <key>=<value>` and a line break."""
    position = 0
    while position < len(content):
        digits, _, _ = content[position : position + 10].partition(b" ")
        end = position + int(digits) if digits.isdigit() else position
        record = content[position + len(digits) + 1 : end]
        key, equals, value = record.partition(b"=")
        if end > len(content) or not equals or not value.endswith(b"\n"):
            raise ArchiveError("corrupt", "the tar archive has a damaged pax header")
        yield _text(key), value[:-1]
        position = end


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


_EXTENSIONS = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_KINDS = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE)
