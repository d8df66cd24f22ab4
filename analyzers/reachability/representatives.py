"""Representatives: for what policies select and no known workload is, a pod that could exist.

A representative has exactly the labels that a selector asks for. Its namespace is the one that the selector means, where it asks for a
label or a name and a single known namespace has it; else one is made up, which no policy of a namespace is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzers.model.cluster import NAMESPACE_NAME_LABEL, Cluster, NamedPort, PodShape
from analyzers.model.policy import PodPeer, Policy
from analyzers.model.representative import REPRESENTATIVE, Representative
from analyzers.model.selectors import Labels, Operator, Requirement, canonical_labels
from analyzers.reachability.compiled import port_space
from analyzers.reachability.index import PodIndex
from analyzers.reachability.label_sets import Fresh, LabelSet, fresh_among, holds, is_empty, label_set, pins_down, values_named, witness
from analyzers.reachability.policy_index import peers_of
from analyzers.reachability.ports import PortSpace, names_a_port
from analyzers.reachability.universe import Snapshot, Universe

MOST_REPRESENTATIVES = 2_000
"""Representatives of one comparison; the others, by how their selectors read, are counted."""

_HAS_A_NAME = Requirement(NAMESPACE_NAME_LABEL, Operator.EXISTS)


class Meaning(Struct, frozen=True):
    """Which pods a peer or a subject means: labels of the pod, and of its namespace. Equal exactly when the same pods could be meant."""

    pods: LabelSet
    namespaces: LabelSet


class Chosen(Struct, frozen=True):
    """The representatives, by id. `impossible` are selectors that no pod can meet; `left_out` counts those above the cap."""

    representatives: tuple[Representative, ...] = ()
    impossible: tuple[str, ...] = ()
    left_out: int = 0


def meaning(peer: PodPeer) -> Meaning:
    """Which pods a peer means, whatever it is called."""
    return Meaning(label_set(peer.pods.requirements), label_set((*_namespaces(peer), _HAS_A_NAME)))


def meets(peer: PodPeer, labels: Labels, namespace_labels: Labels) -> bool:
    """Whether a peer means a pod with these labels in a namespace with those."""
    within = peer.namespaces
    found = dict(namespace_labels)
    there = found[NAMESPACE_NAME_LABEL] == within if isinstance(within, str) else within.matches(found)
    return there and peer.pods.matches(dict(labels))


def choose(policies: Sequence[Iterable[Policy]], clusters: Sequence[Cluster], indices: Sequence[PodIndex]) -> Chosen:
    """The representatives of what some policies of each revision select and that revision does not have."""
    unmatched: dict[Meaning, set[str]] = defaultdict(set)
    requirements: list[Requirement] = []
    for index, of_revision in zip(indices, policies, strict=True):
        for peer in dict.fromkeys(peer for policy in of_revision for peer in peers_of(policy)):
            requirements += (*peer.pods.requirements, *_namespaces(peer))
            if not index.select(peer):
                unmatched[meaning(peer)].add(str(peer))
    named = values_named(requirements)
    names = frozenset(name for cluster in clusters for name in cluster.namespaces)
    named[NAMESPACE_NAME_LABEL] = named.get(NAMESPACE_NAME_LABEL, set()) | names
    chooser = _Chooser(clusters, names, fresh_among(named))
    found = {min(texts, key=lambda text: (len(text), text)): chooser.representative(meant) for meant, texts in unmatched.items()}
    meant_by = {min(texts, key=lambda text: (len(text), text)): meant for meant, texts in unmatched.items()}
    texts = sorted(text for text, pod in found.items() if pod is not None)
    made = [replace(pod, selector=text) for text in texts[:MOST_REPRESENTATIVES] if (pod := found[text]) is not None]
    namespaces = {text: meant.namespaces for text, meant in meant_by.items()}
    housed = tuple(sorted(_housed(made, namespaces), key=lambda pod: pod.id))
    return Chosen(housed, tuple(sorted(found.keys() - set(texts))), len(texts) - len(housed))


def _housed(pods: Iterable[Representative], meant: Mapping[str, LabelSet]) -> Iterator[Representative]:
    """The pods, those in a namespace of one name that no revision has together in one that all of them ask for; who asks for another one
    is left out."""
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    guests: dict[str, list[Representative]] = defaultdict(list)
    for pod in pods:
        if not pod.made_up or pod.namespace != pod.name:
            yield pod
            continue
        united = labels[pod.name] | dict(pod.namespace_labels)
        if all(holds(meant[each.selector], united) for each in (*guests[pod.name], pod)):
            labels[pod.name] = united
            guests[pod.name].append(pod)
    yield from (replace(pod, namespace_labels=canonical_labels(labels[name])) for name, there in guests.items() for pod in there)


class _Chooser:
    """Makes pods that selectors mean."""

    def __init__(self, clusters: Sequence[Cluster], names: frozenset[str], fresh: Fresh) -> None:
        self._clusters, self._names, self._fresh = clusters, names, fresh
        self._labels: dict[LabelSet, Labels | None] = {}

    def representative(self, meant: Meaning) -> Representative | None:
        """A pod that is meant, its selector yet to be said; None where none can exist."""
        if meant.namespaces not in self._labels:
            self._labels[meant.namespaces] = self._namespace(meant.namespaces)
        labels = self._labels[meant.namespaces]
        if labels is None or is_empty(meant.pods):
            return None
        shape = PodShape(witness(meant.pods, self._fresh))
        name = dict(labels)[NAMESPACE_NAME_LABEL]
        made_up = name not in self._names
        named = not dict(meant.namespaces)[NAMESPACE_NAME_LABEL].others
        key = name if not made_up or named else "{" + ",".join(f"{key}={value}" for key, value in labels) + "}"
        return Representative(key, name, REPRESENTATIVE, (shape,), (), namespace_labels=labels, made_up=made_up)

    def _namespace(self, wanted: LabelSet) -> Labels | None:
        """The labels of a namespace that is meant: of the only known one that has what is asked for, else of one made up."""
        if is_empty(wanted):
            return None
        named = dict(wanted)[NAMESPACE_NAME_LABEL]
        known = self._known(wanted, self._names & {*named.values} if not named.others else self._names)
        if known and (not named.others or (len(known) == 1 and pins_down(wanted, {NAMESPACE_NAME_LABEL}))):
            return known[min(known)]
        if named.others:
            return witness(wanted, self._fresh)
        free = tuple(name for name in named.values if name not in self._names)
        others = tuple((key, allowed) for key, allowed in wanted if key != NAMESPACE_NAME_LABEL)
        return tuple(sorted((*witness(others, self._fresh), (NAMESPACE_NAME_LABEL, free[0])))) if free else None

    def _known(self, wanted: LabelSet, names: Iterable[str]) -> dict[str, Labels]:
        """The namespaces that some revision has and the set holds, with their labels there, the newest that fit."""
        return {
            name: labels
            for name in names
            for cluster in self._clusters
            if name in cluster.namespaces and holds(wanted, dict(labels := cluster.namespaces[name]))
        }


def _namespaces(peer: PodPeer) -> tuple[Requirement, ...]:
    if isinstance(peer.namespaces, str):
        return (Requirement(NAMESPACE_NAME_LABEL, Operator.IN, (peer.namespaces,)),)
    return peer.namespaces.requirements


def port_space_with_names(universe: Universe, snapshots: Sequence[Snapshot]) -> PortSpace:
    """The port atoms, with the port names that a representative may have among the things that verdicts can depend on."""
    return with_names(port_space(universe, snapshots), frozenset().union(*(each.named_ports for each in snapshots)))


def with_names(space: PortSpace, named: Iterable[NamedPort]) -> PortSpace:
    """The same port atoms, with port names that a representative may have among the things that verdicts can depend on."""
    return PortSpace((), (), (*space.conditions, *sorted(map(names_a_port, named))), space.cuts)
