"""Fixtures around the stand-in for GitHub. A conftest that wants them imports them."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forges.fetch_openapi import Unavailable, fetch
from tests.forges.github_fake import GitHubFake
from tests.forges.openapi import EXAMPLES, Description
from tests.forges.origin import Origin

TOKEN = "fake-token-7f3a9c"


@functools.cache
def _why_not() -> str:
    """Why GitHub's description cannot be had, or nothing."""
    try:
        fetch()
    except Unavailable as reason:
        return str(reason)
    return ""


def _needed() -> None:
    if reason := _why_not():
        if os.environ.get("CI") == "true":
            pytest.fail(f"GitHub's published description is needed in CI: {reason}")
        pytest.skip(f"needs GitHub's published description: {reason}")


@pytest.fixture(scope="session")
def description() -> Description:
    """GitHub's published description; a test that is about it is skipped where it cannot be had, and fails in CI."""
    _needed()
    found = Description.cached()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def examples() -> dict[str, list[dict[str, Any]]]:
    """GitHub's example webhooks by event."""
    _needed()
    found: dict[str, list[dict[str, Any]]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def github() -> Iterator[GitHubFake]:
    """A forge, checked against GitHub's description where that is at hand. A call that GitHub would not take fails the test."""
    known = Description.cached() if not _why_not() else None
    with GitHubFake(TOKEN, description=known) as fake:
        yield fake
    assert fake.violations == []


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """The git side of the forge: an empty repository acme/shop."""
    return Origin(tmp_path / "git", "acme/shop")
