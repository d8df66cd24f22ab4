"""Opening a repository and naming a revision in it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from service.checkout import REASONS, CheckoutError, GitTree, merge, open_repository, resolve, resolve_all
from tests.service.checkout.conftest import Recorder, install
from tests.service.checkout.repositories import Work


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work.create(tmp_path / "work")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A repository of one commit, only read."""
    work = Work.create(tmp_path_factory.mktemp("plain") / "work")
    work.commit({"a": "1"})
    return work


def refusal(path: Path, rev: str) -> CheckoutError:
    """Why a revision is refused: by itself, and no otherwise beside another."""
    with open_repository(path) as repository:
        with pytest.raises(CheckoutError) as caught:
            resolve(repository, rev)
        with pytest.raises(CheckoutError) as beside:
            resolve_all(repository, "HEAD", rev)
    assert (beside.value.reason, beside.value.message) == (caught.value.reason, caught.value.message)
    return caught.value


@pytest.mark.parametrize("rev", ["main", "HEAD", "refs/heads/main", "v1", "light", "HEAD~1^{/a change}~0", "feature~1", "@"])
def test_revisions_are_read_as_git_reads_them(work: Work, rev: str) -> None:
    work.commit({"a": "0"})
    commit = work.commit({"a": "1"})
    work.git("tag", "--annotate", "v1", "--message=a release")
    work.git("tag", "light")
    work.branch("feature")
    work.commit({"a": "2"})
    work.branch("main", "main")
    expected = work.git("rev-parse", f"{rev}^{{commit}}")
    with open_repository(work.path) as repository:
        assert resolve(repository, rev) == expected
        assert resolve(repository, commit) == resolve(repository, commit[:10]) == commit
        assert resolve_all(repository, rev, commit, "main") == (expected, commit, work.git("rev-parse", "main"))


def test_a_linked_worktree_has_its_own_head(work: Work, tmp_path: Path) -> None:
    main = work.commit({"a": "1"})
    work.git("worktree", "add", "--quiet", "-b", "feature", tmp_path / "linked")
    feature = Work(tmp_path / "linked").commit({"a": "2"})
    with open_repository(tmp_path / "linked") as repository:
        assert (resolve(repository, "HEAD"), resolve(repository, "main")) == (feature, main)
        assert [entry.path for entry in GitTree(repository, feature).entries()] == ["a"]


def test_the_git_directory_can_be_named_itself(work: Work) -> None:
    commit = work.commit()
    with open_repository(work.path / ".git") as repository:
        assert resolve(repository, "HEAD") == commit


@pytest.mark.parametrize("name", ["with space", 'quo"te', "line\nbreak", "#hash", "co:lon", "$HOME", "~", "back\\slash", "é"])
def test_a_repository_may_lie_anywhere(tmp_path: Path, name: str) -> None:
    work = Work.create(tmp_path / name)
    commit = work.commit({"a": "1"})
    with open_repository(work.path) as repository:
        assert [entry.path for entry in GitTree(repository, resolve(repository, "HEAD")).entries()] == ["a"]
        assert resolve(repository, "main") == commit


def test_a_relative_path_is_taken_from_the_current_folder(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = work.commit()
    monkeypatch.chdir(work.path.parent)
    with open_repository(Path("work")) as repository:
        assert resolve(repository, "HEAD") == commit


@pytest.mark.parametrize(
    "rev", ["-x", "--upload-pack=touch pwned", "--output=pwned", "-", "", "a\nb", "a\0b", "main\x1b[31m", "x" * 2_000, "^main"]
)
def test_what_is_no_revision_is_refused_before_git_could_obey_it(plain: Work, rev: str) -> None:
    assert refusal(plain.path, rev).reason == "invalid-revision"
    assert not list(plain.path.parent.rglob("pwned"))


@pytest.mark.parametrize(
    "rev",
    ["nope", "main~5", "refs/heads/nope", "main..nope", "a b", "0" * 40, "0123456789abcdef", "~", "HEAD:", "main^{blob}", "main^{tree}^0"],
)
def test_a_revision_that_is_not_there_is_said_to_be_unknown(plain: Work, rev: str) -> None:
    error = refusal(plain.path, rev)
    assert error.reason in ("unknown-revision", "not-a-commit")
    assert str(plain.path) in error.message


@pytest.mark.parametrize(("rev", "kind"), [("HEAD:a", "blob"), ("HEAD^{tree}", "tree")])
def test_a_revision_that_is_no_commit_is_said_to_be_none(plain: Work, rev: str, kind: str) -> None:
    for spelling in (rev, plain.git("rev-parse", rev)):
        error = refusal(plain.path, spelling)
        assert (error.reason, kind in error.message) == ("not-a-commit", True)


def test_a_name_of_a_branch_and_a_tag_is_ambiguous(work: Work) -> None:
    work.commit()
    work.git("tag", "main")
    assert refusal(work.path, "main").reason == "ambiguous-revision"
    with open_repository(work.path) as repository:
        assert resolve(repository, "refs/heads/main")


def test_a_short_id_of_two_objects_is_ambiguous(work: Work) -> None:
    work.commit()
    seen: dict[str, bytes] = {}
    for number in range(10_000):
        content = b"%d" % number
        short = hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()[:5]
        if short in seen:
            work.blob(content)
            work.blob(seen[short])
            assert refusal(work.path, short).reason == "ambiguous-revision"
            return
        seen[short] = content
    pytest.fail("no two contents share a short id")


def test_a_branch_named_like_an_id_never_stands_in_for_it(work: Work) -> None:
    first = work.commit({"a": "1"})
    second = work.commit({"a": "2"})
    work.git("update-ref", f"refs/heads/{first}", second)
    with open_repository(work.path) as repository:
        assert resolve(repository, first) == first


def test_history_is_the_real_one_whatever_was_put_in_its_place(work: Work) -> None:
    first = work.commit({"a": "1"})
    work.git("replace", "--graft", work.commit({"a": "2"}))
    with open_repository(work.path) as repository:
        assert resolve(repository, "HEAD~1") == first


def test_an_empty_repository_says_so(work: Work) -> None:
    assert refusal(work.path, "HEAD").reason == "empty-repository"


def test_a_shallow_clone_says_how_to_get_the_rest(work: Work, tmp_path: Path) -> None:
    work.commit({"a": "1"})
    work.commit({"a": "2"})
    work.git("clone", "--quiet", "--depth=1", work.path.as_uri(), tmp_path / "shallow")
    error = refusal(tmp_path / "shallow", "HEAD~1")
    assert (error.reason, "--unshallow" in error.message) == ("unknown-revision", True)


@pytest.mark.parametrize("path", ["missing", "folder", "file", "work/sub"])
def test_what_is_no_repository_is_said_to_be_none(work: Work, tmp_path: Path, path: str) -> None:
    work.commit({"sub/a": "1"})
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CheckoutError, match=str(tmp_path / path)) as caught, open_repository(tmp_path / path):
        pass
    assert caught.value.reason == "not-a-repository"


