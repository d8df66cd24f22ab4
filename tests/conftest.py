"""What every test shares: a clean environment and repeatable random examples."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = "FLOWDELTA_SHARED"  # where the conformance cases and corpora are, which some tests compare with

# Suites that tests inherit say what differs only if pytest rewrites their assertions, and that it can only before anything imports them.
pytest.register_assert_rewrite("tests.forges.contract", "tests.forges.signoff_contract")

# No test may depend on the settings, the git identity or the git configuration of the person who runs it, nor on the hook it runs in.
for _name in list(os.environ):
    if _name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE") or (_name.startswith("FLOWDELTA_") and _name != SHARED):
        del os.environ[_name]
os.environ.update(
    GIT_CONFIG_GLOBAL=os.devnull,
    GIT_CONFIG_NOSYSTEM="1",
    GIT_TERMINAL_PROMPT="0",
    GIT_AUTHOR_NAME="Test Author",
    GIT_AUTHOR_EMAIL="author@example.com",
    GIT_COMMITTER_NAME="Test Committer",
    GIT_COMMITTER_EMAIL="committer@example.com",
)
# What the command line remembers between runs must not come from, or go to, the person who runs the tests.
_CACHE = tempfile.TemporaryDirectory(prefix="flowdelta-tests-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

# Examples are the same in every run, so that a failure belongs to the change that shows it; a deadline would measure the machine.
settings.register_profile("flowdelta", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("flowdelta")


def pytest_collection_finish() -> None:
    """Spare the garbage collector all modules and tests, which stay to the end: it would look through them again in every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of this checkout."""
    return ROOT
