"""Reading again: the documents of a few objects whose records are known, for what a record does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

from analyzers.manifests.limits import DEFAULT_LIMITS, NodeBudget
from analyzers.manifests.objects import with_namespace
from analyzers.manifests.prescan import Wanted
from analyzers.manifests.reading import read_file
from analyzers.manifests.tree import Entry, Tree, Unreadable
from analyzers.model.manifest import Manifest
from analyzers.model.records import ObjectKey


def reread(
    tree: Tree, listed: Mapping[str, Entry], paths: Iterable[str], *, wanted: Wanted, settled: Callable[[Manifest], Manifest]
) -> Mapping[tuple[ObjectKey, str, int], Manifest]:
    """The objects of some of the listed files of a tree, by key, path and line. A file that cannot be read any more gives nothing."""
    entries = [listed[path] for path in sorted(set(paths))]
    return {place: manifest for entry, data in tree.read(entries) for place, manifest in _objects(entry, data, wanted, settled)}


def rendered_bodies(manifests: Iterable[Manifest], paths: Set[str]) -> Mapping[tuple[ObjectKey, str, int], Manifest]:
    """The objects that were made from some files by rendering, as `reread` gives those that stand in them."""
    settled = (with_namespace(each) for each in manifests if each.location.path in paths)
    return {(_key(each), each.location.path, each.location.line): each for each in settled}


def _key(manifest: Manifest) -> ObjectKey:
    return ObjectKey(manifest.group, manifest.kind, manifest.namespace, manifest.name)


def _objects(
    entry: Entry, data: bytes | Unreadable, wanted: Wanted, settled: Callable[[Manifest], Manifest]
) -> Iterable[tuple[tuple[ObjectKey, str, int], Manifest]]:
    if isinstance(data, Unreadable):
        return
    for written in read_file(entry.path, data, wanted, DEFAULT_LIMITS, NodeBudget(DEFAULT_LIMITS.nodes)).found:
        manifest = settled(written)
        yield (_key(manifest), entry.path, manifest.location.line), manifest
