"""What is GitHub's own in the adapter: its accounts, its statuses, its limits, its Enterprise Server. The rest is in the contract."""

from __future__ import annotations

import time

import pytest

from service.forges.github import COMMENT_LIMIT, GitHub
from service.forges.port import MARKER, Account, Check, Command, ForgeError, Permission, Reaction, State
from tests.forges.faults import Fault
from tests.forges.fixtures import TOKEN
from tests.forges.github_app import APP_ID, private_key
from tests.forges.github_fake import BOT, BOT_ID, PERSON, PERSON_ID, GitHubFake, Pull
from tests.forges.github_stage import SHOP, settings, with_token
from tests.forges.openapi import Description

SHA = "a" * 40
COMMENTS = r"/repos/acme/shop/issues/7/comments"


@pytest.fixture
def forge(github: GitHubFake) -> GitHub:
    github.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
    return with_token(github)


def check(state: State, line: str = "3 flows opened", url: str = "") -> Check:
    return Check(SHA, state, line, url=url, subject="7", ref="refs/pull/7/head")


def test_the_head_is_a_ref_of_the_base_repository(forge: GitHub) -> None:
    pull = forge.pull_request(SHOP, 7)
    assert (pull.base_ref, pull.head_ref, pull.head_sha) == ("refs/heads/main", "refs/pull/7/head", SHA)
    assert pull.author == Account(str(PERSON_ID), PERSON, bot=False)


def test_the_pull_request_of_an_app_has_a_bot_as_its_author(forge: GitHub, github: GitHubFake) -> None:
    github.repository(SHOP).pulls[7].author = ("renovate[bot]", 29)
    assert forge.pull_request(SHOP, 7).author == Account("29", "renovate[bot]", bot=True)


def test_the_author_whose_account_was_deleted_is_the_ghost(forge: GitHub, github: GitHubFake) -> None:
    github.repository(SHOP).pulls[7].author = None
    assert forge.pull_request(SHOP, 7).author.name == "ghost"
    # GitHub gives null here; its description has not heard of it.
    assert all("$.user" in violation for violation in github.violations)
    github.violations.clear()


@pytest.mark.parametrize("head_repository", ["someone/shop", None])
def test_a_head_in_another_or_a_deleted_repository_is_a_fork(forge: GitHub, github: GitHubFake, head_repository: str | None) -> None:
    github.repository(SHOP).pulls[7].head_repository = head_repository
    assert forge.pull_request(SHOP, 7).fork
    if head_repository is None:
        # GitHub gives null here; its description has not heard of deleted forks.
        assert all("$.head.repo" in violation for violation in github.violations)
        github.violations.clear()


@pytest.mark.parametrize("base", ["/a", "a/", "a.lock/b", "a\\b", ""])
def test_a_base_branch_that_git_would_not_take_is_refused(forge: GitHub, github: GitHubFake, base: str) -> None:
    github.repository(SHOP).pulls[7].base = base
    with pytest.raises(ForgeError, match="git would not take"):
        forge.pull_request(SHOP, 7)


@pytest.mark.parametrize("base", ["main", "release/1.2", "a-b_c", "ü", "a@b"])
def test_usual_branches_are_taken(forge: GitHub, github: GitHubFake, base: str) -> None:
    github.repository(SHOP).pulls[7].base = base
    assert forge.pull_request(SHOP, 7).base_ref == f"refs/heads/{base}"


def test_a_comment_by_a_deleted_account_is_not_ours(forge: GitHub, github: GitHubFake) -> None:
    github.add_comment(SHOP, 7, None, f"{MARKER}\nwritten by a deleted account")
    forge.put_comment(SHOP, 7, "ours")
    assert [each.body for each in github.comments(SHOP, 7)] == [f"{MARKER}\nwritten by a deleted account", f"{MARKER}\nours"]


def test_a_comment_that_says_it_already_is_not_written_again(forge: GitHub, github: GitHubFake) -> None:
    for body in ("first", "second", "second"):
        forge.put_comment(SHOP, 7, body)
    assert (github.called("POST", COMMENTS), github.called("PATCH", ".*")) == (1, 1)


def test_a_comment_longer_than_github_holds_is_not_sent(forge: GitHub, github: GitHubFake) -> None:
    with pytest.raises(ForgeError, match="GitHub holds"):
        forge.put_comment(SHOP, 7, "x" * COMMENT_LIMIT)
    assert not github.calls


def test_with_a_token_a_check_is_a_status_under_its_name_and_cut_to_what_github_holds(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, check(State.PENDING, "Comparing", "https://flowdelta.example/reports/1"))
    forge.put_check(SHOP, check(State.FAILURE, "long " * 100))
    first, second = github.repository(SHOP).statuses
    assert (first["state"], first["context"], first["target_url"]) == ("pending", "flowdelta", "https://flowdelta.example/reports/1")
    assert (second["state"], len(second["description"]), second["target_url"]) == ("failure", 140, None)
    assert github.repository(SHOP).checks == []


def test_a_status_has_no_action_required_so_it_fails(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, check(State.ACTION_REQUIRED))
    assert github.statuses(SHOP, SHA) == [("failure", "3 flows opened")]


