"""Ways in, in words: those that policy cuts off, and Services that begin or cease to publish pods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzers.impact.report import BlockedWay, DiffReport, EndpointChange, Publication
from analyzers.reports.phrases import Name, Phrase, Place, counted, enumerated, titled

MOST_POLICIES = 3
"""Policies named for one way in."""

MOST_WAYS = 20
"""Ways in, and Services, told one by one."""


def cut_off(report: DiffReport) -> tuple[BlockedWay, ...]:
    """The ways in that passed in base and that head closes: outages."""
    return tuple(each for each in report.blocked if each.was_open)


def blocked_title(report: DiffReport) -> str:
    """What stands above the ways in that head closes."""
    return "Cuts off a way in" if cut_off(report) else "Blocks a way in"


def headline(report: DiffReport) -> str:
    """`policy cuts off 1 way in, 2 new ways in are blocked`: what a reviewer must read before all else; empty where nothing is."""
    outages = len(cut_off(report))
    new = len(report.blocked) - outages
    said = [f"policy cuts off {counted(outages, 'way')} in"] if outages else []
    said += [f"{counted(new, 'new way')} in {'is' if new == 1 else 'are'} blocked by policy"] if new else []
    return ", ".join(said)


def published(report: DiffReport) -> str:
    """`1 Service is published to outside`; empty where none is."""
    number = len({each.service for each in report.publications if each.change is EndpointChange.ADDED})
    return f"{counted(number, 'Service')} {'is' if number == 1 else 'are'} published to outside" if number else ""


def blocked_ways(report: DiffReport) -> Iterator[Phrase]:
    """Each way in that head closes: those cut off first."""
    ordered = sorted(report.blocked, key=lambda each: not each.was_open)
    yield from map(blocked_way, ordered[:MOST_WAYS])
    yield from _more(ordered, "way", " in")


def publications(report: DiffReport) -> Iterator[Phrase]:
    """Each Service that begins or ceases to publish pods."""
    yield from map(_publication, report.publications[:MOST_WAYS])
    yield from _more(report.publications, "Service", "")


def _more(listed: Sequence[object], noun: str, after: str) -> Iterator[Phrase]:
    if len(listed) > MOST_WAYS:
        yield (f"and {counted(len(listed) - MOST_WAYS, f'more {noun}')}{after}",)


def blocked_way(each: BlockedWay) -> Phrase:
    """`Ingress shop/web → Service shop/cart:80 → targetPort 7070: NetworkPolicy shop/cart does not admit the ingress controller`."""
    targets = enumerated([(str(target),) for target in each.targets])
    led: Phrase = () if each.direct else (" → Service ", Name(f"{each.service}:{each.port}"))
    port: Phrase = (f" port {each.port}",) if each.direct else ()
    who = "any address outside the cluster" if each.direct else "the ingress controller"
    state = "" if each.was_open else " (new)"
    place = Place("head", each.origin)
    return (
        *titled(each.way),
        *port,
        *led,
        " → targetPort ",
        *targets,
        f"{state}: ",
        *_by(each.policies),
        f" not admit {who} (",
        place,
        ")",
    )


def _by(policies: Sequence[str]) -> Phrase:
    if not policies:
        return ("policy of the controller's own pods does",)
    named = [titled(each) for each in policies[:MOST_POLICIES]]
    rest = len(policies) - len(named)
    verb = "does" if len(policies) == 1 else "do"
    return (*enumerated(named), f" and {rest} more do" if rest else f" {verb}")


def _publication(each: Publication) -> Phrase:
    """`Service shop/web is published as LoadBalancer on port 443 to 203.0.113.0/24`."""
    verb = "is" if each.change is EndpointChange.ADDED else "is no longer"
    ports = enumerated([(str(port),) for port in each.ports[:MOST_WAYS]])
    ranges: Phrase = (" to ", *enumerated([(Name(cidr),) for cidr in each.source_ranges[:5]])) if each.source_ranges else ()
    place = Place("head" if each.change is EndpointChange.ADDED else "base", each.origin)
    noun = "port" if len(each.ports) == 1 else "ports"
    return (
        "Service ",
        Name(each.service),
        f" {verb} published as {' and '.join(each.types)} on {noun} ",
        *ports,
        *ranges,
        " (",
        place,
        ")",
    )
