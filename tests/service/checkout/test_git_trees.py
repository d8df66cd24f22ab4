"""A git revision read as a tree of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzers.manifests.tree import Change, EmptyTree, Entry, EntryKind, Tree, Unreadable, VersionedTree
from service.checkout import CheckoutError, GitTree, Repository, TreeLimits, open_repository, resolve
from tests.service.checkout.repositories import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work.create(tmp_path / "work")


@pytest.fixture
def repository(work: Work) -> Iterator[Repository]:
    with open_repository(work.path) as opened:
        yield opened


def contents(tree: Tree) -> dict[str, bytes | Unreadable]:
    files = [entry for entry in tree.entries() if entry.kind is EntryKind.FILE]
    return {entry.path: content for entry, content in tree.read(files)}


def children() -> set[str]:
    """The ids of the processes that this one started and has not collected."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for path in lists for child in path.read_text().split()}


def by_path(tree: Tree) -> dict[str, Entry]:
    return {entry.path: entry for entry in tree.entries()}


def test_every_file_of_a_commit_is_listed_and_read(work: Work, repository: Repository) -> None:
    commit = work.commit({"a.yaml": "kind: A\n", "deep/er/b.yaml": "kind: B\n", "empty": ""})
    assert contents(GitTree(repository, commit)) == {"a.yaml": b"kind: A\n", "deep/er/b.yaml": b"kind: B\n", "empty": b""}


def test_entries_carry_git_blob_ids_and_sizes(work: Work, repository: Repository) -> None:
    commit = work.commit({"a": "four"})
    assert list(GitTree(repository, commit).entries()) == [Entry("a", EntryKind.FILE, 4, work.git("rev-parse", "HEAD:a"))]


def test_a_commit_is_read_and_not_what_lies_in_the_work_tree_or_index(work: Work, repository: Repository) -> None:
    commit = work.commit({"a": "committed"})
    (work.path / "a").write_text("staged")
    work.git("add", "a")
    (work.path / "a").write_text("edited")
    assert contents(GitTree(repository, commit)) == {"a": b"committed"}


def test_contents_come_in_the_order_asked_for(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({"a": "1", "b": "2", "c": "1"}))
    wanted = [by_path(tree)[name] for name in ("c", "a", "b", "a")]
    assert [(entry.path, content) for entry, content in tree.read(wanted)] == [("c", b"1"), ("a", b"1"), ("b", b"2"), ("a", b"1")]


def test_reading_nothing_gives_nothing(work: Work, repository: Repository) -> None:
    assert list(GitTree(repository, work.commit()).read([])) == []


def test_a_commit_without_files_is_an_empty_tree(work: Work, repository: Repository) -> None:
    assert list(GitTree(repository, work.commit()).entries()) == []


def test_a_file_of_many_chunks_is_read_whole(work: Work, repository: Repository) -> None:
    large = "".join(f"line {number}\n" for number in range(40_000))
    assert contents(GitTree(repository, work.commit({"large": large, "small": "s"}))) == {"large": large.encode(), "small": b"s"}


def test_bytes_are_given_as_stored_whatever_the_attributes_say(work: Work, repository: Repository) -> None:
    commit = work.commit({".gitattributes": "* text eol=crlf ident\n", "a": "one\n$Id$\n"})
    assert contents(GitTree(repository, commit))["a"] == b"one\n$Id$\n"


@pytest.mark.parametrize("options", [(), ("--bare",)], ids=["non-bare", "bare"])
def test_bare_and_other_clones_read_the_same(work: Work, tmp_path: Path, options: tuple[str, ...]) -> None:
    commit = work.commit({"k/a": "1", "k/b": "2"})
    work.git("clone", "--quiet", *options, work.path, tmp_path / "copy")
    with open_repository(tmp_path / "copy") as copy:
        assert contents(GitTree(copy, resolve(copy, "main"))) == contents(GitTree(copy, commit)) == {"k/a": b"1", "k/b": b"2"}


def test_sha256_repositories_are_read(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "sha256", "--object-format=sha256")
    commit = work.commit({"a": "1"})
    assert len(commit) == 64
    with open_repository(work.path) as opened:
        assert contents(GitTree(opened, resolve(opened, "main"))) == {"a": b"1"}


