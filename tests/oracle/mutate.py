"""Random edits: the head of a pull request, made from its base."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.oracle import admin_policies, clusters, policies
from tests.oracle.reading import ADMIN_GROUP, HASH_LABEL, TEMPLATES, Document, group_kind, is_workload, namespace_of, template_of

Documents = list[Document]
NETWORK_POLICY = ("networking.k8s.io", "NetworkPolicy")


def mutate(rng: Random, documents: Documents) -> Documents:
    """A copy of the documents with one to four edits, each of which leaves objects that the API server would accept."""
    head = deepcopy(documents)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice(EDITS)(rng, head)
    return head


def add_policy(rng: Random, documents: Documents) -> None:
    """A new policy appears."""
    taken = {document["metadata"]["name"] for document in documents}
    name = next(name for name in (f"new{index}" for index in range(9)) if name not in taken)
    documents.append(clusters.policy(rng, name, _namespaces(documents)))


def remove_policy(rng: Random, documents: Documents) -> None:
    """A policy goes."""
    _remove(rng, documents, lambda document: group_kind(document) == NETWORK_POLICY)


def edit_policy(rng: Random, documents: Documents) -> None:
    """A policy gets another subject, other types, or another list of rules."""
    policy = _pick(rng, documents, lambda document: group_kind(document) == NETWORK_POLICY)
    if policy is None:
        return
    other = policies.network_policy(rng, {})["spec"]
    for field in rng.sample(("podSelector", "policyTypes", "ingress", "egress"), rng.choice((1, 1, 2))):
        policy["spec"].pop(field, None)
        if field in other:
            policy["spec"][field] = other[field]


def edit_rule(rng: Random, documents: Documents) -> None:
    """A rule is added, dropped, or loses or changes one of its parts."""
    policy = _pick(rng, documents, lambda document: group_kind(document) == NETWORK_POLICY)
    if policy is None:
        return
    direction = rng.choice(("ingress", "egress"))
    rules: list[dict[str, Any]] = list(policy["spec"].get(direction) or [])
    if not rules or rng.random() < 0.3:
        rules.append(policies.rule(rng, direction))
    elif rng.random() < 0.3:
        rules.pop(rng.randrange(len(rules)))
    else:
        index, other = rng.randrange(len(rules)), policies.rule(rng, direction)
        part = rng.choice(("ports", "from" if direction == "ingress" else "to"))
        rules[index] = {key: value for key, value in rules[index].items() if key != part} | {k: v for k, v in other.items() if k == part}
    policy["spec"][direction] = rules


def add_admin_policy(rng: Random, documents: Documents) -> None:
    """A new admin policy appears."""
    taken = {document["metadata"]["name"] for document in documents}
    kinds = [kind for kind in admin_policies.KINDS if kind != "BaselineAdminNetworkPolicy" or "default" not in taken]
    name = next(name for name in (f"added-admin{index}" for index in range(9)) if name not in taken)
    documents.append(admin_policies.policy(rng, rng.choice(kinds), name))


def remove_admin_policy(rng: Random, documents: Documents) -> None:
    """An admin policy goes."""
    _remove(rng, documents, _is_admin)


def edit_admin_policy(rng: Random, documents: Documents) -> None:
    """An admin policy gets another subject, priority, tier, or other rules."""
    policy = _pick(rng, documents, _is_admin)
    if policy is not None:
        other = admin_policies.policy(rng, policy["kind"], "other")["spec"]
        field = rng.choice([field for field in ("subject", "priority", "tier", "ingress", "egress") if field in other])
        policy["spec"][field] = other[field]


def migrate(rng: Random, documents: Documents) -> None:
    """An AdminNetworkPolicy becomes a ClusterNetworkPolicy that says the same."""
    policy = _pick(rng, documents, lambda document: document["kind"] == "AdminNetworkPolicy")
    if policy is not None:
        documents[documents.index(policy)] = admin_policies.migrated(policy)


def relabel_workload(rng: Random, documents: Documents) -> None:
    """The pods of a workload get other labels."""
    workload = _pick_workload(rng, documents)
    if workload is None:
        return
    metadata = template_of(workload)["metadata"]
    hashes = {key: value for key, value in (metadata.get("labels") or {}).items() if key == HASH_LABEL}
    metadata["labels"] = clusters.labels(rng, least=1) | hashes
    if workload["kind"] != "Pod":
        clusters.set_selector(workload, metadata["labels"])


def change_namespace(rng: Random, documents: Documents) -> None:
    """A Namespace object appears, goes, or gets other labels."""
    name = rng.choice(_namespaces(documents))
    present = [document for document in documents if group_kind(document) == ("", "Namespace") and document["metadata"]["name"] == name]
    for document in present:
        documents.remove(document)
    if not present or rng.random() < 0.6:
        documents.append(clusters.namespace(rng, name))


def change_ports(rng: Random, documents: Documents) -> None:
    """A container port is renamed or renumbered, or the containers are replaced."""
    workload = _pick_workload(rng, documents)
    if workload is None:
        return
    spec = template_of(workload)["spec"]
    ports = [port for container in spec["containers"] for port in container.get("ports", [])]
    if ports and rng.random() < 0.7:
        port = rng.choice(ports)
        port["containerPort"] = rng.choice(clusters.PORT_NUMBERS)
    else:
        spec["containers"] = [clusters.container(rng, "c0")]


def change_host_network(rng: Random, documents: Documents) -> None:
    """A workload moves to the host network or leaves it."""
    workload = _pick_workload(rng, documents)
    if workload is None:
        return
    spec = template_of(workload)["spec"]
    spec["hostNetwork"] = not spec.get("hostNetwork")


def swap_host_network(rng: Random, documents: Documents) -> None:
    """Two workloads, one on the host network and one not, change places: what is unsettled between them stays so, for another reason."""
    specs = [template_of(document)["spec"] for document in documents if is_workload(document)]
    on_host = [spec for spec in specs if spec.get("hostNetwork")]
    others = [spec for spec in specs if not spec.get("hostNetwork")]
    if others:
        (rng.choice(on_host) if on_host else rng.choice(others))["hostNetwork"] = not on_host
        rng.choice(others)["hostNetwork"] = True


def add_workload(rng: Random, documents: Documents) -> None:
    """A workload appears."""
    taken = {document["metadata"]["name"].partition("-")[0] for document in documents}
    name = next(name for name in (f"added{index}" for index in range(9)) if name not in taken)
    documents += clusters.workload(rng, rng.choice(_namespaces(documents)), name)


def remove_workload(rng: Random, documents: Documents) -> None:
    """A workload, or some of its pods, goes."""
    _remove(rng, documents, is_workload)


EDITS: tuple[Callable[[Random, Documents], None], ...] = (
    *(add_policy, remove_policy, edit_policy, edit_policy, edit_rule, edit_rule, edit_rule, relabel_workload, change_namespace),
    *(add_admin_policy, edit_admin_policy, edit_admin_policy, remove_admin_policy, migrate),
    *(change_ports, change_host_network, swap_host_network, add_workload, remove_workload),
)


def _is_admin(document: Document) -> bool:
    return group_kind(document)[0] == ADMIN_GROUP


def _pick(rng: Random, documents: Documents, wanted: Callable[[Document], bool]) -> Document | None:
    candidates = [document for document in documents if wanted(document)]
    return rng.choice(candidates) if candidates else None


def _pick_workload(rng: Random, documents: Documents) -> Document | None:
    return _pick(rng, documents, is_workload)


def _remove(rng: Random, documents: Documents, wanted: Callable[[Document], bool]) -> None:
    picked = _pick(rng, documents, wanted)
    if picked is not None:
        documents.remove(picked)


def _namespaces(documents: Documents) -> list[str]:
    placed = {namespace_of(document) for document in documents if group_kind(document) in {*TEMPLATES, NETWORK_POLICY}}
    return sorted(placed) or ["default"]
