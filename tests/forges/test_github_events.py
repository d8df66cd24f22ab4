"""Webhooks of GitHub: nothing is believed before the signature holds, and only what a review needs is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from service.forges.github_events import LIMIT, GitHubReceiver, verify
from service.forges.port import Account, BaseMoved, Look, Queued, WebhookError, WebhookEvent
from service.secret import Secret
from tests.forges.github_deliveries import of_comment, of_pull, of_push, signature, signed

SECRET, OLD, OTHER = (Secret(text) for text in ("current", "previous", "other"))
BODY = b'{"zen": "Keep it logically awesome."}'
NOW = 1_700_000_000.0


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_signature_by_either_secret_holds(secret: Secret) -> None:
    verify(signature(BODY, secret), BODY, (SECRET, OLD))


def test_the_example_of_githubs_documentation_holds() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify(signature, b"Hello, World!", (Secret("It's a Secret to Everybody"),))


def wrong_signatures() -> Iterator[tuple[str, str, str]]:
    good = signature(BODY, SECRET)
    yield "missing", "", "missing-signature"
    yield "by another secret", signature(BODY, OTHER), "wrong-signature"
    yield "of another body", signature(BODY + b" ", SECRET), "wrong-signature"
    yield "truncated", good[:-1], "malformed-signature"
    yield "too long", f"{good}0", "malformed-signature"
    yield "upper case", good.upper(), "malformed-signature"
    yield "SHA-1", signature(BODY, SECRET, "sha1"), "malformed-signature"
    yield "SHA-1 under the name of SHA-256", f"sha256={hashlib.sha1(BODY).hexdigest()}", "malformed-signature"
    yield "without an algorithm", good.removeprefix("sha256="), "malformed-signature"
    yield "a line break after it", f"{good}\n", "malformed-signature"
    yield "digits of another script", f"sha256={chr(0x661) * 64}", "malformed-signature"
    yield "a plain hash instead of a signature", f"sha256={hashlib.sha256(BODY).hexdigest()}", "wrong-signature"


@pytest.mark.parametrize(("signature", "reason"), [row[1:] for row in wrong_signatures()], ids=[row[0] for row in wrong_signatures()])
def test_any_other_signature_is_refused(signature: str, reason: str) -> None:
    with pytest.raises(WebhookError) as refused:
        verify(signature, BODY, (SECRET, OLD))
    assert (refused.value.status, refused.value.reason) == (401, reason)


def receive(kind: str, payload: dict[str, Any] | bytes, changed: dict[str, str] | None = None, *, now: float = NOW) -> WebhookEvent:
    delivery = signed(kind, payload, name="72d3162e-cc78-11e3-81ab-4c9367dc0958", secret=SECRET)
    return GitHubReceiver((SECRET, OLD)).receive(Headers({**delivery.headers, **(changed or {})}), delivery.body, now)


@pytest.mark.parametrize(
    ("kind", "body", "changed", "reason"),
    [
        ("pull_request", b"{", {}, "malformed-body"),
        ("pull_request", b"[]", {}, "malformed-body"),
        ("pull_request", b'{"a": 1', {}, "malformed-body"),
        ("pull_request", b"\xff", {}, "malformed-body"),
        ("pull_request", b"[" * 100_000, {}, "malformed-body"),
        ("pull_request", b"9" * 10_000, {}, "malformed-body"),
        ("pull_request", b"{}", {}, "missing-field"),
        ("pull_request", b'{"repository": null}', {}, "missing-field"),
        ("pull_request", b'{"repository": {"full_name": 7}, "pull_request": {"number": 1}}', {}, "missing-field"),
        ("pull_request", b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": true}}', {}, "missing-field"),
        ("pull_request", b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": 0}}', {}, "missing-field"),
        ("pull_request", b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": 99999999999999999999}}', {}, "missing-field"),
        ("pull_request_review", b'{"repository": {"full_name": "a/b"}, "action": "submitted"}', {}, "missing-field"),
        ("issue_comment", b'{"repository": {"full_name": "a/b"}, "action": "created"}', {}, "missing-field"),
        ("merge_group", b'{"repository": {"full_name": "a/b"}, "action": "checks_requested"}', {}, "missing-field"),
        ("push", b'{"ref": "refs/heads/main"}', {}, "missing-field"),
        ("ping", b"{}", {"X-GitHub-Delivery": ""}, "missing-delivery"),
        ("ping", b"{}", {"X-GitHub-Delivery": "../x y"}, "missing-delivery"),
        ("ping", b"{}", {"X-GitHub-Event": ""}, "missing-event"),
        ("ping", b"{}", {"X-GitHub-Event": "push; rm"}, "missing-event"),
    ],
)
def test_a_signed_body_that_makes_no_sense_is_refused_with_a_reason(kind: str, body: bytes, changed: dict[str, str], reason: str) -> None:
    with pytest.raises(WebhookError) as refused:
        receive(kind, body, changed)
    assert (refused.value.status, refused.value.reason) == (400, reason)


def test_nothing_is_parsed_before_the_signature_holds() -> None:
    with pytest.raises(WebhookError) as refused:
        receive("pull_request", b"{", {"X-Hub-Signature-256": signature(b"other", SECRET)})
    assert refused.value.reason == "wrong-signature"


def test_a_body_larger_than_github_sends_is_refused_before_it_is_hashed_or_parsed() -> None:
    class Untouched(bytes):
        def __len__(self) -> int:
            return LIMIT + 1

    with pytest.raises(WebhookError) as refused:
        GitHubReceiver((SECRET,)).receive(Headers({}), Untouched(), NOW)
    assert (refused.value.status, refused.value.reason) == (413, "too-large")


def test_without_a_secret_nothing_is_taken() -> None:
    delivery = signed("ping", {}, name="1", secret=Secret(""))
    with pytest.raises(WebhookError) as refused:
        GitHubReceiver(()).receive(Headers(delivery.headers), delivery.body, NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("payload", "looked"),
    [
        *((of_pull("a/b", action, 5), True) for action in ("opened", "reopened", "synchronize", "ready_for_review", "closed")),
        *((of_pull("a/b", action, 5), False) for action in ("labeled", "assigned", "edited", "review_requested", "converted_to_draft", "")),
        (of_pull("a/b", "edited", 5, changes={"base": {"ref": {"from": "old"}}}), True),
        (of_pull("a/b", "edited", 5, changes={"title": {"from": "old"}}), False),
        (of_pull("a/b", "edited", 5, changes=["base"]), False),
    ],
)
def test_a_look_is_called_for_where_what_is_compared_may_have_changed(payload: dict[str, Any], looked: bool) -> None:
    event = receive("pull_request", payload)
    assert (event.repository, event.action, event.calls) == ("a/b", payload["action"], (Look(5),) if looked else ())


@pytest.mark.parametrize("author", [Account("9", "dependabot[bot]", bot=True), Account("515151", "flowdelta[bot]", bot=True)])
def test_bots_and_we_ourselves_give_no_commands(author: Account) -> None:
    assert receive("issue_comment", of_comment("a/b", "created", 5, "7", author, "/flowdelta review", NOW)).calls == ()
    person = Account("9", "alice")
    assert receive("issue_comment", of_comment("a/b", "created", 5, "7", person, "/flowdelta review", NOW)).calls != ()


def test_a_comment_of_a_deleted_account_is_no_command() -> None:
    payload = of_comment("a/b", "created", 5, "7", Account("9", "alice"), "/flowdelta review", NOW)
    payload["comment"]["user"] = None
    with pytest.raises(WebhookError, match="has no usable"):
        receive("issue_comment", payload)


def test_a_command_is_one_delivery_whatever_the_header_says() -> None:
    payload = of_comment("a/b", "created", 5, "7", Account("9", "alice"), "/flowdelta accept", NOW)
    first, other = receive("issue_comment", payload), receive("issue_comment", payload, {"X-GitHub-Delivery": "made-up"})
    assert first.delivery == other.delivery == "comment-7"


@pytest.mark.parametrize(("age", "taken"), [(0, True), (3 * 86_400 - 60, True), (3 * 86_400 + 60, False), (400 * 86_400, False)])
def test_a_command_that_is_older_than_github_sends_again_is_a_replay(age: float, taken: bool) -> None:
    payload = of_comment("a/b", "created", 5, "7", Account("9", "alice"), "/flowdelta accept", NOW - age)
    assert bool(receive("issue_comment", payload).calls) is taken


@pytest.mark.parametrize(
    ("run", "calls"),
    [
        ({"external_id": "12"}, (Look(12),)),
        ({"external_id": "", "pull_requests": [{"number": 4}, {"number": 4}, {"number": 6}]}, (Look(4), Look(6))),
        ({"external_id": "not ours", "pull_requests": []}, ()),
        ({"external_id": None}, ()),
        ({"external_id": "0" * 99}, ()),
        ({}, ()),
    ],
)
@pytest.mark.parametrize("action", ["rerequested", "requested_action", "created"])
def test_a_check_is_run_again_for_the_pull_request_that_it_names(run: dict[str, Any], calls: tuple[Look, ...], action: str) -> None:
    event = receive("check_run", {"action": action, "check_run": run, "repository": {"full_name": "a/b", "id": 1}})
    assert event.calls == (() if action == "created" else calls)


def test_all_checks_of_a_commit_are_run_again_for_the_pull_requests_of_this_repository() -> None:
    pulls = [{"number": 4, "base": {"repo": {"id": 1}}}, {"number": 5, "base": {"repo": {"id": 2}}}, "junk"]
    payload = {"action": "rerequested", "check_suite": {"pull_requests": pulls}, "repository": {"full_name": "a/b", "id": 1}}
    assert receive("check_suite", payload).calls == (Look(4),)
    assert receive("check_suite", {**payload, "action": "completed"}).calls == ()


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        ("refs/heads/gh-readonly-queue/main/pr-104-" + "c" * 40, 104),
        ("refs/heads/gh-readonly-queue/release/1.0/pr-7-" + "c" * 40, 7),
        ("refs/heads/someone-elses-queue/104", None),
    ],
)
def test_a_merge_group_names_what_to_compare(ref: str, number: int | None) -> None:
    group = {"head_sha": "a" * 40, "base_sha": "b" * 40, "head_ref": ref}
    payload = {"action": "checks_requested", "merge_group": group, "repository": {"full_name": "a/b"}}
    assert receive("merge_group", payload).calls == (Queued("b" * 40, "a" * 40, ref, number),)
    assert receive("merge_group", {**payload, "action": "destroyed"}).calls == ()


@pytest.mark.parametrize(
    "wrong", [{"head_sha": "--upload-pack=x"}, {"base_sha": "a" * 39}, {"head_ref": "refs/heads/-x"}, {"head_ref": "main"}]
)
def test_a_merge_group_with_what_git_would_not_take_is_refused(wrong: dict[str, str]) -> None:
    group = {"head_sha": "a" * 40, "base_sha": "b" * 40, "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-" + "c" * 40, **wrong}
    with pytest.raises(WebhookError, match="git would not take"):
        receive("merge_group", {"action": "checks_requested", "merge_group": group, "repository": {"full_name": "a/b"}})


@pytest.mark.parametrize(
    ("ref", "moved"),
    [
        ("refs/heads/main", True),
        ("refs/heads/release/1.0", True),
        ("refs/heads/gh-readonly-queue/main/pr-1-" + "c" * 40, False),
        ("refs/tags/v1", False),
        ("refs/heads/-x", False),
        ("refs/heads/a..b", False),
    ],
)
def test_a_push_moves_a_branch_that_can_be_a_base(ref: str, moved: bool) -> None:
    assert receive("push", of_push("a/b", ref)).calls == ((BaseMoved(ref),) if moved else ())


def test_every_example_of_github_is_read(examples: dict[str, list[dict[str, Any]]]) -> None:
    called: dict[str, set[str]] = {}
    for kind, payloads in examples.items():
        for payload in payloads:
            event = receive(kind, payload, now=0.0)
            assert event.action == payload.get("action", "")
            assert kind == "ping" or event.repository == payload["repository"]["full_name"]
            called.setdefault(kind, set()).update(type(call).__name__ for call in event.calls)
    assert called["pull_request"] == called["pull_request_review"] == {"Look"}
    assert called["merge_group"] == {"Queued"}
    assert called["push"] == {"BaseMoved"}
    assert called["ping"] == set()