def test_packed_objects_and_borrowed_ones_are_read(work: Work, tmp_path: Path) -> None:
    commit = work.commit({"a": "1"})
    work.git("gc", "--quiet")
    work.git("clone", "--quiet", "--shared", work.path, tmp_path / "shared")
    with open_repository(tmp_path / "shared") as shared:
        assert contents(GitTree(shared, commit)) == {"a": b"1"}


@pytest.mark.parametrize("name", ["a b", 'quo"te', "back\\slash", "tab\tand\nline", "-dash", "*", ":(top)a", "é", "$HOME"])
def test_odd_names_of_files_and_folders_are_read(work: Work, repository: Repository, name: str) -> None:
    commit = work.commit({name: "file", f"{name}x/{name}": "inside"})
    assert contents(GitTree(repository, commit)) == {name: b"file", f"{name}x/{name}": b"inside"}
    assert contents(GitTree(repository, commit, f"{name}x")) == {name: b"inside"}


def test_a_name_that_is_not_utf8_is_shown_escaped(work: Work, repository: Repository) -> None:
    (work.path / os.fsdecode(b"caf\xe9.yaml")).write_text("x")
    assert contents(GitTree(repository, work.commit())) == {"caf\\xe9.yaml": b"x"}


def test_two_names_that_would_be_shown_alike_are_refused(work: Work, repository: Repository) -> None:
    (work.path / os.fsdecode(b"caf\xe9.yaml")).write_text("x")
    tree = GitTree(repository, work.commit({"caf\\xe9.yaml": "y"}))
    with pytest.raises(CheckoutError) as caught:
        list(tree.entries())
    assert caught.value.reason == "invalid-tree"


def test_links_are_listed_with_their_target_and_never_followed(work: Work, repository: Repository) -> None:
    (work.path / "inside").symlink_to("a")
    (work.path / "outside").symlink_to("/etc/passwd")
    tree = GitTree(repository, work.commit({"a": "1"}))
    links = {path: entry.target for path, entry in by_path(tree).items() if entry.kind is EntryKind.LINK}
    assert links == {"inside": "a", "outside": "/etc/passwd"}
    assert contents(tree) == {"a": b"1"}


def test_an_endless_link_target_is_left_out(work: Work, repository: Repository) -> None:
    blob = work.blob(b"x" * 5_000)
    tree = GitTree(repository, work.tree(f"120000 blob {blob}\tlink\0".encode()))
    assert list(tree.entries()) == [Entry("link", EntryKind.LINK, 5_000, blob)]


def test_a_submodule_is_listed_and_never_followed(work: Work, repository: Repository, tmp_path: Path) -> None:
    other = Work.create(tmp_path / "other")
    inner = other.commit({"secret": "1"})
    work.git("submodule", "--quiet", "add", other.path, "vendor")
    tree = GitTree(repository, work.commit({"a": "1"}))
    assert by_path(tree)["vendor"] == Entry("vendor", EntryKind.SUBMODULE, 0, inner)
    assert set(contents(tree)) == {".gitmodules", "a"}


def test_an_executable_file_is_a_file(work: Work, repository: Repository) -> None:
    work.commit({"run": "#!/bin/sh\n"})
    (work.path / "run").chmod(0o755)
    assert by_path(GitTree(repository, work.commit()))["run"].kind is EntryKind.FILE


def test_a_blob_that_a_clone_lacks_is_unreadable_and_the_rest_is_read(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({"a": "1", "b": "2", "c": "3"}))
    work.loose(by_path(tree)["b"].content_id).unlink()
    found = contents(tree)
    assert isinstance(found.pop("b"), Unreadable)
    assert found == {"a": b"1", "c": b"3"}


def test_a_damaged_blob_is_unreadable_and_the_rest_is_read(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({"a": "1", "b": "long enough to be cut " * 100, "c": "3"}))
    entries = list(tree.entries())
    loose = work.loose(entries[1].content_id)
    loose.chmod(0o644)
    loose.write_bytes(loose.read_bytes()[:30])
    answers = dict(zip("abc", (content for _, content in tree.read(entries)), strict=True))
    assert isinstance(answers["b"], Unreadable)
    assert (answers["a"], answers["c"]) == (b"1", b"3")


def test_a_missing_tree_is_a_clear_error(work: Work, repository: Repository) -> None:
    commit = work.commit({"k/a": "1"})
    work.loose(work.git("rev-parse", "HEAD:k")).unlink()
    with pytest.raises(CheckoutError) as caught:
        list(GitTree(repository, commit).entries())
    assert caught.value.reason == "missing-object"


