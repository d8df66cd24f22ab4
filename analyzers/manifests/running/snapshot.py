"""Reads the snapshot of a cluster, what `kubectl get … -A -o json` or `flowdelta inventory` writes: a list of objects as JSON, gzip or not.

A snapshot is input like any other: whatever is wrong with it is an error that names the file and the place, and nothing of it counts.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from analyzers.manifests.objects import with_namespace
from analyzers.manifests.prescan import Wanted
from analyzers.manifests.running.reduction import as_map, has_ended, reduced
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.manifest import Manifest, YamlMap

TAKEN: Final = "flowdelta/taken"
"""The annotation of a snapshot that says when it was taken."""

_PLACE: Final = "inventory "
_GZIP: Final = b"\x1f\x8b"


class SnapshotError(Exception):
    """A snapshot that cannot be used. The message names the file and the place."""

    reason = "inventory"


class SnapshotLimits(Struct, frozen=True):
    """What is read of a snapshot: bytes once unpacked, and objects."""

    bytes: int = 500_000_000
    objects: int = 500_000


class Running(Struct, frozen=True, eq=False):
    """What runs in a cluster, less what no analysis reads. `name` is what the snapshot is called; `taken` is when it was, as far as the
    snapshot itself says; `said` is the age in words, of whoever brought it. A cluster that it is of and that is not there is an error
    where it is `required`."""

    name: str
    manifests: tuple[Manifest, ...]
    taken: datetime | None = None
    said: str = ""
    required: bool = True


def is_running(location: SourceLocation) -> bool:
    """Whether a place is in a snapshot, and not in a file of the repository."""
    return location.path.startswith(_PLACE) and not location.line


def unpacked(data: bytes, name: str, limits: SnapshotLimits | None = None) -> bytes:
    """The JSON of a snapshot that may be compressed with gzip. Raises `SnapshotError`."""
    most = (limits or SnapshotLimits()).bytes
    content = _inflated(data, name, most) if data.startswith(_GZIP) else data
    if len(content) > most:
        raise SnapshotError(f"{name}: has more than {most:,} bytes; at most so many are read")
    return content


def read_snapshot(data: bytes, name: str, wanted: Wanted, known: Wanted, limits: SnapshotLimits | None = None) -> Running:
    """What runs, of a snapshot. Objects of `wanted` kinds are kept, of those that are not `known` only that they are there. Raises
    `SnapshotError`."""
    limits = limits or SnapshotLimits()
    document = _document(unpacked(data, name, limits), name)
    items = _items(document, name, limits.objects)
    try:
        found = tuple(_manifests(items, name, wanted, known))
    except RecursionError:
        raise SnapshotError(f"{name}: is nested too deeply") from None
    return Running(name, found, _taken(document, name))


def reduced_list(manifests: Iterable[Manifest], taken: datetime | None) -> bytes:
    """A snapshot with nothing but these objects, as it is stored; reading it gives the same objects again."""
    annotations = {TAKEN: taken.astimezone(UTC).isoformat(timespec="seconds")} if taken is not None else {}
    head = {"apiVersion": "v1", "kind": "List", "metadata": {"annotations": annotations}}
    return json.dumps({**head, "items": [each.body for each in manifests]}, separators=(",", ":")).encode()


def _inflated(data: bytes, name: str, most: int) -> bytes:
    """The content of every member, at most one byte more than is read."""
    content = bytearray()
    try:
        while data and len(content) <= most:
            inflater = zlib.decompressobj(wbits=31)
            content += inflater.decompress(data, most + 1 - len(content))
            if not inflater.eof and len(content) <= most:
                raise SnapshotError(f"{name}: ends in the middle of what gzip compressed")
            data = inflater.unused_data
    except zlib.error:
        raise SnapshotError(f"{name}: is damaged: gzip cannot unpack it") from None
    return bytes(content)


def _document(content: bytes, name: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except json.JSONDecodeError as error:
        raise SnapshotError(f"{name}:{error.lineno}: is not JSON ({error.msg.lower()}); kubectl writes it with -o json") from None
    except UnicodeDecodeError:
        raise SnapshotError(f"{name}: is not UTF-8") from None
    except RecursionError:
        raise SnapshotError(f"{name}: is nested too deeply") from None
    except ValueError:
        raise SnapshotError(f"{name}: holds a number that no manifest has") from None
    if not isinstance(document, dict):
        raise SnapshotError(f"{name}: must be a List of objects")
    return document


def _items(document: Mapping[str, Any], name: str, most: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    kind, items = document.get("kind"), document.get("items")
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(items, list):
        raise SnapshotError(f"{name}: must be a List with items, not {kind if isinstance(kind, str) else 'something without a kind'}")
    if len(items) > most:
        raise SnapshotError(f"{name}: items: has {len(items):,} objects; at most {most:,} are read")
    # The items of a typed list do not repeat their kind.
    implied = {"kind": kind.removesuffix("List"), "apiVersion": document.get("apiVersion")} if kind != "List" else {}
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise SnapshotError(f"{name}: items[{index}]: must be an object")
        yield index, {**implied, **item}


def _manifests(items: Iterable[tuple[int, Mapping[str, Any]]], name: str, wanted: Wanted, known: Wanted) -> Iterator[Manifest]:
    seen: dict[tuple[str, str, str, str], int] = {}
    for index, item in items:
        manifest = _manifest(item, f"{name}: items[{index}]", name, wanted, known)
        if manifest is None:
            continue
        key = (manifest.group, manifest.kind, manifest.namespace, manifest.name)
        if key in seen:
            raise SnapshotError(f"{name}: items[{index}]: {manifest.title} stands at items[{seen[key]}] too")
        seen[key] = index
        yield manifest


def _manifest(item: Mapping[str, Any], place: str, name: str, wanted: Wanted, known: Wanted) -> Manifest | None:
    """One object; None where the analysis has no use for it."""
    version, kind, metadata = item.get("apiVersion"), item.get("kind"), item.get("metadata")
    if not isinstance(version, str) or not isinstance(kind, str):
        raise SnapshotError(f"{place}: must have apiVersion and kind")
    group = version.rpartition("/")[0]
    if not wanted(group, kind) or has_ended(item):
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise SnapshotError(f"{place}: {kind}: metadata.name: is required")
    namespace = metadata.get("namespace", "")
    if not isinstance(namespace, str):
        raise SnapshotError(f"{place}: {kind} {metadata['name']}: metadata.namespace: must be a string")
    slim = {key: value for key, value in item.items() if key != "status"} | {"metadata": _slim(metadata)}
    body = reduced(as_map(slim), by_name=not known(group, kind))
    location = SourceLocation(f"{_PLACE}{name}", 0)
    return with_namespace(Manifest(group, version.rpartition("/")[2], kind, namespace, metadata["name"], _named(body, namespace), location))


def _slim(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "managedFields"}


def _named(body: YamlMap, namespace: str) -> YamlMap:
    metadata = body["metadata"]
    if namespace and isinstance(metadata, YamlMap):
        metadata["namespace"] = namespace
    return body


def _taken(document: Mapping[str, Any], name: str) -> datetime | None:
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    stated = annotations.get(TAKEN) if isinstance(annotations, dict) else None
    if stated is None:
        return None
    try:
        taken = datetime.fromisoformat(stated)
        return taken.astimezone(UTC) if taken.tzinfo is not None else taken.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise SnapshotError(f"{name}: metadata.annotations[{TAKEN!r}]: is no time") from None
