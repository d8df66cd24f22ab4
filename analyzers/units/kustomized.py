"""Kustomizations with all that they include: what each reads, whether it changes objects, and why it must not be rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import dirname

from msgspec import Struct

from analyzers.manifests.kustomizations import changing_fields
from analyzers.model.diagnostics import Diagnostic
from analyzers.units.references import Named, is_component, named_by, plugin_files
from analyzers.units.unit import Document, Inputs


class Closure(Struct, frozen=True):
    """A kustomization and all that it includes: every file that it reads, those that hold objects, data files that the tree lacks, files of
    objects that it lacks with a word on each, files of plugins, the folders that it includes, whether anything in it changes objects, and
    what is refused."""

    reads: frozenset[str]
    objects: frozenset[str]
    absent: frozenset[str]
    lost: tuple[tuple[str, Diagnostic], ...]
    plugins: frozenset[str]
    folders: frozenset[str]
    changes: bool
    refusals: tuple[Diagnostic, ...]


class Kustomized:
    """The kustomizations of a tree."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._named: Mapping[str, Named] = {
            folder: named_by(document, inputs.listing) for folder, document in inputs.kustomizations.items()
        }
        self._closures: dict[str, Closure] = {}

    def roots(self) -> tuple[str, ...]:
        """The folders of kustomizations that no other includes. Of those that include each other in a circle, all."""
        included = {inner for folder, named in self._named.items() for inner in named.folders if inner != folder}
        whole = [folder for folder in sorted(self._named) if not is_component(self._inputs.kustomizations[folder])]
        roots = [folder for folder in whole if folder not in included]
        reached = {inner for folder in roots for inner in self.closure(folder).folders}
        return (*roots, *(folder for folder in whole if folder not in reached and folder not in roots))

    def closure(self, folder: str) -> Closure:
        """A kustomization with all that it includes."""
        if folder not in self._closures:
            self._closures[folder] = self._closed(folder)
        return self._closures[folder]

    def _closed(self, folder: str) -> Closure:
        folders = self._included(folder)
        documents = [self._inputs.kustomizations[each] for each in folders]
        named = [self._named[each] for each in folders]
        refusals = [refusal for each in named for refusal in each.refusals]
        refusals += (refusal for each in folders for refusal in self._without_kustomization(each))
        if (circle := self._circle(folder)) is not None:
            refusals.append(Diagnostic("render-refused", "includes itself", self._inputs.kustomizations[circle].path, 1))
        return Closure(
            reads=frozenset({each.path for each in documents}.union(*(each.files for each in named))),
            objects=frozenset().union(*(each.objects for each in named)),
            absent=frozenset().union(*(each.absent for each in named)),
            lost=tuple(sorted({path: why for each in named for path, why in each.lost}.items())),
            plugins=frozenset().union(*(self._plugins(document, each) for document, each in zip(documents, named, strict=True))),
            folders=frozenset(folders),
            changes=any(True for each in documents for _ in changing_fields(each.body)),
            refusals=tuple(dict.fromkeys(refusals)),
        )

    def _included(self, folder: str) -> list[str]:
        """A folder and all folders with kustomizations that it includes, in a steady order."""
        seen: dict[str, None] = {}
        ahead = [folder]
        while ahead:
            here = ahead.pop()
            if here not in seen:
                seen[here] = None
                ahead += sorted(self._named[here].folders & self._named.keys())
        return list(seen)

    def _without_kustomization(self, folder: str) -> Iterator[Diagnostic]:
        path = self._inputs.kustomizations[folder].path
        for inner in sorted(self._named[folder].folders - self._named.keys()):
            yield Diagnostic("render-refused", f"names the folder {inner or '.'}, which has no kustomization", path, 1)

    def files_beside(self, folder: str) -> frozenset[str]:
        """What the kustomization of one folder names itself."""
        return self._named[folder].files

    def _plugins(self, document: Document, named: Named) -> set[str]:
        targets = {each.target for each in plugin_files(document)}
        listing, folder = self._inputs.listing, dirname(document.path)
        places = {listing.resolve(folder, target) for target in targets}
        return {path for path in named.files if path in places}

    def _circle(self, start: str) -> str | None:
        """A kustomization below `start` that includes itself, looked for depth first."""
        done: set[str] = set()
        path: dict[str, None] = {}
        ahead: list[tuple[str, bool]] = [(start, False)]
        while ahead:
            folder, leaving = ahead.pop()
            if leaving:
                done.add(path.popitem()[0])
            elif folder in path:
                return folder
            elif folder not in done:
                path[folder] = None
                ahead.append((folder, True))
                ahead += [(inner, False) for inner in self._named[folder].folders if inner in self._named]
        return None