def test_a_partial_clone_never_fetches_what_it_lacks(work: Work, tmp_path: Path) -> None:
    work.commit({"a": "1"})
    work.git("config", "uploadpack.allowFilter", "true")
    work.git("clone", "--quiet", "--bare", "--filter=blob:none", work.path.as_uri(), tmp_path / "partial.git")
    partial = Work(tmp_path / "partial.git")
    before = partial.snapshot()
    with open_repository(partial.path) as opened:
        found = contents(GitTree(opened, resolve(opened, "main")))
    assert isinstance(found["a"], Unreadable)
    assert partial.snapshot() == before


def test_a_file_above_the_cap_is_unreadable_without_being_read(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({"a": "1", "b": "22", "c": "3"}), limits=TreeLimits(file_bytes=1))
    found = contents(tree)
    assert isinstance(found.pop("b"), Unreadable)
    assert found == {"a": b"1", "c": b"3"}


def test_a_tree_that_names_itself_over_and_over_ends_at_the_cap(work: Work, repository: Repository) -> None:
    blob = work.blob()
    tree = work.tree(b"".join(f"100644 blob {blob}\t{name}\0".encode() for name in range(10)))
    for _ in range(9):
        tree = work.tree(b"".join(f"040000 tree {tree}\t{name}\0".encode() for name in range(10)))
    with pytest.raises(CheckoutError) as caught:
        list(GitTree(repository, tree, limits=TreeLimits(entries=500)).entries())
    assert caught.value.reason == "too-large"


def test_a_path_without_end_stops_at_the_cap(work: Work, repository: Repository) -> None:
    tree = work.tree(f"100644 blob {work.blob()}\tfile\0".encode())
    for _ in range(30):
        tree = work.tree(f"040000 tree {tree}\t{'n' * 200}\0".encode())
    with pytest.raises(CheckoutError) as caught:
        list(GitTree(repository, tree).entries())
    assert caught.value.reason == "too-large"


@pytest.mark.parametrize("name", [b"..", b".", b".git", b".GIT", b"a/../../b", b"/etc", b"a//b"])
def test_paths_that_no_checkout_could_have_are_refused(work: Work, repository: Repository, name: bytes) -> None:
    tree = work.raw_tree((b"100644", name, work.blob()))
    with pytest.raises(CheckoutError) as caught:
        list(GitTree(repository, tree).entries())
    assert caught.value.reason == "invalid-tree"


def test_a_path_named_twice_is_refused(work: Work, repository: Repository) -> None:
    tree = work.raw_tree((b"100644", b"a", work.blob(b"1")), (b"100644", b"a", work.blob(b"2")))
    with pytest.raises(CheckoutError) as caught:
        list(GitTree(repository, tree).entries())
    assert caught.value.reason == "invalid-tree"


@pytest.mark.parametrize("subdir", ["k8s/prod", "k8s/prod/", "./k8s//prod", "k8s/./prod"])
def test_a_subdirectory_is_the_root_of_its_own_tree(work: Work, repository: Repository, subdir: str) -> None:
    commit = work.commit({"k8s/prod/a": "1", "k8s/prod/b/c": "2", "k8s/other": "3", "top": "4"})
    assert contents(GitTree(repository, commit, subdir)) == {"a": b"1", "b/c": b"2"}


@pytest.mark.parametrize("subdir", ["", ".", "./"])
def test_the_top_folder_is_the_whole_tree(work: Work, repository: Repository, subdir: str) -> None:
    assert contents(GitTree(repository, work.commit({"a": "1"}), subdir)) == {"a": b"1"}


@pytest.mark.parametrize(
    ("subdir", "why"), [("nope", "no such folder"), ("file", "a file"), ("link", "symbolic link"), ("file/x", "no such")]
)
def test_a_subdirectory_that_is_none_is_a_clear_error(work: Work, repository: Repository, subdir: str, why: str) -> None:
    (work.path / "link").symlink_to("k8s")
    tree = GitTree(repository, work.commit({"file": "1", "k8s/a": "1"}), subdir)
    with pytest.raises(CheckoutError, match=why) as caught:
        list(tree.entries())
    assert caught.value.reason == "unknown-folder"


