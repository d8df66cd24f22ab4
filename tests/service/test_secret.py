"""Secrets and the filter that keeps them out of text; logs as lines of JSON."""

from __future__ import annotations

import json
import logging
import pickle

import pytest

from service.logs import JsonLines, fields, reviewing
from service.secret import HIDDEN, Redaction, Secret

KNOWN = Redaction([Secret("hunter2-and-more"), Secret("")])


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert not Secret("")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "text",
    [
        "before hunter2-and-more after",
        "token ghp_0123456789abcdefABCDEF0123456789abcd",
        "github_pat_11ABCDEFG0123456789_abcdefghijklmnop",
        "fetch https://user:s3cret@github.com/a/b",
        "Authorization: Bearer abc.def.ghi",
        "authorization: Basic dXNlcjpwYXNz",
        "bearer abcdefghijkl",
    ],
)
def test_known_secrets_and_what_looks_like_one_are_redacted(text: str) -> None:
    redacted = KNOWN(text)
    assert HIDDEN in redacted
    for part in ("hunter2", "ghp_0", "github_pat_", "s3cret", "abc.def", "dXNl", "abcdefghijkl"):
        assert part not in redacted


def test_other_text_is_left_alone() -> None:
    text = "fetched https://github.com/acme/shop at 0123456789abcdef0123456789abcdef01234567: user@example.com"
    assert KNOWN(text) == text


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("service.x", logging.WARNING, "file", 1, message, arguments, None)
    made.__dict__.update(extra)
    return made


def test_a_line_holds_its_review_and_its_members_and_no_secret() -> None:
    formatter = JsonLines(KNOWN)
    with reviewing("0123456789abcdef"):
        line = json.loads(formatter.format(record("said %s", "hunter2-and-more", **fields(number=7, token="hunter2-and-more"))))
    assert line["message"] == f"said {HIDDEN}"
    assert (line["review"], line["number"], line["token"], line["level"]) == ("0123456789abcdef", 7, HIDDEN, "warning")
    assert "review" not in json.loads(formatter.format(record("later")))


def test_a_traceback_is_redacted_and_stays_on_its_line() -> None:
    made = record("failed")
    try:
        raise RuntimeError("hunter2-and-more")
    except RuntimeError as error:
        made.exc_info = (type(error), error, error.__traceback__)
    text = JsonLines(KNOWN).format(made)
    assert "\n" not in text
    assert "hunter2" not in text
    assert "RuntimeError" in json.loads(text)["traceback"]
