"""The kinds that make pods, and where each keeps its pod template: a new kind is a row here, or one of configuration."""

from __future__ import annotations

from msgspec import Struct

from analyzers.model.selectors import Labels


class WorkloadKind(Struct, frozen=True):
    """A kind with a pod template at a fixed path; the empty path means that the object is the pod itself.

    `adds` are labels that the controller gives the pods beside those of the template, with `{name}` for the object's own name. A virtual
    machine names its ports at its `interfaces`, a path inside the pod's specification. `borrows` is a field that may name another object
    whose template is used.
    """

    groups: tuple[str, ...]
    kind: str
    template: tuple[str, ...] = ("spec", "template")
    adds: Labels = ()
    interfaces: tuple[str, ...] = ()
    borrows: tuple[str, ...] = ()


# extensions/v1beta1 is long gone from the API and still common in repositories; its workloads became those of apps/v1.
_APPS = ("apps", "extensions")

WORKLOAD_KINDS: tuple[WorkloadKind, ...] = (
    WorkloadKind(("",), "Pod", ()),
    WorkloadKind(("",), "ReplicationController"),
    WorkloadKind(_APPS, "Deployment"),
    WorkloadKind(_APPS, "ReplicaSet"),
    WorkloadKind(_APPS, "DaemonSet"),
    WorkloadKind(_APPS, "StatefulSet"),
    WorkloadKind(("batch",), "Job"),
    WorkloadKind(("batch",), "CronJob", ("spec", "jobTemplate", "spec", "template")),
    # The core group held OpenShift's own kinds before they had groups.
    WorkloadKind(("apps.openshift.io", ""), "DeploymentConfig", adds=(("deploymentconfig", "{name}"),)),
    WorkloadKind(("argoproj.io",), "Rollout", borrows=("spec", "workloadRef")),
    WorkloadKind(
        ("serving.knative.dev",),
        "Service",
        adds=(("serving.knative.dev/configuration", "{name}"), ("serving.knative.dev/service", "{name}")),
    ),
    WorkloadKind(
        ("kubevirt.io",),
        "VirtualMachine",
        adds=(("kubevirt.io", "virt-launcher"), ("vm.kubevirt.io/name", "{name}")),
        interfaces=("domain", "devices", "interfaces"),
    ),
)
