"""The examiner examined: a table of hand-written cases, one for every trap that an engine could fall into."""

from __future__ import annotations

import pytest

from tests.oracle.evaluator import Verdict
from tests.oracle.sample import AGENT, DB, PROBE, TOOL, WEB, asked, cluster

ALLOWED, MAY, DENIED = Verdict.ALLOWED, Verdict.MAY, Verdict.DENIED

ONE_POLICY = [
    ("a pod that no policy selects is open", "{podSelector: {matchLabels: {app: api}}}", TOOL, DB, "80/TCP", ALLOWED),
    ("a policy in another namespace selects nothing here", "{podSelector: {matchLabels: {app: agent}}}", DB, AGENT, "80/TCP", ALLOWED),
    ("isolated with no rules denies all", "{podSelector: {}}", WEB, DB, "80/TCP", DENIED),
    ("isolated with no rules denies outside", "{podSelector: {}}", "8.8.8.8", DB, "80/TCP", DENIED),
    ("an empty list of rules isolates", "{podSelector: {}, ingress: []}", WEB, DB, "80/TCP", DENIED),
    ("an empty rule allows everyone", "{podSelector: {}, ingress: [{}]}", TOOL, DB, "80/SCTP", ALLOWED),
    ("an empty rule allows outside", "{podSelector: {}, ingress: [{}]}", "2001:db8::1", DB, "80/SCTP", ALLOWED),
    ("a missing podSelector selects everything", "{ingress: []}", WEB, DB, "80/TCP", DENIED),
    ("policyTypes missing does not isolate for egress", "{podSelector: {}, ingress: [{}]}", DB, TOOL, "80/TCP", ALLOWED),
    ("policyTypes missing with egress rules isolates for egress", "{egress: [{ports: [{port: 1}]}]}", DB, TOOL, "80/TCP", DENIED),
    ("policyTypes missing with egress rules still isolates for ingress", "{egress: [{}]}", WEB, DB, "80/TCP", DENIED),
    ("policyTypes missing with no egress rules leaves egress open", "{egress: []}", DB, TOOL, "80/TCP", ALLOWED),
    ("policyTypes empty is policyTypes missing", "{policyTypes: [], egress: [], ingress: [{}]}", DB, TOOL, "80/TCP", ALLOWED),
    ("policyTypes empty isolates for ingress", "{policyTypes: []}", WEB, DB, "80/TCP", DENIED),
    ("policyTypes Egress leaves ingress open in spite of rules", "{policyTypes: [Egress], ingress: []}", TOOL, DB, "80/TCP", ALLOWED),
    ("policyTypes Egress without rules denies egress", "{policyTypes: [Egress]}", DB, TOOL, "80/TCP", DENIED),
    ("policyTypes Ingress ignores egress rules", "{policyTypes: [Ingress], egress: [{ports: [{port: 1}]}]}", DB, TOOL, "80/TCP", ALLOWED),
    ("from empty means everyone", "{ingress: [{from: []}]}", TOOL, DB, "80/TCP", ALLOWED),
    ("from empty means outside too", "{ingress: [{from: []}]}", "8.8.8.8", DB, "80/TCP", ALLOWED),
    ("from null means everyone", "{ingress: [{from: null}]}", TOOL, DB, "80/TCP", ALLOWED),
    ("namespaceSelector empty means every pod", "{ingress: [{from: [{namespaceSelector: {}}]}]}", TOOL, DB, "80/TCP", ALLOWED),
    ("namespaceSelector empty means no outside", "{ingress: [{from: [{namespaceSelector: {}}]}]}", "8.8.8.8", DB, "80/TCP", DENIED),
    ("podSelector alone means this namespace", "{ingress: [{from: [{podSelector: {}}]}]}", WEB, DB, "80/TCP", ALLOWED),
    ("podSelector alone means no other namespace", "{ingress: [{from: [{podSelector: {}}]}]}", TOOL, DB, "80/TCP", DENIED),
    (
        "both selectors in one peer must hold",
        "{ingress: [{from: [{namespaceSelector: {matchLabels: {env: prod}}, podSelector: {matchLabels: {app: web}}}]}]}",
        *(TOOL, DB, "80/TCP", DENIED),
    ),
    (
        "selectors in two peers are alternatives",
        "{ingress: [{from: [{namespaceSelector: {matchLabels: {env: dev}}}, {podSelector: {matchLabels: {app: web}}}]}]}",
        *(WEB, DB, "80/TCP", ALLOWED),
    ),
    (
        "a namespace without an object has its name label",
        "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: bare}}}]}]}",
        *(TOOL, DB, "80/TCP", ALLOWED),
    ),
    (
        "a namespace's name label cannot be chosen",
        "{egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}]}]}",
        *(WEB, AGENT, "80/TCP", DENIED),
    ),
    (
        "a missing namespace is default",
        "{ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}}]}]}",
        *(PROBE, DB, "80/TCP", ALLOWED),
    ),
    (
        "NotIn holds when the key is absent",
        "{ingress: [{from: [{podSelector: {matchExpressions: [{key: x, operator: NotIn, values: [a]}]}}]}]}",
        *(WEB, DB, "80/TCP", ALLOWED),
    ),
    (
        "NotIn fails on its values",
        "{ingress: [{from: [{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}]}]}",
        *(WEB, DB, "80/TCP", DENIED),
    ),
    (
        "DoesNotExist holds when the key is absent",
        "{ingress: [{from: [{podSelector: {matchExpressions: [{key: x, operator: DoesNotExist}]}}]}]}",
        *(WEB, DB, "80/TCP", ALLOWED),
    ),
    (
        "In fails when the key is absent",
        '{ingress: [{from: [{podSelector: {matchExpressions: [{key: x, operator: In, values: [""]}]}}]}]}',
        *(WEB, DB, "80/TCP", DENIED),
    ),
    (
        "Exists holds for an empty value",
        "{egress: [{to: [{podSelector: {matchExpressions: [{key: empty, operator: Exists}]}}]}], policyTypes: [Egress]}",
        *(WEB, DB, "80/TCP", ALLOWED),
    ),
    (
        "policies see the pods' labels, not their controller's",
        "{podSelector: {matchLabels: {app: not-of-the-pods}}}",
        *(DB, WEB, "1/TCP", ALLOWED),
    ),
    ("ports empty means every port", "{ingress: [{ports: []}]}", WEB, DB, "80/SCTP", ALLOWED),
    ("a port without a protocol is TCP", "{ingress: [{ports: [{port: 80}]}]}", WEB, DB, "80/UDP", DENIED),
    ("a protocol alone means all of its ports", "{ingress: [{ports: [{protocol: UDP}]}]}", WEB, DB, "65535/UDP", ALLOWED),
    ("an empty entry means every TCP port", "{ingress: [{ports: [{}]}]}", WEB, DB, "80/UDP", DENIED),
    ("endPort is included", "{ingress: [{ports: [{port: 80, endPort: 90}]}]}", WEB, DB, "90/TCP", ALLOWED),
    ("endPort is the end", "{ingress: [{ports: [{port: 80, endPort: 90}]}]}", WEB, DB, "91/TCP", DENIED),
    ("a named port resolves on the destination for ingress", "{ingress: [{ports: [{port: http}]}]}", WEB, DB, "5432/TCP", ALLOWED),
    ("a named port does not resolve on the source", "{ingress: [{ports: [{port: http}]}]}", WEB, DB, "8080/TCP", DENIED),
    ("the first container that names a port counts", "{ingress: [{ports: [{port: http}]}]}", DB, WEB, "8080/TCP", ALLOWED),
    ("a later container with the same name does not", "{ingress: [{ports: [{port: http}]}]}", DB, WEB, "9090/TCP", DENIED),
    ("a named port needs its protocol", "{ingress: [{ports: [{port: dns}]}]}", DB, WEB, "53/TCP", DENIED),
    ("a named port of another protocol", "{ingress: [{ports: [{port: dns, protocol: UDP}]}]}", DB, WEB, "53/UDP", ALLOWED),
    ("a sidecar names ports", "{ingress: [{ports: [{port: side}]}]}", WEB, DB, "3/TCP", ALLOWED),
    ("another init container does not", "{ingress: [{ports: [{port: admin}]}]}", WEB, DB, "1/TCP", DENIED),
    ("containers come before sidecars", "{ingress: [{ports: [{port: http}]}]}", WEB, DB, "2/TCP", DENIED),
    (
        "a named port in egress without peers resolves on the destination",
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
        *(WEB, DB, "5432/TCP", ALLOWED),
    ),
    (
        "a named port in egress never means an address",
        "{policyTypes: [Egress], egress: [{ports: [{port: http}]}]}",
        *(WEB, "8.8.8.8", "8080/TCP", DENIED),
    ),
    ("a named port in ingress means addresses too", "{ingress: [{ports: [{port: http}]}]}", "8.8.8.8", WEB, "8080/TCP", ALLOWED),
    ("a block holds its last address", "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", "10.255.255.255", DB, "80/TCP", ALLOWED),
    ("a block ends there", "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", "11.0.0.0", DB, "80/TCP", DENIED),
    ("a block means no pod", "{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", WEB, DB, "80/TCP", DENIED),
    ("a block means its family", "{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", "::1", DB, "80/TCP", DENIED),
    ("host bits of a block are masked", "{ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/8}}]}]}", "10.9.9.9", DB, "80/TCP", ALLOWED),
    (
        "except is left out",
        '{policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0", except: ["fc00::/7"]}}]}]}',
        *(WEB, "fd00::1", "80/TCP", DENIED),
    ),
    (
        "another peer may bring it back",
        '{policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "::/0", except: ["fc00::/7"]}}, {ipBlock: {cidr: "fd00::/8"}}]}]}',
        *(WEB, "fd00::1", "80/TCP", ALLOWED),
    ),
    (
        "a pod on the host network is admitted for certain where nothing isolates",
        "{podSelector: {matchLabels: {app: x}}}",
        *(AGENT, DB, "80/TCP", ALLOWED),
    ),
    (
        "a pod on the host network may be admitted where pods are",
        "{ingress: [{from: [{namespaceSelector: {}}]}]}",
        *(AGENT, DB, "80/TCP", MAY),
    ),
    ("a pod on the host network may be admitted even where nothing is", "{podSelector: {}}", AGENT, DB, "80/TCP", MAY),
    ("a rule without from admits it for certain", "{ingress: [{ports: [{port: http}]}]}", AGENT, DB, "5432/TCP", ALLOWED),
    ("and only may admit it on other ports", "{ingress: [{ports: [{port: http}]}]}", AGENT, DB, "5433/TCP", MAY),
    ("one whole family is not every address", "{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", AGENT, DB, "80/TCP", MAY),
    (
        "every address in parts is every address",
        '{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/1}}, {ipBlock: {cidr: "::/0"}}]}]}',
        *(AGENT, DB, "80/TCP", ALLOWED),
    ),
    ("a pod selector does not mean a host-network pod", "{egress: [{to: [{namespaceSelector: {}}]}]}", WEB, AGENT, "80/TCP", DENIED),
    ("some address may be its node's", "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", WEB, AGENT, "80/TCP", MAY),
    ("a rule without to is every address", "{egress: [{ports: [{port: 80}]}]}", WEB, AGENT, "80/TCP", ALLOWED),
    ("a named port is no address", "{egress: [{ports: [{port: http}]}]}", WEB, AGENT, "8080/TCP", DENIED),
]


