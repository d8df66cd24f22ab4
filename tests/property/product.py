"""The product, asked in-process: files in memory go in, the JSON of contract.md comes out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzers.configuration import AnalysisSettings
from analyzers.manifests.shelf import Shelf
from analyzers.manifests.tree import Entry, EntryKind, Unreadable
from analyzers.model.cluster import HostNetwork
from analyzers.model.records import ObjectRecord
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff, matrix
from analyzers.reports import render
from tests.oracle.expand import Report

Kept = Shelf[ObjectRecord] | None


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A tree whose files are given: paths and contents."""

    files: Mapping[str, bytes]

    def entries(self) -> Iterable[Entry]:
        """Every file, in the order given."""
        for path, content in self.files.items():
            yield Entry(path, EntryKind.FILE, len(content), hashlib.sha256(content).hexdigest())

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Unreadable]]:
        """The content of each entry."""
        for entry in entries:
            yield entry, self.files[entry.path]


def asked_matrix(files: Mapping[str, bytes], host_network: str, pod_cidrs: Sequence[str] = (), shelf: Kept = None) -> Report:
    """The matrix of one revision, as `flowdelta matrix --format json` prints it. Files that `shelf` knows are not parsed again."""
    report = matrix(MemoryTree(files), _options(host_network, pod_cidrs, shelf))
    return _parsed(render("json", report))


def asked_diff(
    base: Mapping[str, bytes], head: Mapping[str, bytes], host_network: str, pod_cidrs: Sequence[str] = (), shelf: Kept = None
) -> Report:
    """The diff of two revisions, as `flowdelta diff --format json` prints it. Files that `shelf` knows are not parsed again."""
    options = _options(host_network, pod_cidrs, shelf)
    report = diff(MemoryTree(base), MemoryTree(head), options, base_revision=Revision("base"), head_revision=Revision("head"))
    return _parsed(render("json", report))


def _options(host_network: str, pod_cidrs: Sequence[str], shelf: Kept) -> Options:
    pods = AnalysisSettings(pod_cidrs=tuple(pod_cidrs)).pod_networks
    return Options(host_network=HostNetwork(host_network), pods=pods, shelf=shelf)


def _parsed(chunks: Iterable[str]) -> Report:
    parsed: Report = json.loads("".join(chunks))
    return parsed
