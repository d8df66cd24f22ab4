"""The kinds that make pods, and where each keeps its pod template: a new kind is a row here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkloadKind:
    """A kind with a pod template at a fixed path; the empty path means that the object is the pod itself."""

    groups: frozenset[str]
    kind: str
    template: tuple[str, ...] = ("spec", "template")


# extensions/v1beta1 is long gone from the API and still common in repositories; its workloads became those of apps/v1.
_APPS = frozenset({"apps", "extensions"})

WORKLOAD_KINDS: tuple[WorkloadKind, ...] = (
    WorkloadKind(frozenset({""}), "Pod", ()),
    WorkloadKind(frozenset({""}), "ReplicationController"),
    WorkloadKind(_APPS, "Deployment"),
    WorkloadKind(_APPS, "ReplicaSet"),
    WorkloadKind(_APPS, "DaemonSet"),
    WorkloadKind(_APPS, "StatefulSet"),
    WorkloadKind(frozenset({"batch"}), "Job"),
    WorkloadKind(frozenset({"batch"}), "CronJob", ("spec", "jobTemplate", "spec", "template")),
)

WORKLOADS_BY_KIND: dict[tuple[str, str], WorkloadKind] = {(group, row.kind): row for row in WORKLOAD_KINDS for group in row.groups}
