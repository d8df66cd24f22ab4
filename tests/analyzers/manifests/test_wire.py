"""Readings survive the way to bytes and back, and bytes that mean nothing are refused."""

from __future__ import annotations

import json

import pytest

from analyzers.interest import INTEREST
from analyzers.manifests.load import load
from analyzers.manifests.shelf import FileReading, MemoryShelf, ShelfKey
from analyzers.manifests.wire import READINGS
from analyzers.model.records import ObjectRecord
from tests.oracle.cases import case
from tests.property.product import MemoryTree


class Watched(MemoryShelf[ObjectRecord]):
    """A shelf whose readings can be looked at."""

    def readings(self) -> dict[ShelfKey, FileReading[ObjectRecord]]:
        return dict(self._known)


@pytest.mark.parametrize("seed", range(60))
def test_every_reading_of_a_random_cluster_comes_back_as_it_was(seed: int) -> None:
    shelf = Watched()
    made = case(seed)
    for files in (made.base_files, made.head_files):
        load(MemoryTree(files), INTEREST, shelf=shelf)
    assert shelf.readings()
    for reading in shelf.readings().values():
        assert READINGS.decode(READINGS.encode(reading)) == reading


def test_diagnostics_services_and_templates_come_back_too() -> None:
    text = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80, targetPort: web}, {port: 81, targetPort: 8081}]}\n"
        "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c}\n"
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: Bad}\n---\nnothing: here\n---\n{{ template }}: {{\n"
    )
    shelf = Watched()
    load(MemoryTree({"a.yaml": text.encode()}), INTEREST, shelf=shelf)
    (reading,) = shelf.readings().values()
    assert {each.code for record in reading.found for each in record.diagnostics} == {"unsupported-kind", "invalid-object"}
    assert reading.template_line is not None
    assert READINGS.decode(READINGS.encode(reading)) == reading


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"[[[1]],[],null,0]", b'[[["","Pod","a","b",1,"",["what"],[]]],[],null,0]', b"\xff"])
def test_bytes_that_are_no_reading_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"malformed|truncated|Expected|Invalid|required"):
        READINGS.decode(data)


def test_a_reading_is_json_and_runs_no_code() -> None:
    assert json.loads(READINGS.encode(FileReading((), (), None, 3, 9))) == [[], [], None, 3, 9]
