"""`flowdelta ci` in jobs of GitHub Actions and of Gitea's: the same comment and check as from the service, with the job's own token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.ci_jobs import NUMBER, SHOP, actions, impatient, run
from tests.forges.faults import Fault
from tests.forges.gitea_fake import GiteaFake
from tests.forges.gitea_fake import Pull as GiteaPull
from tests.forges.github_app import ACTIONS_BOT_ID, ACTIONS_ID, ACTIONS_SLUG, APP_ID, APP_SLUG
from tests.forges.origin import policy, shop
from tests.service.site import BASE, HEAD, Site

ACTIONS = (f"{ACTIONS_SLUG}[bot]", ACTIONS_BOT_ID)


@pytest.fixture
def token(site: Site) -> str:
    """What a job of the repository gets."""
    return site.github.actions.job(SHOP)


def test_a_job_writes_one_comment_and_a_check_run_as_the_actions_bot(site: Site, tmp_path: Path, token: str) -> None:
    environ = actions(tmp_path, site, token)
    first, second = run(environ), run(environ)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    (comment,) = site.github.comments(SHOP, NUMBER)
    assert comment.author == ACTIONS
    assert "9090" in comment.body
    (check,) = site.github.checks(SHOP, site.pull.head_sha)
    assert (check.app, check.state) == (ACTIONS_ID, "success")
    assert [(each["path"], each["start_line"]) for each in check.annotations] == [("policy.yaml", 9)]
    assert "9090" in first.stdout
    assert "9090" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_differences_fail_the_job_only_where_it_asks_for_that(site: Site, tmp_path: Path, token: str) -> None:
    environ = actions(tmp_path, site, token)
    assert run(environ, "--exit-code", "--json", str(tmp_path / "report.json")).returncode == 1
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["summary"]["groups"] == 1
    site.push(shop(7070))
    assert run(environ, "--exit-code").returncode == 0


def test_a_token_that_may_only_read_keeps_the_report_from_nobody(site: Site, tmp_path: Path) -> None:
    site.pull.head_repository = "someone/shop"
    done = run(actions(tmp_path, site, site.github.actions.job(SHOP, writes=False)))
    assert done.returncode == 0, done.stderr
    assert site.comments == []
    assert "comment: could not be written: GitHub answered 403" in done.stderr
    assert "9090" in done.stdout
    assert "9090" in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "\n::warning file=policy.yaml,line=9,title=Opens" in done.stdout


def test_nothing_that_is_printed_is_a_command_to_the_runner(site: Site, tmp_path: Path, token: str) -> None:
    site.push({**shop(9090), "::error::x%0Ay.yaml": "kind: ["})
    done = run(actions(tmp_path, site, token))
    assert done.returncode == 2, "a file that cannot be read makes the analysis incomplete"
    first, *_ = done.stdout.splitlines()
    assert first.startswith("::stop-commands::")
    word = first.removeprefix("::stop-commands::")
    assert len(word) == 32
    assert done.stdout.rstrip().endswith(f"\n::{word}::")


def test_the_commit_of_a_merge_queue_gets_a_check_and_no_comment(site: Site, tmp_path: Path, token: str) -> None:
    queue = f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{'0' * 40}"
    head = site.origin.commit(queue, shop(5050), site.pull.base_sha)
    group = {"head_sha": head, "head_ref": queue, "base_sha": site.pull.base_sha, "base_ref": BASE}
    done = run(actions(tmp_path, site, token, event="merge_group", payload={"action": "checks_requested", "merge_group": group}))
    assert done.returncode == 0, done.stderr
    assert [check.state for check in site.github.checks(SHOP, head)] == ["success"]
    assert site.comments == []
    assert "5050" in done.stdout


def test_what_the_event_says_of_the_pull_request_is_not_believed(site: Site, tmp_path: Path, token: str) -> None:
    lie = {"number": NUMBER, "head": {"sha": site.pull.base_sha, "ref": "main"}, "base": {"ref": "change", "sha": "0" * 40}}
    done = run(actions(tmp_path, site, token, payload={"action": "opened", "pull_request": lie, "repository": {"full_name": "evil/other"}}))
    assert done.returncode == 0, done.stderr
    assert "9090" in site.comment


def test_a_conflict_and_an_analysis_that_is_not_whole_end_with_2(site: Site, tmp_path: Path, token: str) -> None:
    environ = actions(tmp_path, site, token)
    site.advance({**shop(7070), "policy.yaml": policy("cart", "web", 6060)})
    conflict = run(environ)
    assert (conflict.returncode, "Merge conflict" in conflict.stderr) == (2, True)
    assert site.github.checks(SHOP, site.pull.head_sha)[0].state == "failure"


def test_a_forge_that_fails_ends_with_2_and_says_why(site: Site, tmp_path: Path, token: str) -> None:
    site.github.inject(Fault("GET", ".*/pulls/7", status=502, times=None))
    done = run(actions(tmp_path, site, token))
    assert done.returncode == 2
    assert "not analysed: look: GitHub answered 502" in done.stderr
    assert token not in done.stdout + done.stderr


def test_a_folder_of_the_repository_can_be_the_subject(site: Site, tmp_path: Path, token: str) -> None:
    base = {f"deploy/{name}": text for name, text in shop(7070).items()} | {"other/policy.yaml": policy("cart", "web", 1)}
    head = {f"deploy/{name}": text for name, text in shop(9090).items()} | {"other/policy.yaml": policy("cart", "web", 2)}
    site.open(base, head)
    done = run(actions(tmp_path, site, token), "--path", "deploy")
    assert done.returncode == 0, done.stderr
    (check,) = site.github.checks(SHOP, site.pull.head_sha)
    assert [each["path"] for each in check.annotations] == ["deploy/policy.yaml"]
    assert run(actions(tmp_path, site, token), "--path", "nowhere").returncode == 2


def test_a_kept_folder_holds_caches_and_nothing_that_was_said(site: Site, tmp_path: Path, token: str) -> None:
    environ = actions(tmp_path, site, token) | {"FLOWDELTA_DATA_DIR": str(tmp_path / "kept")}
    assert run(environ).returncode == run(environ).returncode == 0
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["cache", "mirrors"]
    assert len(site.comments) == 1


def test_a_user_s_token_writes_a_status_as_that_user(site: Site, tmp_path: Path) -> None:
    done = run(actions(tmp_path, site, "") | {"FLOWDELTA_GITHUB_TOKEN": site.github.token})
    assert done.returncode == 0, done.stderr
    assert site.states == ["pending", "success"]
    assert site.github.comments(SHOP, NUMBER)[0].author != ACTIONS


def test_the_token_of_another_app_writes_as_that_app(site: Site, tmp_path: Path) -> None:
    environ = actions(tmp_path, site, site.github.app.job(SHOP))
    assert [run(environ, "--app", APP_SLUG).returncode for _ in range(2)] == [0, 0]
    (comment,) = site.github.comments(SHOP, NUMBER)
    assert comment.author == site.github.app.user
    assert [check.app for check in site.github.checks(SHOP, site.pull.head_sha)] == [APP_ID]


@pytest.mark.parametrize("mark", ["GITEA_ACTIONS", "FORGEJO_ACTIONS"])
def test_gitea_and_forgejo_are_asked_as_what_they_are(site: Site, tmp_path: Path, mark: str) -> None:
    with GiteaFake("job-token-5c", SHOP) as gitea:
        gitea.branches["main"] = site.pull.base_sha
        gitea.users[1] = "octocat"
        gitea.pulls[NUMBER] = GiteaPull(NUMBER, 1, site.pull.head_sha)
        kind = mark.partition("_")[0].lower()
        job = actions(tmp_path, site, "job-token-5c") | impatient(kind, site.origin)
        del job["FLOWDELTA_GITHUB_GIT_URL"]
        done = run(job | {mark: "true", "GITHUB_SERVER_URL": gitea.url, "GITHUB_API_URL": f"{gitea.url}/api/v1"})
        assert done.returncode == 0, done.stderr
        assert "9090" in gitea.comments[0].body
        assert [status["status"] for status in gitea.statuses] == ["pending", "success"]
        assert gitea.violations == []


def test_a_job_of_a_push_has_nothing_to_review(site: Site, tmp_path: Path, token: str) -> None:
    done = run(actions(tmp_path, site, token, event="push", payload={"ref": BASE}))
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to review" in done.stderr
    assert site.github.calls == []


def test_a_closed_pull_request_is_left_alone(site: Site, tmp_path: Path, token: str) -> None:
    site.pull.state = "closed"
    done = run(actions(tmp_path, site, token))
    assert (done.returncode, site.comments) == (0, [])
    assert "nothing to review: the pull request is not open" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"GITHUB_ACTIONS": ""}, "this is no CI job that is known"),
        ({"GITHUB_TOKEN": ""}, "FLOWDELTA_GITHUB_TOKEN: is required"),
        ({"GITHUB_REPOSITORY": "../../etc"}, "FLOWDELTA_GITHUB_REPOSITORIES"),
        ({"GITHUB_API_URL": "http://github.example"}, "FLOWDELTA_GITHUB_API_URL: must be https"),
        ({"GITHUB_EVENT_PATH": "/nowhere/event.json"}, "GITHUB_EVENT_PATH: /nowhere/event.json cannot be read"),
        ({"FLOWDELTA_PUBLIC_URL": "https://flowdelta.example"}, "FLOWDELTA_PUBLIC_URL: is not for `flowdelta ci`"),
        ({"FLOWDELTA_TYPO": "1"}, "FLOWDELTA_TYPO: is not a setting"),
    ],
)
def test_an_environment_that_does_not_suffice_ends_with_2(
    site: Site, tmp_path: Path, token: str, change: dict[str, str], said: str
) -> None:
    done = run(actions(tmp_path, site, token) | change)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert HEAD not in done.stdout
