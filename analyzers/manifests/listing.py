"""What a tree lists, and where its links lead. Links are never followed; what a link stands for is read in its own place, or reported."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from posixpath import dirname, splitext
from typing import Final

from analyzers.manifests.templates import above
from analyzers.manifests.tree import Entry, EntryKind
from analyzers.model.diagnostics import Diagnostic

MANIFEST_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})

_MOST_LINKS: Final = 40
"""Links that may lead to links before they count as a loop, as on Linux."""


def is_manifest_name(path: str) -> bool:
    """Whether a file of this name is read."""
    return splitext(path)[1].lower() in MANIFEST_SUFFIXES


class Listing:
    """The paths of a tree."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        by_kind: dict[EntryKind, list[Entry]] = {kind: [] for kind in EntryKind}
        for entry in sorted(entries, key=lambda entry: entry.path):
            by_kind[entry.kind].append(entry)
        self.files, self.links, self.submodules = (tuple(by_kind[kind]) for kind in (EntryKind.FILE, EntryKind.LINK, EntryKind.SUBMODULE))
        self._files = frozenset(entry.path for entry in self.files)
        self._targets = {entry.path: entry.target for entry in self.links}

    def is_read(self, path: str) -> bool:
        """Whether a path is a manifest file of this tree."""
        return path in self._files and is_manifest_name(path)

    def is_file(self, path: str) -> bool:
        """Whether a path is a file of this tree, of whatever name."""
        return path in self._files

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder of this tree, its root included."""
        return path in self.folders

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder of this tree; its root is the empty path."""
        return _folders(entry.path for entry in (*self.files, *self.links, *self.submodules))

    def resolve(self, folder: str, target: str) -> str | None:
        """The path that `target` means when it stands in `folder`, through any links; None when that leaves the tree or goes in circles."""
        if not target or target.startswith("/"):
            return None
        ahead, path, followed = [*reversed(target.split("/")), *reversed(folder.split("/"))], "", 0
        while ahead:
            step = ahead.pop()
            if step in ("", "."):
                continue
            if step == "..":
                if not path:
                    return None
                path = dirname(path)
                continue
            path = f"{path}/{step}" if path else step
            if path in self._targets:
                followed += 1
                if followed > _MOST_LINKS or self._targets[path].startswith("/"):
                    return None
                ahead += reversed(self._targets[path].split("/"))
                path = dirname(path)
        return path

    def diagnostics(self) -> Iterable[Diagnostic]:
        """What links and submodules leave unread. Links that could only lead to other files than manifests are passed over."""
        for entry in self.submodules:
            yield Diagnostic("not-followed", "a submodule: its content belongs to another repository and is not read", entry.path)
        for entry in self.links:
            if (diagnostic := self._link_diagnostic(entry)) is not None:
                yield diagnostic

    def _link_diagnostic(self, link: Entry) -> Diagnostic | None:
        path = self.resolve(dirname(link.path), link.target)
        if path is not None and self.is_folder(path):
            return Diagnostic("link-skipped", f"a link to the folder {path or '.'}, which is read in its own place", link.path)
        if path is not None and path in self._files:
            if not is_manifest_name(link.path):
                return None
            if is_manifest_name(path):
                return Diagnostic("link-skipped", f"a link to {path}, which is read in its own place", link.path)
            return Diagnostic("not-followed", f"a link to {path}, which is not read under that name", link.path)
        if not is_manifest_name(link.path) and splitext(link.path)[1]:
            return None
        return Diagnostic("not-followed", f"a link to {link.target or 'an unknown place'}, which is not in the tree", link.path)


def _folders(paths: Iterable[str]) -> frozenset[str]:
    found = {""}
    for path in paths:
        for folder in above(path):
            if folder in found:
                break
            found.add(folder)
    return frozenset(found)
