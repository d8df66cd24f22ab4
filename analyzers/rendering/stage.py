"""The stage before the analysis: from a tree to what is analysed of it, one source for each cluster. A tree that needs no rendering passes
through as it is, and what renders is not even imported for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct, field

from analyzers.configuration import AnalysisSettings
from analyzers.manifests.kustomizations import NAMES
from analyzers.manifests.limits import DEFAULT_LIMITS, Limits
from analyzers.manifests.prescan import Wanted
from analyzers.manifests.templates import CHART
from analyzers.manifests.tree import Entry, PartialTree, Tree
from analyzers.rendering.limits import RenderLimits
from analyzers.rendering.source import Prepared
from analyzers.rendering.tools import Tools
from analyzers.units.clusters import Convention, cluster_of, named_cluster_of

if TYPE_CHECKING:
    from analyzers.units.unit import Plan

_RENDERED: Final = NAMES | {CHART}

Observer = Callable[[str, int, int], None]


class Outputs(Protocol):
    """Keeps what renderers wrote. It may forget any of it, and never gives it for another name."""

    def recall_output(self, name: str) -> bytes | None:
        """The output of this name, if it is known."""
        ...

    def keep_output(self, name: str, content: bytes) -> None:
        """Remember an output."""
        ...


class Rendering(Struct, frozen=True):
    """How trees are prepared: the programs at hand, what the repository says of itself, its address where that is known, where outputs are
    kept, the limits, and clusters of another revision by which those of this one are told apart too. `divided` says whether the names of
    folders divide a tree of plain files; None leaves it to the objects in it. One that is `staged` is looked into in any case: of folders
    that do not divide it only those below `clusters/` name one."""

    tools: Tools
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    remote: str = ""
    outputs: Outputs | None = None
    limits: RenderLimits = field(default_factory=RenderLimits)
    apart: frozenset[str] = frozenset()
    divided: bool | None = None
    staged: bool = False

    @property
    def convention(self) -> Convention:
        """What names of folders say of clusters."""
        return named_cluster_of if self.staged and not self.divided else cluster_of


class MemoryOutputs:
    """Remembers everything for as long as it lives, in front of what remembers longer. Serves the two sides of one comparison."""

    def __init__(self, behind: Outputs | None = None) -> None:
        self._behind = behind
        self._known: dict[str, bytes] = {}

    def recall_output(self, name: str) -> bytes | None:
        """The output of this name, if it is known here or behind."""
        if name not in self._known and self._behind is not None and (found := self._behind.recall_output(name)) is not None:
            self._known[name] = found
        return self._known.get(name)

    def keep_output(self, name: str, content: bytes) -> None:
        """Remember an output, here and behind."""
        self._known[name] = content
        if self._behind is not None:
            self._behind.keep_output(name, content)


def prepare(tree: Tree, rendering: Rendering, wanted: Wanted, observe: Observer, limits: Limits = DEFAULT_LIMITS) -> Prepared:
    """What is analysed of a tree: its units rendered, the rest as it is. `wanted` are the kinds that take part in the analysis."""
    entries = tuple(tree.entries())
    if passes(entries, rendering):
        return Prepared.whole(PartialTree(tree, entries))
    from analyzers.rendering.work import Work

    return Work(tree, entries, rendering, wanted, limits).prepared(observe)


def passes(entries: Iterable[Entry], rendering: Rendering) -> bool:
    """Whether neither configuration nor any file of a tree asks for more than reading it as it is."""
    return not rendering.staged and not rendering.settings.decides_units and not is_rendered(entry.path for entry in entries)


def plan_of(tree: Tree, rendering: Rendering, limits: Limits = DEFAULT_LIMITS) -> Plan:
    """What would be read and rendered of a tree, and why. Nothing is rendered."""
    from analyzers.rendering.work import plan

    return plan(tree, tuple(tree.entries()), rendering, limits)


def plain_plan(tree: Tree) -> Plan:
    """The plan of a tree of plain files that are read as one."""
    from analyzers.rendering.work import plain

    return plain(tree)


def is_rendered(paths: Iterable[str]) -> bool:
    """Whether a tree holds anything that a renderer could make something of."""
    return not _RENDERED.isdisjoint(path.rpartition("/")[2] for path in paths)
