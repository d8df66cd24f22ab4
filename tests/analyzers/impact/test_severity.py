"""Severity: which marks flows carry, and which level they give."""

from __future__ import annotations

import re
from itertools import chain, combinations
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzers.impact.assessment.severity import DEFAULT_RULES, Level, Mark, Reason, Rule
from tests.analyzers.impact.changes import changed, namespace, policy, service, the_group, workload

SPACES = namespace("shop", "{env: prod}") + namespace("lab", "{env: dev}") + namespace("ops", "{env: prod}")
PODS = "".join(map(workload, ("shop/web", "shop/db", "lab/tool", "ops/agent")))
CLUSTER = SPACES + PODS
DENY = "".join(policy(f"{name}/deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}") for name in ("shop", "lab", "ops"))
WIDE_OPEN = "{podSelector: {}, ingress: [{}], egress: [{}]}"


def egress(place: str) -> str:
    return policy(f"{place}-out", "{podSelector: {}, egress: [{}], policyTypes: [Egress]}")


EGRESS = "".join(map(egress, ("shop/a", "lab/a", "ops/a")))


def to_db(peers: str, ports: str = "[{port: 9999}]") -> str:
    return policy("shop/db", f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: {peers}, ports: {ports}}}]}}")


EVERYONE = "[{ipBlock: {cidr: 0.0.0.0/0}}]"
FROM_LAB = "[{namespaceSelector: {matchLabels: {env: dev}}}]"
FROM_OPS = "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]"
FROM_WEB = "[{podSelector: {matchLabels: {app: web}}}]"
POSTGRES = "[{port: 5432}]"

CASES = [
    ("0.0.0.0/0", to_db(EVERYONE), Level.HIGH, ["from-outside"]),
    ("0.0.0.0/0", to_db(EVERYONE, POSTGRES), Level.CRITICAL, ["from-outside", "sensitive-port"]),
    ("lab/tool", to_db(FROM_LAB), Level.HIGH, ["across-environments", "across-namespaces"]),
    ("lab/tool", to_db(FROM_LAB, POSTGRES), Level.CRITICAL, ["across-environments", "across-namespaces", "sensitive-port"]),
    ("ops/agent", to_db(FROM_OPS), Level.MEDIUM, ["across-namespaces"]),
    ("ops/agent", to_db(FROM_OPS, POSTGRES), Level.HIGH, ["across-namespaces", "sensitive-port"]),
    ("shop/web", to_db(FROM_WEB), Level.LOW, []),
    ("shop/web", to_db(FROM_WEB, POSTGRES), Level.MEDIUM, ["sensitive-port"]),
    ("shop/web", to_db(FROM_WEB, "[{port: 1, endPort: 65535}]"), Level.MEDIUM, ["all-ports"]),
    ("shop/web", to_db(FROM_WEB, "[{port: 2000, endPort: 3000}]"), Level.MEDIUM, ["sensitive-port"]),
    ("shop/web", to_db(FROM_WEB, "[{port: 5432, protocol: UDP}]"), Level.LOW, []),
]


@pytest.mark.parametrize(("source", "edit", "level", "marks"), CASES)
def test_level_of_what_opens_to_a_database(source: str, edit: str, level: Level, marks: list[str]) -> None:
    report = changed(CLUSTER + DENY + EGRESS, CLUSTER + DENY + EGRESS + edit)
    severity = the_group(report, source, "shop/db").severity
    assert severity is not None
    assert (severity.level, [str(reason.mark) for reason in severity.reasons]) == (level, marks)


def without_the_source(text: str, source: str) -> str:
    return text.replace(workload(source), "")


@pytest.mark.parametrize(("source", "edit", "level", "marks"), [each for each in CASES if each[0] in ("lab/tool", "ops/agent")])
def test_potential_flow_weighs_as_that_of_a_pod_that_exists(source: str, edit: str, level: Level, marks: list[str]) -> None:
    base = without_the_source(CLUSTER, source) + DENY + EGRESS
    (found,) = (group for group in changed(base, base + edit).potential.groups if list(group.destinations) == ["shop/db[Deployment]"])
    assert found.severity is not None
    assert (found.severity.level, [str(reason.mark) for reason in found.severity.reasons]) == (level, [*marks, "potential"])


