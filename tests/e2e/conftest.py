"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import pytest

from tests.forges.fixtures import description, examples, github, origin
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin
from tests.service.site import Site, opened

__all__ = ["description", "examples", "github", "origin", "site"]


@pytest.fixture
def site(github: GitHubFake, origin: Origin) -> Site:
    """The forge with one open pull request."""
    return opened(github, origin)
