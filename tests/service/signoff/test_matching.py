"""Which flows a guardrail guards: zones, directions, ports, certainty, exceptions and invariants, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_address
from service.configuration import read_configuration
from service.signoff.guardrails import Guardrails
from service.signoff.matching import Case, Guarded, Layers, Row, changed, guarded, present, upheld
from service.signoff.zones import Party, Side

TODAY = date(2026, 11, 23)
NOTHING = ConnectionSet()


def tcp(*ports: int) -> ConnectionSet:
    return ConnectionSet.of({Protocol.TCP: IntervalSet.of((port, port) for port in ports)})


def workload(name: str, namespace_labels: Mapping[str, str], labels: Mapping[str, str] | None = None, **was: Mapping[str, str]) -> Party:
    """A Deployment; `before` and `before_namespace` are its labels in base where they differ."""
    head = Side(namespace_labels, (labels or {},))
    base = Side(was.get("before_namespace", namespace_labels), (was.get("before", labels or {}),))
    return Party(f"{name}[Deployment]", name.split("/")[0], (base, head))


PCI, OPEN = {"zone": "pci"}, {"zone": "open"}
DB, WEB, JOB = workload("pay/db", PCI, {"app": "db"}), workload("shop/web", OPEN, {"app": "web"}), workload("pay/job", PCI)
LEFT = workload("pay2/db", OPEN, before_namespace=PCI)  # its namespace leaves the zone in this very change
JOINED = workload("shop2/web", PCI, before_namespace=OPEN)  # and this one enters it
UNDECLARED = Party("far/db[Deployment]", "far", (Side({"kubernetes.io/metadata.name": "far"}, ({},), declared=False),))
CONTROLLER = Party("{ingress-controller}", controller=True)


def outside(cidr: str) -> Party:
    return Party(cidr, block=parse_address(cidr))


def opens(source: Party, destination: Party, *ports: int) -> Row:
    return Row(source, destination, changed(NOTHING, tcp(*ports), tcp(*ports), NOTHING, NOTHING))


def rules(text: str) -> Guardrails:
    inside = "pci: {namespaces: {matchLabels: {zone: pci}}}, db: {pods: {matchLabels: {app: db}}}"
    inside += ", named: {namespaces: {matchLabels: {kubernetes.io/metadata.name: pay}}}"
    zones = f"{{{inside}, net: {{external: true}}, office: {{cidrs: [192.0.2.0/25]}}}}"
    return read_configuration(f"version: 1\nzones: {zones}\n{text}".encode()).guardrails


def case(text: str, *rows: Row) -> Case:
    parties = {party.id: party for row in rows for party in (row.source, row.destination) if party.block is None}
    return Case(rules(text), rows, parties, "", TODAY)


def one(text: str, *rows: Row) -> Guarded:
    (found,) = guarded(case(text, *rows))
    return found


def when(condition: str) -> str:
    return f"guardrails:\n  - {{name: g, when: {condition}, require: block}}\n"


def seen(found: Guarded) -> dict[tuple[str, str], dict[str, list[list[int]]]]:
    """What is guarded, by ends, of the layer that holds everything."""
    return {
        (route.source, route.destination): cell.ranges()
        for route, cells in found.flows.routes
        for _, cell in cells
        if route.certainty == "may"
    }


@dataclass(frozen=True)
class Expected:
    rule: str
    condition: str
    row: Row
    guards: bool


ROWS = [
    Expected("into the zone", "{opened: {to: pci}}", opens(WEB, DB, 5432), True),
    Expected("out of the zone", "{opened: {to: pci}}", opens(DB, WEB, 80), False),
    Expected("into it from beside it", "{opened: {to: pci, not_from: pci}}", opens(WEB, DB, 5432), True),
    Expected("within it", "{opened: {to: pci, not_from: pci}}", opens(JOB, DB, 5432), False),
    Expected("towards what leaves the zone in the same change", "{opened: {to: pci}}", opens(WEB, LEFT, 80), True),
    Expected("towards what enters it", "{opened: {to: pci}}", opens(WEB, JOINED, 80), True),
    Expected("from what enters it, which excuses nothing", "{opened: {to: pci, not_from: pci}}", opens(JOINED, DB, 80), True),
    Expected("towards a namespace that nothing declares, which may be in it", "{opened: {to: pci}}", opens(WEB, UNDECLARED, 80), True),
    Expected("from one, which excuses nothing", "{opened: {to: pci, not_from: pci}}", opens(UNDECLARED, DB, 80), True),
    Expected("towards one that has another name", "{opened: {to: named}}", opens(WEB, UNDECLARED, 80), False),
    Expected("a port of the rule", "{opened: {ports: [2379-2380/TCP]}}", opens(WEB, DB, 80, 2380), True),
    Expected("another port", "{opened: {ports: [2379-2380/TCP]}}", opens(WEB, DB, 80), False),
    Expected("another protocol", "{opened: {ports: [80/UDP]}}", opens(WEB, DB, 80), False),
    Expected("what closes is not what opens", "{closed: {to: pci}}", opens(WEB, DB, 80), False),
    Expected("from outside", "{opened: {from: net}}", opens(outside("203.0.113.0/24"), DB, 80), True),
    Expected("through a controller is from outside", "{opened: {from: net}}", opens(CONTROLLER, DB, 80), True),
    Expected("through a controller is not from an office", "{opened: {from: office}}", opens(CONTROLLER, DB, 80), False),
    Expected("from addresses beside the office", "{opened: {from: office}}", opens(outside("203.0.113.0/24"), DB, 80), False),
    Expected("pods of any namespace", "{opened: {to: db}}", opens(WEB, DB, 80), True),
    Expected("anything at all", "{opened: {}}", opens(WEB, DB, 80), True),
]


@pytest.mark.parametrize("expected", ROWS, ids=lambda row: row.rule)
def test_what_a_guardrail_guards(expected: Expected) -> None:
    assert bool(one(when(expected.condition), expected.row)) is expected.guards


def test_addresses_are_cut_where_a_zone_cuts_them() -> None:
    row = opens(outside("192.0.2.0/24"), DB, 22)
    ((_, cells),) = [pair for pair in one(when("{opened: {from: office}}"), row).flows.routes if pair[0].certainty == "may"]
    assert IPBlock(parse_address("0.0.0.0/0").family, cells[0][0]).cidrs() == ("192.0.2.0/25",)
    beside = one(when("{opened: {from: net, not_from: office}}"), row)
    assert beside.flows.to_json()[0]["cells"][0]["cidrs"] == ["192.0.2.128/25"]


@pytest.mark.parametrize(
    ("base", "head", "may", "expected"),
    [
        ([], [1], [], {"may": [1], "allowed": [1]}),  # denied → allowed
        ([], [1], [1], {"may": [1]}),  # denied → may
        ([1], [1], [1], {"allowed": [1]}),  # may → allowed: only certainty is gained
    ],
)
def test_layers_of_a_verdict_that_rises(base: list[int], head: list[int], may: list[int], expected: dict[str, list[int]]) -> None:
    layers: Layers = changed(tcp(*base), tcp(*head), tcp(1), NOTHING, tcp(*may))
    found = {certainty.value: list(range(*_span(ports))) for (change, certainty), ports in layers.items() if ports and change == "opened"}
    assert found == expected
    mirrored = changed(tcp(*head), tcp(*base), NOTHING, tcp(1), tcp(*may))
    assert {key[1]: ports for key, ports in mirrored.items() if ports} == {key[1]: ports for key, ports in layers.items() if ports}


def _span(ports: ConnectionSet) -> tuple[int, int]:
    ((low, high),) = ports.ports(Protocol.TCP).intervals
    return low, high + 1


def test_who_asks_for_certainty_is_not_troubled_by_may() -> None:
    only_may = Row(WEB, DB, changed(NOTHING, tcp(1), tcp(1), NOTHING, tcp(1)))
    assert one(when("{opened: {to: pci}}"), only_may)
    assert not one(when("{opened: {to: pci, certainty: allowed}}"), only_may)


def exception(expires: str, flow: str) -> str:
    return when("{opened: {to: pci}}") + f"exceptions:\n  - {{guardrail: g, flow: {flow}, reason: because, expires: {expires}}}\n"


def test_an_exception_takes_its_flows_out_and_no_others() -> None:
    text = exception("2026-11-23", '{from: "shop/web[Deployment]", to: pci, ports: [5432]}')
    found = one(text, opens(WEB, DB, 22, 5432), opens(LEFT, DB, 5432))
    assert seen(found) == {
        ("shop/web[Deployment]", "pay/db[Deployment]"): {"TCP": [[22, 22]]},
        ("pay2/db[Deployment]", "pay/db[Deployment]"): {"TCP": [[5432, 5432]]},
    }
    assert found.excepted
    assert not found.expired


def test_an_expired_exception_has_no_effect_and_is_named() -> None:
    found = one(exception("2026-11-22", '{from: "shop/web[Deployment]", to: pci}'), opens(WEB, DB, 5432))
    assert found.flows
    assert [each.reason for each in found.expired] == ["because"]


def test_a_change_that_labels_itself_into_an_exception_is_not_let_pass() -> None:
    became = workload("shop/bad", OPEN, {"app": "db"}, before={"app": "web"})
    text = exception("2027-11-23", "{from: db, to: pci}")
    assert one(text, opens(became, DB, 5432)).flows
    assert not one(text, opens(workload("shop/good", OPEN, {"app": "db"}), DB, 5432)).flows


def holds(text: str, *rows: Row) -> list[Any]:
    return [
        (found.problem or sorted(seen_routes(found))) for found in upheld(case(f"invariants:\n  - {{name: i, {text}}}\n", *rows)) if found
    ]


def seen_routes(found: Guarded) -> list[tuple[str, str]]:
    return [(route.source, route.destination) for route, _ in found.flows.routes if route.certainty == "may" or route.change == "missing"]


def there(source: Party, destination: Party, connections: ConnectionSet, may: ConnectionSet = NOTHING) -> Row:
    return Row(source, destination, present(connections, may))


def test_what_must_never_be_may_not_even_be_possible() -> None:
    assert holds("never: {from: net, to: pci}", there(WEB, DB, tcp(80))) == []
    assert holds("never: {from: net, to: pci}", there(outside("203.0.113.0/24"), DB, tcp(80), tcp(80))) == [
        [("outside", "pay/db[Deployment]")]
    ]


def test_what_must_always_be_must_be_certain_for_every_pair() -> None:
    text = "always: {from: office, to: db, ports: [443/TCP]}"
    office = outside("192.0.2.0/24")
    assert holds(text, there(office, DB, tcp(443))) == []
    assert holds(text, there(office, DB, tcp(443), tcp(443))) == [[("outside", "pay/db[Deployment]")]]
    assert holds(text, there(office, DB, tcp(80))) == [[("outside", "pay/db[Deployment]")]]
    assert holds(text, there(WEB, WEB, tcp(80))) == ["nothing is in its zones, so that it cannot hold"]
