"""Fixtures of the forge tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forges import gitea_stage, gitlab_stage
from tests.forges.fixtures import description, examples, github, origin
from tests.forges.gitea_fake import GiteaFake
from tests.forges.gitlab_fake import GitLabFake

__all__ = ["description", "examples", "github", "origin"]


@pytest.fixture
def gitea() -> Iterator[GiteaFake]:
    """A Gitea. A call that is not in its description fails the test."""
    with GiteaFake(gitea_stage.TOKEN, gitea_stage.PATH) as fake:
        yield fake
    assert fake.violations == []


@pytest.fixture
def gitlab() -> Iterator[GitLabFake]:
    """A GitLab. A call that is not in its description fails the test."""
    with GitLabFake(gitlab_stage.TOKEN, gitlab_stage.PATH) as fake:
        yield fake
    assert fake.violations == []
