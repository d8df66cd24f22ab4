"""The admin tiers, row by row, as the API text of ClusterNetworkPolicy v1alpha2 states them; the product and the examiner both agree."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest
import yaml

from analyzers.model.cluster import HostNetwork
from analyzers.pipeline import Options, explain, matrix
from tests.oracle import sample
from tests.oracle.evaluator import Verdict
from tests.oracle.reading import Document
from tests.property.product import MemoryTree

WEB, DB, AGENT, OUTSIDE = "shop/web[Deployment]", "data/db[StatefulSet]", "ops/agent[DaemonSet]", "203.0.113.9"

PODS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {env: prod}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}, {name: sql, containerPort: 5433, protocol: UDP}]}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ops}
spec:
  selector: {matchLabels: {app: agent}}
  template: {metadata: {labels: {app: agent}}, spec: {hostNetwork: true, containers: [{name: c}]}}
"""
ISOLATED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: data}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
DATA = "subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: data}}}"
ALL_PODS = "from: [{namespaces: {}}]"


def cnp(name: str, text: str, tier: str = "Admin", priority: int = 10) -> str:
    spec = f"tier: {tier}\npriority: {priority}\n{DATA}\n{dedent(text)}"
    head = f"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n"
    return head + indent(spec, "  ")


def anp(name: str, text: str, priority: int = 10) -> str:
    head = f"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: {name}}}\nspec:\n"
    return head + indent(f"priority: {priority}\n{DATA}\n{dedent(text)}", "  ")


def banp(text: str) -> str:
    head = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec:\n"
    return head + indent(f"{DATA}\n{dedent(text)}", "  ")


def rule(action: str, peers: str = ALL_PODS, ports: str = "") -> str:
    return f"{{action: {action}, {peers}{f', protocols: [{ports}]' if ports else ''}}}"


def ingress(*rules: str) -> str:
    return f"ingress: [{', '.join(rules)}]"


def egress(*rules: str) -> str:
    return f"egress: [{', '.join(rules)}]"


def to(peers: str) -> str:
    return f"to: [{peers}]"


SQL, WWW = "{tcp: {destinationPort: {number: 5432}}}", "{tcp: {destinationPort: {range: {start: 80, end: 443}}}}"
FUTURE, ANYWHERE = "from: [{futures: {}}]", to("{networks: [0.0.0.0/0]}")
ALLOWED, MAY, DENIED = Verdict.ALLOWED, Verdict.MAY, Verdict.DENIED

