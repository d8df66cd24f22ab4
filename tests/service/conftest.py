"""Fixtures of the service tests."""

from tests.forges.fixtures import description, examples, github, origin

__all__ = ["description", "examples", "github", "origin"]
