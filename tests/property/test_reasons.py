"""Reasons against the independent examiner: without the named blocker, or with the missing peer, the change takes effect."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from analyzers.impact.report import DiffReport, ReasonObject
from tests.oracle import mutate, tables
from tests.oracle.cases import Case, case
from tests.oracle.evaluator import isolates
from tests.oracle.reading import Document, namespace_of
from tests.property.test_potential import compared, real, without_port_names

CHUNK = 40
STARTS = [0, *(pytest.param(start, marks=pytest.mark.slow) for start in range(CHUNK, 5 * CHUNK, CHUNK))]
EDITS = (
    mutate.add_policy,
    mutate.remove_policy,
    mutate.edit_policy,
    mutate.edit_rule,
    mutate.edit_admin_policy,
    mutate.remove_admin_policy,
)
MISSING = {"peer-does-not-exist", "selects-nothing", "other-namespace"}
BLOCKED = {"blocked-at-other-end", "shadowed", "already-allowed", "already-denied"}
NOTHING = {"same-meaning", "no-such-port"}


def one_edit(seed: int) -> tuple[Case, list[Document], list[Document]]:
    made, rng = case(seed), Random(seed)
    base = without_port_names(made.base)
    head = deepcopy(base)
    rng.choice(EDITS)(rng, head)
    return made, base, without_port_names(head)


def effects(host_network: str, base: list[Document], head: list[Document]) -> dict[tuple[tables.Name, tables.Name], tables.Change]:
    """Every pair that changes, as the examiner says."""
    points = tables.universe(base, head)
    return dict(tables.diff(*(tables.Revision(documents, points, host_network) for documents in (base, head))))


def is_effective(made: Case, base: list[Document], head: list[Document]) -> bool:
    return bool(effects(made.host_network, base, head))


def without(documents: list[Document], named: Sequence[ReasonObject]) -> list[Document]:
    """The documents less what the named policies say in the directions in which they are named."""
    aside = {(each.object, each.direction) for each in named}
    return [_less(each, [d for d in ("ingress", "egress") if (_title(each), d) in aside]) for each in documents]


def _less(document: Document, directions: list[str]) -> Document:
    found = deepcopy(document)
    if directions and document["kind"] == "NetworkPolicy":
        kept = [d for d in ("Ingress", "Egress") if isolates(document["spec"], d) and d.lower() not in directions]
        if not kept:
            # A policy that selects no pod says nothing.
            found["spec"] = {"podSelector": {"matchLabels": {"no": "pod"}}, "policyTypes": ["Ingress"]}
            return found
        found["spec"]["policyTypes"] = kept
    for each in directions:
        found["spec"].pop(each, None)
    return found


def _title(document: Document) -> str:
    name = document["metadata"]["name"]
    return f"{document['kind']} {namespace_of(document)}/{name}" if document["kind"] == "NetworkPolicy" else f"{document['kind']} {name}"


def stand_ins(report: DiffReport) -> list[Document]:
    """A real pod for every representative, under names of their own."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for number, pod in enumerate(report.potential.representatives):
        for document in real(pod, []):
            metadata = document["metadata"]
            if document["kind"] != "Namespace":
                metadata["name"] = f"stand-in-{number}"
            for field in ("name", "namespace"):
                # Namespaces made up go by one name, and only one of a name can exist.
                if metadata.get(field) == "any":
                    metadata[field] = f"any-{number}"
            found.setdefault((document["kind"], metadata.get("namespace", ""), metadata["name"]), document)
    return list(found.values())


@pytest.mark.parametrize("start", STARTS)
def test_without_what_is_named_the_change_takes_effect(start: int) -> None:
    told: list[str] = []
    for seed in range(start, start + CHUNK):
        made, base, head = one_edit(seed)
        report = compared(made, base, head)
        known = is_effective(made, base, head)
        reasons = report.no_effect()
        if not report.policy_changes:
            continue
        assert len(reasons) == (0 if known else 1), f"seed {seed}: {reasons}\n{made.shown()}"
        for each in reasons:
            told.append(each.reason)
            pods = stand_ins(report)
            if each.reason in MISSING:
                assert each.potential == bool(report.potential.groups), f"seed {seed}: {each}"
                assert not each.potential or is_effective(made, [*base, *pods], [*head, *pods]), f"seed {seed}: {each}"
            elif each.reason in BLOCKED:
                both = (without(base, each.objects), without(head, each.objects))
                assert is_effective(made, [*both[0], *pods], [*both[1], *pods]), f"seed {seed}: {each}\n{made.shown()}"
            else:
                assert each.reason in NOTHING
                assert not is_effective(made, [*base, *pods], [*head, *pods]), f"seed {seed}: {each}\n{made.shown()}"
    assert len(told) > CHUNK // 10
