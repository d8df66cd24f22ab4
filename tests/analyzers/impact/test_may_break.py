"""What may break: flows that close although head says that it uses them, and nothing else."""

from __future__ import annotations

import json

import pytest

from analyzers.impact.assessment import may_break
from analyzers.impact.assessment.may_break import EvidenceKind
from analyzers.reports import render
from tests.analyzers.impact.changes import changed, policy, service, the_group, workload

DB_ON_80 = service("data/db", "db", "[{port: 80, targetPort: 5432}]")
HEADLESS = service("data/db", "db", "[{port: 5432}]", "clusterIP: None")
OPEN = policy("data/db", "{podSelector: {}, ingress: [{}]}")


def closing(port: int) -> str:
    """The database admits everyone on all ports but one."""
    ranges = f"[{{port: 1, endPort: {port - 1}}}, {{port: {port + 1}, endPort: 65535}}]"
    return policy("data/db", f"{{podSelector: {{}}, ingress: [{{ports: {ranges}}}]}}")


def told(env: str, services: str, port: int = 5432, *, spec: str = "", source: str = "shop/web", kind: str = "Deployment") -> list[str]:
    """What the variables and annotations of head say of a database that closes a port."""
    both = workload(source, env=env, spec=spec) + workload("data/db", kind=kind) + services
    group = the_group(changed(both + OPEN, both + closing(port)), source, "data/db")
    kinds = (EvidenceKind.VARIABLE, EvidenceKind.ANNOTATION)
    return [f"{each.name} {each.says} {each.connections}" for each in group.may_break if each.kind in kinds]


def variable(value: str, name: str = "X") -> str:
    return f"[{{name: {name}, value: '{value}'}}]"


RESOLVED = [
    ("http://db.data", "X db.data:80 TCP 5432"),
    ("https://db.data", None),  # the Service has no port 443
    ("http://db.data:80/path?x=1", "X db.data:80 TCP 5432"),
    ("http://user:p%40ss@db.data.svc", "X db.data.svc:80 TCP 5432"),
    ("db.data.svc.cluster.local:80", "X db.data.svc.cluster.local:80 TCP 5432"),
    ("db.data.svc.cluster.local.:80", "X db.data.svc.cluster.local.:80 TCP 5432"),
    ("db.data.:80", None),  # an absolute name is no name of the cluster
    ("db:80", None),  # of the namespace shop, which has no such Service
    ("db.data.svc.example.com:80", None),
    ("db.other:80", None),
    ("x.db.data:80", None),  # only headless Services name their pods
    ("db.data:5432", None),  # the port of the pods is not that of the Service
    ("jdbc:postgresql://db.data:80/x", "X db.data:80 TCP 5432"),
    ("a:1,db.data:80", "X db.data:80 TCP 5432"),
    ("db.data", "X db.data TCP 5432"),
    ("see db.data", "X db.data TCP 5432"),
    ("data", None),
    ("$(HOST):80", None),
]


@pytest.mark.parametrize(("value", "said"), RESOLVED)
def test_address_in_a_variable_counts_where_the_cluster_resolves_it_to_the_port_that_closes(value: str, said: str | None) -> None:
    assert told(variable(value), DB_ON_80) == ([said] if said else [])


def test_name_is_of_the_namespace_that_asks_first() -> None:
    assert told(variable("db:80"), DB_ON_80, source="data/web") == ["X db:80 TCP 5432"]


@pytest.mark.parametrize(("name", "counts"), [("DB_HOST", True), ("DATABASE_URL", True), ("HOST", True), ("MODE", False), ("GHOST", False)])
def test_single_word_counts_where_the_variable_is_named_for_a_host(name: str, counts: bool) -> None:
    assert told(variable("db", name), DB_ON_80, source="data/web") == ([f"{name} db TCP 5432"] if counts else [])


def test_port_may_stand_beside_the_host() -> None:
    assert told("[{name: DB_HOST, value: db.data}, {name: DB_PORT, value: '80'}]", DB_ON_80) == ["DB_HOST db.data:80 TCP 5432"]
    assert told("[{name: DB_HOST, value: db.data}, {name: DB_PORT, value: '81'}]", DB_ON_80) == []


def test_variable_may_refer_to_one_before_it_and_to_none_after() -> None:
    before = "[{name: H, value: db.data}, {name: URL, value: 'http://$(H)'}]"
    assert "URL db.data:80 TCP 5432" in told(before, DB_ON_80)
    after = "[{name: URL, value: 'http://$(H)'}, {name: H, value: 'x'}]"
    assert told(after, DB_ON_80) == []
    assert told("[{name: H, value: db.data}, {name: URL, value: 'http://$$(H)'}]", DB_ON_80) == ["H db.data TCP 5432"]


