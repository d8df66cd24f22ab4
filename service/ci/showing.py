"""The job's own output: the report on stdout and on the job's page, and remarks on lines where no check could carry them."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from service.exits import BadInput
from service.forges.port import Annotation

_PAGE = 1_000_000  # bytes that GitHub takes of a step for the page of a job
_REMARKS = 10  # GitHub shows as many of one step


@contextmanager
def mute(*, commands: bool) -> Iterator[None]:
    """Have the runner take no line for a command inside: names of a pull request are in the lines, and they are anyone's words."""
    if not commands:
        yield
        return
    word = secrets.token_hex(16)
    print(f"::stop-commands::{word}", flush=True)
    try:
        yield
    finally:
        sys.stderr.flush()
        print(f"\n::{word}::", flush=True)


def on_page(path: Path, text: str) -> None:
    """Put Markdown on the page of the job. Raises `BadInput`."""
    raw = text.encode()[:_PAGE].decode(errors="ignore")
    try:
        with path.open("a", encoding="utf-8") as page:
            page.write(f"{raw}\n")
    except OSError as error:
        raise BadInput(f"GITHUB_STEP_SUMMARY: {path} cannot be written: {error.strerror}") from error


def remarks(annotations: Iterable[Annotation]) -> Iterator[str]:
    """Annotations as commands to the runner."""
    for each in list(annotations)[:_REMARKS]:
        yield f"::warning file={_value(each.path)},line={each.line},title={_value(each.title)}::{_escaped(each.message)}"


def _value(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    """As the runner reads it again; nothing of it can end the line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
