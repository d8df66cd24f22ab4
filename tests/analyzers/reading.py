"""Reading manifests in tests the way the product reads them: through the loader, from text."""

from __future__ import annotations

from textwrap import dedent

from analyzers.interest import INTEREST, wanted
from analyzers.manifests.load import Interest, load
from analyzers.manifests.objects import settle, with_namespace
from analyzers.model.manifest import Manifest
from analyzers.model.records import ObjectRecord
from tests.property.product import MemoryTree


def manifests(text: str, path: str = "objects.yaml") -> tuple[Manifest, ...]:
    """The documents of one file, with their namespaces; the text must be free of problems."""
    loaded = load(MemoryTree({path: dedent(text).encode()}), Interest(wanted, with_namespace))
    assert not loaded.diagnostics
    return loaded.found


def objects(text: str, path: str = "objects.yaml") -> tuple[ObjectRecord, ...]:
    """The settled objects of one file; the text must be free of problems."""
    loaded = load(MemoryTree({path: dedent(text).encode()}), INTEREST)
    settled, problems = settle(loaded.found)
    assert not (*loaded.diagnostics, *problems)
    return settled


def manifest(text: str) -> Manifest:
    """The one object of a text."""
    (only,) = manifests(text)
    return only
