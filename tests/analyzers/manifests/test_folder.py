"""Folders as trees: what is listed, what can be read, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzers.manifests.folder import FolderTree, TreeError
from analyzers.manifests.load import load
from analyzers.manifests.tree import Entry, EntryKind, Unreadable
from tests.analyzers.manifests.trees import AS_WRITTEN, policy, titles


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


def read_one(tree: FolderTree, path: str) -> bytes | Unreadable:
    ((_, content),) = tree.read(entry for entry in tree.entries() if entry.path == path)
    return content


def test_every_path_is_listed_in_order_with_its_size_and_git_is_not(tmp_path: Path) -> None:
    write(tmp_path, {"b/c.yaml": "12", "a b.yaml": "1", "b/.git/config": "x", ".git/HEAD": "x", ".github/w.yml": "", "d/.git": "gitdir: x"})
    (tmp_path / "empty").mkdir()
    found = [(entry.path, entry.kind, entry.size, entry.content_id) for entry in FolderTree(tmp_path).entries()]
    assert found == [
        *((".github/w.yml", EntryKind.FILE, 0, ""), ("a b.yaml", EntryKind.FILE, 1, ""), ("b/c.yaml", EntryKind.FILE, 2, "")),
    ]


def test_files_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "1", "b.yaml": "2"})
    tree = FolderTree(tmp_path)
    assert [(entry.path, content) for entry, content in tree.read(reversed(list(tree.entries())))] == [("b.yaml", b"2"), ("a.yaml", b"1")]


def test_a_file_is_a_tree_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, {"real/p.yaml": policy("x"), "real/other.yaml": policy("y")})
    (tmp_path / "link.yaml").symlink_to("real/p.yaml")
    for path in (tmp_path / "real/p.yaml", tmp_path / "link.yaml"):
        loaded = load(FolderTree(path), AS_WRITTEN)
        assert titles(loaded) == ["NetworkPolicy x"]
        assert loaded.found[0].location.path == path.name


def test_a_link_to_a_folder_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, {"real/p.yaml": policy("x")})
    (tmp_path / "link").symlink_to("real")
    assert titles(load(FolderTree(tmp_path / "link"), AS_WRITTEN)) == ["NetworkPolicy x"]


def test_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.yaml": policy("a"), "out/b.yaml": policy("b")})
    (tmp_path / "in/l.yaml").symlink_to("../out/b.yaml")
    (tmp_path / "in/up").symlink_to("..")
    tree = FolderTree(tmp_path / "in")
    links = [(entry.path, entry.target) for entry in tree.entries() if entry.kind is EntryKind.LINK]
    assert links == [("l.yaml", "../out/b.yaml"), ("up", "..")]
    loaded = load(tree, AS_WRITTEN)
    assert titles(loaded) == ["NetworkPolicy a"]
    assert [(each.code, each.path) for each in loaded.diagnostics] == [("not-followed", "l.yaml"), ("not-followed", "up")]


@pytest.mark.parametrize("path", ["nowhere", "file.yaml/below", "nul\0name"])
def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"file.yaml": ""})
    with pytest.raises(TreeError) as caught:
        FolderTree(tmp_path / path)
    assert caught.value.reason == "missing"


def test_a_pipe_is_no_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TreeError, match="neither a folder nor a file") as caught:
        FolderTree(tmp_path / "pipe")
    assert caught.value.reason == "not-a-folder"


def test_pipes_and_devices_in_a_folder_do_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert read_one(FolderTree(tmp_path), "pipe.yaml") == Unreadable("not a regular file")


@pytest.mark.parametrize("change", ["grown", "shrunk", "gone", "a link", "a folder"])
def test_a_file_that_changes_after_it_was_listed_is_unreadable(tmp_path: Path, change: str) -> None:
    write(tmp_path, {"a.yaml": "12345", "b.yaml": "12345"})
    tree = FolderTree(tmp_path)
    list(tree.entries())
    path = tmp_path / "a.yaml"
    path.unlink()
    match change:
        case "grown":
            path.write_text("1" * 100_000)
        case "shrunk":
            path.write_text("1")
        case "a link":
            path.symlink_to("b.yaml")
        case "a folder":
            path.mkdir()
    assert isinstance(read_one(tree, "a.yaml"), Unreadable)
    assert read_one(tree, "b.yaml") == b"12345"


def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "x"})
    (tmp_path / "a.yaml").chmod(0)
    if os.access(tmp_path / "a.yaml", os.R_OK):
        pytest.skip("this user may read everything")
    assert read_one(FolderTree(tmp_path), "a.yaml") == Unreadable("permission denied")


def test_a_folder_without_permission_is_an_error_not_an_omission(tmp_path: Path) -> None:
    write(tmp_path, {"d/a.yaml": "x"})
    (tmp_path / "d").chmod(0)
    try:
        if os.access(tmp_path / "d", os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(TreeError, match="permission denied") as caught:
            FolderTree(tmp_path).entries()
        assert caught.value.reason == "unreadable"
    finally:
        (tmp_path / "d").chmod(0o700)


def test_a_folder_that_vanishes_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    tree = FolderTree(tmp_path / "d")
    (tmp_path / "d").rmdir()
    with pytest.raises(TreeError):
        tree.entries()


def test_names_that_are_not_utf_8_are_shown_and_read(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(odd)
    for name, text in ((b"/a\xff.yaml", "odd"), (b"/a\\xff.yaml", "even")):
        with open(odd + name, "w") as file:
            file.write(policy(text))
    tree = FolderTree(tmp_path)
    assert [entry.path for entry in tree.entries()] == ["caf\\xe9/a\\xff.yaml", "caf\\xe9/a\\xff.yaml~"]
    assert {bytes(content).count(b"odd") for _, content in tree.read(tree.entries()) if isinstance(content, bytes)} == {0, 1}


def test_a_name_that_is_not_utf_8_may_be_given(tmp_path: Path) -> None:
    with pytest.raises(TreeError) as caught:
        FolderTree(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")))
    assert str(caught.value).encode().endswith(b"\\xff: no such file or directory")


def test_what_was_not_listed_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"in/a.yaml": "1", "b.yaml": "2"})
    ((_, content),) = FolderTree(tmp_path / "in").read([Entry("../b.yaml", EntryKind.FILE, 1, "")])
    assert content == Unreadable("not listed")
