"""The inventory of a few namespaces taken again, where all others stay as they are: what makes up a namespace stands in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from analyzers.manifests.inventory import survey
from analyzers.manifests.ways_in import READERS
from analyzers.model.cluster import Cluster
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.records import NamespaceMeaning, ObjectRecord, ServiceMeaning


def home_of(record: ObjectRecord) -> str:
    """The namespace that an object makes up, "" for none."""
    return record.key.name if isinstance(record.meaning, NamespaceMeaning) else record.key.namespace


def is_about_ways(record: ObjectRecord) -> bool:
    """Whether an object is a way in, or part of one."""
    return (record.key.group, record.key.kind) in READERS


def settles_ways(record: ObjectRecord) -> bool:
    """Whether an object has a say in where ways in lead."""
    return is_about_ways(record) or isinstance(record.meaning, (ServiceMeaning, NamespaceMeaning))


def survey_again(cluster: Cluster, namespaces: Collection[str], objects: Iterable[ObjectRecord]) -> tuple[Cluster, tuple[Diagnostic, ...]]:
    """The cluster where some namespaces are made up of these objects, and what was noticed of them. Ways in stay as they are, so none of
    what settles them may have changed."""
    found, notes = survey(each for each in objects if not is_about_ways(each))
    labels = {name: each for name, each in cluster.namespaces.items() if name not in namespaces} | {**found.namespaces}
    workloads = (*(each for each in cluster.workloads if each.namespace not in namespaces), *found.workloads)
    services = (*(each for each in cluster.services if each.namespace not in namespaces), *found.services)
    return (
        Cluster(
            labels,
            tuple(sorted(workloads, key=lambda each: each.id)),
            tuple(sorted(services, key=lambda each: (each.namespace, each.name))),
            cluster.ways_in,
        ),
        notes,
    )