def test_git_that_is_not_there_is_a_clear_error(work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    work.commit()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(CheckoutError) as caught, open_repository(work.path):
        pass
    assert caught.value.reason == "git-missing"


def test_a_git_that_never_answers_is_stopped_with_its_children(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work.commit()
    os.mkfifo(tmp_path / "alive")
    import git  # noqa: F401 - GitPython asks for git's version once, when it is imported

    # Its child would keep the pipe open for writing for as long as it lived.
    install(tmp_path / "bin", f'(exec 3<>"{tmp_path}/alive"; sleep 600) & sleep 600\n', monkeypatch)
    with pytest.raises(CheckoutError) as caught, open_repository(work.path, timeout=0.2):
        pass
    assert caught.value.reason == "timeout"
    running = [path for path in Path("/proc").glob("[0-9]*/fd/*") if _target(path) == str(tmp_path / "alive")]
    assert running == []


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def test_nothing_of_the_environment_reaches_git_but_paths_proxies_and_certificates(
    work: Work, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit = work.commit()
    redirecting = {"GIT_DIR": "/nowhere", "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_SSH_COMMAND": "touch pwned"}
    running = {
        "GIT_CONFIG_PARAMETERS": "'core.pager=touch pwned'",
        "GIT_TRACE": "1",
        "FLOWDELTA_GITHUB_TOKEN": "hush",
        "HOME": str(tmp_path),
    }
    kept = {"HTTPS_PROXY": "http://proxy.example", "SSL_CERT_FILE": "/etc/ca.pem", "GIT_SSL_CAINFO": "/etc/ca.pem"}
    for name, value in (redirecting | running | kept).items():
        monkeypatch.setenv(name, value)
    with open_repository(work.path) as repository:
        assert resolve(repository, "main") == commit
    seen = recorder.variables()
    assert {name: seen[name] for name in kept} == kept
    assert not (redirecting | running).keys() - {"HOME"} & seen.keys()
    assert seen["HOME"] == os.devnull


def test_a_hostile_repository_runs_nothing(work: Work, tmp_path: Path) -> None:
    pwned = tmp_path / "pwned"
    work.commit({"a": "1\n", ".gitattributes": "* merge=evil filter=evil diff=evil\n"})
    work.branch("feature")
    head = work.commit({"a": "2\n"})
    work.branch("main", "main")
    base = work.commit({"a": "3\n"})
    touch = f"touch {pwned} #"
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "core.askPass",
        "credential.helper",
        "uploadpack.packObjectsHook",
    ):
        work.git("config", key, touch)
    for key in (
        "merge.evil.driver",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "alias.rev-parse",
    ):
        work.git("config", key, touch)
    work.git("config", "extensions.partialClone", "evil")
    work.git("config", "remote.evil.promisor", "true")
    work.git("config", "remote.evil.url", f"ext::{touch}")
    work.git("config", "protocol.ext.allow", "always")
    for hook in ("post-index-change", "reference-transaction", "post-checkout", "pre-merge-commit", "pre-auto-gc"):
        script = work.path / ".git" / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\n{touch}\n")
        script.chmod(0o755)
    with open_repository(work.path) as repository:
        list(GitTree(repository, resolve(repository, "main")).entries())
        merge(repository, base, head)
        with pytest.raises(CheckoutError):
            resolve(repository, "0" * 40)
        with pytest.raises(CheckoutError):
            resolve(repository, "deadbeef")
    assert not pwned.exists()


def test_a_hostile_partial_clone_cannot_make_git_fetch(work: Work, tmp_path: Path) -> None:
    work.commit({"k/a": "1"})
    work.git("config", "uploadpack.allowFilter", "true")
    work.git("clone", "--quiet", "--bare", "--filter=tree:0", work.path.as_uri(), tmp_path / "partial.git")
    partial = Work(tmp_path / "partial.git")
    partial.git("config", "remote.origin.url", f"ext::touch {tmp_path}/pwned")
    partial.git("config", "protocol.ext.allow", "always")
    assert refusal(partial.path, "main:k/a").reason == "unknown-revision"
    with open_repository(partial.path) as repository, pytest.raises(CheckoutError):
        list(GitTree(repository, resolve(repository, "main")).entries())
    assert not (tmp_path / "pwned").exists()


def test_every_reason_has_a_meaning_and_no_other_can_be_given() -> None:
    assert all(meaning.endswith(".") for meaning in REASONS.values())
    with pytest.raises(ValueError, match="undocumented"):
        CheckoutError("because", "…")
