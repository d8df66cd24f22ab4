"""Random clusters, small and nasty: few words, used everywhere, so that selectors hit, names collide and absence matters."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from tests.oracle.admin_policies import admin_policies
from tests.oracle.policies import network_policy
from tests.oracle.reading import HASH_LABEL, NAME_LABEL, Document, Labels, is_workload, template_of

NAMESPACES = ("default", "shop", "data", "kube-system")
LABEL_VALUES = {
    "app": ("web", "api", "db"),
    "tier": ("front", "back", ""),
    "example.com/team": ("a", "B_2.x"),
    "canary": ("on", "017", "true"),
    "env": ("prod", "dev", "null"),
}
PORT_NAMES = ("http", "metrics", "dns")
PORT_NUMBERS = (1, 53, 80, 81, 443, 8080, 8081, 9090, 65535)
PROTOCOLS = ("TCP", "TCP", "UDP", "SCTP")
TEMPLATED = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "ReplicationController": "v1",
}


def cluster(rng: Random) -> list[Document]:
    """The documents of one cluster, each of which the API server would accept, in random order."""
    namespaces = rng.sample(NAMESPACES, rng.choice((1, 1, 2, 2, 3, 4)))
    documents = [namespace(rng, name) for name in namespaces if rng.random() < 0.6]
    for index in range(rng.randint(1, 6)):
        documents += workload(rng, rng.choice(namespaces), f"w{index}")
    copied = [document for document in documents if is_workload(document) and rng.random() < 0.25]
    documents += [twin(rng, document, f"t{index}") for index, document in enumerate(copied)]
    documents += [policy(rng, f"p{index}", namespaces) for index in range(rng.choice((0, 1, 2, 3, 4, 5, 6)))]
    if rng.random() < 0.6:
        documents += admin_policies(rng)
    documents += [bystander(rng, rng.choice(namespaces)) for _ in range(rng.choice((0, 0, 1)))]
    rng.shuffle(documents)
    return documents


def namespace(rng: Random, name: str) -> Document:
    """A Namespace object; what it says about its name label does not count."""
    metadata: dict[str, Any] = {"name": name}
    labels = {key: rng.choice(LABEL_VALUES[key]) for key in ("env", "example.com/team") if rng.random() < 0.5}
    if rng.random() < 0.3:
        labels[NAME_LABEL] = rng.choice((name, "elsewhere"))
    if labels or rng.random() < 0.3:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def policy(rng: Random, name: str, namespaces: list[str]) -> Document:
    """A NetworkPolicy in one of the namespaces."""
    place = rng.choice(namespaces)
    return network_policy(rng, _placed(rng, {"name": name}, place))


def bystander(rng: Random, place: str) -> Document:
    """An object that decides nothing, though it looks as if it might."""
    selector = labels(rng)
    service = {"ports": [{"port": 80, "targetPort": "http"}], "selector": selector}
    return rng.choice(
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": _placed(rng, {"name": "svc"}, place), "spec": service},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _placed(rng, {"name": "settings"}, place), "data": {"kind": "Pod"}},
            {"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": _placed(rng, {"name": "w0"}, place), "spec": {}},
        )
    )


def workload(rng: Random, place: str, name: str) -> list[Document]:
    """The documents of one workload: a bare Pod, a kind with a template, or pods of a cluster dump that count as their owner's."""
    choice = rng.random()
    if choice < 0.2:
        return [bare_pod(rng, place, name)]
    if choice < 0.35:
        return owned_pods(rng, place, name)
    if choice < 0.42:
        return cron_job_with_jobs(rng, place, name)
    return [templated(rng, rng.choice(list(TEMPLATED)), place, name)]


def twin(rng: Random, document: Document, name: str) -> Document:
    """Another workload, of the same kind or a bare Pod, whose pods are just like those of the given one."""
    copied = deepcopy(document)
    if document["kind"] == "Pod" or rng.random() < 0.5:
        copied["metadata"]["name"] = name
        return copied
    template = template_of(copied)
    metadata = {key: value for key, value in copied["metadata"].items() if key == "namespace"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **template["metadata"], "name": name}, "spec": template["spec"]}


def labels(rng: Random, least: int = 0) -> Labels:
    """Random labels of a pod, at least so many."""
    keys = [key for key in ("app", "tier", "example.com/team", "canary") if rng.random() < 0.5]
    return {key: rng.choice(LABEL_VALUES[key]) for key in keys or ["app"][:least]}


def pod_spec(rng: Random) -> Document:
    """A pod's spec; now and then on the host network or with init containers, of which only sidecars name ports."""
    spec: Document = {"containers": [container(rng, f"c{index}") for index in range(rng.choice((1, 2)))]}
    if rng.random() < 0.25:
        spec["initContainers"] = [container(rng, f"init{index}") for index in range(rng.choice((1, 2)))]
        for init in spec["initContainers"]:
            if rng.random() < 0.6:
                init["restartPolicy"] = "Always"
    if rng.random() < 0.12:
        spec["hostNetwork"] = rng.random() < 0.85
    return spec


