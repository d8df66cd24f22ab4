"""Reading manifests in tests the way the product reads them: through the loader, from text."""

from __future__ import annotations

from textwrap import dedent

from analyzers.manifests.limits import Limits
from analyzers.manifests.load import load
from analyzers.manifests.objects import settle
from analyzers.model.manifest import Manifest
from analyzers.pipeline import wanted
from tests.property.product import MemoryTree


def manifests(text: str, path: str = "objects.yaml") -> tuple[Manifest, ...]:
    """The settled objects of one file; the text must be free of problems."""
    loaded = load(MemoryTree({path: dedent(text).encode()}), wanted, Limits())
    assert not loaded.diagnostics
    objects, problems = settle(loaded.manifests)
    assert not problems
    return objects


def manifest(text: str) -> Manifest:
    """The one object of a text."""
    (only,) = manifests(text)
    return only
