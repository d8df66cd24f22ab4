"""The published JSON schema of SARIF 2.1.0, taken from the npm registry into `.cache/sarif` and pinned by the hash of its archive."""

from __future__ import annotations

import fcntl
import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.forges.fetch_openapi import Package, Unavailable, member_of

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "sarif"
SCHEMA = Package(
    "@microsoft/jest-sarif",
    "1.0.0-beta.0",
    "A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
    "package/lib/schemas/sarif-2.1.0-rtm.5.json",
)


@functools.cache
def schema() -> dict[str, Any]:
    """The schema; a test that needs it is skipped where it cannot be had, and fails in CI."""
    try:
        return _fetched()
    except Unavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the published schema of SARIF is needed in CI: {reason}")
        pytest.skip(f"needs the published schema of SARIF: {reason}")


def _fetched() -> dict[str, Any]:
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / "schema.json"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        if known.get("integrity") != SCHEMA.integrity:
            known = {"integrity": SCHEMA.integrity, "schema": member_of(SCHEMA)}
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(known), encoding="utf-8")
            os.replace(part, kept)
    found: dict[str, Any] = known["schema"]
    return found