def container(rng: Random, name: str) -> Document:
    """A container; port names are unique in it, and may repeat in the next one at another number or protocol."""
    made: Document = {"name": name, "image": "registry.example/app:1"}
    ports = []
    for port_name in rng.sample((*PORT_NAMES, None, None), rng.choice((0, 1, 2, 2, 3))):
        port: Document = {"containerPort": rng.choice(PORT_NUMBERS)}
        protocol = rng.choice((None, *PROTOCOLS))
        if protocol:
            port["protocol"] = protocol
        if port_name:
            port["name"] = port_name
        ports.append(port)
    if ports:
        made["ports"] = ports
    return made


def bare_pod(rng: Random, place: str, name: str) -> Document:
    """A Pod that counts as itself: without an owner, with one that does not control it, or a mirror pod of a Node."""
    metadata = _placed(rng, {"name": name}, place, labels(rng))
    references = rng.choice((None, None, [], [_owner("Deployment", name, controller=False)], [_owner("Node", "node-1")]))
    if references is not None:
        metadata["ownerReferences"] = references
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(rng)}


def templated(rng: Random, kind: str, place: str, name: str) -> Document:
    """A workload of a kind with a pod template."""
    made: Document = {"apiVersion": TEMPLATED[kind], "kind": kind, "metadata": _placed(rng, {"name": name}, place, {"app": "misleading"})}
    template = {"metadata": {"labels": labels(rng, least=1)}, "spec": pod_spec(rng)}
    if kind in {"Job", "CronJob"}:
        template["spec"]["restartPolicy"] = "Never"
    job: Document = {"template": template}
    made["spec"] = {"schedule": "@daily", "jobTemplate": {"spec": job}} if kind == "CronJob" else job
    if TEMPLATED[kind] != "batch/v1":
        made["spec"]["replicas"] = rng.choice((0, 1, 3))
    set_selector(made, template["metadata"]["labels"])
    return made


def set_selector(document: Document, pod_labels: Labels) -> None:
    """Make the workload select its own pods, as the API server demands of the kinds that have a selector."""
    if document["apiVersion"] == "apps/v1":
        document["spec"]["selector"] = {"matchLabels": dict(pod_labels)}
        if document["kind"] == "DaemonSet":
            document["spec"].pop("replicas", None)
    elif document["kind"] == "ReplicationController":
        document["spec"]["selector"] = dict(pod_labels)


def owned_pods(rng: Random, place: str, name: str) -> list[Document]:
    """Pods of a controller: its manifest beside them or not, labels of their own, through a ReplicaSet or not."""
    kind = rng.choice(("Deployment", "Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"))
    documents = [templated(rng, kind, place, name)] if rng.random() < 0.5 else []
    owner, extra = _owner(kind, name), {}
    if kind == "Deployment":
        extra = {HASH_LABEL: "5d4f8c7b9"}
        owner = _owner("ReplicaSet", f"{name}-5d4f8c7b9")
        if rng.random() < 0.3:
            documents.append(_replica_set(rng, place, name, extra))
    for index in range(rng.choice((1, 2, 2, 3))):
        pod = bare_pod(rng, place, f"{name}-{index}")
        pod["metadata"]["labels"] = {**pod["metadata"].get("labels", {}), **extra}
        pod["metadata"]["ownerReferences"] = [owner]
        documents.append(pod)
    return documents


def _replica_set(rng: Random, place: str, name: str, extra: Labels) -> Document:
    made = templated(rng, "ReplicaSet", place, f"{name}-5d4f8c7b9")
    made["metadata"]["ownerReferences"] = [_owner("Deployment", name)]
    made["spec"]["template"]["metadata"]["labels"] |= extra
    set_selector(made, made["spec"]["template"]["metadata"]["labels"])
    return made


def cron_job_with_jobs(rng: Random, place: str, name: str) -> list[Document]:
    """A CronJob, a Job that it made, and perhaps a pod of that Job."""
    documents = [templated(rng, "CronJob", place, name), templated(rng, "Job", place, f"{name}-1")]
    documents[1]["metadata"]["ownerReferences"] = [_owner("CronJob", name)]
    if rng.random() < 0.5:
        pod = bare_pod(rng, place, f"{name}-1-x")
        pod["metadata"]["labels"] = {**pod["metadata"].get("labels", {}), "job-name": f"{name}-1"}
        pod["metadata"]["ownerReferences"] = [_owner("Job", f"{name}-1")]
        documents.append(pod)
    return documents[rng.choice((0, 0, 1)) :]


def _owner(kind: str, name: str, controller: bool = True) -> Document:
    api = {"Node": "v1"}.get(kind) or TEMPLATED[kind]
    reference: Document = {"apiVersion": api, "kind": kind, "name": name, "uid": f"uid-{name}"}
    return {**reference, "controller": True} if controller else reference


def _placed(rng: Random, metadata: Document, place: str, with_labels: Labels | None = None) -> Document:
    """Metadata with a namespace (`default` may go without saying) and labels."""
    if place != "default" or rng.random() < 0.5:
        metadata["namespace"] = place
    if with_labels:
        metadata["labels"] = with_labels
    return metadata