def test_potential_flow_across_namespaces_that_are_only_labels_says_so_in_words() -> None:
    base = namespace("shop", "{env: prod}") + workload("shop/db") + DENY
    (found,) = changed(base, base + to_db(FROM_LAB)).potential.groups
    assert found.severity is not None
    assert [reason.text for reason in found.severity.reasons] == [
        "from env dev to env prod",
        "from another namespace to namespace shop",
        "with pods that could exist",
    ]


def test_pod_that_could_exist_loses_its_default_deny_with_the_policy_that_selects_it() -> None:
    base = namespace("shop") + workload("shop/web")
    one = "{podSelector: {matchLabels: {app: operated}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"
    open_to_all = "{podSelector: {matchLabels: {app: operated}}, ingress: [{}]}"
    still = policy("shop/other", "{podSelector: {}, policyTypes: [Ingress]}")
    for head, lost in ((base, True), (base + policy("shop/one", open_to_all), True), (base + still, False)):
        groups = changed(base + policy("shop/one", one), head).potential.groups
        found = [reason for group in groups if group.severity for reason in group.severity.reasons]
        said = Reason(Mark.LOST_DEFAULT_DENY, "nothing restricts traffic to pods app=operated in namespace shop any more")
        assert (said in found) is lost


def test_service_publishes_a_pod_that_could_exist() -> None:
    balancer = service("shop/operated", "operated", "[{port: 80, targetPort: 9999}]", "type: LoadBalancer")
    rule = f"{{podSelector: {{matchLabels: {{app: operated}}}}, ingress: [{{from: {EVERYONE}, ports: [{{port: 9999}}]}}]}}"
    for more, published in ((balancer, True), ("", False)):
        base = namespace("shop") + policy("shop/deny", "{podSelector: {}, policyTypes: [Ingress]}") + more
        (found,) = changed(base, base + policy("shop/operated", rule)).potential.groups
        assert found.severity is not None
        assert (Mark.PUBLISHED in {reason.mark for reason in found.severity.reasons}) is published


def test_namespace_is_whole_only_with_all_its_known_workloads() -> None:
    base = namespace("lab") + workload("lab/tool") + workload("lab/other") + policy("lab/deny", "{podSelector: {}, policyTypes: [Egress]}")
    peer = "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far}}}]"
    for subject, whole in (("{}", True), ("{matchLabels: {app: tool}}", False)):
        out = policy("lab/out", f"{{podSelector: {subject}, policyTypes: [Egress], egress: [{{to: {peer}}}]}}")
        (found,) = changed(base, base + out).potential.groups
        assert found.severity is not None
        assert (Reason(Mark.WHOLE_NAMESPACE, "from every pod of namespace lab") in found.severity.reasons) is whole


def test_way_out_to_the_address_of_credentials_is_high_and_to_elsewhere_is_medium() -> None:
    for cidr, level in (("169.254.0.0/16", Level.HIGH), ("203.0.113.0/24", Level.MEDIUM)):
        out = policy("shop/out", f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{ipBlock: {{cidr: {cidr}}}}}]}}]}}")
        severity = the_group(changed(CLUSTER + DENY, CLUSTER + DENY + out), "shop/web", cidr).severity
        assert severity is not None
        assert severity.level is level
    narrow = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 169.254.0.0/16}}], ports: [{port: 443}]}]}"
    severity = the_group(changed(CLUSTER + DENY, CLUSTER + DENY + policy("shop/out", narrow)), "shop/web", "169.254.0.0/16").severity
    assert severity is not None
    assert severity.level is Level.MEDIUM


@pytest.mark.parametrize("head", ["", policy("shop/deny", WIDE_OPEN)], ids=["removed", "opened"])
def test_default_deny_that_is_lost_is_told_whether_it_was_removed_or_emptied(head: str) -> None:
    base = policy("shop/deny", "{podSelector: {}, policyTypes: [Ingress]}")
    severity = the_group(changed(CLUSTER + base, CLUSTER + head), "shop/web", "shop/db").severity
    assert severity is not None
    assert Reason(Mark.LOST_DEFAULT_DENY, "nothing restricts traffic to shop/db, shop/web any more") in severity.reasons
    assert severity.level is Level.CRITICAL


def test_new_workload_loses_no_default_deny() -> None:
    severity = the_group(changed(CLUSTER, CLUSTER + workload("shop/new")), "shop/web", "shop/new").severity
    assert severity is not None
    assert Mark.LOST_DEFAULT_DENY not in {reason.mark for reason in severity.reasons}