NAMES = [row[0] for row in ONE_POLICY]


@pytest.mark.parametrize(("spec", "source", "destination", "port", "expected"), [row[1:] for row in ONE_POLICY], ids=NAMES)
def test_one_policy_decides(spec: str, source: str, destination: str, port: str, expected: Verdict) -> None:
    assert asked(cluster(spec), source, destination, port) is expected


@pytest.mark.parametrize("end", ["8.8.8.8", "::1", AGENT])
def test_a_host_network_pod_talks_to_nodes_and_outside_whatever_policies_say(end: str) -> None:
    documents = cluster("{policyTypes: [Ingress, Egress]}", namespace="ops")
    assert asked(documents, AGENT, end, "80/TCP") is ALLOWED
    assert asked(documents, end, AGENT, "80/TCP") is ALLOWED


def test_a_host_network_pod_is_any_other_pod_when_so_asked() -> None:
    isolated = cluster("{policyTypes: [Ingress, Egress]}", namespace="ops")
    assert asked(isolated, AGENT, DB, "80/TCP", "pod") is DENIED
    selected = cluster("{ingress: [{from: [{namespaceSelector: {matchLabels: {env: dev}}}]}]}")
    assert asked(selected, AGENT, DB, "80/TCP", "pod") is ALLOWED


def test_policies_add_up() -> None:
    both = cluster("{podSelector: {}}", "{ingress: [{from: [{podSelector: {}}]}]}")
    assert asked(both, WEB, DB, "80/TCP") is ALLOWED


def test_a_connection_needs_egress_and_ingress() -> None:
    spec = "{policyTypes: [Ingress, Egress], ingress: [{}], egress: [{ports: [{port: 80}]}]}"
    assert asked(cluster(spec), WEB, DB, "80/TCP") is ALLOWED
    assert asked(cluster(spec), WEB, DB, "81/TCP") is DENIED


def test_another_group_s_network_policy_is_not_read_as_one() -> None:
    documents = cluster("{podSelector: {}}")
    documents[-1]["apiVersion"] = "projectcalico.org/v3"
    assert asked(documents, WEB, DB, "80/TCP") is ALLOWED
