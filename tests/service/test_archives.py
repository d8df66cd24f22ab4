"""Uploaded archives as trees, and everything that is refused."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import stat
import subprocess
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.manifests.tree import Entry, EntryKind, Unreadable
from service.archives import REASONS, ArchiveError, ArchiveLimits, ArchiveTree

FILES = {"shop/a.yaml": b"kind: A\n", "shop/deep/b.yaml": b"kind: B\n" * 500, "shop/empty": b""}


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


def tar(*members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as archive:
        for info, content in members:
            info.size = len(content) or info.size
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def tar_of(files: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    return tar(*((member(name), content) for name, content in files.items()), format=format)


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of duplicate names, which are what some tests are about
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def unix(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def contents(tree: ArchiveTree) -> dict[str, bytes | Unreadable]:
    return {entry.path: content for entry, content in tree.read(entry for entry in tree.entries() if entry.kind is EntryKind.FILE)}


def refusal(data: bytes, limits: ArchiveLimits | None = None) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        ArchiveTree.from_bytes(data, limits)
    return caught.value


FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "tar": tar_of,
    "ustar": lambda files: tar_of(files, tarfile.USTAR_FORMAT),
    "gnu": lambda files: tar_of(files, tarfile.GNU_FORMAT),
    "gzip": lambda files: gzip.compress(tar_of(files)),
    "bzip2": lambda files: bz2.compress(tar_of(files)),
    "xz": lambda files: lzma.compress(tar_of(files)),
    "deflated zip": lambda files: zip_of(*files.items()),
    "stored zip": lambda files: zip_of(*files.items(), method=zipfile.ZIP_STORED),
}
COMPRESSED = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_files(form: str) -> None:
    assert contents(ArchiveTree.from_bytes(FORMS[form](FILES))) == FILES


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_without_members_is_an_empty_tree(form: str) -> None:
    assert list(ArchiveTree.from_bytes(FORMS[form]({})).entries()) == []


@pytest.mark.parametrize("form", FORMS)
def test_long_and_foreign_names_are_read(form: str) -> None:
    files = {"é/ü.yaml": b"1", "/".join(["long" * 10] * 5): b"2", "a b\nc": b"3", "-x": b"4"}
    assert contents(ArchiveTree.from_bytes(FORMS[form](files))) == files


def test_equal_contents_have_equal_ids_and_others_do_not() -> None:
    entries = {entry.path: entry for entry in ArchiveTree.from_bytes(tar_of({"a": b"1", "b": b"1", "c": b"2"})).entries()}
    assert entries["a"].content_id == entries["b"].content_id != entries["c"].content_id
    assert (entries["a"].size, entries["a"].kind) == (1, EntryKind.FILE)


@pytest.mark.parametrize("format", ["tar", "tar.gz", "zip"])
def test_what_git_archives_is_read_with_its_top_folder(tmp_path: Path, format: str) -> None:
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=x"]):
        (tmp_path / "k").mkdir(exist_ok=True)
        (tmp_path / "k" / "a.yaml").write_text("kind: A\n")
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)
    command = ["git", "archive", f"--format={format}", "--prefix=shop-1.0/", "HEAD"]
    data = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    assert contents(ArchiveTree.from_bytes(data)) == {"shop-1.0/k/a.yaml": b"kind: A\n"}


def test_a_leading_dot_and_folders_are_no_part_of_a_path() -> None:
    data = tar((member("./", tarfile.DIRTYPE), b""), (member("./k/", tarfile.DIRTYPE), b""), (member("./k//a"), b"1"))
    assert contents(ArchiveTree.from_bytes(data)) == {"k/a": b"1"}
    assert contents(ArchiveTree.from_bytes(zip_of(("k/", b""), ("./k/a", b"1")))) == {"k/a": b"1"}


@pytest.mark.parametrize("archive", [tar_of, lambda files: zip_of(*files.items())], ids=["tar", "zip"])
def test_the_inside_of_a_git_directory_is_never_listed(archive: Callable[[dict[str, bytes]], bytes]) -> None:
    assert contents(ArchiveTree.from_bytes(archive({".git/config": b"x", "k/.git": b"x", "k/.GIT/x": b"x", "a": b"1"}))) == {"a": b"1"}


def test_links_are_listed_with_their_target_and_never_followed() -> None:
    tar_links = tar(
        (member("k/a"), b"1"), (member("k/soft", tarfile.SYMTYPE, "../../etc/passwd"), b""), (member("d/hard", tarfile.LNKTYPE, "k/a"), b"")
    )
    zip_links = zip_of(("k/a", b"1"), (unix("k/soft", stat.S_IFLNK | 0o777), b"../../etc/passwd"))
    for data, expected in ((tar_links, {"k/soft": "../../etc/passwd", "d/hard": "../k/a"}), (zip_links, {"k/soft": "../../etc/passwd"})):
        tree = ArchiveTree.from_bytes(data)
        assert {entry.path: entry.target for entry in tree.entries() if entry.kind is EntryKind.LINK} == expected
        assert contents(tree) == {"k/a": b"1"}


def test_what_the_archive_does_not_hold_is_unreadable() -> None:
    entry = Entry("b", EntryKind.FILE, 1, "")
    assert [type(content) for _, content in ArchiveTree.from_bytes(tar_of({"a": b"1"})).read([entry])] == [Unreadable]


def test_a_name_that_is_not_utf8_is_shown_escaped() -> None:
    assert list(contents(ArchiveTree.from_bytes(tar_of({"caf\udce9": b""}, tarfile.GNU_FORMAT)))) == ["caf\\xe9"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "//host/x", "C:/x", "c:x", "a\\b", "..\\x", "..", "n" * 1_025])
def test_paths_that_lead_outside_are_refused_by_name(name: str) -> None:
    for data in (
        tar_of({name: b"x"}),
        zip_of((name, b"x")),
        tar((member(name, tarfile.SYMTYPE, "a"), b"")),
        tar((member(name, tarfile.DIRTYPE), b"")),
    ):
        error = refusal(data)
        assert error.reason == "unsafe-path"
        assert repr(name)[1:50] in error.message


def test_a_nul_in_a_name_does_not_hide_the_rest_of_it() -> None:
    data = zip_of(("harmless.yaml_evil", b"x")).replace(b"harmless.yaml_evil", b"harmless.yaml\0evil")
    assert refusal(data).reason == "unsafe-path"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "C:/x"])
def test_a_hard_link_cannot_point_outside(target: str) -> None:
    assert refusal(tar((member("a", tarfile.LNKTYPE, target), b""))).reason == "unsafe-path"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"V", b"M", b"Z"])
def test_members_that_are_no_files_are_refused_by_name(kind: bytes) -> None:
    error = refusal(tar((member("dev/strange", kind), b"")))
    assert (error.reason, "dev/strange" in error.message) == ("unsupported-member", True)


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_zip_members_that_are_no_files_are_refused_by_name(kind: int) -> None:
    error = refusal(zip_of((unix("dev/strange", kind | 0o600), b"")))
    assert (error.reason, "dev/strange" in error.message) == ("unsupported-member", True)


DOUBLES = {
    "same": [("a", b"1"), ("a", b"2")],
    "same bytes": [("a", b"1"), ("a", b"1")],
    "spelled differently": [("k/a", b"1"), ("./k//a", b"2")],
    "file then folder": [("a", b"1"), ("a/b", b"2")],
    "folder then file": [("a/b", b"1"), ("a", b"2")],
    "deep": [("a/b/c/d", b"1"), ("a/b", b"2")],
}


@pytest.mark.parametrize("members", DOUBLES.values(), ids=DOUBLES)
def test_two_members_for_one_path_are_refused(members: list[tuple[str, bytes]]) -> None:
    for data in (tar(*((member(name), content) for name, content in members)), zip_of(*members)):
        assert refusal(data).reason == "duplicate-path"


def test_a_file_in_the_place_of_a_named_folder_is_refused() -> None:
    folder, file = (member("a", tarfile.DIRTYPE), b""), (member("a"), b"1")
    assert refusal(tar(folder, file)).reason == refusal(tar(file, folder)).reason == "duplicate-path"
    assert refusal(tar((member("a", tarfile.SYMTYPE, "b"), b""), (member("a/x"), b"1"))).reason == "duplicate-path"


def test_a_folder_may_be_named_again() -> None:
    folder = (member("a", tarfile.DIRTYPE), b"")
    assert contents(ArchiveTree.from_bytes(tar(folder, (member("a/x"), b"1"), folder))) == {"a/x": b"1"}


@pytest.mark.parametrize("form", FORMS)
def test_each_cap_holds_in_every_form(form: str) -> None:
    data = FORMS[form]({"a": b"12345", "b": b"12345"})
    for limits, reason in (
        (ArchiveLimits(members=1), "too-many-members"),
        (ArchiveLimits(member_bytes=4), "too-large"),
        (ArchiveLimits(total_bytes=9, members=20), "too-large"),
        (ArchiveLimits(path_bytes=0), "unsafe-path"),
    ):
        assert refusal(data, limits).reason == reason
    assert len(contents(ArchiveTree.from_bytes(data, ArchiveLimits(members=20, total_bytes=10, member_bytes=5, path_bytes=1)))) == 2


@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED)
def test_a_bomb_is_stopped_while_it_unpacks(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(10_000_000))
    assert len(bomb) < 100_000
    assert refusal(bomb, ArchiveLimits(members=1, total_bytes=1_000_000)).reason == "too-large"


@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED)
def test_archives_in_several_compressed_pieces_are_read(compress: Callable[[bytes], bytes]) -> None:
    data = tar_of(FILES)
    assert contents(ArchiveTree.from_bytes(compress(data[:700]) + compress(data[700:]))) == FILES


def test_an_xz_file_that_asks_for_a_huge_dictionary_is_refused() -> None:
    data = bytearray(lzma.compress(tar_of(FILES)))
    header, end = 12, 12 + data[12] * 4  # the first block's header and, behind it, its checksum
    data[header + 4] = 40  # four gigabytes
    data[end : end + 4] = zlib.crc32(data[header:end]).to_bytes(4, "little")
    assert "emory" in refusal(bytes(data)).message


def test_a_zip_member_larger_than_it_claims_is_not_unpacked() -> None:
    honest = zip_of(("a", bytes(10_000_000)))
    size = (10_000_000).to_bytes(4, "little")
    assert honest.count(size) == 2
    assert refusal(honest.replace(size, (10).to_bytes(4, "little")), ArchiveLimits(total_bytes=1_000)).reason == "corrupt"


def test_zip_members_that_share_their_bytes_count_each_time() -> None:
    """The directory of this one names the same compressed bytes over and over."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1_000_000))
        (info,) = archive.infolist()
        archive.filelist = [info] * 1_000
        archive._didModify = True  # type: ignore[attr-defined]
    assert refusal(target.getvalue(), ArchiveLimits(total_bytes=100_000_000)).reason in ("duplicate-path", "too-large")


