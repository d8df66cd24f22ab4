"""What moves in the inventory of a baseline: the namespaces that changed objects make up are taken again, and all others stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from analyzers.baseline.baseline import Baseline
from analyzers.baseline.surroundings import KeptSurroundings
from analyzers.manifests.inventory import host_network_note
from analyzers.manifests.local_survey import home_of, is_about_ways, settles_ways, survey_again, survey_of
from analyzers.manifests.tree import Tree
from analyzers.model.cluster import Cluster, HostNetwork
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.metadata import GENERATED
from analyzers.model.records import ObjectRecord, PolicyMeaning
from analyzers.reachability.policy_index import Outline
from analyzers.reachability.ports import ADMIN_CONDITIONS


class Moved(Struct, frozen=True, eq=False):
    """The inventory of head, that of base itself where it is the same. `namespaces` were taken again; `before` and `after` are all objects
    that make them up in base and in head, with what was noticed of them; `outlines` are those of the policies of base, if known."""

    cluster: Cluster
    namespaces: frozenset[str] = frozenset()
    outlines: tuple[Outline, ...] | None = None
    before: tuple[ObjectRecord, ...] = ()
    after: tuple[ObjectRecord, ...] = ()
    noticed_before: tuple[Diagnostic, ...] = ()
    noticed_after: tuple[Diagnostic, ...] = ()


class KnownBase(Struct, frozen=True, eq=False):
    """A base that was compared before: its tree, its baseline, and its surroundings where they are kept."""

    tree: Tree
    baseline: Baseline
    surroundings: KeptSurroundings


def moved_objects(base: KnownBase, was: Iterable[ObjectRecord], becomes: Iterable[ObjectRecord], host_network: HostNetwork) -> Moved | None:
    """What becomes of the inventory where some of its objects become others; policies are passed over. None where ways in may lead
    elsewhere, where admin policies may come to be about the same pods, and where the surroundings are not known any more."""
    baseline = base.baseline
    old, new = (_inventory(each) for each in (was, becomes))
    if same_inventory(old, new):
        return Moved(baseline.cluster)
    if not set(ADMIN_CONDITIONS).isdisjoint(baseline.conditions):
        return None
    around = base.surroundings.recall()
    settling = [each for each in (*old, *new) if settles_ways(each)]
    if around is None or (settling and (around.leads_in or any(map(is_about_ways, settling)))):
        return None
    touched = frozenset(home_of(each) for each in (*old, *new))
    before = base.surroundings.objects_of(touched, around)
    if before is None:
        return None
    gone = {(each.key, each.location) for each in old}
    after = sorted((*(each for each in before if (each.key, each.location) not in gone), *new), key=_order)
    there, noticed_before = survey_of(before)
    cluster, noticed_after = survey_again(baseline.cluster, touched, after)
    if any(each.host_network for each in (*there.workloads, *(each for each in cluster.workloads if each.namespace in touched))):
        noticed_before += host_network_note(baseline.cluster, host_network)
        noticed_after += host_network_note(cluster, host_network)
    return Moved(cluster, touched, around.outlines, tuple(before), tuple(after), noticed_before, noticed_after)


def same_inventory(base: Iterable[ObjectRecord], head: Iterable[ObjectRecord]) -> bool:
    """Whether settled objects of two revisions make up the same cluster, lines included, whatever their policies."""
    one, other = ([(each.key, each.location, each.meaning) for each in _inventory(side)] for side in (base, head))
    return one == other


def _inventory(objects: Iterable[ObjectRecord]) -> Sequence[ObjectRecord]:
    return [each for each in objects if not isinstance(each.meaning, PolicyMeaning)]


def _order(record: ObjectRecord) -> tuple[bool, str, int]:
    """The order in which objects settle."""
    return (record.key.name.endswith(GENERATED), record.location.path, record.location.line)
