"""Fetching from a forge into a mirror."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzers.manifests.tree import EntryKind
from service.checkout import CheckoutError, GitTree, Merged, merge, open_repository, resolve
from service.checkout.mirror import Mirrors
from service.checkout.remote import parse
from service.secret import Secret
from tests.service.checkout.conftest import Recorder, install
from tests.service.checkout.forge import Forge, serve
from tests.service.checkout.repositories import Work, diverged

MAIN, PULL = "refs/heads/main", "refs/pull/7/head"
TOKEN = "s3cr3t/+token with spaces"


@dataclass(frozen=True)
class Login:
    username: str
    password: Secret

    @property
    def header(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode()


LOGIN = Login("x-access-token", Secret(TOKEN))


@dataclass(frozen=True)
class Upstream:
    """A repository at a forge with a pull request, and the commits of its base and head."""

    work: Work
    base: str
    head: str

    @property
    def url(self) -> str:
        return self.work.path.as_uri()


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    work, base, head = diverged(tmp_path / "forge" / "shop.git", {"a": "0"}, {"m": "1"}, {"f": "2"})
    work.git("update-ref", PULL, head)
    return Upstream(work, base, head)


@pytest.fixture
def forge(upstream: Upstream) -> Iterator[Forge]:
    with serve(upstream.work.path.parent) as server:
        yield server


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors", allow_http=True, allow_file=True, timeout=30, lock_timeout=30)


def bare(mirrors: Mirrors) -> Path:
    """The only mirror."""
    (folder,) = mirrors.root.glob("*.git")
    return folder


def refusal(mirrors: Mirrors, url: str, refs: tuple[str, ...] = (MAIN,), credential: Login | None = None) -> CheckoutError:
    with pytest.raises(CheckoutError) as caught:
        mirrors.fetch(url, refs, credential)
    return caught.value


def test_refs_are_fetched_and_named_by_commit(mirrors: Mirrors, upstream: Upstream) -> None:
    assert mirrors.fetch(upstream.url, [MAIN, PULL, MAIN]) == {MAIN: upstream.base, PULL: upstream.head}


def test_a_mirror_is_merged_and_read_without_being_written(mirrors: Mirrors, upstream: Upstream) -> None:
    commits = mirrors.fetch(upstream.url, [MAIN, PULL])
    before = Work(bare(mirrors)).snapshot()
    with mirrors.open(upstream.url) as repository:
        outcome = merge(repository, commits[MAIN], commits[PULL])
        assert isinstance(outcome, Merged)
        files = [entry for entry in GitTree(repository, outcome.tree).entries() if entry.kind is EntryKind.FILE]
        assert {entry.path: content for entry, content in GitTree(repository, outcome.tree).read(files)} == {
            "a": b"0",
            "m": b"1",
            "f": b"2",
        }
        assert resolve(repository, commits[MAIN]) == upstream.base
    assert Work(bare(mirrors)).snapshot() == before


def test_only_the_refs_asked_for_are_kept_and_in_a_name_space_of_ours(mirrors: Mirrors, upstream: Upstream) -> None:
    upstream.work.git("tag", "v1")
    mirrors.fetch(upstream.url, [PULL])
    refs = Work(bare(mirrors)).git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert [line.split("/")[:2] for line in refs] == [["refs", "flowdelta"]]
    assert refs[0].endswith(upstream.head)


def test_what_arrives_is_one_pack_whose_size_can_be_watched(mirrors: Mirrors, upstream: Upstream) -> None:
    mirrors.fetch(upstream.url, [MAIN, PULL])
    counted = Work(bare(mirrors)).git("count-objects", "-v").splitlines()
    assert {"count: 0", "packs: 1"} <= set(counted)


def test_a_ref_that_was_rewritten_follows(mirrors: Mirrors, upstream: Upstream) -> None:
    mirrors.fetch(upstream.url, [PULL])
    upstream.work.git("update-ref", PULL, upstream.base)
    assert mirrors.fetch(upstream.url, [PULL]) == {PULL: upstream.base}


def test_a_branch_may_turn_into_a_folder_of_branches(mirrors: Mirrors, upstream: Upstream) -> None:
    mirrors.fetch(upstream.url, ["refs/heads/feature"])
    upstream.work.git("branch", "--move", "feature", "feature/one")
    assert mirrors.fetch(upstream.url, ["refs/heads/feature/one"]) == {"refs/heads/feature/one": upstream.head}


def test_an_annotated_tag_is_named_by_its_commit(mirrors: Mirrors, upstream: Upstream) -> None:
    upstream.work.git("tag", "--annotate", "v1", "--message=a release")
    assert mirrors.fetch(upstream.url, ["refs/tags/v1"]) == {"refs/tags/v1": upstream.base}


def test_a_tag_of_a_file_is_no_commit(mirrors: Mirrors, upstream: Upstream) -> None:
    upstream.work.git("tag", "blob", "HEAD:a")
    assert refusal(mirrors, upstream.url, ("refs/tags/blob",)).reason == "not-a-commit"


def test_a_missing_ref_is_named_and_the_mirror_still_works(mirrors: Mirrors, upstream: Upstream) -> None:
    for _ in range(2):
        error = refusal(mirrors, upstream.url, (MAIN, "refs/pull/8/head"))
        assert (error.reason, "refs/pull/8/head" in error.message) == ("unknown-ref", True)
        assert mirrors.fetch(upstream.url, [MAIN]) == {MAIN: upstream.base}


def test_a_missing_repository_is_said_to_be_missing(mirrors: Mirrors, upstream: Upstream, forge: Forge) -> None:
    for url in (upstream.url + "x", forge.url("nope.git")):
        assert refusal(mirrors, url).reason == "unknown-repository"
    assert not list(mirrors.root.glob("*.git"))


def test_a_mirror_can_be_opened_only_after_a_fetch(mirrors: Mirrors, upstream: Upstream) -> None:
    with pytest.raises(CheckoutError) as caught, mirrors.open(upstream.url):
        pass
    assert caught.value.reason == "not-a-repository"


def test_a_relative_root_works(tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Mirrors(Path("var/mirrors"), allow_file=True).fetch(upstream.url, [MAIN]) == {MAIN: upstream.base}


def test_sha256_repositories_are_mirrored(mirrors: Mirrors, tmp_path: Path) -> None:
    work = Work.create(tmp_path / "sha256", "--object-format=sha256")
    work.commit({"a": "1"})
    mirrors.fetch(work.path.as_uri(), [MAIN])
    commit = work.commit({"a": "2"})
    assert mirrors.fetch(work.path.as_uri(), [MAIN]) == {MAIN: commit}
    with mirrors.open(work.path.as_uri()) as repository:
        assert resolve(repository, commit) == commit


def test_a_repository_made_anew_with_another_object_format_is_mirrored_anew(mirrors: Mirrors, tmp_path: Path) -> None:
    work = Work.create(tmp_path / "changing")
    work.commit()
    mirrors.fetch(work.path.as_uri(), [MAIN])
    work.path.rename(tmp_path / "before")
    commit = Work.create(tmp_path / "changing", "--object-format=sha256").commit()
    assert mirrors.fetch(work.path.as_uri(), [MAIN]) == {MAIN: commit}


@pytest.mark.parametrize(
    "ref",
    [
        "main",
        "HEAD",
        "refs/heads/",
        "refs/heads",
        "--upload-pack=touch pwned",
        "-refs/heads/main",
        "+refs/heads/main",
        "refs/heads/main:refs/heads/x",
        "refs/heads/*",
        "refs/heads/a..b",
        "refs/heads/.a",
        "refs/heads/a.lock",
        "refs/heads/a.lock/b",
        "refs/heads/a b",
        "refs/heads/a\nb",
        "^refs/heads/main",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a?",
        "refs/heads/[a",
        "refs/heads/a\\b",
        "refs/heads/@{",
        "refs/heads//a",
        "refs/heads/a.",
        "",
    ],
)
def test_what_is_no_full_ref_name_is_refused(mirrors: Mirrors, ref: str) -> None:
    assert refusal(mirrors, "file:///nowhere", (MAIN, ref)).reason == "invalid-ref"
    assert not mirrors.root.exists()


def test_every_ref_name_that_is_taken_is_one_for_git_too(mirrors: Mirrors, upstream: Upstream) -> None:
    for name in (
        "refs/heads/-dash",
        "refs/heads/é",
        "refs/heads/a'b\"c$(d)`e`;f|g&h",
        "refs/pull/7/head",
        "refs/heads/@",
        "refs/heads/a@b.c",
    ):
        upstream.work.git("update-ref", name, upstream.head)
        assert mirrors.fetch(upstream.url, [name]) == {name: upstream.head}


def test_no_ref_at_all_is_refused(mirrors: Mirrors, upstream: Upstream) -> None:
    assert refusal(mirrors, upstream.url, ()).reason == "invalid-ref"


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch pwned'",
        "ssh://host/a",
        "git://host/a",
        "git@host:a/b",
        "/etc",
        "../x",
        "--upload-pack=touch pwned",
        "-https://host/a",
        "",
        "https://host",
        "https://host/",
        "https:///a",
        "https://host/../a",
        "https://host/a/%2e%2e/b",
        "https://host/a/./b",
        "https://host//a",
        "https://host/a?b",
        "https://host/a#b",
        "https://host/a b",
        "https://host/a\nb",
        "https://host/%0a",
        "https://ho st/a",
        "https://host:x/a",
        "https://-host/a",
        "https://host/a\\b",
        "HTTPS://host/a",
        "https://[::1/a",
        "file://host/a",
        "https:/host/a",
        "https://host:99999/a",
    ],
)
def test_what_is_no_repository_url_is_refused_before_anything_runs(mirrors: Mirrors, url: str) -> None:
    assert refusal(mirrors, url).reason == "invalid-url"
    assert not mirrors.root.exists()


@pytest.mark.parametrize("url", ["http://localhost/a", "file:///tmp/a"])
def test_plain_http_and_local_files_need_permission(tmp_path: Path, url: str) -> None:
    assert refusal(Mirrors(tmp_path), url).reason == "invalid-url"


@pytest.mark.parametrize(
    "url", [f"https://user:{TOKEN}@host/a", "https://hunter2@host/a", "https://host/a?token=hunter2", "gopher://hunter2@host/a"]
)
def test_a_url_that_is_refused_is_not_repeated(mirrors: Mirrors, url: str) -> None:
    error = refusal(mirrors, url)
    assert "hunter2" not in str(error)
    assert TOKEN not in str(error)


def test_mirrors_of_different_repositories_lie_in_different_folders_below_the_root(tmp_path: Path) -> None:
    urls = [
        "https://h/a/b",
        "https://h/a-b",
        "https://h/A/b",
        "https://h:8443/a/b",
        "https://h.a/b",
        "http://h/a/%62",
        "https://h/a/b.git",
        "http://h/é",
    ]
    folders = [parse(url, ["http", "https"]).folder for url in urls]
    assert len(set(folders)) == len(urls)
    assert all(folder.replace("-", "").isalnum() and folder.isascii() and len(folder) < 100 for folder in folders)
    assert parse("https://H/a/", ["https"]).folder == parse("https://h:443/a", ["https"]).folder


def test_hooks_and_settings_of_a_mirror_never_run(mirrors: Mirrors, upstream: Upstream, tmp_path: Path) -> None:
    mirrors.fetch(upstream.url, [MAIN])
    hooks = bare(mirrors) / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-update", "pre-auto-gc", "post-merge", "update", "proc-receive"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
        (hooks / name).chmod(0o755)
    assert mirrors.fetch(upstream.url, [MAIN, PULL]) == {MAIN: upstream.base, PULL: upstream.head}
    assert not (tmp_path / "pwned").exists()


def test_objects_that_git_would_choke_on_are_refused(mirrors: Mirrors, upstream: Upstream) -> None:
    tree = upstream.work.raw_tree((b"100644", b".git", upstream.work.blob()))
    commit = upstream.work.git("commit-tree", tree, "-m", "hostile")
    upstream.work.git("update-ref", PULL, commit)
    error = refusal(mirrors, upstream.url, (PULL,))
    assert (error.reason, "hasDotgit" in error.message) == ("fetch-failed", True)


def test_the_small_sins_of_old_repositories_are_forgiven(mirrors: Mirrors, upstream: Upstream) -> None:
    tree = upstream.work.raw_tree((b"040000", b"folder", upstream.work.git("rev-parse", "HEAD^{tree}")))
    person = b"A <a@example.com> 1700000000 +051800"
    body = b"tree %s\nauthor %s\ncommitter %s\n\nold\n" % (tree.encode(), person, person)
    commit = upstream.work.git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", stdin=body)
    upstream.work.git("update-ref", PULL, commit)
    assert mirrors.fetch(upstream.url, [PULL]) == {PULL: commit}


def test_a_repository_above_the_cap_is_refused_and_leaves_nothing(tmp_path: Path, upstream: Upstream) -> None:
    (upstream.work.path / "noise").write_bytes(os.urandom(500_000))
    upstream.work.commit()
    mirrors = Mirrors(tmp_path / "mirrors", allow_file=True, max_bytes=100_000)
    assert refusal(mirrors, upstream.url).reason == "too-large"
    assert [path.suffix for path in mirrors.root.iterdir()] == [".lock"]


def test_a_pull_request_above_the_cap_is_refused_and_the_others_are_not(tmp_path: Path, upstream: Upstream) -> None:
    mirrors = Mirrors(tmp_path / "mirrors", allow_file=True, max_bytes=100_000)
    mirrors.fetch(upstream.url, [MAIN])
    upstream.work.branch("large")
    (upstream.work.path / "noise").write_bytes(os.urandom(5_000_000))
    upstream.work.git("update-ref", PULL, upstream.work.commit())
    assert refusal(mirrors, upstream.url, (MAIN, PULL)).reason == "too-large"
    assert not list(bare(mirrors).rglob("tmp_*"))
    assert mirrors.fetch(upstream.url, [MAIN]) == {MAIN: upstream.base}
    assert sum(path.stat().st_size for path in bare(mirrors).rglob("*") if path.is_file()) < 100_000


def test_a_mirror_that_grew_above_the_cap_is_made_anew(tmp_path: Path, upstream: Upstream) -> None:
    mirrors = Mirrors(tmp_path / "mirrors", allow_file=True, max_bytes=100_000)
    mirrors.fetch(upstream.url, [MAIN])
    (bare(mirrors) / "objects" / "pack" / "pack-of-a-hostile-pull-request.pack").write_bytes(os.urandom(200_000))
    assert mirrors.fetch(upstream.url, [MAIN]) == {MAIN: upstream.base}
    assert not list(bare(mirrors).rglob("*hostile*"))


def test_a_credential_reaches_the_forge_and_no_argument_list(
    mirrors: Mirrors, upstream: Upstream, forge: Forge, recorder: Recorder
) -> None:
    forge.required = LOGIN.header
    assert mirrors.fetch(forge.url("shop.git"), [MAIN, PULL], LOGIN) == {MAIN: upstream.base, PULL: upstream.head}
    assert set(forge.shown) == {LOGIN.header}
    given = recorder.lines()
    assert "fetch" in given
    assert not any(spelling in line for line in given for spelling in (TOKEN, LOGIN.header.split()[1]))
    on_disk = [path for path in mirrors.root.rglob("*") if path.is_file() and LOGIN.header.split()[1].encode() in path.read_bytes()]
    assert on_disk == []


@pytest.mark.parametrize("credential", [None, Login("x-access-token", Secret("another-secret"))], ids=["none", "wrong"])
def test_a_forge_that_wants_another_credential_is_told_apart(mirrors: Mirrors, forge: Forge, credential: Login | None) -> None:
    forge.required = LOGIN.header
    error = refusal(mirrors, forge.url("shop.git"), credential=credential)
    assert error.reason == "access-denied"
    assert "another-secret" not in "".join(traceback.format_exception(error))


def test_a_secret_that_a_server_repeats_is_in_no_message(
    mirrors: Mirrors, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = LOGIN.header.split()[1]
    lines = (f"remote: {TOKEN}", f"Authorization: Basic {encoded}", f"fatal: https://u:{TOKEN}@h/", "remote: \\033[31m red", encoded)
    complaints = "\n".join(f"printf '{line}\\n' >&2" for line in lines)
    install(
        tmp_path / "bin",
        f'case " $* " in *" fetch "*) {complaints}\nexit 1;; esac\nexec /usr/bin/env -i PATH={os.defpath} git "$@"\n',
        monkeypatch,
    )
    error = refusal(mirrors, upstream.url, credential=LOGIN)
    told = "".join(traceback.format_exception(error))
    assert "remote:" in told
    assert not any(spelling in told for spelling in (TOKEN, encoded, "\033"))


def test_a_credential_is_never_sent_where_a_redirect_points(mirrors: Mirrors, upstream: Upstream, forge: Forge, tmp_path: Path) -> None:
    with serve(upstream.work.path.parent) as elsewhere:
        forge.redirect = elsewhere.url("shop.git/info/refs?service=git-upload-pack")
        error = refusal(mirrors, forge.url("shop.git"), credential=LOGIN)
    assert error.reason == "redirected"
    assert elsewhere.shown == []


@contextmanager
def silent_server() -> Iterator[str]:
    """A URL where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/shop.git"


