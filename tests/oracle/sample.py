"""A small cluster written by hand, with a bit of everything, for the examiner's own tests."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from tests.oracle.evaluator import Verdict, verdict
from tests.oracle.points import Address
from tests.oracle.reading import Document, read

CLUSTER = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ops, labels: {env: dev, kubernetes.io/metadata.name: other}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop, labels: {app: not-of-the-pods}},
 spec: {template: {metadata: {labels: {app: web, tier: front}}, spec: {containers: [
   {name: a, ports: [{name: http, containerPort: 8080}]},
   {name: b, ports: [{name: http, containerPort: 9090}, {name: dns, containerPort: 53, protocol: UDP}]}]}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db, empty: ""}},
 spec: {containers: [{name: a, ports: [{name: http, containerPort: 5432}]}],
        initContainers: [{name: i, ports: [{name: admin, containerPort: 1}]},
                         {name: s, restartPolicy: Always, ports: [{name: http, containerPort: 2}, {name: side, containerPort: 3}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: node-agent, namespace: ops, labels: {app: agent}}, spec: {hostNetwork: true, containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: tool, namespace: bare, labels: {app: web}}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: probe}, spec: {containers: []}}
"""
WEB, DB, AGENT, TOOL, PROBE = "shop/web[Deployment]", "shop/db[Pod]", "ops/node-agent[Pod]", "bare/tool[Pod]", "default/probe[Pod]"


def cluster(*policies: str, namespace: str = "shop") -> list[Document]:
    """The cluster above with policies, each given as the text of its spec, in `namespace`."""
    documents = list(yaml.safe_load_all(CLUSTER))
    for index, spec in enumerate(policies):
        metadata = {"name": f"p{index}", "namespace": namespace}
        api = "networking.k8s.io/v1"
        documents.append({"apiVersion": api, "kind": "NetworkPolicy", "metadata": metadata, "spec": yaml.safe_load(spec)})
    return documents


def asked(
    documents: list[Document], source: str, destination: str, port: str, host_network: str = "node", pod_cidrs: Sequence[str] = ()
) -> Verdict:
    """The verdict for ends named by workload id or address, and a port such as `80/TCP`."""
    workloads = read(documents).workloads
    ends = [workloads[end][0] if end in workloads else Address.parse(end) for end in (source, destination)]
    number, protocol = port.split("/")
    return verdict(documents, ends[0], ends[1], protocol, int(number), host_network, pod_cidrs)


def owned_pod(name: str, labels: dict[str, str], kind: str, owner: str, controller: bool = True) -> Document:
    """A pod in namespace shop with one owner."""
    reference = {"apiVersion": "x/v1", "kind": kind, "name": owner, "uid": "u", "controller": controller}
    metadata = {"name": name, "namespace": "shop", "labels": labels, "ownerReferences": [reference]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}}


def templated(kind: str, api: str, name: str, *owner: str) -> Document:
    """A workload in namespace shop, perhaps with a controller given as kind and name."""
    metadata: Document = {"name": name, "namespace": "shop"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {"template": {"metadata": {"labels": {"from": name}}}}}
