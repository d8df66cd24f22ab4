"""The GitHub adapter against the stand-in, over real HTTP: one comment, whatever goes wrong, and errors that say when to try again."""

from __future__ import annotations

import time

import pytest

from service.forges.github import COMMENT_LIMIT, MARKER, GitHub
from service.forges.port import ForgeError, State, Status
from service.secret import Secret
from tests.forges.faults import Fault, Gate, When
from tests.forges.fixtures import TOKEN
from tests.forges.github_fake import BOT, BOT_ID, PERSON, PERSON_ID, GitHubFake, Pull

SHOP, SHA = "acme/shop", "a" * 40
COMMENTS = r"/repos/acme/shop/issues/7/comments"
BOT_USER, PERSON_USER = (BOT, BOT_ID), (PERSON, PERSON_ID)


@pytest.fixture
def forge(github: GitHubFake) -> GitHub:
    github.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
    return GitHub(github.url, "https://github.com", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)


def bodies(github: GitHubFake) -> list[str]:
    return [comment.body for comment in github.comments(SHOP, 7)]


def test_the_pull_request_is_what_the_forge_says_now(forge: GitHub, github: GitHubFake) -> None:
    pull = forge.pull_request(SHOP, 7)
    assert (pull.open, pull.base_ref, pull.head_ref, pull.head_sha, pull.fork) == (True, "refs/heads/main", "refs/pull/7/head", SHA, False)
    github.repository(SHOP).pulls[7].state = "closed"
    assert not forge.pull_request(SHOP, 7).open


@pytest.mark.parametrize("head_repository", ["someone/shop", None])
def test_a_head_in_another_or_a_deleted_repository_is_a_fork(forge: GitHub, github: GitHubFake, head_repository: str | None) -> None:
    github.repository(SHOP).pulls[7].head_repository = head_repository
    assert forge.pull_request(SHOP, 7).fork
    if head_repository is None:
        # GitHub gives null here; its description has not heard of deleted forks.
        assert all("$.head.repo" in violation for violation in github.violations)
        github.violations.clear()


@pytest.mark.parametrize("base", ["-x", "a..b", "a b", "a\nb", "/a", "a/", "a.lock", "a.lock/b", "x@{1}", "a\\b", ""])
def test_a_base_branch_that_git_would_not_take_is_refused(forge: GitHub, github: GitHubFake, base: str) -> None:
    github.repository(SHOP).pulls[7].base = base
    with pytest.raises(ForgeError, match="git would not take"):
        forge.pull_request(SHOP, 7)


@pytest.mark.parametrize("base", ["main", "release/1.2", "a-b_c", "ü", "a@b"])
def test_usual_branches_are_taken(forge: GitHub, github: GitHubFake, base: str) -> None:
    github.repository(SHOP).pulls[7].base = base
    assert forge.pull_request(SHOP, 7).base_ref == f"refs/heads/{base}"


def test_the_comment_is_created_once_and_updated_in_place(forge: GitHub, github: GitHubFake) -> None:
    for body in ("first", "second", "second"):
        forge.put_comment(SHOP, 7, body)
    assert bodies(github) == [f"{MARKER}\nsecond"]
    assert (github.called("POST", COMMENTS), github.called("PATCH", ".*")) == (1, 1)


def test_the_comment_is_found_behind_many_others(forge: GitHub, github: GitHubFake) -> None:
    for number in range(120):
        github.add_comment(SHOP, 7, PERSON_USER, f"remark {number}")
    forge.put_comment(SHOP, 7, "first")
    for number in range(120):
        github.add_comment(SHOP, 7, PERSON_USER, f"answer {number}")
    forge.put_comment(SHOP, 7, "second")
    assert [body for body in bodies(github) if MARKER in body] == [f"{MARKER}\nsecond"]


def test_a_comment_of_someone_else_with_our_marker_is_left_alone(forge: GitHub, github: GitHubFake) -> None:
    github.add_comment(SHOP, 7, PERSON_USER, f"{MARKER}\nnot yours")
    github.add_comment(SHOP, 7, None, f"{MARKER}\nwritten by a deleted account")
    forge.put_comment(SHOP, 7, "ours")
    assert bodies(github) == [f"{MARKER}\nnot yours", f"{MARKER}\nwritten by a deleted account", f"{MARKER}\nours"]


def test_a_comment_of_the_same_user_without_our_marker_is_left_alone(forge: GitHub, github: GitHubFake) -> None:
    github.add_comment(SHOP, 7, BOT_USER, f"by hand, about {MARKER}")
    forge.put_comment(SHOP, 7, "ours")
    assert bodies(github) == [f"by hand, about {MARKER}", f"{MARKER}\nours"]


def test_of_two_comments_of_ours_the_oldest_is_kept(forge: GitHub, github: GitHubFake) -> None:
    for body in ("old", "double"):
        github.add_comment(SHOP, 7, BOT_USER, f"{MARKER}\n{body}")
    forge.put_comment(SHOP, 7, "new")
    assert bodies(github) == [f"{MARKER}\nnew"]


@pytest.mark.parametrize("status", [502, 0], ids=["502 after creating", "connection closed after creating"])
def test_a_creation_whose_answer_was_lost_is_not_done_twice(forge: GitHub, github: GitHubFake, status: int) -> None:
    github.inject(Fault("POST", COMMENTS, status=status, when=When.AFTER))
    with pytest.raises(ForgeError) as lost:
        forge.put_comment(SHOP, 7, "once")
    assert lost.value.retry
    forge.put_comment(SHOP, 7, "once")
    assert bodies(github) == [f"{MARKER}\nonce"]