@pytest.mark.parametrize(("reaction", "content"), [(Reaction.SEEN, "eyes"), (Reaction.REFUSED, "confused")])
def test_a_reaction_is_one_that_github_has(forge: GitHub, github: GitHubFake, reaction: Reaction, content: str) -> None:
    said = github.add_comment(SHOP, 7, (PERSON, PERSON_ID), "/flowdelta review")
    forge.answer(SHOP, Command(7, str(said.number), Account("1", PERSON), said.body), reaction)
    assert said.reactions == [((BOT, BOT_ID), content)]


def test_a_command_whose_comment_was_deleted_still_gets_its_reply(forge: GitHub, github: GitHubFake) -> None:
    forge.answer(SHOP, Command(7, "12345", Account("1", PERSON), "/flowdelta review"), Reaction.SEEN, "It is done.")
    assert [comment.body for comment in github.comments(SHOP, 7)] == ["<!-- flowdelta:reply 12345 -->\nIt is done."]


@pytest.mark.parametrize("comment", ["", "x", "1/../../../statuses", "1 --> <script>"])
def test_the_id_of_a_comment_cannot_lead_elsewhere(forge: GitHub, github: GitHubFake, comment: str) -> None:
    with pytest.raises(ForgeError):
        forge.answer(SHOP, Command(7, comment, Account("1", PERSON), "/flowdelta"), Reaction.SEEN, "reply")
    assert not github.calls


@pytest.mark.parametrize("name", ["../../user", "a/b", "a?b", "octocat\n"])
def test_the_name_of_an_account_cannot_lead_elsewhere(forge: GitHub, github: GitHubFake, name: str) -> None:
    assert forge.permission(SHOP, Account("1", name)) is Permission.NONE
    assert {call.status for call in github.calls} == {404}


def test_a_word_for_a_permission_that_is_not_known_gives_nothing(forge: GitHub, github: GitHubFake) -> None:
    github.repository(SHOP).permissions[PERSON] = (PERSON_ID, "owner")
    assert forge.permission(SHOP, Account(str(PERSON_ID), PERSON)) is Permission.NONE


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


def test_nothing_is_tried_again_below_the_job(forge: GitHub, github: GitHubFake) -> None:
    github.inject(Fault("GET", ".*/pulls/7", status=503, times=None))
    with pytest.raises(ForgeError):
        forge.pull_request(SHOP, 7)
    assert len(github.calls) == 1


def test_no_error_holds_the_token(forge: GitHub, github: GitHubFake) -> None:
    for fault in (Fault("GET", ".*", status=500, message=f"token {TOKEN}"), Fault("GET", ".*", status=0), Fault("GET", ".*", status=403)):
        github.inject(fault)
        with pytest.raises(ForgeError) as failed:
            forge.pull_request(SHOP, 7)
        if fault.status != 500:  # what the forge itself said is redacted where it is written down
            assert TOKEN not in repr(failed.value)
    assert TOKEN not in repr(forge.credential(SHOP))


def test_where_to_fetch_and_read_is_built_from_the_settings_alone(forge: GitHub) -> None:
    assert forge.clone_url(SHOP) == "https://github.example/acme/shop.git"
    assert forge.source_url(SHOP) == "https://github.example/acme/shop/blob/{commit}/{path}#L{line}"
    credential = forge.credential(SHOP)
    assert credential is not None
    assert (credential.username, credential.password.reveal()) == ("x-access-token", TOKEN)


def test_local_repositories_need_no_credential_and_have_no_pages(github: GitHubFake) -> None:
    known, service = settings(github, TOKEN=TOKEN)
    object.__setattr__(known, "git_url", "file:///srv/git")
    forge = GitHub.from_settings(known, service)
    assert (forge.clone_url(SHOP), forge.source_url(SHOP), forge.credential(SHOP)) == ("file:///srv/git/acme/shop.git", "", None)


def test_refs_near_a_commit_start_with_the_default_branch(forge: GitHub, github: GitHubFake) -> None:
    github.repository(SHOP).branches["release/1"] = SHA
    assert list(forge.refs_near(SHOP, SHA)) == ["refs/heads/main", "refs/pull/7/head", "refs/heads/release/1"]
    github.calls.clear()
    assert next(iter(forge.refs_near(SHOP, SHA))) == "refs/heads/main"
    assert len(github.calls) == 1


@pytest.mark.parametrize("kind", ["token", "app"])
def test_github_enterprise_server_is_asked_below_its_own_path(kind: str) -> None:
    with GitHubFake(TOKEN, description=Description.cached(), prefix="/api/v3") as server:
        server.app.install(SHOP)
        server.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
        known = {"TOKEN": TOKEN} if kind == "token" else {"APP_ID": str(APP_ID), "APP_KEY": private_key()}
        forge = GitHub.from_settings(*settings(server, **known))
        assert forge.pull_request(SHOP, 7).number == 7
        assert [pull.number for pull in forge.open_pull_requests(SHOP)] == [7]
        for _ in range(2):
            forge.put_comment(SHOP, 7, "ours")
            forge.put_check(SHOP, check(State.SUCCESS))
        assert len(server.comments(SHOP, 7)) == 1
        assert server.violations == []
