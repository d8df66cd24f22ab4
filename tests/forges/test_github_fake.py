"""The stand-in itself: what it answers is what GitHub describes, and what GitHub would not take it notices."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.forges.fixtures import TOKEN
from tests.forges.github_app import APP_ID, private_key
from tests.forges.github_fake import API_VERSION, BOT, BOT_ID, GitHubFake, Pull
from tests.forges.openapi import Description

SHOP, SHA = "acme/shop", "a" * 40


def call(fake: GitHubFake, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    known = {"Authorization": f"token {TOKEN}", "X-GitHub-Api-Version": API_VERSION, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(fake.url + path, data, known | headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def installed(fake: GitHubFake, **rights: str) -> dict[str, str]:
    """The header of an installation of the App."""
    token, _ = fake.app.give(fake.app.install(SHOP), rights)
    return {"Authorization": f"token {token}"}


@pytest.fixture
def checked(github: GitHubFake, description: Description) -> GitHubFake:
    github.description = description
    repository = github.repository(SHOP)
    repository.pulls[7] = Pull(7, base="main", head_sha=SHA)
    repository.branches["main"] = SHA
    return github


def test_every_answer_is_what_github_describes(checked: GitHubFake) -> None:
    comments = f"/repos/{SHOP}/issues/7/comments"
    assert call(checked, "GET", "/user")[1]["id"] == BOT_ID
    assert call(checked, "GET", f"/repos/{SHOP}")[1]["default_branch"] == "main"
    assert call(checked, "GET", f"/repos/{SHOP}/pulls/7")[1]["head"]["sha"] == SHA
    status, comment = call(checked, "POST", comments, {"body": "hello"})
    assert (status, comment["user"]["login"]) == (201, BOT)
    assert call(checked, "PATCH", f"/repos/{SHOP}/issues/comments/{comment['id']}", {"body": "again"})[1]["body"] == "again"
    assert [each["body"] for each in call(checked, "GET", comments)[1]] == ["again"]
    assert call(checked, "DELETE", f"/repos/{SHOP}/issues/comments/{comment['id']}") == (204, None)
    for body in ({"state": "success"}, {"state": "error", "context": "flowdelta", "description": "x", "target_url": "https://x.example"}):
        assert call(checked, "POST", f"/repos/{SHOP}/statuses/{SHA}", body)[0] == 201
    assert call(checked, "GET", f"/repos/{SHOP}/commits/{SHA}/pulls")[1][0]["number"] == 7
    assert call(checked, "GET", f"/repos/{SHOP}/commits/{SHA}/branches-where-head")[1][0]["name"] == "main"
    assert call(checked, "GET", f"/repos/{SHOP}/pulls?state=open&per_page=5")[1][0]["number"] == 7
    assert call(checked, "GET", f"/repos/{SHOP}/git/ref/heads/main")[1]["object"]["sha"] == SHA
    checked.repository(SHOP).permissions["octocat"] = (1, "write")
    assert call(checked, "GET", f"/repos/{SHOP}/collaborators/octocat/permission")[1]["permission"] == "write"
    said = checked.add_comment(SHOP, 7, ("octocat", 1), "/flowdelta")
    reactions = f"/repos/{SHOP}/issues/comments/{said.number}/reactions"
    assert [call(checked, "POST", reactions, {"content": "eyes"})[0] for _ in range(2)] == [201, 200]
    assert checked.violations == []


def test_every_answer_to_an_app_is_what_github_describes(checked: GitHubFake) -> None:
    import jwt

    now = int(time.time())
    proof = jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(APP_ID)}, private_key(), "RS256")
    app = {"Authorization": f"Bearer {proof}"}
    number = checked.app.install(SHOP)
    assert call(checked, "GET", "/app", **app)[1]["id"] == APP_ID
    assert call(checked, "GET", f"/repos/{SHOP}/installation", **app)[1]["id"] == number
    status, given = call(checked, "POST", f"/app/installations/{number}/access_tokens", {"permissions": {}}, **app)
    us = {"Authorization": f"token {given['token']}"}
    assert (status, call(checked, "GET", "/users/flowdelta%5Bbot%5D", **us)[1]["type"]) == (201, "Bot")
    remark = {"path": "a.yaml", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [remark]}
    status, run = call(checked, "POST", f"/repos/{SHOP}/check-runs", {"name": "x", "head_sha": SHA, "output": output}, **us)
    path = f"/repos/{SHOP}/check-runs/{run['id']}"
    ended = call(checked, "PATCH", path, {"status": "completed", "conclusion": "success", "output": output}, **us)[1]
    assert (status, ended["conclusion"], ended["output"]["annotations_count"]) == (201, "success", 2)
    assert len(call(checked, "GET", f"{path}/annotations", **us)[1]) == 2
    assert call(checked, "GET", f"/repos/{SHOP}/commits/{SHA}/check-runs?check_name=x&filter=all", **us)[1]["total_count"] == 1
    assert checked.violations == []


def test_only_an_app_may_write_check_runs_and_only_with_the_right_token(checked: GitHubFake) -> None:
    body = {"name": "x", "head_sha": SHA}
    assert call(checked, "POST", f"/repos/{SHOP}/check-runs", body)[0] == 403
    assert call(checked, "POST", f"/repos/{SHOP}/check-runs", body, **installed(checked, contents="read"))[0] == 403
    assert call(checked, "POST", f"/repos/{SHOP}/check-runs", body, **installed(checked))[0] == 201
    assert call(checked, "GET", "/user", **installed(checked))[0] == 403
    assert call(checked, "GET", "/repos/acme/other", **installed(checked))[0] == 404
    assert call(checked, "GET", "/app", **installed(checked))[0] == 401


def test_a_token_that_ended_and_a_proof_that_does_not_hold_are_refused(checked: GitHubFake) -> None:
    import jwt

    checked.app.lifetime = -1
    assert call(checked, "GET", f"/repos/{SHOP}", **installed(checked))[0] == 401
    now = int(time.time())
    for claims in ({"iat": now - 900, "exp": now - 600, "iss": str(APP_ID)}, {"iat": now, "exp": now + 3_600, "iss": str(APP_ID)}):
        assert call(checked, "GET", "/app", Authorization=f"Bearer {jwt.encode(claims, private_key(), 'RS256')}")[0] == 401
    assert call(checked, "GET", "/app", Authorization=f"Bearer {jwt.encode({'iss': '1'}, private_key(), 'RS256')}")[0] == 401


def test_a_completed_check_run_that_is_opened_again_is_noticed(checked: GitHubFake) -> None:
    us = installed(checked)
    body = {"name": "x", "head_sha": SHA, "status": "completed", "conclusion": "success"}
    run = call(checked, "POST", f"/repos/{SHOP}/check-runs", body, **us)[1]
    answer = call(checked, "PATCH", f"/repos/{SHOP}/check-runs/{run['id']}", {"status": "in_progress"}, **us)[1]
    assert (answer["status"], len(checked.violations)) == ("completed", 1)
    checked.violations.clear()


@pytest.mark.parametrize(
    ("method", "path", "body", "what"),
    [
        ("POST", f"/repos/{SHOP}/statuses/{SHA}", {"state": "green"}, '"green" is not one of'),
        ("POST", f"/repos/{SHOP}/statuses/{SHA}", {"context": "flowdelta"}, '"state" is a required property'),
        ("POST", f"/repos/{SHOP}/issues/7/comments", {"text": "hello"}, '"body" is a required property'),
        ("POST", f"/repos/{SHOP}/issues/7/comments", {"body": 7}, '7 is not of type "string"'),
        ("POST", f"/repos/{SHOP}/issues/7/comments", {"content": "eyes"}, "has no field content"),
        ("GET", f"/repos/{SHOP}/comments?per_page=5", None, "is not in GitHub's description"),
        ("GET", f"/repos/{SHOP}/commits/{SHA}/check-suites", None, "is not in GitHub's description"),
        ("GET", "/repos/acme/none/pulls?state=ajar", None, '"ajar" is not one of'),
        ("GET", "/repos/acme/none/pulls?status=open", None, "has no parameter status"),
        ("GET", f"/repos/{SHOP}/pull/7", None, "is not in GitHub's description"),
        ("PATCH", f"/repos/{SHOP}/pulls/7", {}, "is not in GitHub's description"),
    ],
)
def test_a_call_that_github_would_not_take_is_noticed(checked: GitHubFake, method: str, path: str, body: Any, what: str) -> None:
    assert call(checked, method, path, body)[0] in (404, 422)
    assert any(what in violation for violation in checked.violations), checked.violations
    checked.violations.clear()


def test_a_call_without_the_token_or_the_version_is_noticed(checked: GitHubFake) -> None:
    assert call(checked, "GET", "/user", Authorization="token wrong")[0] == 401
    assert call(checked, "GET", "/user", **{"X-GitHub-Api-Version": "2019-01-01"})[0] == 200
    assert checked.violations == ["GET /user does not pin the version of the API"]
    checked.violations.clear()


def test_comments_come_in_pages(checked: GitHubFake) -> None:
    for number in range(5):
        checked.add_comment(SHOP, 7, (BOT, BOT_ID), f"{number}")
    path = f"/repos/{SHOP}/issues/7/comments"
    pages = [[each["body"] for each in call(checked, "GET", f"{path}?per_page=2&page={page}")[1]] for page in (1, 2, 3)]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_someone_elses_comment_is_defended(checked: GitHubFake) -> None:
    comment = checked.add_comment(SHOP, 7, ("octocat", 1), "mine")
    assert call(checked, "PATCH", f"/repos/{SHOP}/issues/comments/{comment.number}", {"body": "no"})[0] == 403
    assert len(checked.violations) == 1
    checked.violations.clear()
