"""The laws that every report keeps, whatever the input: order, completeness, blocks, canonical groups, counts.

Each law yields a sentence for each place where it is broken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network, summarize_address_range
from itertools import combinations, pairwise
from typing import Any

from tests.oracle.expand import Report, ranges

Network = IPv4Network | IPv6Network
MOST_LISTED = 16


def broken_by_matrix(report: Report) -> Iterator[str]:
    """The laws that a `flowdelta.matrix/1` document breaks."""
    yield from _common(report, report["flows"], ("connections", "may"))
    for row in report["flows"]:
        if not row["connections"]:
            yield f"a row without a connection: {_pair(row)}"


def broken_by_diff(report: Report) -> Iterator[str]:
    """The laws that a `flowdelta.diff/1` document breaks."""
    rows, groups = report["changes"], report["groups"]
    yield from _common(report, rows, ("base", "head", "opened", "closed", "may"))
    named = {end for row in rows for end in (row["source"], row["destination"])}
    if named != {endpoint["id"] for endpoint in report["endpoints"]}:
        yield "endpoints are not exactly those that a change names"
    for row in rows:
        if not (row["opened"] or row["closed"] or row["may"]):
            yield f"a row in which nothing changed: {_pair(row)}"
    yield from _groups(rows, groups)
    counted = {
        "groups": len(groups),
        "pairs": len(rows),
        "opened": sum(bool(row["opened"]) for row in rows),
        "closed": sum(bool(row["closed"]) for row in rows),
    }
    if {key: report["summary"][key] for key in counted} != counted:
        yield f"the summary says {report['summary']}, the rows {counted}"
    if report["digest"] != digest(report):
        yield "the digest is not that of the flows shown"


def _common(report: Report, rows: list[Report], fields: tuple[str, ...]) -> Iterator[str]:
    if not report["complete"] and not any(each["code"] == "unknown-peer" for each in report["diagnostics"]):
        yield f"valid documents are called incomplete: {report['diagnostics']}"
    order = [(row["source"], row["destination"]) for row in rows]
    if any(a >= b for a, b in pairwise(order)):
        yield "rows are not sorted, each pair once"
    endpoints = {endpoint["id"]: endpoint for endpoint in report["endpoints"]}
    if list(endpoints) != sorted(endpoint["id"] for endpoint in report["endpoints"]):
        yield "endpoints are not sorted, each id once"
    for row in rows:
        yield from _row(row, endpoints)
    for endpoint in endpoints.values():
        if endpoint["kind"] == "External":
            yield from _block(endpoint)
    yield from _cuts(rows, endpoints, fields)


def _row(row: Report, endpoints: dict[str, Report]) -> Iterator[str]:
    for end in (row["source"], row["destination"]):
        if end not in endpoints:
            yield f"no endpoint is called {end}"
            return
    kinds = [endpoints[row[end]]["kind"] for end in ("source", "destination")]
    if kinds == ["External", "External"]:
        yield f"outside to outside: {_pair(row)}"
    if row["source"] == row["destination"] and kinds[0] == "Pod":
        yield f"a bare Pod with itself: {_pair(row)}"


def _block(endpoint: Report) -> Iterator[str]:
    yield from _broken_block(endpoint["id"], tuple(endpoint["cidrs"]))


@lru_cache(maxsize=4096)
def _broken_block(identity: str, cidrs: tuple[str, ...]) -> tuple[str, ...]:
    networks = [ip_network(cidr) for cidr in cidrs]
    if len({network.version for network in networks}) != 1:
        return (f"a block that mixes families, or is empty: {cidrs}",)
    if [str(network) for network in collapse_addresses(networks)] != list(cidrs):  # type: ignore[type-var]
        return (f"CIDRs that are not minimal or not sorted: {cidrs}",)
    covering, excepted = _covering(networks)
    listed, described = ", ".join(cidrs), f"{covering} except {', '.join(map(str, excepted))}"
    named, wanted = (len(networks), listed) if len(networks) <= 1 + len(excepted) else (1 + len(excepted), described)
    if named > MOST_LISTED:
        wanted = f"{covering}#{hashlib.sha256(listed.encode()).hexdigest()[:12]}"
    return () if identity == wanted else (f"the block {cidrs} is called {identity}, not {wanted}",)


def _covering(networks: list[Network]) -> tuple[Network, list[Network]]:
    """The smallest CIDR around a block, and the minimal CIDRs of what it holds beside the block."""
    first, last = int(networks[0].network_address), int(networks[-1].broadcast_address)
    family = IPv4Network if networks[0].version == 4 else IPv6Network
    covering = family((first, networks[0].max_prefixlen - (first ^ last).bit_length()), strict=False)
    inside = ranges(tuple(map(str, networks)))
    start, excepted = int(covering.network_address), list[Network]()
    for low, high in inside:
        if start < low.value:
            excepted += _between(start, low.value - 1, networks[0].version)
        start = high.value + 1
    if start <= int(covering.broadcast_address):
        excepted += _between(start, int(covering.broadcast_address), networks[0].version)
    return covering, excepted


def _between(first: int, last: int, version: int) -> list[Network]:
    width = 4 if version == 4 else 16
    low, high = ip_address(first.to_bytes(width, "big")), ip_address(last.to_bytes(width, "big"))
    return list(summarize_address_range(low, high))


def _cuts(rows: list[Report], endpoints: dict[str, Report], fields: tuple[str, ...]) -> Iterator[str]:
    """Blocks of one workload, direction and family are disjoint, and no two of them have the same row."""
    blocks: dict[tuple[str, str, bool], list[tuple[Report, Report]]] = {}
    for row in rows:
        for outside, inside in (("source", "destination"), ("destination", "source")):
            endpoint = endpoints[row[outside]]
            if endpoint["kind"] == "External":
                key = row[inside], outside, ":" in endpoint["cidrs"][0]
                blocks.setdefault(key, []).append((endpoint, row))
    for (workload, side, _), found in blocks.items():
        for (one, first), (other, second) in combinations(found, 2):
            if all(first[field] == second[field] for field in fields):
                yield f"{one['id']} and {other['id']} have equal rows as {side} of {workload} and are not one block"
        try:
            ranges(tuple(cidr for endpoint, _ in found for cidr in endpoint["cidrs"]))
        except ValueError:
            yield f"blocks overlap as {side} of {workload}"


def _groups(rows: list[Report], groups: list[Report]) -> Iterator[str]:
    wanted = canonical_groups(rows)
    printed = [(tuple(g["sources"]), tuple(g["destinations"]), content(g)) for g in groups]
    if sorted(printed) != sorted(wanted):
        yield f"groups are not the canonical ones: {printed} instead of {wanted}"
    if any(one[:2] >= other[:2] for one, other in pairwise(printed)):
        yield "groups are not sorted"
    for row in rows:
        group = groups[row["group"]]
        if row["source"] not in group["sources"] or row["destination"] not in group["destinations"] or content(group) != content(row):
            yield f"the group of {_pair(row)} is not {row['group']}"


def digest(report: Report) -> str:
    """The name of the flows that a diff shows: of its groups without causes, and of what its blocks hold."""
    flows = [{key: group[key] for key in ("sources", "destinations", "opened", "closed", "may")} for group in report["groups"]]
    externals = {endpoint["id"]: endpoint["cidrs"] for endpoint in report["endpoints"] if endpoint["kind"] == "External"}
    text = json.dumps([report["cluster"], flows, externals], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def canonical_groups(rows: list[Report]) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Sources with identical rows together, and within them the destinations to which the same happens."""
    of_source: dict[str, dict[str, str]] = {}
    for row in rows:
        of_source.setdefault(row["source"], {})[row["destination"]] = content(row)
    alike: dict[str, list[str]] = {}
    for source, there in of_source.items():
        alike.setdefault(json.dumps(there, sort_keys=True), []).append(source)
    groups = []
    for sources in alike.values():
        destinations: dict[str, list[str]] = {}
        for destination, what in of_source[sources[0]].items():
            destinations.setdefault(what, []).append(destination)
        groups += [(tuple(sorted(sources)), tuple(sorted(found)), what) for what, found in destinations.items()]
    return sorted(groups)


def content(row: dict[str, Any]) -> str:
    """What happens in a row or group, as one comparable text."""
    return json.dumps([row["opened"], row["closed"], row["may"]], sort_keys=True)


def _pair(row: Report) -> str:
    return f"{row['source']} -> {row['destination']}"
