"""Fixtures of the forge tests."""

from tests.forges.fixtures import description, examples, github, origin

__all__ = ["description", "examples", "github", "origin"]