ROWS: list[tuple[str, list[str], str, str, str, Verdict]] = [
    ("a Deny stops everything after it", [cnp("a", ingress(rule("Deny"), rule("Accept")))], WEB, DB, "5432/TCP", DENIED),
    ("an Accept overrules a NetworkPolicy", [cnp("a", ingress(rule("Accept"))), ISOLATED], WEB, DB, "5432/TCP", ALLOWED),
    (
        "an Accept for egress leaves ingress to itself",
        [cnp("a", egress(rule("Accept", to("{namespaces: {}}")))), ISOLATED],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    (
        "an Accept for egress overrules a NetworkPolicy",
        [cnp("a", egress(rule("Accept", to("{namespaces: {}}")))), ISOLATED],
        DB,
        WEB,
        "80/TCP",
        ALLOWED,
    ),
    ("rules count in the order written", [cnp("a", ingress(rule("Accept", ports=SQL), rule("Deny")))], WEB, DB, "5432/TCP", ALLOWED),
    ("what a rule does not match goes on", [cnp("a", ingress(rule("Accept", ports=SQL), rule("Deny")))], WEB, DB, "5431/TCP", DENIED),
    ("a range holds its first port", [cnp("a", ingress(rule("Deny", ports=WWW)))], WEB, DB, "80/TCP", DENIED),
    ("a range holds its last port", [cnp("a", ingress(rule("Deny", ports=WWW)))], WEB, DB, "443/TCP", DENIED),
    ("a range ends", [cnp("a", ingress(rule("Deny", ports=WWW)))], WEB, DB, "444/TCP", ALLOWED),
    ("protocols are apart", [cnp("a", ingress(rule("Deny", ports=SQL)))], WEB, DB, "5432/UDP", ALLOWED),
    (
        "a port name counts in any protocol",
        [cnp("a", ingress(rule("Deny", ports="{destinationNamedPort: sql}")))],
        WEB,
        DB,
        "5433/UDP",
        DENIED,
    ),
    (
        "a port name counts by protocol",
        [cnp("a", ingress(rule("Deny", ports="{destinationNamedPort: sql}")))],
        WEB,
        DB,
        "5433/TCP",
        ALLOWED,
    ),
    (
        "the lower priority comes first",
        [cnp("a", ingress(rule("Deny")), priority=2), cnp("b", ingress(rule("Accept")), priority=1)],
        WEB,
        DB,
        "1/TCP",
        ALLOWED,
    ),
    ("what no tier decides is allowed", [cnp("a", ingress(rule("Deny", ports=SQL)))], WEB, DB, "80/TCP", ALLOWED),
    ("pods are not outside", [cnp("a", ingress(rule("Deny")))], OUTSIDE, DB, "80/TCP", ALLOWED),
    ("Pass goes to NetworkPolicy", [cnp("a", ingress(rule("Pass"), rule("Accept"))), ISOLATED], WEB, DB, "80/TCP", DENIED),
    (
        "Pass skips the rest of the tier",
        [cnp("a", ingress(rule("Pass"))), cnp("b", ingress(rule("Deny")), priority=20)],
        WEB,
        DB,
        "80/TCP",
        ALLOWED,
    ),
    (
        "Pass goes to baseline where nothing isolates",
        [cnp("a", ingress(rule("Pass"))), cnp("b", ingress(rule("Deny")), "Baseline")],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    ("Pass in baseline goes to the default", [cnp("b", ingress(rule("Pass"), rule("Deny")), "Baseline")], WEB, DB, "80/TCP", ALLOWED),
    ("baseline does not count for an isolated pod", [cnp("b", ingress(rule("Accept")), "Baseline"), ISOLATED], WEB, DB, "80/TCP", DENIED),
    ("baseline counts where nothing isolates", [cnp("b", ingress(rule("Deny")), "Baseline")], WEB, DB, "80/TCP", DENIED),
    ("baseline isolates nothing", [cnp("b", ingress(rule("Accept", ports=SQL)), "Baseline")], WEB, DB, "80/TCP", ALLOWED),
    (
        "both tiers: admin decides",
        [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny")), "Baseline", 0)],
        WEB,
        DB,
        "80/TCP",
        ALLOWED,
    ),
    (
        "both tiers: baseline decides the rest",
        [cnp("a", ingress(rule("Accept", ports=SQL))), cnp("b", ingress(rule("Deny")), "Baseline")],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    ("equal priorities that disagree", [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny")))], WEB, DB, "80/TCP", MAY),
    ("equal priorities that agree", [cnp("a", ingress(rule("Deny"))), cnp("b", ingress(rule("Deny")))], WEB, DB, "80/TCP", DENIED),
    (
        "equal priorities where one does not match",
        [cnp("a", ingress(rule("Accept", ports=SQL))), cnp("b", ingress(rule("Deny")))],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    (
        "equal priorities in two tiers are no rivals",
        [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny")), "Baseline")],
        WEB,
        DB,
        "80/TCP",
        ALLOWED,
    ),
    (
        "equal priorities: a Pass that ends the same",
        [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Pass")))],
        WEB,
        DB,
        "80/TCP",
        ALLOWED,
    ),
    (
        "equal priorities: a Pass into isolation",
        [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Pass"))), ISOLATED],
        WEB,
        DB,
        "80/TCP",
        MAY,
    ),
    (
        "a stronger policy settles equal ones",
        [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny"))), cnp("c", ingress(rule("Deny")), priority=1)],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    ("an Accept with an unknown peer matches nothing", [cnp("a", ingress(rule("Accept", FUTURE))), ISOLATED], WEB, DB, "80/TCP", DENIED),
    (
        "an unknown peer spoils the whole Accept",
        [cnp("a", ingress(rule("Accept", "from: [{namespaces: {}}, {futures: {}}]"))), ISOLATED],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    ("a Deny with an unknown peer denies everything", [cnp("a", ingress(rule("Deny", FUTURE, SQL)))], OUTSIDE, DB, "80/UDP", DENIED),
    ("a Pass with an unknown peer denies everything", [cnp("a", ingress(rule("Pass", FUTURE, SQL)))], WEB, DB, "80/UDP", DENIED),
    ("networks for everything deny pods", [cnp("a", egress(rule("Deny", ANYWHERE)))], DB, WEB, "80/TCP", DENIED),
    ("networks for everything accept pods", [cnp("a", egress(rule("Accept", ANYWHERE))), ISOLATED], DB, WEB, "80/TCP", ALLOWED),
    ("networks for everything deny addresses", [cnp("a", egress(rule("Deny", ANYWHERE)))], DB, OUTSIDE, "80/TCP", DENIED),
    ("networks for all of IPv4 leave IPv6", [cnp("a", egress(rule("Deny", ANYWHERE)))], DB, "2001:db8::9", "80/TCP", ALLOWED),
    ("two halves are everything", [cnp("a", egress(rule("Deny", to("{networks: [0.0.0.0/1, 128.0.0.0/1]}"))))], DB, WEB, "80/TCP", DENIED),
    ("a private network is read as no pod", [cnp("a", egress(rule("Deny", to("{networks: [10.0.0.0/8]}"))))], DB, WEB, "80/TCP", ALLOWED),
    ("all of IPv6 is read as no pod", [cnp("a", egress(rule("Deny", to("{networks: ['::/0']}"))))], DB, WEB, "80/TCP", ALLOWED),
    (
        "a Pass before networks saves pods",
        [cnp("a", egress(rule("Pass", to("{namespaces: {}}")), rule("Deny", ANYWHERE)))],
        DB,
        WEB,
        "80/TCP",
        ALLOWED,
    ),
    ("an Accept of nodes may reach outside", [cnp("a", egress(rule("Accept", to("{nodes: {}}")))), ISOLATED], DB, OUTSIDE, "80/TCP", MAY),
    ("an Accept of nodes reaches no pod", [cnp("a", egress(rule("Accept", to("{nodes: {}}")))), ISOLATED], DB, WEB, "80/TCP", DENIED),
    (
        "an Accept of domain names may reach outside",
        [cnp("a", egress(rule("Accept", to("{domainNames: [a.example]}")), rule("Deny", ANYWHERE)))],
        DB,
        OUTSIDE,
        "80/TCP",
        MAY,
    ),
    ("an Accept of nodes that makes no difference", [cnp("a", egress(rule("Accept", to("{nodes: {}}"))))], DB, OUTSIDE, "80/TCP", ALLOWED),
    ("a Deny of nodes is passed over", [cnp("a", egress(rule("Deny", to("{nodes: {}}"))))], DB, OUTSIDE, "80/TCP", ALLOWED),
    ("a host-networked pod is no peer", [cnp("a", ingress(rule("Deny")))], AGENT, DB, "80/TCP", ALLOWED),
    (
        "a host-networked pod is no subject",
        [cnp("a", ingress(rule("Deny"))).replace(DATA, "subject: {namespaces: {}}")],
        WEB,
        AGENT,
        "80/TCP",
        ALLOWED,
    ),
    (
        "the older kinds: Allow, then Pass, then Deny",
        [
            anp("a", "ingress: [{action: Pass, from: [{namespaces: {}}]}, {action: Deny, from: [{namespaces: {}}]}]"),
            banp("ingress: [{action: Deny, from: [{namespaces: {}}]}]"),
        ],
        WEB,
        DB,
        "80/TCP",
        DENIED,
    ),
    (
        "old and new of one priority",
        [anp("a", "ingress: [{action: Allow, from: [{namespaces: {}}]}]"), cnp("b", ingress(rule("Deny")))],
        WEB,
        DB,
        "80/TCP",
        MAY,
    ),
    (
        "old and new by priority",
        [anp("a", "ingress: [{action: Allow, from: [{namespaces: {}}]}]", 9), cnp("b", ingress(rule("Deny")))],
        WEB,
        DB,
        "80/TCP",
        ALLOWED,
    ),
    (
        "the older baseline has no place among the newer",
        [banp("ingress: [{action: Deny, from: [{namespaces: {}}]}]"), cnp("b", ingress(rule("Accept")), "Baseline")],
        WEB,
        DB,
        "80/TCP",
        MAY,
    ),
]


def files(policies: list[str]) -> dict[str, bytes]:
    return {"pods.yaml": PODS.encode()} | {f"p{index}.yaml": text.encode() for index, text in enumerate(policies)}


def documents(policies: list[str]) -> list[Document]:
    return [document for text in files(policies).values() for document in yaml.safe_load_all(text)]


@pytest.mark.parametrize("host_network", ["pod", "node"])
@pytest.mark.parametrize(("policies", "source", "destination", "port", "verdict"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_tiers_decide_as_the_api_says(
    policies: list[str], source: str, destination: str, port: str, verdict: Verdict, host_network: str
) -> None:
    asked = explain(MemoryTree(files(policies)), source, destination, port, Options(HostNetwork(host_network)))
    assert asked.verdict == verdict.name.lower()
    assert sample.asked(documents(policies), source, destination, port, host_network) is verdict


CODES = [
    ("equal-priorities", [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny")))]),
    ("equal-priorities", [cnp("a", ingress(rule("Deny"))), cnp("b", ingress(rule("Deny", ports="{destinationNamedPort: sql}")))]),
    ("equal-priorities", [cnp("a", egress(rule("Deny", ANYWHERE))), cnp("b", egress(rule("Accept", to("{nodes: {}}"))))]),
    ("equal-priorities", [cnp("b", ingress(rule("Deny")), "Baseline", 3), banp("ingress: [{action: Allow, from: [{namespaces: {}}]}]")]),
    ("mixed-admin-apis", [anp("a", "ingress: []"), cnp("b", "ingress: []")]),
    ("networks-may-match-pods", [cnp("a", egress(rule("Deny", to("{networks: [10.0.0.0/8]}"))))]),
    ("networks-may-match-pods", [cnp("a", egress(rule("Deny", to("{networks: ['::/0']}"))))]),
    ("unresolvable-peer", [cnp("a", egress(rule("Accept", to("{nodes: {}}"))))]),
    ("unresolvable-peer", [cnp("a", egress(rule("Accept", to("{domainNames: ['*.example.com']}"))))]),
    ("unknown-peer", [cnp("a", ingress(rule("Deny", FUTURE)))]),
]


@pytest.mark.parametrize(("code", "policies"), CODES)
def test_what_the_api_leaves_open_is_a_diagnostic_by_file_and_line(code: str, policies: list[str]) -> None:
    found = [each for each in matrix(MemoryTree(files(policies))).diagnostics if each.code == code]
    assert [(each.path, bool(each.line)) for each in found] == [(f"p{len(policies) - 1}.yaml", True)]


QUIET = [
    [cnp("a", ingress(rule("Accept", ports=SQL))), cnp("b", ingress(rule("Deny", ports=WWW)))],
    [cnp("a", ingress(rule("Accept"))), cnp("b", egress(rule("Deny", to("{namespaces: {}}"))))],
    [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny")), "Baseline")],
    [
        cnp("a", egress(rule("Deny", to("{networks: [203.0.113.0/25]}")))),
        cnp("b", egress(rule("Accept", to("{networks: [203.0.113.128/25]}")))),
    ],
    [cnp("a", egress(rule("Deny", to("{networks: [0.0.0.0/0, '::/0']}"))))],
    [cnp("a", ingress(rule("Accept"))), cnp("b", ingress(rule("Deny"))).replace(DATA, "subject: {namespaces: {matchLabels: {env: prod}}}")],
]


@pytest.mark.parametrize("policies", QUIET)
def test_policies_that_cannot_meet_need_no_word(policies: list[str]) -> None:
    assert {each.code for each in matrix(MemoryTree(files(policies))).diagnostics} == {"host-network"}