def test_an_encrypted_member_is_refused_by_name() -> None:
    data = bytearray(zip_of(("secret.yaml", b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    error = refusal(bytes(data))
    assert (error.reason, "secret.yaml" in error.message) == ("encrypted", True)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_zip_methods_are_refused_by_name(method: int) -> None:
    error = refusal(zip_of(("a.yaml", b"x" * 100), method=method))
    assert (error.reason, "a.yaml" in error.message) == ("unsupported-member", True)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"kind: Namespace\n" * 100, b"\x7fELF" + bytes(600), b"Rar!\x1a\x07" + b"x" * 600, gzip.compress(b"x" * 600, mtime=0)],
)
def test_what_is_no_archive_is_said_to_be_none(data: bytes) -> None:
    assert refusal(data).reason == "not-an-archive"


def test_zstd_is_named_as_unsupported() -> None:
    assert "zstd" in refusal(b"\x28\xb5\x2f\xfd" + bytes(100)).message


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_cut_short_anywhere_is_refused(form: str) -> None:
    data = FORMS[form](FILES)
    for length in range(1, len(data), max(1, len(data) // 100)):
        if any(data[length:]):
            assert refusal(data[:length]).reason in ("corrupt", "not-an-archive")


def test_a_damaged_header_is_not_taken_for_the_end() -> None:
    data = bytearray(tar_of(FILES, tarfile.USTAR_FORMAT))
    data[data.index(b"shop/deep") + 2] ^= 1
    assert refusal(bytes(data)).reason == "corrupt"


def test_members_behind_the_end_are_not_overlooked() -> None:
    assert refusal(tar_of({"a": b"1"}) + tar_of({"b": b"2"})).reason == "corrupt"


@pytest.mark.parametrize("key", ["path", "size", "linkpath", "GNU.sparse.name"])
def test_a_global_header_cannot_rename_members(key: str) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT, pax_headers={key: "1", "comment": "x"}) as archive:
        archive.addfile(member("a"))
    assert refusal(target.getvalue()).reason == "unsupported-member"


@pytest.mark.parametrize(
    "records",
    [
        b"8 path=a\n",
        b"11 path=a\n",
        b"99 path=a\n",
        b"x path=a\n",
        b"-1 path=a\n",
        b"0 path=a\n",
        b"9 path a\n",
        b"1" * 20_000,
        b"\0" * 10,
        b"11 size=-1\n\n",
    ],
)
def test_a_damaged_pax_header_is_refused_at_once(records: bytes) -> None:
    assert refusal(tar((member("pax", tarfile.XHDTYPE), records), (member("b"), b""))).reason == "corrupt"


def test_a_pax_header_without_end_is_refused_unread() -> None:
    assert refusal(tar((member("pax", tarfile.XHDTYPE), b"1" * 100_000), (member("b"), b""))).reason == "too-large"


def test_headers_upon_headers_are_walked_and_not_recursed_into() -> None:
    many = [(member("pax", tarfile.XHDTYPE), b"10 path=a\n")] * 5_000
    assert list(contents(ArchiveTree.from_bytes(tar(*many, (member("b"), b""))))) == ["a"]


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_folder_or_link_with_content_is_refused(kind: bytes) -> None:
    assert refusal(tar((member("a", kind, "b"), b"kind: Hidden\n"))).reason == "unsupported-member"


def test_a_member_of_negative_size_is_refused() -> None:
    info = member("a", size=-1_024)
    assert refusal(info.tobuf(tarfile.GNU_FORMAT) + bytes(1_024)).reason == "corrupt"


@given(st.sampled_from(sorted(FORMS)), st.data())
def test_no_damage_gives_anything_but_an_archive_error(form: str, data: st.DataObject) -> None:
    archive = bytearray(FORMS[form](FILES))
    for _ in range(data.draw(st.integers(1, 8))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ArchiveError):
        assert all(isinstance(content, bytes) for content in contents(ArchiveTree.from_bytes(bytes(archive))).values())


@given(st.binary(max_size=3_000))
def test_random_bytes_give_nothing_but_an_archive_error(data: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", zlib.compress(b"x")):
        with contextlib.suppress(ArchiveError):
            ArchiveTree.from_bytes(prefix + data)


def test_every_reason_has_a_meaning_and_no_other_can_be_given() -> None:
    assert all(meaning.endswith(".") for meaning in REASONS.values())
    with pytest.raises(ValueError, match="undocumented"):
        ArchiveError("because", "…")
