"""Sets of endpoints in words: the shortest true way to say who they are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from analyzers.model.cluster import NAMESPACE_NAME_LABEL, ExternalBlock, Workload
from analyzers.model.representative import Representative
from analyzers.reports.phrases import Folded, Name, Phrase, counted, enumerated, first_of, joined
from analyzers.reports.rows import Ends
from analyzers.sets.ip_blocks import LONGEST_LISTED, IPBlock, digest_of

MOST_LISTED = 5
"""Members of a set that are named one by one; a larger set is described, or counted."""

MOST_EXCEPTED = 2
"""Members that a set may lack and still be called everything but them."""

MOST_FOLDED = 40
"""Members named in the fold behind a count."""

BY_OPERATOR = "via operator"
"""Said of workloads whose pods an operator makes: their labels are what it documents."""

THE_CONTROLLER: Phrase = ("the ingress controller",)

Label = tuple[str, str]

_SELECTED = re.compile(r"pods (.+) in namespace(s?) (.+)")
"""How the selector of a representative reads."""


class Population:
    """Every workload of one revision: what `every pod of` is measured against. `marks` are said beside the names of some (`new`)."""

    def __init__(self, workloads: Iterable[Workload], marks: Mapping[str, str] | None = None) -> None:
        self._all, self._marks = tuple(workloads), marks or {}

    @cached_property
    def _workloads(self) -> dict[str, dict[str, Workload]]:
        """By namespace and id."""
        found: dict[str, dict[str, Workload]] = defaultdict(dict)
        for each in self._all:
            found[each.namespace][each.id] = each
        return found

    @cached_property
    def _labelled(self) -> Counter[tuple[str, Label]]:
        """How many workloads have pods with a label: by namespace, and in all under ""."""
        found: Counter[tuple[str, Label]] = Counter()
        for each in self._all:
            for label in {label for shape in each.shapes for label in shape.labels}:
                found["", label] += 1
                found[each.namespace, label] += 1
        return found

    def describe(self, ends: Ends) -> Phrase:
        """Who these endpoints are. What it calls every pod of a namespace, or of a label, is exactly that."""
        workloads = tuple(each for each in ends.workloads if not isinstance(each, Representative))
        outside = [*([_outside(ends.blocks)] if ends.blocks else []), *([THE_CONTROLLER] if ends.controller else [])]
        potential = [each for each in ends.workloads if isinstance(each, Representative)] if len(workloads) < len(ends) else []
        return enumerated([*outside, *(self._inside(workloads) if workloads else ()), *(self._potential(potential) if potential else ())])

    def name(self, workload: Workload) -> Phrase:
        """`shop/cart` Deployment; a pod that could exist by its selector."""
        if isinstance(workload, Representative):
            return _representative(workload)
        marks = ", ".join(filter(None, (self._marks.get(workload.id), BY_OPERATOR if workload.by_operator else None)))
        return (Name(f"{workload.namespace}/{workload.name}"), f" {workload.kind}", *((f" ({marks})",) if marks else ()))

    def _inside(self, workloads: Sequence[Workload]) -> Sequence[Phrase]:
        """The workloads as one phrase, or as one for each of a few."""
        by_namespace: dict[str, list[Workload]] = defaultdict(list)
        for each in workloads:
            by_namespace[each.namespace].append(each)
        whole = self._whole(by_namespace, workloads) if len(workloads) > 2 else None
        if whole is not None:
            return [whole]
        if len(workloads) <= MOST_LISTED:
            return [self.name(each) for each in workloads]
        return [self._labelled_alike(by_namespace, workloads) or self._counted(by_namespace, workloads)]

    def _potential(self, pods: Sequence[Representative]) -> Sequence[Phrase]:
        """Pods that could exist, each by its selector, or a count of them."""
        named = [self.name(each) for each in pods]
        return named if len(named) <= MOST_LISTED else [(_folded((f"{counted(len(named), 'kind')} of potential pods",), named),)]

    def _holds(self, workloads: Iterable[Workload]) -> bool:
        """Whether all of these exist in the revision that is spoken of."""
        return all(each.id in self._workloads[each.namespace] for each in workloads)

    def _whole(self, by_namespace: Mapping[str, Sequence[Workload]], workloads: Sequence[Workload]) -> Phrase | None:
        """Every pod of the namespaces that the set touches, but at most a few; None where that is not so, or is longer than a list."""
        missing = sum(len(self._workloads[namespace]) for namespace in by_namespace) - len(workloads)
        listable = len(workloads) <= MOST_LISTED
        if not 0 <= missing <= MOST_EXCEPTED or (listable and (missing or len(by_namespace) == len(workloads))):
            return None
        if not self._holds(workloads):
            return None
        total = f" · {counted(len(workloads), 'workload')}"
        if not missing:
            return (*self._every(by_namespace), total)
        held = {each.id for each in workloads}
        lacking = [each for namespace in by_namespace for key, each in self._workloads[namespace].items() if key not in held]
        return (*self._every(by_namespace), " but ", *enumerated([self.name(each) for each in lacking]), total)

    def _every(self, by_namespace: Mapping[str, object]) -> Phrase:
        if len(by_namespace) > 1 and len(by_namespace) == sum(1 for each in self._workloads.values() if each):
            return ("every pod",)
        return ("every pod of ", *_namespaces(by_namespace))

    def _labelled_alike(self, by_namespace: Mapping[str, object], workloads: Sequence[Workload]) -> Phrase | None:
        """Every pod of a label, if some label is on all pods of these workloads and on no others."""
        shared = frozenset(workloads[0].shapes[0].labels)
        for each in workloads:
            shared = shared.intersection(*(shape.labels for shape in each.shapes))
            if not shared:
                return None
        for scope in ("", *by_namespace) if len(by_namespace) == 1 else ("",):
            exact = [label for label in shared if self._labelled[scope, label] == len(workloads)]
            if exact and self._holds(workloads):
                key, value = min(exact, key=lambda label: (len(label[0]) + len(label[1]), label))
                where: Phrase = (" in ", *_namespaces(by_namespace)) if scope else ()
                return ("every pod labelled ", Name(f"{key}: {value}"), *where, f" · {counted(len(workloads), 'workload')}")
        return None

    def _counted(self, by_namespace: Mapping[str, object], workloads: Sequence[Workload]) -> Phrase:
        where = _namespaces(by_namespace) if len(by_namespace) <= MOST_LISTED else (counted(len(by_namespace), "namespace"),)
        summary = (f"{counted(len(workloads), 'workload')} of ", *where)
        return (_folded(summary, [self.name(each) for each in workloads[:MOST_FOLDED]], len(workloads)),)


def _representative(pod: Representative) -> Phrase:
    """pods `app=prometheus` in namespaces `team=observability`; what selects everything, and a namespace by its name, in plain words."""
    found = _SELECTED.fullmatch(pod.selector)
    if found is None:
        return (Name(pod.selector),)
    pods, by_label, where = found.groups()
    who: Phrase = ("any pod",) if pods == "all" and not pod.shapes[0].labels else ("pods ", Name(pods))
    if not by_label:
        return (*who, " in namespace ", Name(where))
    if where == "all" and len(pod.namespace_labels) < 2:
        return (*who, " in any namespace")
    key, _, name = where.partition("=")
    named = key == NAMESPACE_NAME_LABEL and "," not in name
    return (*who, " in namespace ", Name(name)) if named else (*who, " in namespaces ", Name(where))


def _namespaces(names: Iterable[str]) -> Phrase:
    """`namespace a`, or `3 namespaces (a, b and 1 more)`."""
    listed: list[Phrase] = [(Name(name),) for name in names]
    if len(listed) == 1:
        return ("namespace ", *listed[0])
    if len(listed) <= MOST_LISTED:
        return (f"{len(listed)} namespaces (", *joined(listed), ")")
    return (_folded((f"{counted(len(listed), 'namespace')} (", *first_of(listed, 2), ")"), listed),)


def _outside(blocks: Sequence[ExternalBlock]) -> Phrase:
    """`outside (0.0.0.0/0, ::/0)`: the addresses of each family, by the shorter of a list and a block with exceptions."""
    united: dict[int, IPBlock] = {}
    for each in blocks:
        known = united.get(each.block.family)
        united[each.block.family] = IPBlock(each.block.family, known.addresses | each.block.addresses) if known else each.block
    families = [_addresses(united[family]) for family in sorted(united)]
    return ("outside (", *joined(families, "; " if any(" except " in each for each in families) else ", "), ")")


def _addresses(block: IPBlock) -> Phrase:
    listed, name = block.cidrs(), block.name()
    if len(listed) <= MOST_LISTED:
        return joined([(Name(each),) for each in listed])
    cover, excepting, exceptions = name.partition(" except ")
    if excepting and exceptions.count(",") < MOST_LISTED:
        return (Name(cover), " except ", *joined([(Name(each),) for each in exceptions.split(", ")]))
    identity: Phrase = (" (digest ", Name(digest_of(listed)[:12]), ")") if len(listed) > LONGEST_LISTED else ()
    summary: Phrase = (f"{counted(len(listed), 'block')} of addresses", *identity)
    return (_folded(summary, [(Name(each),) for each in listed[:MOST_FOLDED]], len(listed)),)


def _folded(summary: Phrase, members: Sequence[Phrase], total: int = 0) -> Folded:
    shown = tuple(members[:MOST_FOLDED])
    return Folded(summary, shown, max(total, len(members)) - len(shown))