def test_a_comment_longer_than_github_holds_is_not_sent(forge: GitHub, github: GitHubFake) -> None:
    with pytest.raises(ForgeError, match="GitHub holds") as refused:
        forge.put_comment(SHOP, 7, "x" * COMMENT_LIMIT)
    assert not refused.value.retry
    assert not github.calls


def test_a_status_names_its_context_and_is_cut_to_what_github_holds(forge: GitHub, github: GitHubFake) -> None:
    forge.put_status(SHOP, SHA, Status(State.PENDING, "Comparing", "https://flowdelta.example/reports/1"))
    forge.put_status(SHOP, SHA, Status(State.FAILURE, "long " * 100))
    first, second = github.repository(SHOP).statuses
    assert (first["state"], first["context"], first["target_url"]) == ("pending", "flowdelta", "https://flowdelta.example/reports/1")
    assert second["state"] == "failure"
    assert len(second["description"]) == 140
    assert second["target_url"] is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_of_the_server_may_be_tried_again(forge: GitHub, github: GitHubFake, status: int) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=status))
    with pytest.raises(ForgeError, match=str(status)) as failed:
        forge.pull_request(SHOP, 7)
    assert failed.value.retry
    assert forge.pull_request(SHOP, 7).number == 7


@pytest.mark.parametrize("status", [401, 403, 404, 410, 422])
def test_refusals_are_final(forge: GitHub, github: GitHubFake, status: int) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=status, message="No"))
    with pytest.raises(ForgeError, match=str(status)) as failed:
        forge.pull_request(SHOP, 7)
    assert not failed.value.retry


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (403, {"Retry-After": "17"}, "You have exceeded a secondary rate limit", 17),
        (429, {"Retry-After": "3"}, "slow down", 3),
        (429, {}, "slow down", 60),
        (403, {}, "API rate limit exceeded for user", 60),
        (503, {"Retry-After": "5"}, "maintenance", 5),
    ],
)
def test_a_forge_that_asks_for_patience_is_obeyed(
    forge: GitHub, github: GitHubFake, status: int, headers: dict[str, str], message: str, wait: float
) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=status, headers=headers, message=message))
    with pytest.raises(ForgeError) as failed:
        forge.pull_request(SHOP, 7)
    assert (failed.value.retry, failed.value.retry_after) == (True, wait)


def test_an_exhausted_rate_limit_waits_for_its_reset(forge: GitHub, github: GitHubFake) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": str(int(time.time()) + 600)}
    github.inject(Fault("GET", ".*/pulls/7", status=403, headers=headers, message="API rate limit exceeded"))
    with pytest.raises(ForgeError) as failed:
        forge.pull_request(SHOP, 7)
    assert failed.value.retry_after is not None
    assert 500 < failed.value.retry_after <= 600


def test_a_closed_connection_may_be_tried_again(forge: GitHub, github: GitHubFake) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=0))
    with pytest.raises(ForgeError, match="could not be reached") as failed:
        forge.pull_request(SHOP, 7)
    assert failed.value.retry


def test_a_silent_forge_is_given_up_after_a_while(forge: GitHub, github: GitHubFake) -> None:
    github.inject(Fault("GET", ".*/pulls/7", gate=Gate()))
    with pytest.raises(ForgeError, match="ReadTimeout") as failed:
        forge.pull_request(SHOP, 7)
    assert failed.value.retry


def test_an_answer_that_is_not_githubs_is_an_error_and_not_a_crash(forge: GitHub, github: GitHubFake) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=200, message="a proxy's idea of a pull request"))
    with pytest.raises(ForgeError):
        forge.pull_request(SHOP, 7)


def test_no_error_holds_the_token(forge: GitHub, github: GitHubFake) -> None:
    for fault in (Fault("GET", ".*", status=500, message=f"token {TOKEN}"), Fault("GET", ".*", status=0), Fault("GET", ".*", status=403)):
        github.inject(fault)
        with pytest.raises(ForgeError) as failed:
            forge.pull_request(SHOP, 7)
        if fault.status != 500:  # what the forge itself said is redacted where it is written down
            assert TOKEN not in repr(failed.value)
    assert TOKEN not in repr(forge.credential)


def test_where_to_fetch_is_built_from_the_settings_alone(github: GitHubFake) -> None:
    forge = GitHub(github.url, "https://github.example", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
    assert forge.clone_url(SHOP) == "https://github.example/acme/shop.git"
    assert forge.browse_url(SHOP) == "https://github.example/acme/shop"
    assert forge.credential is not None
    local = GitHub(github.url, "file:///srv/git", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
    assert (local.clone_url(SHOP), local.browse_url(SHOP), local.credential) == ("file:///srv/git/acme/shop.git", "", None)


def test_refs_near_a_commit_start_with_the_default_branch(forge: GitHub, github: GitHubFake) -> None:
    github.repository(SHOP).branches["release/1"] = SHA
    assert list(forge.refs_near(SHOP, SHA)) == ["refs/heads/main", "refs/pull/7/head", "refs/heads/release/1"]
    assert next(iter(forge.refs_near(SHOP, SHA))) == "refs/heads/main"
