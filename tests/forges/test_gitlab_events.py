"""Webhooks of GitLab: nothing is believed before the signature or the token holds, and only what a review needs is read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from service.forges.gitlab_events import GitLabReceiver
from service.forges.port import Account, BaseMoved, Command, Look, PipelineBegan, WebhookError, WebhookEvent
from service.secret import Secret
from service.settings.readers import SettingsError
from tests.forges import gitlab_webhooks as webhooks
from tests.forges.gitlab_webhooks import merge_request, note, push, signature, signed_headers, token_headers

PATH, ALICE, NOW = "acme/platform/shop", Account("501", "alice"), 1_700_000_000
SIGNING, OLD, OTHER = (f"whsec_{base64.b64encode(bytes([number]) * 32).decode()}" for number in (1, 2, 3))
TOKEN = "secret-token-4f1c"
BODY = merge_request(PATH, 7, "open", user=ALICE)
HOOK = "Merge Request Hook"


def receive(headers: dict[str, str], body: bytes, *secrets: str, now: float = NOW) -> WebhookEvent:
    return GitLabReceiver(tuple(Secret(secret) for secret in secrets)).receive(Headers(headers), body, now)


def told(body: bytes) -> WebhookEvent:
    return receive(token_headers("Any Hook", "key-1", TOKEN), body, TOKEN)


def refusal(headers: dict[str, str], body: bytes, *secrets: str, now: float = NOW) -> tuple[int, str]:
    with pytest.raises(WebhookError) as refused:
        receive(headers, body, *secrets, now=now)
    assert not any(secret and secret in refused.value.message for secret in secrets)
    return refused.value.status, refused.value.reason


# --- the signing token


def test_the_signature_is_that_of_the_standard() -> None:
    # https://www.standardwebhooks.com: HMAC-SHA256 of id, time and body, joined by dots, with the decoded key.
    key = base64.b64decode(SIGNING.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()).decode()
    assert signature(SIGNING, "msg_1", NOW, b"{}") == f"v1,{expected}"


def test_a_published_example_of_the_standard_holds() -> None:
    # The test vector of the Standard Webhooks specification's reference libraries.
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
    headers["webhook-signature"] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert refusal(headers, body, secret, now=1614265330) == (400, "missing-event")  # genuine, but no event of GitLab


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed_headers(HOOK, "key-1", OTHER, BODY, NOW)
    headers["webhook-signature"] += " v2,unknown " + signature(SIGNING, "key-1", NOW, BODY)
    assert receive(headers, BODY, SIGNING).calls == (Look(7),)


def forged() -> Iterator[tuple[str, dict[str, str], str]]:
    good = signed_headers(HOOK, "key-1", SIGNING, BODY, NOW)
    sign = good["webhook-signature"]
    yield "by another key", signed_headers(HOOK, "key-1", OTHER, BODY, NOW), "wrong-signature"
    yield "of another body", signed_headers(HOOK, "key-1", SIGNING, BODY + b" ", NOW), "wrong-signature"
    yield "of another id", {**good, "webhook-id": "key-2"}, "wrong-signature"
    yield "of another time", {**good, "webhook-timestamp": str(NOW + 1)}, "wrong-signature"
    yield "without the version", {**good, "webhook-signature": sign.removeprefix("v1,")}, "malformed-signature"
    yield "of another version", {**good, "webhook-signature": sign.replace("v1", "v2")}, "malformed-signature"
    yield "truncated", {**good, "webhook-signature": sign[:-2]}, "malformed-signature"
    yield "empty", {**good, "webhook-signature": "v1,"}, "malformed-signature"
    yield "a tab after it", {**good, "webhook-signature": f"{sign}\t"}, "malformed-signature"
    yield "without an id", {name: value for name, value in good.items() if name != "webhook-id"}, "malformed-signature"
    yield "without a time", {name: value for name, value in good.items() if name != "webhook-timestamp"}, "malformed-signature"
    yield "a time that is no number", {**good, "webhook-timestamp": "now"}, "malformed-signature"
    yield "digits of another script", {**good, "webhook-timestamp": chr(0x661) * 10}, "malformed-signature"
    yield "missing", {name: value for name, value in good.items() if not name.startswith("webhook-")}, "missing-signature"
    plain = hmac.new(SIGNING.encode(), f"key-1.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    yield "with the token as the key", {**good, "webhook-signature": f"v1,{base64.b64encode(plain).decode()}"}, "wrong-signature"
    yield "after the tenth entry", {**good, "webhook-signature": "v2,x " * 10 + sign}, "malformed-signature"


@pytest.mark.parametrize(("headers", "reason"), [row[1:] for row in forged()], ids=[row[0] for row in forged()])
def test_any_other_signature_is_refused(headers: dict[str, str], reason: str) -> None:
    assert refusal(headers, BODY, SIGNING, OLD) == (401, reason)


@pytest.mark.parametrize("late", [301, -301, 86_400])
def test_a_recorded_delivery_cannot_be_replayed_later(late: int) -> None:
    headers = signed_headers(HOOK, "key-1", SIGNING, BODY, NOW)
    assert receive(headers, BODY, SIGNING, now=NOW + late * 299 / 301 if abs(late) == 301 else NOW).calls == (Look(7),)
    assert refusal(headers, BODY, SIGNING, now=NOW + late) == (401, "stale-signature")


def test_the_id_of_a_signed_delivery_is_the_signed_one() -> None:
    headers = signed_headers(HOOK, "key-1", SIGNING, BODY, NOW)
    assert receive({**headers, "Idempotency-Key": "made-up", "X-Gitlab-Event-UUID": "made-up"}, BODY, SIGNING).delivery == "key-1"


def test_what_the_event_is_the_signed_body_says_and_not_the_header() -> None:
    headers = signed_headers(HOOK, "key-1", SIGNING, BODY, NOW) | {"X-Gitlab-Event": "Push Hook"}
    assert receive(headers, BODY, SIGNING).kind == "merge_request"


def test_the_signing_token_itself_is_no_secret_token() -> None:
    # Otherwise whoever saw one log line could leave the signature away.
    assert refusal(token_headers(HOOK, "key-1", SIGNING), BODY, SIGNING) == (401, "missing-signature")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_AAAA", "whsec_not base64", f"whsec_{'*' * 44}"])
def test_a_signing_token_without_a_key_stops_the_start(secret: str) -> None:
    with pytest.raises(SettingsError, match="24 bytes") as refused:
        GitLabReceiver((Secret(secret),))
    assert secret == "whsec_" or secret not in str(refused.value)


def test_a_secret_token_is_still_taken_while_a_signing_token_replaces_it() -> None:
    assert receive(token_headers(HOOK, "key-1", TOKEN), BODY, SIGNING, TOKEN).calls == (Look(7),)
    assert receive(signed_headers(HOOK, "key-1", SIGNING, BODY, NOW), BODY, SIGNING, TOKEN).calls == (Look(7),)


# --- the secret token


@pytest.mark.parametrize("token", [TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "", "ü"])
def test_any_other_token_is_refused(token: str) -> None:
    assert refusal(token_headers(HOOK, "key-1", token), BODY, TOKEN)[0] == 401


def test_without_a_secret_nothing_is_taken() -> None:
    assert refusal(token_headers(HOOK, "key-1", ""), BODY)[0] == 401
    assert refusal(token_headers(HOOK, "key-1", ""), BODY, "")[0] == 401


def test_nothing_is_parsed_before_the_token_holds() -> None:
    assert refusal(token_headers(HOOK, "key-1", "wrong"), b"{", TOKEN) == (401, "wrong-token")
    assert refusal(token_headers(HOOK, "key-1", TOKEN), b"{", TOKEN) == (400, "malformed-body")


def test_an_older_gitlab_is_told_apart_by_its_event_and_the_body() -> None:
    old = {name: value for name, value in token_headers(HOOK, "key-1", TOKEN).items() if name != "Idempotency-Key"}
    first, again = receive(old, BODY, TOKEN), receive(old, BODY, TOKEN)
    # Hooks that a hook set off share the UUID of the event.
    recursive = receive(old, merge_request(PATH, 8, "open", user=ALICE), TOKEN)
    assert first.delivery == again.delivery != recursive.delivery
    bare = {name: value for name, value in old.items() if name != "X-Gitlab-Event-UUID"}
    assert refusal(bare, BODY, TOKEN) == (400, "missing-delivery")
    assert refusal({**bare, "Idempotency-Key": "../x y"}, BODY, TOKEN) == (400, "missing-delivery")


def test_a_body_beyond_all_measure_is_refused_before_it_is_hashed() -> None:
    assert refusal(token_headers(HOOK, "key-1", TOKEN), b" " * 25_000_001, TOKEN) == (413, "too-large")


# --- what is read


@pytest.mark.parametrize("action", ["open", "reopen", "close", "merge", "approved", "unapproved", "approval", "unapproval"])
def test_a_merge_request_event_calls_for_a_look(action: str) -> None:
    event = told(merge_request(PATH, 7, action, user=ALICE))
    assert (event.kind, event.action, event.repository, event.calls) == ("merge_request", action, PATH, (Look(7),))


@pytest.mark.parametrize(
    ("oldrev", "changes", "looks"),
    [
        ("d" * 40, {}, True),
        ("", {"draft": {"previous": True, "current": False}}, True),
        ("", {"target_branch": {"previous": "a", "current": "b"}}, True),
        ("", {}, False),
        ("", {"title": {"previous": "a", "current": "b"}, "labels": {"previous": [], "current": []}}, False),
    ],
)
def test_an_update_counts_where_it_changes_what_is_reviewed(oldrev: str, changes: dict[str, Any], looks: bool) -> None:
    event = told(merge_request(PATH, 7, "update", user=ALICE, oldrev=oldrev, changes=changes))
    assert event.calls == ((Look(7),) if looks else ())


@pytest.mark.parametrize("kind", ["pipeline", "build", "issue", "wiki_page", "release", "emoji"])
def test_other_events_are_taken_and_call_for_nothing(kind: str) -> None:
    assert told(json.dumps({"object_kind": kind}).encode()).calls == ()


def test_a_comment_is_a_command_of_who_wrote_it() -> None:
    event = told(note(PATH, 7, "/flowdelta accept", user=ALICE, number=901))
    assert event.calls == (Command(7, "901", ALICE, "/flowdelta accept"),)
    assert event.delivery == "note-901"


def test_a_comment_of_a_gitlab_without_actions_is_new() -> None:
    assert len(told(note(PATH, 7, "/flowdelta", user=ALICE, number=901, action=None)).calls) == 1


@pytest.mark.parametrize("details", [{"system": True}, {"action": "update"}, {"on": "Issue"}, {"on": "Commit"}, {"action": ""}])
def test_other_notes_are_no_commands(details: dict[str, Any]) -> None:
    assert told(note(PATH, 7, "/flowdelta accept", user=ALICE, number=901, **details)).calls == ()


def test_who_caused_an_event_without_having_written_the_note_commands_nothing() -> None:
    body = json.loads(note(PATH, 7, "/flowdelta accept", user=ALICE, number=901))
    body["object_attributes"]["author_id"] = 999
    assert told(json.dumps(body).encode()).calls == ()


@pytest.mark.parametrize(
    ("name", "bot"),
    [("project_77_bot_1a2b3c", True), ("group_5_bot", True), ("project_77_bot1", True), ("alice", False), ("project_x_bot", False)],
)
def test_accounts_of_access_tokens_command_nothing(name: str, bot: bool) -> None:
    account = Account("600", name)
    assert told(note(PATH, 7, "/flowdelta", user=account, number=901)).calls == (() if bot else (Command(7, "901", account, "/flowdelta"),))


def test_a_long_command_is_cut() -> None:
    (command,) = told(note(PATH, 7, "/flowdelta " + "x" * 900_000, user=ALICE, number=901)).calls
    assert isinstance(command, Command)
    assert len(command.text) == 4_000


@pytest.mark.parametrize("status", ["created", "pending", "running", "success", "manual"])
def test_a_pipeline_that_began_is_told_of_its_commit_and_heard_once_whatever_it_does(status: str) -> None:
    event = told(webhooks.pipeline(PATH, 31, "a" * 40, user=ALICE, status=status))
    assert (event.delivery, event.repository, event.calls) == ("pipeline-31", PATH, (PipelineBegan("31", "a" * 40),))


@pytest.mark.parametrize(("source", "sha"), [("external", "a" * 40), ("push", "main"), ("push", "A" * 40)])
def test_a_pipeline_of_statuses_or_of_no_commit_calls_for_nothing(source: str, sha: str) -> None:
    """Ours would be an answer to itself."""
    assert told(webhooks.pipeline(PATH, 31, sha, user=ALICE, source=source)).calls == ()


@pytest.mark.parametrize(
    ("ref", "after", "calls"),
    [
        ("refs/heads/main", "a" * 40, (BaseMoved("refs/heads/main"),)),
        ("refs/heads/main", webhooks.ZERO, ()),
        ("refs/tags/v1", "a" * 40, ()),
        ("main", "a" * 40, ()),
        ("refs/heads/-x", "a" * 40, ()),
        ("refs/heads/a..b", "a" * 40, ()),
        ("refs/heads/a\nb", "a" * 40, ()),
        ("refs/heads/--upload-pack=x", "a" * 40, ()),
    ],
)
def test_a_push_moves_a_branch_that_git_would_take(ref: str, after: str, calls: tuple[BaseMoved, ...]) -> None:
    assert told(push(PATH, ref, after, user=ALICE)).calls == calls


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "malformed-body"),
        (b"\xff", "malformed-body"),
        (b"[" * 100_000, "malformed-body"),
        (b"1" * 10_000, "malformed-body"),
        (b"{}", "missing-event"),
        (b'{"object_kind": 7}', "missing-event"),
        (b'{"object_kind": "merge_request", "object_attributes": {"action": "open"}}', "missing-field"),
        (b'{"object_kind": "merge_request", "object_attributes": {"action": "open", "iid": true}}', "missing-field"),
        (b'{"object_kind": "merge_request", "object_attributes": {"action": "open", "iid": 0}}', "missing-field"),
        (b'{"object_kind": "merge_request", "object_attributes": {"action": "open", "iid": 1}, "project": []}', "missing-field"),
        (b'{"object_kind": "push", "ref": "refs/heads/main", "after": "aa"}', "missing-field"),
    ],
)
def test_a_genuine_body_that_makes_no_sense_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    assert refusal(token_headers(HOOK, "key-1", TOKEN), body, TOKEN) == (400, reason)
