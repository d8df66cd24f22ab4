"""Webhooks of Gitea and Forgejo: nothing is believed before the signature holds, and only what a review needs is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from service.forges.gitea_events import GiteaReceiver
from service.forges.port import Account, BaseMoved, Command, Look, WebhookError, WebhookEvent
from service.secret import Secret
from tests.forges.gitea_webhooks import ZERO, comment, forgejo_headers, gitea_headers, pull_request, push, signature

PATH, ALICE, NOW = "acme/shop", Account("501", "alice"), 1_700_000_000.0
SECRET, OLD, OTHER = "current-secret", "previous-secret", "another-secret"
BODY = pull_request(PATH, 7, "opened", user=ALICE)


def receive(headers: dict[str, str], body: bytes, kind: str = "gitea", now: float = NOW) -> WebhookEvent:
    return GiteaReceiver(kind, (Secret(SECRET), Secret(OLD))).receive(Headers(headers), body, now)


def told(event: str, body: bytes) -> WebhookEvent:
    return receive(gitea_headers(event, "delivery-1", SECRET, body), body)


def refusal(headers: dict[str, str], body: bytes, kind: str = "gitea") -> tuple[int, str]:
    with pytest.raises(WebhookError) as refused:
        receive(headers, body, kind)
    return refused.value.status, refused.value.reason


def forged() -> Iterator[tuple[str, str, str]]:
    good = signature(SECRET, BODY)
    yield "by another secret", signature(OTHER, BODY), "wrong-signature"
    yield "of another body", signature(SECRET, BODY + b" "), "wrong-signature"
    yield "a plain hash", hashlib.sha256(BODY).hexdigest(), "wrong-signature"
    yield "with an empty secret", signature("", BODY), "wrong-signature"
    yield "missing", "", "missing-signature"
    yield "truncated", good[:-1], "malformed-signature"
    yield "too long", f"{good}0", "malformed-signature"
    yield "upper case", good.upper(), "malformed-signature"
    yield "as GitHub writes it", f"sha256={good}", "malformed-signature"
    yield "a space after it", f"{good} ", "malformed-signature"
    yield "digits of another script", chr(0x661) * 64, "malformed-signature"


@pytest.mark.parametrize(("given", "reason"), [row[1:] for row in forged()], ids=[row[0] for row in forged()])
def test_any_other_signature_is_refused(given: str, reason: str) -> None:
    headers = gitea_headers("pull_request", "delivery-1", SECRET, BODY)
    assert refusal({**headers, "X-Gitea-Signature": given}, BODY) == (401, reason)


def test_a_signature_that_only_github_would_take_is_not_enough() -> None:
    headers = {name: value for name, value in gitea_headers("pull_request", "delivery-1", SECRET, BODY).items() if "Gitea" not in name}
    assert refusal(headers, BODY) == (401, "missing-signature")


def test_forgejo_is_read_by_its_own_headers_and_by_those_of_gitea() -> None:
    own = {name: value for name, value in forgejo_headers("pull_request", "delivery-1", SECRET, BODY).items() if "Gitea" not in name}
    assert receive(own, BODY, "forgejo").calls == (Look(7),)
    assert receive(gitea_headers("pull_request", "delivery-1", SECRET, BODY), BODY, "forgejo").calls == (Look(7),)
    assert refusal(own, BODY, "gitea") == (401, "missing-signature")


def test_a_wrong_signature_of_forgejo_is_not_mended_by_a_right_one_of_gitea() -> None:
    headers = forgejo_headers("pull_request", "delivery-1", SECRET, BODY) | {"X-Forgejo-Signature": signature(OTHER, BODY)}
    assert refusal(headers, BODY, "forgejo") == (401, "wrong-signature")


def test_without_a_secret_nothing_is_taken() -> None:
    for secrets in ((), (Secret(""),)):
        with pytest.raises(WebhookError) as refused:
            GiteaReceiver("gitea", secrets).receive(Headers(gitea_headers("push", "d", "", BODY)), BODY, NOW)
        assert refused.value.status == 401


def test_nothing_is_parsed_before_the_signature_holds() -> None:
    assert refusal(gitea_headers("push", "delivery-1", OTHER, b"{"), b"{") == (401, "wrong-signature")
    assert refusal(gitea_headers("push", "delivery-1", SECRET, b"{"), b"{") == (400, "malformed-body")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"X-Gitea-Delivery": ""}, "missing-delivery"),
        ({"X-Gitea-Delivery": "../x y"}, "missing-delivery"),
        ({"X-Gitea-Event": ""}, "missing-event"),
        ({"X-Gitea-Event": "a b"}, "missing-event"),
    ],
)
def test_a_delivery_without_a_name_or_a_kind_is_refused(changed: dict[str, str], reason: str) -> None:
    assert refusal(gitea_headers("pull_request", "delivery-1", SECRET, BODY) | changed, BODY) == (400, reason)


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronized", "closed"])
def test_a_pull_request_event_calls_for_a_look(action: str) -> None:
    event = told("pull_request", pull_request(PATH, 7, action, user=ALICE))
    assert (event.delivery, event.kind, event.action, event.repository) == ("delivery-1", "pull_request", action, PATH)
    assert event.calls == (Look(7),)


@pytest.mark.parametrize("kind", ["pull_request_approved", "pull_request_rejected"])
def test_a_review_calls_for_a_look(kind: str) -> None:
    assert told(kind, pull_request(PATH, 7, "reviewed", user=ALICE)).calls == (Look(7),)


@pytest.mark.parametrize(
    ("title", "changes", "looks"),
    [
        ("A", {"ref": {"from": "main"}}, True),
        ("A", {"title": {"from": "WIP: A"}}, True),
        ("[wip] A", {"title": {"from": "A"}}, True),
        ("A", {"title": {"from": "B"}}, False),
        ("WIP: A", {"title": {"from": "WIP: B"}}, False),
        ("A", {"body": {"from": "x"}}, False),
        ("WIP: A", {}, False),
    ],
)
def test_an_edit_counts_where_it_changes_what_is_reviewed(title: str, changes: dict[str, Any], looks: bool) -> None:
    event = told("pull_request", pull_request(PATH, 7, "edited", user=ALICE, title=title, changes=changes))
    assert event.calls == ((Look(7),) if looks else ())


@pytest.mark.parametrize("action", ["assigned", "label_updated", "milestoned", "review_requested"])
def test_other_actions_call_for_nothing(action: str) -> None:
    assert told("pull_request", pull_request(PATH, 7, action, user=ALICE)).calls == ()


@pytest.mark.parametrize("kind", ["create", "delete", "fork", "issues", "release", "repository", "pull_request_comment"])
def test_other_events_are_taken_and_call_for_nothing(kind: str) -> None:
    assert told(kind, b"{}").calls == ()


def test_a_comment_is_a_command_of_who_wrote_it_and_not_of_the_sender() -> None:
    body = comment(PATH, 7, "created", "/flowdelta accept", user=ALICE, id=901)
    other = body.replace(b'"sender": {\n    "id": 501', b'"sender": {\n    "id": 999')
    assert other != body
    event = told("issue_comment", other)
    assert event.calls == (Command(7, "901", ALICE, "/flowdelta accept"),)
    assert event.delivery == "comment-901"


def test_a_command_that_was_written_long_ago_is_a_replay() -> None:
    # The time is in the signed body; a header with another name for the delivery is not signed, and the store forgets in the end.
    body = comment(PATH, 7, "created", "/flowdelta accept", user=ALICE, id=901)
    headers = gitea_headers("issue_comment", "delivery-2", SECRET, body)
    assert len(receive(headers, body, now=NOW + 2 * 86_400).calls) == 1
    assert receive(headers, body, now=NOW + 4 * 86_400).calls == ()


def test_a_body_beyond_all_measure_is_refused_before_it_is_hashed() -> None:
    assert refusal(gitea_headers("push", "delivery-1", SECRET, b""), b" " * 25_000_001) == (413, "too-large")


@pytest.mark.parametrize("account", [Account("-2", "gitea-actions"), Account("-1", "Ghost"), Account("0", "migrated")])
def test_accounts_that_nobody_is_behind_command_nothing(account: Account) -> None:
    assert told("issue_comment", comment(PATH, 7, "created", "/flowdelta accept", user=account, id=901)).calls == ()


@pytest.mark.parametrize(
    ("ref", "after", "calls"),
    [
        ("refs/heads/main", "a" * 40, (BaseMoved("refs/heads/main"),)),
        ("refs/heads/main", ZERO, ()),
        ("refs/tags/v1", "a" * 40, ()),
        ("refs/heads/-x", "a" * 40, ()),
        ("refs/heads/a..b", "a" * 40, ()),
    ],
)
def test_a_push_moves_a_branch_that_git_would_take(ref: str, after: str, calls: tuple[BaseMoved, ...]) -> None:
    assert told("push", push(PATH, ref, after, user=ALICE)).calls == calls


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("pull_request", b'{"action": "opened"}'),
        ("pull_request", b'{"action": "opened", "pull_request": {"number": true}}'),
        ("pull_request", b'{"action": "opened", "pull_request": {"number": 99999999999999}}'),
        ("pull_request", b'{"action": "opened", "pull_request": {"number": 7}, "repository": null}'),
        ("issue_comment", b'{"action": "created", "is_pull": true, "comment": {"body": "/flowdelta"}}'),
        ("push", b'{"ref": "refs/heads/main", "after": "aa"}'),
    ],
)
def test_a_genuine_body_that_makes_no_sense_is_refused_with_a_reason(event: str, body: bytes) -> None:
    assert refusal(gitea_headers(event, "delivery-1", SECRET, body), body) == (400, "missing-field")