@pytest.mark.parametrize("subdir", ["..", "../x", "a/../../x", "/etc", ".git", "a/.git/hooks", "a\0b"])
def test_a_subdirectory_cannot_leave_the_files_of_the_repository(work: Work, repository: Repository, subdir: str) -> None:
    with pytest.raises(CheckoutError) as caught:
        GitTree(repository, work.commit(), subdir)
    assert caught.value.reason == "invalid-folder"


@pytest.mark.parametrize("revision", ["main", "HEAD", "-z", "--output=x", "", "a" * 39, "A" * 40, "a" * 41, "a" * 40 + "\n"])
def test_a_tree_is_named_by_a_full_id_alone(work: Work, repository: Repository, revision: str) -> None:
    with pytest.raises(CheckoutError) as caught:
        GitTree(repository, revision)
    assert caught.value.reason == "invalid-revision"


def test_an_entry_cannot_smuggle_a_second_request_to_git(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({"a": "1"}))
    with pytest.raises(CheckoutError):
        list(tree.read([Entry("a", EntryKind.FILE, 1, f"{'0' * 40}\nHEAD")]))


def test_leaving_off_in_the_middle_leaves_no_process_behind(work: Work, repository: Repository) -> None:
    tree = GitTree(repository, work.commit({f"file{number}": "x" * 50_000 for number in range(20)}))
    before = children()
    for stream in (tree.entries(), tree.read(list(tree.entries()))):
        next(iter(stream))
        del stream
    assert children() <= before


def test_what_changed_is_told_without_listing(work: Work, repository: Repository) -> None:
    base = work.commit({"same": "s", "deep/edited.yaml": "1", "gone": "g", "to link": "l"})
    (work.path / "gone").unlink()
    (work.path / "to link").unlink()
    (work.path / "to link").symlink_to("same")
    head = work.commit({"deep/edited.yaml": "2", "ä new": "n"})
    before, after = GitTree(repository, base), GitTree(repository, head)
    sides = by_path(before), by_path(after)
    found = {each.path: (each.base, each.head) for each in after.changes_from(before, 10) or ()}
    assert set(found) == {"deep/edited.yaml", "gone", "to link", "ä new"}
    for path, entries in found.items():
        for entry, listed in zip(entries, (sides[0].get(path), sides[1].get(path)), strict=True):
            assert (entry is None) == (listed is None)
            assert entry is None or listed is None or (entry.kind, entry.content_id) == (listed.kind, listed.content_id)
    assert [content for _, content in after.read([entry for _, entry in found.values() if entry is not None])] != []
    assert before.changes_from(before, 10) == []


def test_changes_of_a_folder_are_relative_to_it(work: Work, repository: Repository) -> None:
    base, head = work.commit({"k8s/a": "1", "other": "1"}), work.commit({"k8s/a": "2", "other": "2"})
    before, after = GitTree(repository, base, "k8s"), GitTree(repository, head, "k8s")
    assert [each.path for each in after.changes_from(before, 10) or ()] == ["a"]
    assert before.name != after.name
    assert before.name != GitTree(repository, base).name


def test_changes_that_cannot_be_told_are_left_to_a_listing(work: Work, repository: Repository) -> None:
    base, head = work.commit({"a": "1"}), work.commit({"a": "2", "b": "2"})
    before, after = GitTree(repository, base), GitTree(repository, head)
    assert isinstance(after, VersionedTree)
    assert after.changes_from(before, 1) is None
    assert after.changes_from(EmptyTree(), 10) is None
    assert not isinstance(EmptyTree(), VersionedTree)
    with open_repository(work.path) as another:
        assert after.changes_from(GitTree(another, base), 10) is None
    assert after.changes_from(GitTree(repository, "0" * 39 + "1"), 10) is None
    (work.path / os.fsdecode(b"not \xff text")).write_text("x")
    assert GitTree(repository, work.commit({})).changes_from(before, 10) is None


def test_a_file_of_unknown_size_is_not_read_beyond_the_cap(work: Work, repository: Repository) -> None:
    base, head = work.commit({"a": "1"}), work.commit({"a": "x" * 300_000, "b": "small"})
    tree = GitTree(repository, head, limits=TreeLimits(file_bytes=1_000))
    changes: list[Change] = list(tree.changes_from(GitTree(repository, base), 10) or ())
    found = {entry.path: content for entry, content in tree.read([each.head for each in changes if each.head is not None])}
    assert isinstance(found["a"], Unreadable)
    assert found["b"] == b"small"
