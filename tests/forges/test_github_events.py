"""Webhooks of GitHub: nothing is believed before the signature holds, and only what a review needs is read."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from service.forges.github_events import GITHUB, verify
from service.forges.port import WebhookError
from service.secret import Secret

SECRET, OLD, OTHER = (Secret(text) for text in ("current", "previous", "other"))
BODY = b'{"zen": "Keep it logically awesome."}'


def signed(body: bytes, secret: Secret = SECRET, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret.reveal().encode(), body, algorithm).hexdigest()}"


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_signature_by_either_secret_holds(secret: Secret) -> None:
    verify(signed(BODY, secret), BODY, (SECRET, OLD))


def test_the_example_of_githubs_documentation_holds() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify(signature, b"Hello, World!", (Secret("It's a Secret to Everybody"),))


def wrong_signatures() -> Iterator[tuple[str, str, str]]:
    good = signed(BODY)
    yield "missing", "", "missing-signature"
    yield "by another secret", signed(BODY, OTHER), "wrong-signature"
    yield "of another body", signed(BODY + b" "), "wrong-signature"
    yield "truncated", good[:-1], "malformed-signature"
    yield "too long", f"{good}0", "malformed-signature"
    yield "upper case", good.upper(), "malformed-signature"
    yield "SHA-1", signed(BODY, algorithm="sha1"), "malformed-signature"
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


def headers(body: bytes, **changed: str) -> Headers:
    known = {
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": signed(body),
    }
    return Headers(known | {name.replace("_", "-"): value for name, value in changed.items()})


@pytest.mark.parametrize(
    ("body", "changed", "reason"),
    [
        (b"{", {}, "malformed-body"),
        (b"[]", {}, "malformed-body"),
        (b'{"a": 1', {}, "malformed-body"),
        (b"\xff", {}, "malformed-body"),
        (b"[" * 100_000, {}, "malformed-body"),
        (b"{}", {}, "missing-field"),
        (b'{"repository": null}', {}, "missing-field"),
        (b'{"repository": {"full_name": 7}, "pull_request": {"number": 1}}', {}, "missing-field"),
        (b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": true}}', {}, "missing-field"),
        (b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": 0}}', {}, "missing-field"),
        (b'{"repository": {"full_name": "a/b"}, "pull_request": {"number": 99999999999999999999}}', {}, "missing-field"),
        (b"{}", {"X_GitHub_Delivery": ""}, "missing-delivery"),
        (b"{}", {"X_GitHub_Delivery": "../x y"}, "missing-delivery"),
        (b"{}", {"X_GitHub_Event": ""}, "missing-event"),
    ],
)
def test_a_signed_body_that_makes_no_sense_is_refused_with_a_reason(body: bytes, changed: dict[str, str], reason: str) -> None:
    with pytest.raises(WebhookError) as refused:
        GITHUB.receive(headers(body, **changed), body, (SECRET,))
    assert (refused.value.status, refused.value.reason) == (400, reason)


def test_nothing_is_parsed_before_the_signature_holds() -> None:
    with pytest.raises(WebhookError) as refused:
        GITHUB.receive(headers(b"{", X_Hub_Signature_256=signed(b"other")), b"{", (SECRET,))
    assert refused.value.reason == "wrong-signature"


def pull_request(action: str, **more: Any) -> bytes:
    return json.dumps({"action": action, "repository": {"full_name": "a/b"}, "pull_request": {"number": 5}, **more}).encode()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        *((pull_request(action), True) for action in ("opened", "reopened", "synchronize", "ready_for_review", "closed")),
        *((pull_request(action), False) for action in ("labeled", "assigned", "edited", "review_requested", "converted_to_draft")),
        (pull_request("edited", changes={"base": {"ref": {"from": "old"}}}), True),
        (pull_request("edited", changes={"title": {"from": "old"}}), False),
        (pull_request("edited", changes=["base"]), False),
    ],
)
def test_a_review_is_wanted_where_what_is_compared_may_have_changed(body: bytes, wanted: bool) -> None:
    event = GITHUB.receive(headers(body), body, (SECRET,))
    assert (event.repository, event.number, event.wanted) == ("a/b", 5, wanted)


def test_every_example_of_github_is_read(examples: dict[str, list[dict[str, Any]]]) -> None:
    for kind, payloads in examples.items():
        for payload in payloads:
            body = json.dumps(payload).encode()
            event = GITHUB.receive(headers(body, X_GitHub_Event=kind), body, (SECRET,))
            if kind == "pull_request":
                assert (event.repository, event.number) == (payload["repository"]["full_name"], payload["pull_request"]["number"])
                assert event.action == payload["action"]
            else:
                assert not event.wanted
