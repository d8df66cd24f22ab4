"""One case examined: everything the product says about it, laid beside the truth and held to the laws of reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analyzers.manifests.shelf import MemoryShelf
from analyzers.model.records import ObjectRecord
from tests.oracle import expand, laws
from tests.oracle.cases import Case
from tests.oracle.expand import Report, Table
from tests.oracle.reading import Cluster
from tests.oracle.tables import Revision, Universe, diff, universe
from tests.property.product import asked_diff, asked_matrix

Description = tuple[str, str, str, bool, list[dict[str, str]]]
"""What a report says of a workload: namespace, name, kind, host network, label sets."""


def broken(made: Case) -> Iterator[str]:
    """A sentence for every point at which the product and the examiner differ, and for every law that a report breaks."""
    points = universe(made.base, made.head)
    base, head = (Revision(documents, points, *made.reading) for documents in (made.base, made.head))
    shelf: MemoryShelf[ObjectRecord] = MemoryShelf()
    yield from _broken_matrix("base", base, asked_matrix(made.base_files, *made.reading, shelf=shelf))
    yield from _broken_matrix("head", head, asked_matrix(made.head_files, *made.reading, shelf=shelf))
    report = asked_diff(made.base_files, made.head_files, *made.reading, shelf=shelf)
    yield from _broken_diff(base, head, report)
    # Each law costs as much as the truth, so they take turns.
    if made.seed % 3 == 0:
        yield from _not_reversed(report, asked_diff(made.head_files, made.base_files, *made.reading, shelf=shelf))
        return
    other = made.rewritten()
    if made.seed % 3 == 1:
        yield from _order_matters(report, asked_diff(other.base_files, other.head_files, *made.reading))
    else:
        yield from _differs_from_itself(asked_diff(made.head_files, other.head_files, *made.reading))


def _broken_matrix(side: str, truth: Revision, report: Report) -> Iterator[str]:
    for sentence in laws.broken_by_matrix(report):
        yield f"matrix of {side}: {sentence}"
    for line in _compared(truth.points, truth.matrix(), report, expand.flows):
        yield f"matrix of {side}: {line}"
    printed = {endpoint["id"]: endpoint for endpoint in report["endpoints"] if endpoint["kind"] != "External"}
    if {key: _described(endpoint) for key, endpoint in printed.items()} != _descriptions(truth.cluster):
        yield f"matrix of {side}: workloads are {printed} instead of {truth.cluster.workloads}"


def _broken_diff(base: Revision, head: Revision, report: Report) -> Iterator[str]:
    for sentence in laws.broken_by_diff(report):
        yield f"diff: {sentence}"
    for line in _compared(base.points, diff(base, head), report, expand.changes):
        yield f"diff: {line}"
    old, new = base.cluster.workloads, head.cluster.workloads
    changed = {
        "added": sorted({*new} - {*old}),
        "removed": sorted({*old} - {*new}),
        "relabelled": sorted(key for key in {*old} & {*new} if {v.labels for v in old[key]} != {v.labels for v in new[key]}),
    }
    if report["workloads"] != changed:
        yield f"diff: workloads are {report['workloads']} instead of {changed}"
    for endpoint in report["endpoints"]:
        change = "added" if endpoint["id"] in changed["added"] else "removed" if endpoint["id"] in changed["removed"] else None
        if endpoint["endpoint_change"] != change:
            yield f"diff: {endpoint['id']} is called {endpoint['endpoint_change']} instead of {change}"


def _compared(points: Universe, truth: Table, report: Report, read: Callable[[Report, Universe], Table]) -> list[str]:
    try:
        return expand.differences(truth, read(report, points), points)
    except ValueError as problem:
        return [f"cannot be read: {problem}"]


def _described(endpoint: Report) -> Description:
    sets = endpoint["label_sets"] if "label_sets" in endpoint else [endpoint["labels"]]
    return endpoint["namespace"], endpoint["name"], endpoint["kind"], endpoint.get("host_network", False), sets


def _descriptions(cluster: Cluster) -> dict[str, Description]:
    described = {}
    for workload, variants in cluster.workloads.items():
        namespace, _, rest = workload.partition("/")
        sets = [dict(labels) for labels in sorted({variant.labels for variant in variants})]
        host_network = any(variant.host_network for variant in variants)
        described[workload] = (namespace, rest.partition("[")[0], variants[0].kind, host_network, sets)
    return described


def _not_reversed(report: Report, swapped: Report) -> Iterator[str]:
    turned = [
        {**row, "base": row["head"], "head": row["base"], "opened": row["closed"], "closed": row["opened"]} for row in swapped["changes"]
    ]
    if turned != report["changes"]:
        yield f"swapping sides does not swap opened and closed: {swapped['changes']} against {report['changes']}"
    if [report["workloads"]["added"], report["workloads"]["removed"]] != [swapped["workloads"]["removed"], swapped["workloads"]["added"]]:
        yield "swapping sides does not swap added and removed workloads"


def _differs_from_itself(same: Report) -> Iterator[str]:
    if (
        same["groups"]
        or same["changes"]
        or any(same["workloads"].values())
        or any(same["summary"][key] for key in ("groups", "pairs", "opened", "closed"))
    ):
        yield f"a revision differs from itself, written in other files: {same}"


def _order_matters(report: Report, other: Report) -> Iterator[str]:
    for key in ("digest", "endpoints", "changes", "workloads", "summary"):
        if report[key] != other[key]:
            yield f"{key} depends on the order of files or documents: {report[key]} against {other[key]}"
    if [_without_places(group) for group in report["groups"]] != [_without_places(group) for group in other["groups"]]:
        yield "groups depend on the order of files or documents"


def _without_places(unit: Report) -> Report:
    """A group, or a part of one, with nothing about where its objects are written down."""
    fields = ("sources", "destinations", "opened", "closed", "may", "causes_truncated")
    causes = [[(cause["object"], cause["change"]) for cause in alternative["undo"]] for alternative in unit["causes"]]
    kept = {field: unit[field] for field in fields if field in unit}
    return {**kept, "causes": causes, "parts": [_without_places(part) for part in unit.get("parts", [])]}
