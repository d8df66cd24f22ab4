"""Readings of revisions together with what runs in their cluster and none of them declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Final

from msgspec.structs import replace

from analyzers.baseline.resuming import Reading
from analyzers.manifests.running import Besides, Running, beside, declared_by
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest
from analyzers.model.records import Identity, NamespaceMeaning, ObjectRecord, PodMeaning, PolicyMeaning

_MOST_NAMED: Final = 5


def with_running(
    readings: Sequence[Reading], running: Running | None, interpret: Callable[[Manifest], ObjectRecord]
) -> tuple[Reading, ...]:
    """The readings with what runs beside them; as they are where nothing is known to run."""
    if running is None:
        return tuple(readings)
    declared = [declared_by(each.objects) for each in readings]
    found = beside([interpret(each) for each in running.manifests], reduce(or_, declared))
    told = (*(note for each in (*found.records, *found.left_out) for note in each.diagnostics), *_notes(running, found))
    both = [replace(each, objects=(*each.objects, *found.records), diagnostics=(*each.diagnostics, *told)) for each in readings]
    if len(both) > 1 and (adopted := (declared[-1].workloads - declared[0].workloads) & found.matched):
        told_of_head = (*both[-1].diagnostics, _adopted(adopted))
        both[-1] = replace(both[-1], diagnostics=told_of_head)
    return tuple(both)


def _notes(running: Running, found: Besides) -> Iterator[Diagnostic]:
    policies = sum(len(each.meaning.policies) for each in found.records if isinstance(each.meaning, PolicyMeaning))
    counts = (
        f"{_counted(len(found.workloads), 'workload', 's')} and {_counted(policies, 'polic', 'ies', 'y')} that run and are not declared"
    )
    age = f", {running.said}" if running.said else ""
    yield Diagnostic("inventory", f"judged beside {counts}, of {running.name}{age}")
    known = {each.key.name for each in found.records if isinstance(each.meaning, NamespaceMeaning)}
    known |= {each.name for each in running.manifests if each.kind == "Namespace"}
    used = {each.key.namespace for each in found.records if isinstance(each.meaning, PodMeaning)}
    if lacking := sorted(used - known):
        problem = f"{running.name} holds no Namespace {_named(lacking)}, in which workloads run: the labels of namespaces are not known"
        yield Diagnostic("inventory-partial", problem)


def _adopted(adopted: Iterable[Identity]) -> Diagnostic:
    names = sorted(f"{each.namespace}/{each.name}[{each.kind}]" for each in adopted)
    return Diagnostic("already-running", f"runs already, and is compared as new because base does not declare it: {_named(names)}")


def _counted(number: int, noun: str, many: str, one: str = "") -> str:
    return f"{number:,} {noun}{one if number == 1 else many}"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