def test_name_of_a_headless_service_stands_for_its_pods() -> None:
    assert told(variable("db.data:5432"), HEADLESS) == ["X db.data:5432 TCP 5432"]
    assert told(variable("db-0.db.data:5432"), HEADLESS, kind="StatefulSet") == ["X db-0.db.data:5432 TCP 5432"]
    assert told(variable("other-0.db.data:5432"), HEADLESS, kind="StatefulSet") == []
    assert told(variable("db.data:9999"), HEADLESS) == []


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ("hostNetwork: true", False),
        ("hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet", True),
        ("dnsPolicy: Default", False),
        ("dnsPolicy: None", False),
        ("dnsPolicy: ClusterFirst", True),
    ],
)
def test_pods_that_do_not_ask_the_cluster_resolve_none_of_its_names(spec: str, counts: bool) -> None:
    both = workload("shop/web", env=variable("db.data:80"), spec=spec) + workload("data/db") + DB_ON_80
    report = changed(both + OPEN, both + closing(5432))
    evidence = [each.kind for group in report.groups for each in group.may_break if each.source]
    # A pod on the network of its node is an address to policy, and which addresses close to it is not certain.
    assert evidence == ([EvidenceKind.VARIABLE] if counts else [])


def test_search_that_is_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    both = workload("shop/web", env=variable("http://db.data")) + workload("data/db") + DB_ON_80
    assert not changed(both + OPEN, both + closing(5432)).may_break_stopped
    monkeypatch.setattr(may_break, "MOST_LOOKED_AT", 0)
    report = changed(both + OPEN, both + closing(5432))
    assert report.may_break_stopped
    for name in ("markdown", "text", "html"):
        assert "What may break is not all told" in "".join(render(name, report))
    assert json.loads("".join(render("json", report)))["may_break_stopped"] is True


def test_port_that_does_not_close_is_not_told() -> None:
    assert told(variable("db.data:80"), DB_ON_80, 5433) == []


def test_variable_that_head_does_not_have_any_more_is_not_told() -> None:
    rest = workload("data/db") + DB_ON_80
    base, head = workload("shop/web", env=variable("db.data:80")) + rest, workload("shop/web") + rest
    report = changed(base + OPEN, head + closing(5432))
    assert [each for group in report.groups for each in group.may_break if each.source] == []


def test_service_that_head_does_not_have_is_looked_up_in_base() -> None:
    rest = workload("shop/web", env=variable("db.data:80")) + workload("data/db")
    report = changed(rest + DB_ON_80 + OPEN, rest + closing(5432))
    (evidence,) = the_group(report, "shop/web", "data/db").may_break
    assert (evidence.name, evidence.service, evidence.origin.line) == ("X", "data/db", 2)


def test_annotation_names_a_workload_of_the_namespace() -> None:
    for value in ("""'[{"apiVersion": "apps/v1", "kind": "Deployment", "name": "db"}]'""", "db", "'other, db'"):
        both = workload("data/web", annotations=f"{{app.openshift.io/connects-to: {value}}}") + workload("data/db")
        group = the_group(changed(both + OPEN, both + closing(5432)), "data/web", "data/db")
        assert [each.kind for each in group.may_break] == [EvidenceKind.ANNOTATION]
    both = workload("data/web", annotations="""{app.openshift.io/connects-to: '[{"kind": "StatefulSet", "name": "db"}]'}""") + workload(
        "data/db"
    )
    assert the_group(changed(both + OPEN, both + closing(5432)), "data/web", "data/db").may_break == ()


def test_service_tells_of_a_port_that_closes_unless_everything_does() -> None:
    both = workload("shop/web") + workload("data/db") + DB_ON_80
    (evidence,) = the_group(changed(both + OPEN, both + closing(5432)), "shop/web", "data/db").may_break
    assert (evidence.kind, evidence.name, str(evidence.connections)) == (EvidenceKind.SERVICE, "data/db:80", "TCP 5432")
    deny = policy("data/db", "{podSelector: {}, policyTypes: [Ingress]}")
    assert the_group(changed(both + OPEN, both + deny), "shop/web", "data/db").may_break == ()


def test_way_in_tells_of_what_closes_to_it() -> None:
    ingress = (
        "---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: way, namespace: data}, spec: {rules: [{http: {paths: "
        "[{path: /, pathType: Prefix, backend: {service: {name: db, port: {number: 80}}}}]}}]}}\n"
    )
    both = workload("data/db") + DB_ON_80 + ingress
    group = the_group(changed(both + OPEN, both + closing(5432)), "{ingress-controller}", "data/db")
    assert [(each.kind, each.name) for each in group.may_break] == [(EvidenceKind.WAY_IN, "Ingress data/way")]
    balancer = service("data/db", "db", "[{port: 80, targetPort: 5432}]", "type: LoadBalancer")
    both = workload("data/db") + balancer
    group = the_group(changed(both + OPEN, both + closing(5432)), "0.0.0.0/0", "data/db")
    assert [(each.kind, each.name) for each in group.may_break][:1] == [(EvidenceKind.WAY_IN, "Service data/db (LoadBalancer)")]


def test_malformed_environments_are_passed_over() -> None:
    for env in ("nothing", "[1, {name: X}, {value: y}, {name: [], value: 'db.data:80'}, {name: X, valueFrom: {}}]", "{X: db.data:80}"):
        assert told(env, DB_ON_80) == []


def test_nothing_of_a_value_is_kept_but_the_host_and_the_port() -> None:
    report = changed(workload("shop/web", env=variable("postgres://admin:hunter2@db.data:5432/secret", "DATABASE_URL")), "")
    assert report.clusters[0].workloads[0].uses[0].target == "db.data"
    assert "hunter2" not in repr(report.clusters[0].workloads)
