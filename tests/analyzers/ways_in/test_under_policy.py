"""What policy leaves of a way in: the table of the semantics, for controllers that are known and for those that are not."""

from __future__ import annotations

import pytest

from tests.analyzers.ways_in.asking import FRONT, WEB, Row, certain, deployment, inward, notes, perhaps, policy

WEB_ID = "shop/web[Deployment]"
EXTRA = deployment("other", namespace="else")
ALL_PODS = "[{from: [{namespaceSelector: {}}]}]"

UNKNOWN: list[tuple[str, str, Row | None]] = [
    ("no policy", "", certain(8080)),
    ("everyone", policy("[{}]"), certain(8080)),
    ("all pods of all namespaces", policy(ALL_PODS), certain(8080)),
    ("all pods of all namespaces, said twice", policy("[{from: [{namespaceSelector: {}, podSelector: {}}]}]"), certain(8080)),
    ("all pods, on the port", policy("[{from: [{namespaceSelector: {}}], ports: [{port: http}]}]"), certain(8080)),
    ("all pods, on another port", policy("[{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]"), None),
    (
        "a namespace that is not known",
        policy("[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]"),
        perhaps(8080),
    ),
    ("pods that are not known", policy("[{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: nginx}}}]}]"), perhaps(8080)),
    ("addresses, where a controller could run as well", policy("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"), perhaps(8080)),
    ("pods that are known", policy("[{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: other}}}]}]"), None),
    ("the pods of its own namespace", policy("[{from: [{podSelector: {}}]}]"), None),
    (
        "all pods of namespaces that lack a label",
        policy("[{from: [{namespaceSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}]}]"),
        perhaps(8080),
    ),
    (
        "all pods of namespaces with a name, which is all",
        policy("[{from: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: Exists}]}}]}]"),
        certain(8080),
    ),
    ("nobody", policy("[]"), None),
    ("one policy for it and one for others", policy("[]") + policy(ALL_PODS, name="q"), certain(8080)),
    ("a policy of other pods", policy("[]", selector="{matchLabels: {app: x}}"), certain(8080)),
]


@pytest.mark.parametrize(("policies", "row"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_controller_that_is_not_in_the_manifests(policies: str, row: Row | None) -> None:
    text = WEB + EXTRA + FRONT + policies
    assert inward(text) == ({WEB_ID: row} if row is not None else {})
    blocked = [code for code, _ in notes(text) if code == "ingress-blocked"]
    assert blocked == ([] if row is not None else ["ingress-blocked"])


NGINX = deployment("nginx", "edge", **{"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"})
FROM_EDGE = "[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]}]"
EGRESS = (
    "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: e, namespace: edge}\n"
    "spec: {podSelector: {}, policyTypes: [Egress]}\n"
)

KNOWN: list[tuple[str, str, Row | None]] = [
    ("policy admits its labels", policy(FROM_EDGE), certain(8080)),
    ("policy admits a namespace that is not known", policy(FROM_EDGE.replace("edge", "x")), None),
    ("policy admits all pods", policy(ALL_PODS), certain(8080)),
    ("its own egress is closed", EGRESS, None),
]


@pytest.mark.parametrize(("policies", "row"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_controller_that_is_in_the_manifests_is_judged_by_its_labels(policies: str, row: Row | None) -> None:
    assert inward(WEB + FRONT + NGINX + policies) == ({WEB_ID: row} if row is not None else {})


CLASSES: list[tuple[str, str, Row | None]] = [
    ("the customary name of its class", FRONT.replace("rules", "ingressClassName: nginx, rules"), certain(8080)),
    ("another class", FRONT.replace("rules", "ingressClassName: gce, rules"), None),
    (
        "a class that names its controller",
        FRONT.replace("rules", "ingressClassName: public, rules")
        + "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: public}\nspec: {controller: k8s.io/ingress-nginx}\n",
        certain(8080),
    ),
    (
        "the default class, which is another one's",
        FRONT
        + "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\n"
        + 'metadata: {name: x, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}\nspec: {controller: x.example/y}\n',
        None,
    ),
    (
        "the annotation of before",
        FRONT.replace("name: front", "name: front, annotations: {kubernetes.io/ingress.class: nginx}"),
        certain(8080),
    ),
]


@pytest.mark.parametrize(("way", "row"), [case[1:] for case in CLASSES], ids=[case[0] for case in CLASSES])
def test_class_tells_which_controller_serves(way: str, row: Row | None) -> None:
    assert inward(WEB + way + NGINX + policy(FROM_EDGE)) == ({WEB_ID: row} if row is not None else {})


def test_of_two_controllers_that_could_serve_it_only_what_both_may_do_is_certain() -> None:
    second = NGINX.replace("name: nginx, namespace: edge", "name: nginx, namespace: other")
    assert inward(WEB + FRONT + NGINX + second + policy(FROM_EDGE)) == {WEB_ID: perhaps(8080)}
    assert inward(WEB + FRONT + NGINX + second + policy(ALL_PODS)) == {WEB_ID: certain(8080)}


def test_controller_on_the_network_of_its_node_is_judged_by_its_address() -> None:
    host = NGINX.replace("spec: {containers", "spec: {hostNetwork: true, containers")
    assert inward(WEB + FRONT + host + policy(FROM_EDGE)) == {WEB_ID: perhaps(8080)}
    assert inward(WEB + FRONT + host + policy(FROM_EDGE), host_network="pod") == {WEB_ID: certain(8080)}


ADMIN = """\
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: a}
spec:
  priority: 10
  subject: {namespaces: {}}
  ingress:
  - {action: %s, from: [{%s}]}
"""
ADMIN_TIERS: list[tuple[str, str, Row | None]] = [
    ("deny everyone", ADMIN % ("Deny", "namespaces: {}"), None),
    ("deny a namespace that is not known", ADMIN % ("Deny", "namespaces: {matchLabels: {a: b}}"), perhaps(8080)),
    ("deny pods that are known", ADMIN % ("Deny", "namespaces: {matchLabels: {kubernetes.io/metadata.name: else}}"), certain(8080)),
    (
        "allow a namespace that is not known, before nobody",
        ADMIN % ("Allow", "namespaces: {matchLabels: {a: b}}") + policy("[]"),
        perhaps(8080),
    ),
    ("pass a namespace that is not known, before nobody", ADMIN % ("Pass", "namespaces: {matchLabels: {a: b}}") + policy("[]"), None),
    ("allow everyone, before nobody", ADMIN % ("Allow", "namespaces: {}") + policy("[]"), certain(8080)),
]


@pytest.mark.parametrize(("policies", "row"), [case[1:] for case in ADMIN_TIERS], ids=[case[0] for case in ADMIN_TIERS])
def test_admin_tiers_apply_to_a_controller_that_is_not_in_the_manifests(policies: str, row: Row | None) -> None:
    assert inward(WEB + EXTRA + FRONT + policies) == ({WEB_ID: row} if row is not None else {})
