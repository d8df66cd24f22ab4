"""Fixtures of the forge tests."""

import pytest

pytest.register_assert_rewrite("tests.forges.contract", "tests.forges.signoff_contract")  # before anything imports them

from tests.forges.fixtures import description, examples, github, origin  # noqa: E402

__all__ = ["description", "examples", "github", "origin"]
