"""Changes written as text: manifests before and after, and the report of what they do."""

from __future__ import annotations

from textwrap import dedent

from analyzers.impact.assessment.severity import DEFAULT_RULES, SeverityRules
from analyzers.impact.report import DiffReport, FlowGroup
from analyzers.model.revision import Revision
from analyzers.pipeline import Options, diff
from tests.property.product import MemoryTree


def changed(base: str, head: str, rules: SeverityRules = DEFAULT_RULES) -> DiffReport:
    """The report of a change of one file."""
    before, after = (MemoryTree({"all.yaml": dedent(text).encode()}) for text in (base, head))
    return diff(before, after, Options(severity=rules), base_revision=Revision("base"), head_revision=Revision("head"))


def namespace(name: str, labels: str = "{}") -> str:
    return f"---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {labels}}}}}\n"


def workload(place: str, *, kind: str = "Deployment", labels: str = "", env: str = "[]", spec: str = "", annotations: str = "{}") -> str:
    """A workload `namespace/name` whose pods carry `app: name`."""
    space, name = place.split("/")
    more = f", {labels}" if labels else ""
    pod = f"{{containers: [{{name: main, env: {env}}}]{f', {spec}' if spec else ''}}}"
    template = f"{{metadata: {{labels: {{app: {name}{more}}}}}, spec: {pod}}}"
    metadata = f"{{name: {name}, namespace: {space}, annotations: {annotations}}}"
    return f"---\n{{apiVersion: apps/v1, kind: {kind}, metadata: {metadata}, spec: {{template: {template}}}}}\n"


def policy(place: str, spec: str) -> str:
    space, name = place.split("/")
    return f"---\n{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: {space}}}, spec: {spec}}}\n"


def service(place: str, app: str, ports: str, more: str = "") -> str:
    space, name = place.split("/")
    spec = f"{{selector: {{app: {app}}}, ports: {ports}{f', {more}' if more else ''}}}"
    return f"---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}, namespace: {space}}}, spec: {spec}}}\n"


def the_group(report: DiffReport, source: str, destination: str) -> FlowGroup:
    """The group that holds a pair, its ends named without their kinds (or by the addresses)."""
    (found,) = (
        group
        for group in report.groups
        if any(each.startswith(f"{source}[") or each == source for each in group.sources)
        and any(each.startswith(f"{destination}[") or each == destination for each in group.destinations)
    )
    return found
