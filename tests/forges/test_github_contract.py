"""GitHub keeps the contract of the forges, with a token and as an App."""

from __future__ import annotations

import pytest

from tests.forges.contract import ForgeContract
from tests.forges.github_fake import GitHubFake
from tests.forges.github_stage import GitHubStage, as_app, with_token
from tests.forges.signoff_contract import SignOffContract


class TestWithAToken(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, github: GitHubFake) -> GitHubStage:
        return GitHubStage(github, with_token(github), app=False)


class TestAsAnApp(ForgeContract, SignOffContract):
    @pytest.fixture
    def stage(self, github: GitHubFake) -> GitHubStage:
        return GitHubStage(github, as_app(github), app=True)
