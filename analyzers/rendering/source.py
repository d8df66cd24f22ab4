"""What is analysed: of each cluster the files that are read as they are and the objects that were rendered; and of a comparison, the units
that both sides could render."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from analyzers.manifests.load import Loaded
from analyzers.manifests.tree import EmptyTree, PartialTree, Tree
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest
from analyzers.model.records import ObjectRecord

if TYPE_CHECKING:
    from analyzers.units.unit import Cluster, Elsewhere, RendererName, Unit

    UnitKey = tuple[RendererName, str, str, str, tuple[str, ...]]


class Source(Struct, frozen=True, eq=False):
    """What is analysed of one cluster: files, and rendered objects at their places in the files that they were made from. `diagnostics` are
    those of discovery and rendering. `passed` says that nothing was rendered or left out: the files are the whole tree; `rendered_from` is
    how many files units were rendered from, and `loaded` what the files hold, where they were read already."""

    cluster: Cluster
    files: Tree
    manifests: tuple[Manifest, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    passed: bool = False
    rendered_from: int = 0
    loaded: Loaded[ObjectRecord] | None = None


class UnitResult(Struct, frozen=True, eq=False):
    """One unit: its objects, or None where it could not be rendered, and its diagnostics, which then say why. `deploying` are those of its
    objects that say what else is deployed where."""

    unit: Unit
    manifests: tuple[Manifest, ...] | None
    diagnostics: tuple[Diagnostic, ...]
    deploying: tuple[Manifest, ...] = ()

    @property
    def key(self) -> UnitKey:
        """Names the unit in other revisions too."""
        unit = self.unit
        return (unit.renderer, unit.path, unit.release, unit.moved_to, unit.values)


class Prepared(Struct, frozen=True, eq=False):
    """A tree, prepared: plain files by cluster, the outcome of each unit, diagnostics of the whole tree, and what comes from elsewhere.
    `loaded` is what the whole tree holds, where it is read as it is; `divided` says that the names of its folders divide plain files."""

    files: Mapping[Cluster, PartialTree]
    results: tuple[UnitResult, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    passed: bool = field(default=False)
    loaded: Loaded[ObjectRecord] | None = None
    divided: bool = False

    @classmethod
    def whole(cls, tree: PartialTree) -> Prepared:
        """A tree that is read as it is."""
        return cls({None: tree}, (), passed=True)

    @property
    def failed(self) -> frozenset[UnitKey]:
        """The units that could not be rendered."""
        return frozenset(each.key for each in self.results if each.manifests is None)

    def without(self, keys: frozenset[UnitKey]) -> Prepared:
        """The same without some units: what only one side of a comparison could render tells nothing about the other."""
        return replace(self, results=tuple(each for each in self.results if each.manifests is None or each.key not in keys))

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster, those without a name first."""
        named = {cluster for each in self.results for cluster in each.unit.clusters} | {*self.files}
        return tuple(sorted(named, key=lambda cluster: (cluster is not None, cluster or ""))) or (None,)

    def source(self, cluster: Cluster) -> Source:
        """What is analysed of one cluster. Diagnostics of the whole tree belong to each."""
        of_it = [each for each in self.results if cluster in each.unit.clusters]
        manifests = tuple(manifest for each in of_it for manifest in each.manifests or ())
        diagnostics = (*self.diagnostics, *(note for each in of_it for note in each.diagnostics), *_from_elsewhere(self.elsewhere))
        return Source(cluster, self.files.get(cluster, EmptyTree()), manifests, diagnostics, self.passed, _files_of(of_it), self.loaded)


def alike(base: Prepared, head: Prepared) -> tuple[Prepared, Prepared]:
    """Both sides of a comparison with the units that both could render, and with a word on what comes from elsewhere and differs."""
    before, after = base.without(head.failed), head.without(base.failed)
    known, new = ({(each.title, each.source, each.content) for each in side.elsewhere} for side in (base, head))
    return _differing(before, known - new), _differing(after, new - known)


def _files_of(results: Iterable[UnitResult]) -> int:
    return len({path for each in results if each.manifests is not None for path in each.unit.reads})


def _differing(side: Prepared, changed: set[tuple[str, str, str]]) -> Prepared:
    notes = tuple(
        Diagnostic.at("needs-rendering", f"{each.title} deploys {each.source}, and differs: what changes with it is not known", each.place)
        for each in side.elsewhere
        if (each.title, each.source, each.content) in changed
    )
    return replace(side, diagnostics=(*side.diagnostics, *notes))


def _from_elsewhere(found: Iterable[Elsewhere]) -> Iterable[Diagnostic]:
    return (
        Diagnostic.at("deployed-elsewhere", f"{each.title} deploys {each.source}: its objects are not here", each.place) for each in found
    )
