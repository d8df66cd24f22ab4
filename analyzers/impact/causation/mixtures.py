"""Mixtures: what there is in head when some changed objects are as base has them: workloads, namespaces, policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from analyzers.impact.causation.changed import Changed, Side, key_of, makes_pods, policies_of
from analyzers.impact.causation.minimal_sets import Chosen
from analyzers.manifests.inventory import take_inventory
from analyzers.manifests.local_survey import home_of, is_about_ways, settles_ways, survey_again
from analyzers.model.cluster import Cluster, Workload
from analyzers.model.policy import Direction, PodPeer, Policy
from analyzers.model.records import ObjectRecord
from analyzers.model.selectors import Labels
from analyzers.reachability.universe import JointWorkload, Snapshot, Universe


class Mixtures:
    """Puts changed objects back."""

    def __init__(self, universe: Universe, base: Side, head: Side, changed: Changed) -> None:
        self.changed, self.base, self.head = changed, base, head
        self.same_pods = base.snapshot.cluster is head.snapshot.cluster
        self._universe = universe
        self._made: dict[tuple[str, Chosen], dict[str, Workload]] = {}
        self._unchanged: dict[int, tuple[Policy, ...]] = {}

    def steady(self, joint: JointWorkload) -> bool:
        """Whether a workload looks the same to policy in both revisions, and in every mixture of them."""
        base, head = joint.versions
        if base is None or head is None or (base is not head and base.shapes != head.shapes):
            return False
        return self.same_pods or (self._same_namespace(base.namespace) and base.namespace not in self.changed.entangled)

    def variants(self, joint: JointWorkload) -> tuple[tuple[Labels, ...], tuple[Labels, ...]]:
        """The labels that the pods of a workload have in some revision, and those of its namespace."""
        labels = (shape.labels for version in joint.versions if version is not None for shape in version.shapes)
        return tuple(dict.fromkeys(labels)), self._namespace_variants(joint.latest.namespace)

    def unchanged(self, index: int) -> tuple[Policy, ...]:
        """The policies that did not change and can select a workload."""
        if index not in self._unchanged:
            joint = self._universe.workloads[index]
            self._unchanged[index] = tuple(self._profiled(joint) if self.steady(joint) else self._matching(joint))
        return self._unchanged[index]

    def workloads(self, joints: Iterable[JointWorkload], undone: Chosen) -> Iterator[Workload]:
        """The workloads as they are with some objects put back; those that do not exist then are left out."""
        for joint in joints:
            base, head = joint.versions
            namespace = joint.latest.namespace
            pods = frozenset(self.changed.pods.get(namespace, ()))
            if self.steady(joint) and len(joint.classes) == 1:
                version = head
            elif not pods & undone or pods <= undone:
                version = base if pods & undone else head
            else:
                version = self._made_of(namespace, pods & undone).get(joint.id)
            if version is not None:
                yield version

    def _made_of(self, namespace: str, undone: Chosen) -> dict[str, Workload]:
        key = (namespace, undone)
        if key not in self._made:
            there = (each for each in self.head.objects if each.key.namespace == namespace and makes_pods(each))
            self._made[key] = {workload.id: workload for workload in take_inventory(self._put_back(there, undone)).workloads}
        return self._made[key]

    def _put_back(self, objects: Iterable[ObjectRecord], undone: Chosen) -> Iterator[ObjectRecord]:
        """Objects of head, with some of the changed ones as base has them."""
        replaced = {id(self.changed.objects[each].head) for each in undone}
        yield from (each for each in objects if id(each) not in replaced)
        before = (self.changed.objects[each].base for each in sorted(undone))
        yield from (each for each in before if each is not None)

    def labels(self, namespace: str, undone: Chosen) -> Labels:
        """The labels of a namespace with some objects put back."""
        side = self.base if self.changed.namespaces.get(namespace, -1) in undone else self.head
        return side.snapshot.cluster.namespace_labels(namespace)

    def stated(self, bearing: Chosen, undone: Chosen) -> Iterator[Policy]:
        """What changed objects state when some of them are put back."""
        return (policy for each in sorted(bearing) for policy in self.changed.policies_at(each, undone=each in undone))

    def whole(self, undone: Chosen) -> Snapshot:
        """A whole revision with some objects put back."""
        put_back = [policy for each in sorted(undone) for policy in self.changed.policies_at(each, undone=True)]
        dropped = {key_of(policy) for each in undone for policy in self.changed.policies_at(each, undone=False)}
        policies = (*(each for each in self.head.snapshot.policies if key_of(each) not in dropped), *put_back)
        return Snapshot(self.head.snapshot.cluster if self.same_pods else self._cluster(undone), policies)

    def _cluster(self, undone: Chosen) -> Cluster:
        """The inventory of head with some objects put back."""
        objects = list(self._put_back(self.head.objects, undone))
        changed = [each for position in undone for each in self.changed.records(position) if not policies_of(each)]
        if any(map(settles_ways, changed)) and any(map(is_about_ways, (*objects, *changed))):
            return take_inventory(objects)
        touched = {home_of(each) for each in changed}
        return survey_again(self.head.snapshot.cluster, touched, (each for each in objects if home_of(each) in touched))[0]

    def _namespace_variants(self, namespace: str) -> tuple[Labels, ...]:
        return tuple(dict.fromkeys(side.snapshot.cluster.namespace_labels(namespace) for side in (self.base, self.head)))

    def _same_namespace(self, namespace: str) -> bool:
        return len(self._namespace_variants(namespace)) == 1

    def _profiled(self, joint: JointWorkload) -> Iterator[Policy]:
        """The unchanged policies in the profiles of a workload that is the same in both revisions."""
        found: dict[int, None] = {}
        for number in joint.classes:
            for direction in Direction:
                side = self.base.compiled.side(direction)
                found |= dict.fromkeys(side.profiles[side.group_of[number]])
        policies = (self.base.snapshot.policies[position] for position in sorted(found))
        return (policy for policy in policies if not self.changed.is_of_base(policy))

    def _matching(self, joint: JointWorkload) -> Iterator[Policy]:
        pods, namespaces = self.variants(joint)
        namespace = joint.latest.namespace
        entangled = namespace in self.changed.entangled
        candidates = (each for each in self.head.snapshot.about((namespace,)) if not self.changed.is_of_head(each))
        return (each for each in candidates if can_select(each.subject, None if entangled else pods, namespace, namespaces))


def can_select(subject: PodPeer, pods: Sequence[Labels] | None, namespace: str, namespaces: Sequence[Labels]) -> bool:
    """Whether the subject of a policy selects pods with some of these labels (None: any) in a namespace with some of these labels."""
    if isinstance(subject.namespaces, str):
        within = subject.namespaces == namespace
    else:
        selector = subject.namespaces
        within = any(selector.matches(dict(labels)) for labels in namespaces)
    return within and (pods is None or any(subject.pods.matches(dict(labels)) for labels in pods))
