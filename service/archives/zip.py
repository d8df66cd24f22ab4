"""Reading zip."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

from service.archives.errors import ArchiveError
from service.archives.members import Members, shown

_DIRECTORY_RECORD = b"PK\x01\x02"
_ENCRYPTED = 0x1
_UNIX = 3
_CHUNK = 65_536
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the decoders of the others take as much memory as the archive asks for
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError, struct.error, zlib.error)


def is_zip(data: bytes) -> bool:
    """Whether the data start as a zip archive does."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_zip(data: bytes, members: Members) -> None:
    """Takes every member of a zip archive. Raises `ArchiveError`."""
    # The directory is read as a whole before anything can be counted; this bounds it from above.
    if data.count(_DIRECTORY_RECORD) > members.limits.members:
        raise ArchiveError("too-many-members", f"the archive has more than {members.limits.members} members")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                _take(archive, info, members)
    except _DAMAGE as error:
        raise ArchiveError("corrupt", f"the zip archive is damaged: {error}") from error


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, members: Members) -> None:
    name = info.orig_filename  # as written: the other one ends at a NUL
    path = members.admit(name, info.file_size)
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    if name.endswith("/") or stat.S_ISDIR(mode):
        if info.file_size:
            raise ArchiveError("unsupported-member", f"{shown(name)} is a folder with content")
        if path:
            members.folder(path)
        return
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFLNK):
        raise ArchiveError("unsupported-member", f"{shown(name)} is neither a file, nor a folder, nor a link")
    content = _content(archive, info)
    if path and stat.S_ISLNK(mode):
        members.link(path, content.decode("utf-8", "surrogateescape"))
    elif path:
        members.file(path, memoryview(content))


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveError("encrypted", f"{shown(info.orig_filename)} is encrypted")
    if info.compress_type not in _METHODS:
        raise ArchiveError("unsupported-member", f"{shown(info.orig_filename)} is compressed with a method other than deflate")
    with archive.open(info) as stream:  # a chunk at a time: told to read all, it unpacks all, whatever size was declared and admitted
        content = b"".join(iter(lambda: stream.read(_CHUNK), b""))
    if len(content) != info.file_size:
        raise ArchiveError("corrupt", f"{shown(info.orig_filename)} is shorter than the archive says")
    return content
