"""Who is at an end of a flow, said the shortest true way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.model.cluster import ExternalBlock, NamedPort, PodShape, Service, ServicePort, Workload
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.endpoint_words import Population
from analyzers.reports.phrases import Folded, Name, Phrase
from analyzers.reports.row_words import Speaker
from analyzers.reports.rows import Listed, Row, filtered, merged
from analyzers.reports.service_words import Services
from analyzers.sets.connections import ConnectionSet, Protocol
from analyzers.sets.ip_blocks import parse_address
from tests.analyzers.reports.reports import ALL, ports, report, universe, workload

A = [workload("a", f"w{number}", tier="web" if number < 7 else "db") for number in range(9)]
B = [workload("b", f"w{number}") for number in range(3)]
C = [workload("c", "only")]
EVERYONE = [*A, *B, *C]
POPULATION = Population(EVERYONE)


def plain(phrase: Phrase) -> str:
    return "".join(
        piece if isinstance(piece, str) else piece.text if isinstance(piece, Name) else f"<{plain(piece.summary)}>"
        for piece in phrase
        if isinstance(piece, (str, Name, Folded))
    )


SETS: list[tuple[str, list[Workload], str]] = [
    ("one", A[:1], "a/w0 Deployment"),
    ("two", [A[0], B[0]], "a/w0 Deployment and b/w0 Deployment"),
    ("a whole namespace", B, "every pod of namespace b · 3 workloads"),
    ("a whole namespace of one", C, "c/only Deployment"),
    ("whole namespaces", [*B, *C], "every pod of 2 namespaces (b, c) · 4 workloads"),
    ("everyone", EVERYONE, "every pod · 13 workloads"),
    ("everyone but one", EVERYONE[1:], "every pod but a/w0 Deployment · 12 workloads"),
    ("a namespace but two", A[2:], "every pod of namespace a but a/w0 Deployment and a/w1 Deployment · 7 workloads"),
    ("part of a namespace", A[1:7], "<6 workloads of namespace a>"),
    ("part of two", [*A[1:7], B[0]], "<7 workloads of 2 namespaces (a, b)>"),
]


@pytest.mark.parametrize(("members", "said"), [case[1:] for case in SETS], ids=[case[0] for case in SETS])
def test_set_of_workloads(members: list[Workload], said: str) -> None:
    assert plain(POPULATION.describe(Listed(tuple(members)))) == said


def test_label_is_said_only_when_it_means_exactly_the_set() -> None:
    crowd = [workload("a", f"w{number}", tier="web" if number < 6 else "db") for number in range(12)]
    web = Listed(tuple(crowd[:6]))
    assert plain(Population(crowd).describe(web)) == "every pod labelled tier: web · 6 workloads"
    elsewhere = Population([*crowd, workload("b", "w", tier="web")])
    assert plain(elsewhere.describe(web)) == "every pod labelled tier: web in namespace a · 6 workloads"
    varied = Workload("a", "varied", "Deployment", (PodShape((("tier", "web"),)), PodShape((("tier", "db"),))), ())
    assert plain(Population([*crowd, varied]).describe(web)) == "<6 workloads of namespace a>"


@given(st.sets(st.sampled_from(range(len(EVERYONE))), min_size=1))
def test_every_pod_is_said_only_of_whole_namespaces(chosen: set[int]) -> None:
    members = [EVERYONE[index] for index in sorted(chosen)]
    said = plain(POPULATION.describe(Listed(tuple(members))))
    missing = [each for each in EVERYONE if each.namespace in {one.namespace for one in members} and each not in members]
    if "every pod" in said and "labelled" not in said:
        assert ("but" in said) is bool(missing)
        assert all(f"{each.namespace}/{each.name}" in said for each in missing)
        assert f"{len(members)} workloads" in said


ADDRESSES = [
    (["0.0.0.0/0", "::/0"], "outside (0.0.0.0/0, ::/0)"),
    (["10.0.0.0/9", "10.128.0.0/9"], "outside (10.0.0.0/8)"),
    (["192.0.2.0/24"], "outside (192.0.2.0/24)"),
]


@pytest.mark.parametrize(("cidrs", "said"), ADDRESSES)
def test_addresses_outside(cidrs: list[str], said: str) -> None:
    blocks = tuple(ExternalBlock(parse_address(cidr)) for cidr in cidrs)
    assert plain(POPULATION.describe(Listed((), blocks))) == said
    assert plain(POPULATION.describe(Listed((A[0],), blocks))) == f"{said} and a/w0 Deployment"


def shape(**named: int) -> PodShape:
    return PodShape((("app", "cart"),), tuple((NamedPort(name, Protocol.TCP), number) for name, number in sorted(named.items())))


CART = Workload("shop", "cart", "Deployment", (shape(grpc=7070),), ())
PLACE = SourceLocation("cart.yaml", 1)


def service(
    name: str, *numbers: ServicePort, namespace: str = "shop", selector: tuple[tuple[str, str], ...] | None = (("app", "cart"),)
) -> Service:
    return Service(namespace, name, selector, numbers, PLACE)


HTTP = ServicePort("http", Protocol.TCP, 80, "grpc")
SERVICES: list[tuple[str, list[Service], ConnectionSet, str]] = [
    ("a named target", [service("cart", HTTP)], ports(7070), ", Service cart:80 → targetPort 7070"),
    ("a numbered target", [service("cart", ServicePort("", Protocol.TCP, 7070, 7070))], ports(7070), ", Service cart:7070"),
    ("another port", [service("cart", HTTP)], ports(80), ""),
    ("another protocol", [service("cart", HTTP)], ports(7070, protocol=Protocol.UDP), ""),
    ("another namespace", [service("cart", HTTP, namespace="else")], ports(7070), ""),
    ("another selector", [service("cart", HTTP, selector=(("app", "cart"), ("tier", "web")))], ports(7070), ""),
    ("no selector", [service("cart", HTTP, selector=None)], ports(7070), ""),
    ("an unknown name", [service("cart", ServicePort("", Protocol.TCP, 80, "http"))], ports(80, 7070), ""),
    (
        "two",
        [service("cart", HTTP), service("carts", HTTP)],
        ports(7070),
        ", Services cart:80 → targetPort 7070 and carts:80 → targetPort 7070",
    ),
]


@pytest.mark.parametrize(("services", "changed", "said"), [case[1:] for case in SERVICES], ids=[case[0] for case in SERVICES])
def test_service_is_named_where_it_leads_to_what_changes(services: list[Service], changed: ConnectionSet, said: str) -> None:
    assert plain(Services(services).naming(CART, changed)) == said


PODS = [workload("lab", f"p{number}", "Pod") for number in range(3)]
SEED, OTHER = workload("lab", "seed"), workload("lab", "zebra")


def listed(*workloads: Workload) -> Listed:
    return Listed(tuple(sorted(workloads, key=lambda each: each.id)))


def pairs(rows: list[Row]) -> set[tuple[str, str]]:
    found = {(one.id, other.id) for row in rows for one in row.sources.workloads for other in row.destinations.workloads}
    return {(one, other) for one, other in found if one != other or not one.endswith("[Pod]")}


def test_bare_pods_that_reach_each_other_share_a_row() -> None:
    rows = [Row(listed(pod), listed(SEED, *(each for each in PODS if each is not pod)), ALL) for pod in PODS]
    rows += [Row(listed(SEED), listed(SEED, *PODS), ALL), Row(listed(OTHER), listed(*PODS), ALL)]
    joined = list(merged(rows))
    assert len(joined) == 2
    assert pairs(joined) == pairs(rows)
    known = universe([*PODS, SEED, OTHER])
    said = Speaker.of_diff(report(known, [])).say(joined[0], -1)
    assert plain(said.destination) == "each other"


@given(st.lists(st.tuples(st.sampled_from([*PODS, SEED]), st.sets(st.sampled_from([0, 1, 2, 3]), min_size=1)), min_size=1, max_size=5))
def test_merging_rows_changes_no_pair(made: list[tuple[Workload, set[int]]]) -> None:
    everyone = [*PODS, SEED]
    rows = [Row(listed(source), listed(*(everyone[index] for index in towards)), ALL) for source, towards in made]
    rows = [row for row in rows if pairs([row])]
    assert pairs(list(merged(rows))) == pairs(rows)


@given(st.sets(st.sampled_from(range(13)), min_size=1), st.sets(st.sampled_from(range(13)), min_size=1), st.sets(st.sampled_from("abcx")))
def test_filter_shows_exactly_the_pairs_with_an_end_in_a_namespace(sources: set[int], destinations: set[int], namespaces: set[str]) -> None:
    whole = Row(listed(*(EVERYONE[each] for each in sources)), listed(*(EVERYONE[each] for each in destinations)), ALL)
    shown = [pair for row in filtered(whole, frozenset(namespaces)) for pair in pairs([row])]
    wanted = {pair for pair in pairs([whole]) if not namespaces or {end.partition("/")[0] for end in pair} & namespaces}
    assert len(shown) == len(set(shown))
    assert set(shown) == wanted
