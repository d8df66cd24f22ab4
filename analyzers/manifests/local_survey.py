"""The inventory of a few namespaces taken again, where all others stay as they are: what makes up a namespace stands in it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable
from operator import attrgetter

from analyzers.manifests.inventory import survey
from analyzers.manifests.ways_in import READERS
from analyzers.model.cluster import Cluster
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.records import NamespaceMeaning, ObjectRecord, ServiceMeaning

_ID, _SERVICE = attrgetter("id"), attrgetter("namespace", "name")


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
    found, notes = survey_of(objects)
    labels = {name: each for name, each in cluster.namespaces.items() if name not in namespaces} | {**found.namespaces}
    workloads = [each for each in cluster.workloads if each.namespace not in namespaces]
    services = [each for each in cluster.services if each.namespace not in namespaces]
    for workload in found.workloads:
        insort(workloads, workload, key=_ID)
    for service in found.services:
        insort(services, service, key=_SERVICE)
    return Cluster(labels, tuple(workloads), tuple(services), cluster.ways_in), notes


def survey_of(objects: Iterable[ObjectRecord]) -> tuple[Cluster, tuple[Diagnostic, ...]]:
    """The inventory of some namespaces, but for ways in, and what was noticed."""
    return survey(each for each in objects if not is_about_ways(each))
