"""Causes: the changed objects that bear on a flow, and the fields of each that differ, with their lines."""

from __future__ import annotations

import pytest

from analyzers.impact.causation.causes import Cause, ChangeKind, changed_objects
from analyzers.model.revision import Revision
from analyzers.pipeline import diff
from tests.analyzers.reading import objects
from tests.property.product import MemoryTree

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: cart
  namespace: shop
spec:
  podSelector:
    matchLabels: {app: cart}
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          env: prod
          team: shop
    ports:
    - port: 80
"""


def told(base: str, head: str) -> tuple[Cause, ...]:
    """The causes that a change of one file is."""
    before, after = (MemoryTree({"cart.yaml": text.encode()}) for text in (base, head))
    return diff(before, after, base_revision=Revision("base"), head_revision=Revision("head")).policy_changes


@pytest.mark.parametrize(
    ("old", "new", "path", "kind", "before", "after", "line", "side"),
    [
        ("port: 80\n", "port: 81\n", "spec.ingress[0].ports[0].port", "modified", "80", "81", 16, "head"),
        ("          env: prod\n", "", "spec.ingress[0].from[0].namespaceSelector.matchLabels.env", "removed", '"prod"', None, 13, "base"),
        ("    - port: 80\n", "    - port: 80\n    - port: 90\n", "spec.ingress[0].ports", "added", None, '{"port": 90}', 17, "head"),
        ("{app: cart}", '{app: cart, "a.b/c": d}', 'spec.podSelector.matchLabels["a.b/c"]', "added", None, '"d"', 8, "head"),
    ],
)
def test_a_changed_field_has_its_path_values_line_and_side(
    old: str, new: str, path: str, kind: str, before: str | None, after: str | None, line: int, side: str
) -> None:
    assert old in POLICY
    (cause,) = told(POLICY, POLICY.replace(old, new))
    (field,) = cause.fields
    assert (field.path, field.kind, field.before, field.after, field.line, field.side) == (path, kind, before, after, line, side)
    assert (cause.object, cause.change, cause.line, cause.side) == ("NetworkPolicy shop/cart", ChangeKind.MODIFIED, line, side)


def test_an_object_of_one_revision_was_added_or_removed() -> None:
    (added,), (removed,) = told("", POLICY), told(POLICY, "")
    assert (added.change, added.side, added.line) == (ChangeKind.ADDED, "head", 1)
    assert (removed.change, removed.side, removed.line) == (ChangeKind.REMOVED, "base", 1)


def test_moving_an_object_to_another_file_does_not_change_it() -> None:
    assert changed_objects(objects(POLICY, "a.yaml"), objects("# moved\n" + POLICY, "b.yaml")) == []


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{containers: [{{name: c, image: "c:{replicas}"}}]}}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{env: {env}}}}}\n"


def causes(base: dict[str, str], head: dict[str, str]) -> set[str]:
    before, after = (MemoryTree({path: text.encode() for path, text in each.items()}) for each in (base, head))
    report = diff(before, after, base_revision=Revision("base"), head_revision=Revision("head"))
    assert report.groups
    return {cause.object for group in report.groups for alternative in group.causes for cause in alternative}


def files(**changed: str) -> dict[str, str]:
    """A small cluster: web may reach cart, other is elsewhere."""
    return {
        "policy.yaml": POLICY,
        "cart.yaml": DEPLOYMENT.format(name="cart", namespace="shop", replicas=1, app="cart"),
        "web.yaml": DEPLOYMENT.format(name="web", namespace="front", replicas=1, app="web"),
        "other.yaml": DEPLOYMENT.format(name="other", namespace="far", replicas=1, app="other"),
        "front.yaml": NAMESPACE.format(name="front", env="prod, team: shop"),
    } | {f"{path}.yaml": text for path, text in changed.items()}


def test_only_the_changed_objects_that_bear_on_a_flow_are_its_causes() -> None:
    edited = files(policy=POLICY.replace("80", "81"), other=DEPLOYMENT.format(name="other", namespace="far", replicas=5, app="other"))
    assert causes(files(), edited) == {"NetworkPolicy shop/cart"}


def test_a_relabelled_workload_is_a_cause() -> None:
    relabelled = files(cart=DEPLOYMENT.format(name="cart", namespace="shop", replicas=1, app="basket"))
    assert causes(files(), relabelled) == {"Deployment shop/cart"}


def test_a_relabelled_namespace_is_a_cause() -> None:
    assert causes(files(), files(front=NAMESPACE.format(name="front", env="dev, team: shop"))) == {"Namespace front"}


def test_a_change_that_policy_cannot_see_is_no_cause_beside_one_that_it_can() -> None:
    both = files(policy=POLICY.replace("80", "81"), cart=DEPLOYMENT.format(name="cart", namespace="shop", replicas=9, app="cart"))
    assert causes(files(), both) == {"NetworkPolicy shop/cart"}