def test_a_forge_that_never_answers_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    mirrors = Mirrors(tmp_path / "mirrors", allow_http=True, timeout=0.5)
    with silent_server() as url:
        assert refusal(mirrors, url).reason == "timeout"
        assert refusal(mirrors, url).reason == "timeout"
    assert [path.suffix for path in mirrors.root.iterdir()] == [".lock"]


def test_a_mirror_in_use_is_waited_for_and_then_given_up(mirrors: Mirrors, upstream: Upstream, forge: Forge) -> None:
    forge.stalls = True
    url = forge.url("shop.git")
    first = threading.Thread(target=lambda: refusal(mirrors, url))
    first.start()
    assert forge.stalled.wait(30)
    assert refusal(Mirrors(mirrors.root, allow_http=True, lock_timeout=0.1, timeout=5), url).reason == "locked"
    forge.stalls = False
    forge.go_on.set()
    first.join()
    assert mirrors.fetch(url, [MAIN]) == {MAIN: upstream.base}


FETCH = """
import sys
from pathlib import Path
from service.checkout.mirror import Mirrors
print(Mirrors(Path(sys.argv[1]), allow_http=True).fetch(sys.argv[2], sys.argv[3:]))
"""


def fetching(mirrors: Mirrors, url: str, *refs: str) -> subprocess.Popen[str]:
    """Another process that fetches into the same mirrors."""
    return subprocess.Popen([sys.executable, "-c", FETCH, str(mirrors.root), url, *refs], stdout=subprocess.PIPE, text=True)


