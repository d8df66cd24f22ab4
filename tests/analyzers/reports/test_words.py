"""Ports, fields, causes and gaps in words."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from analyzers.impact.assessment.blast_radius import BlastRadius
from analyzers.impact.assessment.hops import Paths
from analyzers.impact.causation.causes import ChangeKind, FieldChange
from analyzers.impact.causation.reasons import MOST_REASONS
from analyzers.model.diagnostics import Diagnostic
from analyzers.reports import Context, render
from analyzers.reports.cause_words import causes_in_words
from analyzers.reports.field_words import changes_labels_only, field_in_words
from analyzers.reports.gap_words import gaps, kinds_left_out, readings, warnings
from analyzers.reports.markdown_inline import inline
from analyzers.reports.ports import ports_in_words
from analyzers.sets.connections import PORTS, ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from tests.analyzers.reports.reports import ALL, NONE, cause, ends, group, ports, report, universe, workload

TCP, UDP = Protocol.TCP, Protocol.UDP
ADDED, REMOVED, MODIFIED = ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.MODIFIED

PORTS_SAID = [
    (NONE, NONE, "nothing"),
    (ALL, NONE, "all ports"),
    (ports(5432), NONE, "TCP 5432"),
    (ports(80, 443) | ports(53, protocol=UDP), NONE, "TCP 80, 443; UDP 53"),
    (ConnectionSet.of({TCP: IntervalSet(((8000, 8999),))}), NONE, "TCP 8000-8999"),
    (ALL - ports(8080), NONE, "all ports but TCP 8080"),
    (ConnectionSet.of({TCP: PORTS}), NONE, "all TCP ports"),
    (ConnectionSet.of({TCP: PORTS}) - ports(80), NONE, "all TCP ports but 80"),
    (ports(80, 443), ports(443), "TCP 80; may: TCP 443"),
    (ALL, ALL, "may: all ports"),
    (ports(*range(1, 21, 2)), NONE, "TCP 1, 3, 5, 7, 9, 11, 13, 15 and 2 more ranges"),
]


@pytest.mark.parametrize(("changed", "may", "said"), PORTS_SAID)
def test_ports_are_said_the_short_way(changed: ConnectionSet, may: ConnectionSet, said: str) -> None:
    assert ports_in_words(changed, may) == said


PEER = "spec.ingress[0].from[0]"
FIELDS = [
    (f"{PEER}.namespaceSelector.matchLabels.env", REMOVED, '"prod"', None, "namespaceSelector lost `env: prod`"),
    (f"{PEER}.podSelector.matchLabels", ADDED, None, '{"app": "a", "tier": "b"}', "podSelector gained `app: a, tier: b`"),
    ('spec.podSelector.matchLabels["a.b/c"]', MODIFIED, '"x"', '"y"', "its own podSelector `a.b/c: x` → `y`"),
    ("spec.podSelector.matchLabels", MODIFIED, '{"app": "x"}', '{"app": "y"}', "its own podSelector `app: x` → `app: y`"),
    ("spec.template.metadata.labels.tier", MODIFIED, '"frontend"', '"web"', "`tier: frontend` → `web`"),
    ("metadata.labels.env", ADDED, None, '"prod"', "gained label `env: prod`"),
    ("spec.ingress", REMOVED, '{"from": []}', None, "ingress rule removed"),
    ("spec.egress", ADDED, None, '[{"to": []}]', "egress rule added"),
    ("spec.ingress[1].ports[0].port", MODIFIED, "80", "8080", "ingress rule 2: port `80` → `8080`"),
    ("spec.ingress[0].ports", ADDED, None, '{"port": 80, "endPort": 90, "protocol": "UDP"}', "gained port `UDP 80-90`"),
    ("spec.ingress[0].from", REMOVED, '{"podSelector": {"matchLabels": {"app": "x"}}}', None, "lost peer podSelector `app: x`"),
    ("spec.egress[2].to", ADDED, None, '{"ipBlock": {"cidr": "10.0.0.0/8"}}', "egress rule 3: gained peer ipBlock `10.0.0.0/8`"),
    (f"{PEER}.namespaceSelector", ADDED, None, "{}", "gained namespaceSelector of everything"),
    (f"{PEER}.ipBlock.except", REMOVED, '"10.1.0.0/16"', None, "lost exception `10.1.0.0/16`"),
    (f"{PEER}.ipBlock.cidr", MODIFIED, '"10.0.0.0/8"', '"0.0.0.0/0"', "`ipBlock.cidr` `10.0.0.0/8` → `0.0.0.0/0`"),
    (
        "spec.podSelector.matchExpressions",
        REMOVED,
        '{"key": "tier", "operator": "In", "values": ["web", "db"]}',
        None,
        "its own podSelector lost requirement `tier In (web, db)`",
    ),
    ("spec.policyTypes", ADDED, None, '"Egress"', "gained policy type `Egress`"),
    ("spec.template.spec.hostNetwork", ADDED, None, "true", "gained hostNetwork `true`"),
    ("spec.ingress[0].from", ADDED, None, '{"podSelector": {"matchLab…', "gained peer"),
    ("spec.strategy", REMOVED, '{"rollingUpdate": {"max…', None, "lost `strategy`"),
]


@pytest.mark.parametrize(("path", "kind", "before", "after", "said"), FIELDS)
def test_field(path: str, kind: ChangeKind, before: str | None, after: str | None, said: str) -> None:
    assert inline(field_in_words(FieldChange(path, kind, before, after, 3, "head")), Context()) == said


def test_only_label_edits_make_an_object_relabelled() -> None:
    label = FieldChange("spec.template.metadata.labels.tier", MODIFIED, '"a"', '"b"', 3, "head")
    port = FieldChange("spec.template.spec.containers[0].ports", ADDED, None, '{"containerPort": 80}', 4, "head")
    assert changes_labels_only([label])
    assert not changes_labels_only([label, port])
    assert not changes_labels_only([])


def test_causes_name_policies_first_and_count_the_rest() -> None:
    causes = [
        cause("Deployment shop/web", MODIFIED),
        cause("Namespace shop", MODIFIED),
        cause("NetworkPolicy shop/a"),
        cause("NetworkPolicy shop/common"),
        cause("NetworkPolicy shop/gone", REMOVED),
    ]
    said = inline(causes_in_words(causes, ["shop/web"], {"NetworkPolicy shop/common": 9}), Context())
    assert said == (
        "NetworkPolicies `shop/common` (`policies.yaml:7`) and `shop/a` (`policies.yaml:7`) added; "
        "NetworkPolicy `shop/gone` removed (`policies.yaml:7` at base); and 2 more changes"
    )


def test_workload_that_came_explains_its_own_flows_first() -> None:
    causes = [cause("NetworkPolicy shop/a"), cause("Deployment shop/new")]
    said = inline(causes_in_words(causes, ["shop/new"], {}), Context())
    assert said.startswith("Deployment `shop/new` added")


def test_gaps_are_counted_by_kind_and_folder() -> None:
    kinds = [
        Diagnostic("unsupported-kind", "CiliumNetworkPolicy mesh/x decides", f"mesh/{n}.yaml", 1, "head" if n else None) for n in range(3)
    ]
    base = Diagnostic("unsupported-kind", "Tier x decides", "calico.yaml", 1, "base")
    chart = Diagnostic("needs-rendering", "charts/legacy: 2 templated files need rendering", "charts/legacy/templates/a.yaml", 1)
    secret = Diagnostic("encrypted", "encrypted by SOPS", "secrets/a.yaml", 1)
    said = inline(gaps([*kinds, base, chart, secret]), Context())
    assert said == (
        "3 CiliumNetworkPolicies in `mesh/` (kind not supported); 1 Tier in `./` at base (kind not supported); "
        "1 encrypted document in `secrets/`; `charts/legacy`: 2 templated files need rendering"
    )


def test_every_kind_that_is_not_supported_is_named_however_many_there_are_and_wherever() -> None:
    calico, others = ("GlobalNetworkPolicy", "NetworkSet", "Tier"), ("AuthorizationPolicy", "MultiNetworkPolicy", "UserDefinedNetwork")
    kinds = ("CiliumNetworkPolicy", *calico, *others)
    found = [Diagnostic("unsupported-kind", f"{kind} x (a.io) decides", f"f{n}/a.yaml", 1) for kind in kinds for n in range(5)]
    said = inline(gaps(found), Context())
    assert all(f"5 {kind[:-1]}" in said for kind in kinds)
    assert "5 Tiers in `f0/`, `f1/`, `f2/` and 2 more (kind not supported)" in said


def test_a_kind_whose_name_is_supported_elsewhere_is_named_with_its_api() -> None:
    found = [Diagnostic("unsupported-kind", f"NetworkPolicy shop/{n} (projectcalico.org) decides", "a.yaml", 1) for n in range(2)]
    assert inline(gaps(found), Context()) == "2 NetworkPolicies of `projectcalico.org` in `./` (kind not supported)"
    assert kinds_left_out([*found, Diagnostic("unsupported-kind", "Tier x (a.io) decides", "b.yaml", 1)]) == (
        "2 NetworkPolicies of projectcalico.org, 1 Tier"
    )


def test_errors_are_told_by_file_and_line_and_only_a_few() -> None:
    errors = [Diagnostic("syntax-error", "bad indentation", f"{number}.yaml", 3) for number in range(8)]
    said = inline(gaps(errors), Context())
    assert said.startswith("`0.yaml:3` bad indentation; ")
    assert said.endswith("; and 3 more")


def test_ambiguous_readings_are_said_once() -> None:
    blocks = [Diagnostic("ipblock-may-cover-pods", "10.0.0.0/8 is read as addresses", f"{number}.yaml", 3) for number in range(8)]
    host = [Diagnostic("host-network", f"1 workload uses hostNetwork {side}", "a.yaml", 1, side) for side in ("base", "head")]
    said = [inline(each, Context()) for each in readings([*blocks, *host])]
    assert said == [
        "1 workload uses hostNetwork head",
        "8 ipBlocks that could hold pod addresses too are read as addresses outside the cluster",
    ]


def test_where_policies_landed_is_said_of_head_and_only_of_a_few_units() -> None:
    moved = [Diagnostic("namespace-moved", f"unit {n} puts policies into four", f"{n}/k.yaml", 1, "head") for n in range(7)]
    before = Diagnostic("namespace-moved", "unit 0 puts policies into three", "0/k.yaml", 1, "base")
    said = [inline(each, Context()) for each in readings([before, *moved])]
    assert said[0] == "`0/k.yaml:1` unit 0 puts policies into four"
    assert said[5:] == ["and 2 more units put policies into other namespaces"]
    assert [inline(each, Context()) for each in readings([before])] == ["`0/k.yaml:1` at base unit 0 puts policies into three"]


def test_warnings_are_few_and_infos_are_silent() -> None:
    many = [Diagnostic("unknown-field", "spec.ingres", f"{number}.yaml", 3) for number in range(8)]
    quiet = [Diagnostic("not-an-object", "no object", "x.yaml", 1), Diagnostic("link-skipped", "a link", "y.yaml", 1)]
    said = [inline(each, Context()) for each in warnings([*many, *quiet])]
    assert len(said) == 6
    assert said[-1] == "and 3 more warnings"


def test_policies_that_changed_nothing_are_named() -> None:
    changed = [cause(f"NetworkPolicy shop/p{number}") for number in range(7)]
    text = "".join(render("markdown", report(universe([workload("shop", "a")]), [], policy_changes=changed)))
    assert "\n**7 policies changed without effect on any flow between known workloads**\n\n- NetworkPolicy `shop/p0` added" in text
    assert text.count("NetworkPolicy `shop/p") == 5
    assert "\n- and 2 more\n" in text
    page = "".join(render("html", report(universe([workload("shop", "a")]), [], policy_changes=changed)))
    assert page.count("NetworkPolicy <code>shop/p") == 7


def test_policies_that_are_not_asked_for_a_reason_are_counted() -> None:
    changed = [cause(f"NetworkPolicy shop/p{number}") for number in range(MOST_REASONS + 7)]
    made = report(universe([workload("shop", "a")]), [], policy_changes=changed)
    for name in ("markdown", "text", "html"):
        said = "".join(render(name, made))
        assert "207 policies changed without effect on any flow between known workloads" in said
        assert "and 7 more, for which no reason was looked for" in said
    assert json.loads("".join(render("json", made)))["no_effect_left_out"] == 7


def test_causes_that_may_be_more_than_is_needed_are_said_to_be() -> None:
    known = universe([workload("shop", "a"), workload("shop", "b")])
    opens = group(*(ends(known, f"shop/{name}[Deployment]") for name in "ab"), opened=ALL, causes=[cause("NetworkPolicy shop/p")])
    for truncated in (False, True):
        made = report(known, [replace(opens, causes_truncated=truncated)])
        for name in ("markdown", "text", "html", "codequality"):
            said = " ".join("".join(render(name, made)).split())
            assert ("(not every combination of changes was tried)" in said) is truncated


def test_what_was_not_searched_to_its_end_is_said() -> None:
    stopped = (lambda: Paths(stopped="too many policies"), lambda: BlastRadius(stopped="too many kinds of pods"))
    made = replace(report(universe([workload("shop", "a")]), []), paths=stopped[0], blast_radius=stopped[1])
    for name in ("markdown", "text", "html", "json"):
        assert "too many policies" in "".join(render(name, made))
    for name in ("html", "json"):  # the others tell of no blast radius
        assert "too many kinds of pods" in "".join(render(name, made))


def test_no_cause_is_no_words() -> None:
    assert causes_in_words([], [], {}) == ()