def test_service_that_publishes_the_port_that_opens_makes_it_published() -> None:
    balancer = service("shop/db", "db", "[{port: 80, targetPort: 9999}]", "type: LoadBalancer")
    narrowed = service("shop/db", "db", "[{port: 80, targetPort: 9999}]", "type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.0/24]")
    other_port = service("shop/db", "db", "[{port: 80, targetPort: 9998}]", "type: LoadBalancer")
    for published, cidr, said in (
        (balancer, "0.0.0.0/0", "published by Service shop/db (LoadBalancer)"),
        (narrowed, "192.0.2.0/25", "published by Service shop/db (LoadBalancer)"),
        (narrowed, "198.51.100.0/24", None),
        (other_port, "0.0.0.0/0", None),
    ):
        base = CLUSTER + DENY + published
        severity = the_group(changed(base, base + to_db(f"[{{ipBlock: {{cidr: {cidr}}}}}]")), cidr, "shop/db").severity
        assert severity is not None
        assert next((reason.text for reason in severity.reasons if reason.mark is Mark.PUBLISHED), None) == said


def test_whole_namespace_is_told_where_every_pod_of_several_comes_in() -> None:
    base = CLUSTER + DENY + EGRESS + workload("lab/other")
    severity = the_group(changed(base, base + to_db(FROM_LAB)), "lab/tool", "shop/db").severity
    assert severity is not None
    assert Reason(Mark.WHOLE_NAMESPACE, "from every pod of namespace lab") in severity.reasons
    one = to_db("[{namespaceSelector: {matchLabels: {env: dev}}, podSelector: {matchLabels: {app: tool}}}]")
    severity = the_group(changed(base, base + one), "lab/tool", "shop/db").severity
    assert severity is not None
    assert Mark.WHOLE_NAMESPACE not in {reason.mark for reason in severity.reasons}


@pytest.mark.parametrize("where", ["pod", "namespace"])
def test_what_is_marked_as_sensitive_is_high_even_within_a_namespace(where: str) -> None:
    mark = "flowdelta/sensitive: 'true'"
    spaces = namespace("shop", f"{{{mark}}}") if where == "namespace" else ""
    base = spaces + workload("shop/web") + workload("shop/db", labels=mark if where == "pod" else "") + DENY + EGRESS
    severity = the_group(changed(base, base + to_db(FROM_WEB)), "shop/web", "shop/db").severity
    assert severity is not None
    assert severity.level is Level.HIGH
    assert severity.reasons[0] == Reason(Mark.SENSITIVE_ENDPOINT, "to shop/db, marked as sensitive")


def test_what_closes_has_no_severity_and_no_digest_depends_on_one() -> None:
    base = CLUSTER + DENY + EGRESS
    report = changed(base + to_db(FROM_WEB), base)
    assert [group.severity for group in report.groups] == [None]
    everything_critical = replace(DEFAULT_RULES, rules=(Rule(frozenset(), Level.CRITICAL),))
    opened = [changed(base, base + to_db(FROM_WEB), rules) for rules in (DEFAULT_RULES, everything_critical)]
    assert opened[0].digest == opened[1].digest
    assert [group.severity.level for each in opened for group in each.groups if group.severity] == [Level.LOW, Level.CRITICAL]


def test_more_marks_never_weigh_less() -> None:
    marks = tuple(Mark)
    sets = [frozenset(each) for each in chain.from_iterable(combinations(marks, size) for size in range(5))]
    ranks = {each: DEFAULT_RULES.weigh(Reason(mark, "x") for mark in each).level.rank for each in sets}
    assert all(ranks[each | {mark}] <= rank for each, rank in ranks.items() for mark in marks if each | {mark} in ranks)


def test_table_is_documented_as_it_is() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "severity.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (critical|high|medium) \| (.+?) \|$", page, re.MULTILINE)
    documented = {(frozenset(re.findall(r"`([a-z-]+)`", marks)), level) for level, marks in rows}
    assert documented == {(frozenset(map(str, rule.marks)), str(rule.level)) for rule in DEFAULT_RULES.rules}
    assert set(re.findall(r"^\| `([a-z-]+)` \| .{20,} \|$", page, re.MULTILINE)) == set(map(str, Mark))
    assert all(each.name in page for each in DEFAULT_RULES.sensitive_ports)
    assert all(f"`{label}`" in page for label in DEFAULT_RULES.environments)
