"""The stand-in itself: what it answers is what GitHub describes, and what GitHub would not take it notices."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.forges.fixtures import TOKEN
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
    assert checked.violations == []


@pytest.mark.parametrize(
    ("method", "path", "body", "what"),
    [
        ("POST", f"/repos/{SHOP}/statuses/{SHA}", {"state": "green"}, "'green' is not one of"),
        ("POST", f"/repos/{SHOP}/statuses/{SHA}", {"context": "flowdelta"}, "'state' is a required property"),
        ("POST", f"/repos/{SHOP}/issues/7/comments", {"text": "hello"}, "'body' is a required property"),
        ("POST", f"/repos/{SHOP}/issues/7/comments", {"body": 7}, "7 is not of type 'string'"),
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
