"""From what units make to what that deploys in turn: a chart of applications, or a kustomization that patches what Flux reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from analyzers.model.diagnostics import Diagnostic
from analyzers.rendering.source import UnitResult
from analyzers.units.deployment import DEPLOYING, as_json, text_at
from analyzers.units.unit import Document, Inputs, RendererName

MOST_LEVELS: Final = 4
"""How often what was made is followed to what that makes."""

_MOST: Final = 1_000
"""Objects that units make and that are followed."""


def made_by(results: Iterable[UnitResult]) -> tuple[Document, ...]:
    """The objects by which rendered units deploy others, in each cluster of the unit. What is read as it is written is known already."""
    found = {
        (each.location.path, each.location.line, cluster or "", as_json(each.body)): Document(
            each.location.path, each.location.line, each.body, cluster
        )
        for result in results
        if result.unit.renderer is not RendererName.PLAIN
        for each in result.deploying
        for cluster in result.unit.clusters
    }
    return tuple(found[key] for key in sorted(found))


def following(inputs: Inputs, results: Iterable[UnitResult], made: tuple[Document, ...]) -> Inputs:
    """What discovery reads once it is known what units make: that, in place of what their files say by themselves."""
    known = [each for each in results if each.manifests is not None and each.unit.renderer is not RendererName.PLAIN]
    files = {path for each in known for path in each.unit.reads}
    written = (each for each in inputs.deployments if each.path not in files or not _deploys(each))
    return replace(inputs, deployments=(*written, *made[:_MOST]), problems=(*inputs.problems, *_cut(made)))


def unsettled(made: tuple[Document, ...]) -> Iterator[Diagnostic]:
    """What is said where what units make goes on changing what is deployed."""
    for each in made[:1]:
        problem = f"what units make deploys others in more than {MOST_LEVELS} steps; the rest is not followed"
        yield Diagnostic("limit-exceeded", problem, each.path, each.line or None)


def _cut(made: tuple[Document, ...]) -> Iterator[Diagnostic]:
    if len(made) > _MOST:
        problem = f"units make {len(made):,} objects that deploy others; only {_MOST:,} are followed"
        yield Diagnostic("limit-exceeded", problem, made[_MOST].path, made[_MOST].line or None)


def _deploys(document: Document) -> bool:
    return (text_at(document.body, "apiVersion").partition("/")[0], text_at(document.body, "kind")) in DEPLOYING
