"""What merging a head would give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzers.manifests.tree import EntryKind
from service.checkout import CheckoutError, Conflict, GitTree, Merged, merge, open_repository
from tests.service.checkout.conftest import install
from tests.service.checkout.repositories import Work, diverged

LINES = "".join(f"line {number}\n" for number in range(20))


def merged(work: Work, base: str, head: str) -> dict[str, bytes]:
    """The files that a clean merge gives."""
    with open_repository(work.path) as repository:
        outcome = merge(repository, base, head)
        assert isinstance(outcome, Merged)
        tree = GitTree(repository, outcome.tree)
        files = [entry for entry in tree.entries() if entry.kind is EntryKind.FILE]
        found = {entry.path: content for entry, content in tree.read(files)}
    assert all(isinstance(content, bytes) for content in found.values())
    return {path: content for path, content in found.items() if isinstance(content, bytes)}


def conflict(work: Work, base: str, head: str) -> Conflict:
    with open_repository(work.path) as repository:
        outcome = merge(repository, base, head)
    assert isinstance(outcome, Conflict)
    return outcome


def refusal(path: Path, base: str, head: str) -> str:
    with open_repository(path) as repository, pytest.raises(CheckoutError) as caught:
        merge(repository, base, head)
    return caught.value.reason


def test_both_sides_changes_are_in_the_merge(tmp_path: Path) -> None:
    work, base, head = diverged(tmp_path / "work", {"a": LINES}, {"a": "main\n" + LINES, "m": "1"}, {"a": LINES + "feature\n", "f": "2"})
    assert merged(work, base, head) == {"a": f"main\n{LINES}feature\n".encode(), "m": b"1", "f": b"2"}


def test_a_head_ahead_of_its_base_merges_to_itself(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    base, head = work.commit({"a": "1"}), work.commit({"a": "2"})
    assert merged(work, base, head) == {"a": b"2"}


def test_a_head_that_was_merged_changes_nothing(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    head, base = work.commit({"a": "1"}), work.commit({"a": "2"})
    assert merged(work, base, head) == {"a": b"2"}
    assert merged(work, base, base) == {"a": b"2"}


def test_a_file_renamed_on_one_side_takes_the_others_edit(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    work.commit({"old": LINES})
    work.branch("feature")
    head = work.commit({"old": LINES + "feature\n"})
    work.branch("main", "main")
    base = work.commit({"new": LINES}, remove=("old",))
    assert merged(work, base, head) == {"new": f"{LINES}feature\n".encode()}


def test_a_criss_cross_history_is_merged(tmp_path: Path) -> None:
    work, main, feature = diverged(tmp_path / "work", {"a": LINES}, {"m": "1"}, {"f": "2"})
    work.git("merge", "--quiet", "--no-edit", feature)
    work.branch("feature", "feature")
    work.git("merge", "--quiet", "--no-edit", main)
    head = work.commit({"a": LINES + "feature\n"})
    work.branch("main", "main")
    base = work.commit({"a": "main\n" + LINES})
    assert merged(work, base, head) == {"a": f"main\n{LINES}feature\n".encode(), "m": b"1", "f": b"2"}


def test_a_conflict_names_its_files_and_the_merge_base(tmp_path: Path) -> None:
    files = {"b/x": "0\n", "a y": "0\n", "same": "0\n"}
    work, base, head = diverged(tmp_path / "work", files, dict.fromkeys(files, "1\n"), {"b/x": "2\n", "a y": "2\n", "same": "1\n"})
    assert conflict(work, base, head) == Conflict(("a y", "b/x"), work.git("merge-base", base, head))


def test_an_edit_of_a_deleted_file_is_a_conflict(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    work.commit({"a": "0\n", "keep": ""})
    work.branch("feature")
    head = work.commit({"a": "1\n"})
    work.branch("main", "main")
    base = work.commit(remove=("a",))
    assert conflict(work, base, head).paths == ("a",)
    assert conflict(work, head, base).paths == ("a",)


def test_odd_names_in_a_conflict_are_told_apart(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    names = ("line\nbreak", 'quo"te', odd)
    work, base, head = diverged(tmp_path / "work", dict.fromkeys(names, "0"), dict.fromkeys(names, "1"), dict.fromkeys(names, "2"))
    assert conflict(work, base, head).paths == ("caf\\xe9", "line\nbreak", 'quo"te')


def test_a_submodule_that_both_sides_moved_is_a_conflict(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    commits: list[str] = []
    for side, start in (("start", "main"), ("feature", "start"), ("main", "start")):
        if side != "start":
            work.branch(side, start)
        work.git("update-index", "--add", "--cacheinfo", f"160000,{len(commits) + 1:040x},vendor")
        work.git("commit", "--quiet", "--message=move")
        commits.append(work.git("rev-parse", "HEAD"))
        if side == "start":
            work.branch("start", "main")
    assert conflict(work, commits[2], commits[1]).paths == ("vendor",)


@pytest.mark.parametrize("driver", ["evil", "union", "binary"])
def test_attributes_of_the_repository_neither_run_nor_choose_a_merge_driver(tmp_path: Path, driver: str) -> None:
    files = {"a": "0\n", ".gitattributes": f"* merge={driver}\n"}
    work, base, head = diverged(tmp_path / "work", files, {"a": "1\n"}, {"a": "2\n"})
    work.git("config", "merge.evil.driver", f"touch {tmp_path}/pwned; exit 0")
    assert conflict(work, base, head).paths == ("a",)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("bare", [False, True], ids=["non-bare", "bare"])
def test_the_repository_is_left_as_it_was_to_the_byte(tmp_path: Path, bare: bool) -> None:
    work, base, head = diverged(tmp_path / "work", {"a": LINES}, {"a": "main\n" + LINES}, {"a": LINES + "feature\n"})
    (work.path / "a").write_text("edited and not committed")
    (work.path / "untracked").write_text("x")
    if bare:
        work.git("clone", "--quiet", "--bare", work.path, tmp_path / "bare.git")
        work = Work(tmp_path / "bare.git")
    before = work.snapshot()
    assert merged(work, base, head) == {"a": f"main\n{LINES}feature\n".encode()}
    assert work.snapshot() == before


def test_histories_without_a_common_commit_are_refused(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    base = work.commit({"a": "1"})
    work.git("checkout", "--quiet", "--orphan", "other")
    head = work.commit({"b": "2"})
    assert refusal(work.path, base, head) == "unrelated-histories"


def test_a_history_cut_off_before_the_common_commit_is_called_shallow(tmp_path: Path) -> None:
    work, base, head = diverged(tmp_path / "work", {"a": "0"}, {"m": "1"}, {"f": "2"})
    work.git("clone", "--quiet", "--depth=1", "--no-single-branch", work.path.as_uri(), tmp_path / "shallow")
    assert refusal(tmp_path / "shallow", base, head) == "shallow-repository"


def test_a_shallow_history_that_holds_the_common_commit_is_enough(tmp_path: Path) -> None:
    work, _, _ = diverged(tmp_path / "work", {"old": "0"}, {"m": "1"}, {"f": "2"})
    work.commit({"m": "2"})
    work.git("merge", "--quiet", "--no-edit", "feature")
    base = work.commit({"m": "3"})
    work.branch("feature", "feature")
    work.git("merge", "--quiet", "--no-edit", "main")
    head = work.commit({"f": "3"})
    work.git("clone", "--quiet", "--depth=2", "--no-single-branch", work.path.as_uri(), tmp_path / "shallow")
    assert merged(Work(tmp_path / "shallow"), base, head) == {"old": b"0", "m": b"3", "f": b"3"}


def test_a_missing_blob_that_the_merge_needs_is_a_clear_error(tmp_path: Path) -> None:
    work, base, head = diverged(tmp_path / "work", {"a": LINES}, {"a": "main\n" + LINES}, {"a": LINES + "feature\n"})
    work.loose(work.git("rev-parse", f"{head}:a")).unlink()
    assert refusal(work.path, base, head) == "missing-object"


@pytest.mark.parametrize("commit", ["main", "--help", "-X", "", "A" * 40, f"{'0' * 40} --help"])
def test_commits_are_named_by_full_ids_alone(tmp_path: Path, commit: str) -> None:
    work = Work.create(tmp_path / "work")
    known = work.commit()
    assert refusal(work.path, commit, known) == refusal(work.path, known, commit) == "invalid-revision"


def test_a_commit_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work")
    assert refusal(work.path, work.commit(), "0" * 40) == "missing-object"


def test_an_older_git_is_refused_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work.create(tmp_path / "work")
    commit = work.commit()
    with open_repository(work.path) as repository:
        install(tmp_path / "bin", "echo git version 2.37.1\n", monkeypatch)
        with pytest.raises(CheckoutError, match=r"2\.38.*2\.37\.1") as caught:
            merge(repository, commit, commit)
    assert caught.value.reason == "git-too-old"


def test_sha256_histories_are_merged(tmp_path: Path) -> None:
    work = Work.create(tmp_path / "work", "--object-format=sha256")
    base, head = work.commit({"a": "1"}), work.commit({"a": "2"})
    assert merged(work, base, head) == {"a": b"2"}
