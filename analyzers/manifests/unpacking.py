"""From documents to manifests: lists unpacked, unwanted kinds dropped, and what is no object told apart from what is a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzers.manifests.document import Document
from analyzers.manifests.prescan import Wanted, group_of
from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Field, InvalidObject, Manifest, YamlList, YamlMap, YamlValue
from analyzers.model.metadata import GENERATED

Finding = Manifest | Diagnostic

_LIST: Final = "List"
_CIPHERTEXT: Final = "ENC["


def unpack(document: Document, path: str, wanted: Wanted, *, is_template: bool = False) -> Iterator[Finding]:
    """The wanted manifests of a document, and diagnostics for what cannot be read as one.

    A document with a defect yields the defect alone, and nothing if it is certainly of a kind that nobody wants; in what is no object, a
    defect is no error. A defective template (`is_template`) may turn into any object.
    """
    value, defect = document.value, document.defect
    if defect is not None and (defect.identity or _may_matter(value, wanted, is_template)):
        yield Diagnostic(defect.code, defect.message, path, defect.line)
    elif isinstance(value, YamlMap) and _is_object(value):
        yield from () if defect is not None else _Unpacker(path, wanted).findings(value, "", "")
    elif defect is not None and defect.code == "cyclic-alias":
        yield Diagnostic(defect.code, defect.message, path, defect.line)
    elif value is not None or defect is not None:
        also = f" (and on line {defect.line}: {defect.message})" if defect is not None else ""
        yield Diagnostic("not-an-object", f"not a Kubernetes object: it has no apiVersion and kind{also}", path, document.line)


def _is_object(body: YamlMap) -> bool:
    return all(isinstance(value := body.get(name), str) and value for name in ("apiVersion", "kind"))


def _may_matter(value: YamlValue, wanted: Wanted, is_template: bool) -> bool:
    """Whether a defective document could hold a wanted object: it is one, is a list, is encrypted, or its kind cannot be told."""
    if not isinstance(value, YamlMap):
        return is_template
    kind, api = value.get("kind"), value.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(api, str):
        return is_template or ("kind" in value and "apiVersion" in value)
    return kind.endswith(_LIST) or _is_ciphertext(api, kind) or wanted(group_of(api), kind)


def _is_ciphertext(api: str, kind: str) -> bool:
    return kind.startswith(_CIPHERTEXT) or api.startswith(_CIPHERTEXT)


class _Unpacker:
    """Unpacks the objects of one file."""

    def __init__(self, path: str, wanted: Wanted) -> None:
        self._path, self._wanted = path, wanted

    def findings(self, body: YamlMap, api: str, kind: str) -> Iterator[Finding]:
        """The manifests of an object, whose apiVersion and kind are given for where it says none."""
        api, kind = _text(body.get("apiVersion")) or api, _text(body.get("kind")) or kind
        line = _first_line(body)
        is_list = kind.endswith(_LIST) and "items" in body
        if not is_list and not _is_ciphertext(api, kind) and not self._wanted(group_of(api), kind):
            return
        if isinstance(body.get("sops"), YamlMap) or _is_ciphertext(api, kind):
            title = "the object" if _is_ciphertext(api, kind) else kind
            yield self._diagnostic("encrypted", f"{title} is encrypted with SOPS", line)
        elif is_list:
            yield from self._items(body, api, kind)
        elif "$patch" in body:
            yield self._diagnostic("needs-rendering", f"{kind} is a patch ($patch), to be applied to another object", body.lines["$patch"])
        else:
            yield self._manifest(body, api, kind, line)

    def _items(self, body: YamlMap, api: str, kind: str) -> Iterator[Finding]:
        """The items of a list. Those of a `PodList` are Pods of its apiVersion where they do not say so; a plain `List` tells nothing."""
        items, item_kind = body["items"], kind.removesuffix(_LIST)
        matters = not item_kind or self._wanted(group_of(api), item_kind)
        if items is None:
            return
        if not isinstance(items, YamlList):
            if matters:
                yield self._diagnostic("invalid-object", f"{kind}: items: must be a list", body.lines["items"])
            return
        for item, line in zip(items, items.lines, strict=True):
            if isinstance(item, YamlMap) and (item_kind or _is_object(item)):
                yield from self.findings(item, api if item_kind else "", item_kind)
            elif matters:
                yield self._diagnostic("invalid-object", f"an item of a {kind} is not an object with apiVersion and kind", line)

    def _manifest(self, body: YamlMap, api: str, kind: str, line: int) -> Finding:
        group, _, version = api.rpartition("/")
        metadata = Field(body, "", line)["metadata"]
        try:
            if "/" in group or not version:
                raise InvalidObject(f"apiVersion: {api!r} is not a group and a version", body.lines.get("apiVersion", line))
            name, namespace = metadata["name"].text(""), metadata["namespace"].text("")
            if not name:
                stem = metadata["generateName"].text("")
                if not stem:
                    raise metadata["name"].fail("is required")
                name = stem + GENERATED
        except InvalidObject as error:
            return self._diagnostic("invalid-object", f"{kind}: {error.message}", error.line)
        return Manifest(group, version, kind, namespace, name, body, SourceLocation(self._path, line))

    def _diagnostic(self, code: str, message: str, line: int) -> Diagnostic:
        return Diagnostic(code, message, self._path, line)


def _text(value: YamlValue) -> str:
    return value if isinstance(value, str) else ""


def _first_line(body: YamlMap) -> int:
    """The line of the first key as it stands in this document; a merged key stands where its anchor is, above."""
    return max(body.line, next(iter(body.lines.values()), 0))