def test_two_processes_share_a_mirror(mirrors: Mirrors, upstream: Upstream, forge: Forge) -> None:
    both = [fetching(mirrors, forge.url("shop.git"), ref) for ref in (MAIN, PULL)]
    assert [process.communicate()[0].strip() for process in both] == [str({MAIN: upstream.base}), str({PULL: upstream.head})]
    Work(bare(mirrors)).git("fsck", "--strict")
    assert len(Work(bare(mirrors)).git("for-each-ref").splitlines()) == 2


def test_a_process_killed_while_it_clones_leaves_no_half_mirror(mirrors: Mirrors, upstream: Upstream, forge: Forge) -> None:
    url = forge.url("shop.git")
    forge.stalls = True
    process = fetching(mirrors, url, MAIN)
    assert forge.stalled.wait(30)
    assert list(mirrors.root.glob(".*.part"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # Its git lives on and holds the lock: nothing may be taken away from under it.
    assert refusal(Mirrors(mirrors.root, allow_http=True, lock_timeout=0.1, timeout=5), url).reason == "locked"
    forge.stalls = False
    forge.go_on.set()
    assert mirrors.fetch(url, [MAIN, PULL]) == {MAIN: upstream.base, PULL: upstream.head}
    assert not list(mirrors.root.glob(".*.part"))


def test_what_a_killed_fetch_leaves_behind_is_swept_away(mirrors: Mirrors, upstream: Upstream) -> None:
    mirrors.fetch(upstream.url, [MAIN])
    mirror = bare(mirrors)
    (ref,) = (path for path in (mirror / "refs" / "flowdelta").iterdir())
    leftovers = [ref.with_name(f"{ref.name}.lock"), mirror / "packed-refs.lock", mirror / "objects" / "pack" / "tmp_pack_abc"]
    for path in (*leftovers, mirror / "objects" / "pack" / "pack-abc.keep"):
        path.write_text("half")
    half = mirrors.root / f".{mirror.stem}.0123456789abcdef.part"
    half.mkdir()
    (half / "HEAD").write_text("ref: ")
    upstream.work.git("update-ref", MAIN, upstream.head)
    assert mirrors.fetch(upstream.url, [MAIN]) == {MAIN: upstream.head}
    assert not any(path.exists() for path in (*leftovers, half))


@pytest.mark.parametrize("damage", ["HEAD", "ref", "pack", "index"])
def test_a_damaged_mirror_is_made_anew(mirrors: Mirrors, upstream: Upstream, damage: str) -> None:
    mirrors.fetch(upstream.url, [MAIN])
    mirror = bare(mirrors)
    patterns = {"HEAD": "HEAD", "ref": "refs/flowdelta/*", "pack": "objects/pack/*.pack", "index": "objects/pack/*.idx"}
    (path,) = mirror.glob(patterns[damage])
    path.chmod(0o644)
    path.write_bytes(b"" if damage != "pack" else path.read_bytes()[:40])
    assert mirrors.fetch(upstream.url, [MAIN, PULL]) == {MAIN: upstream.base, PULL: upstream.head}
    with mirrors.open(upstream.url) as repository:
        assert len(list(GitTree(repository, upstream.head).entries())) == 2


def test_housekeeping_keeps_what_was_fetched(mirrors: Mirrors, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.checkout.mirror._HOUSEKEEPING", ("gc.auto=1", "gc.autoPackLimit=1", "gc.autoDetach=false"))
    commits = [upstream.work.commit({"a": str(number)}) for number in range(4)]
    for commit in commits:
        upstream.work.git("update-ref", MAIN, commit)
        mirrors.fetch(upstream.url, [MAIN])
    assert len(list((bare(mirrors) / "objects" / "pack").glob("*.pack"))) <= 2
    with mirrors.open(upstream.url) as repository:
        assert [resolve(repository, commit) for commit in commits] == commits


def test_a_mirror_opened_as_a_plain_repository_gives_the_same_commits(mirrors: Mirrors, upstream: Upstream) -> None:
    mirrors.fetch(upstream.url, [MAIN])
    with open_repository(bare(mirrors)) as repository:
        assert resolve(repository, upstream.base) == upstream.base
