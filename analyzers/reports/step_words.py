"""Steps of an explanation in words."""

from __future__ import annotations

from analyzers.impact.report import Explanation, ServiceLead, Step
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.phrases import Name, Phrase, Place, Prose, enumerated, titled

MOST_SERVICES = 5
"""Services named in an explanation."""


def egress_title(report: Explanation) -> Phrase:
    """The heading of the steps that decide whether traffic may leave the source."""
    return ("Leaving ", Name(report.source))


def ingress_title(report: Explanation) -> Phrase:
    """The heading of the steps that decide whether traffic may enter the destination."""
    return ("Entering ", Name(report.destination))


def services_in_words(report: Explanation) -> Phrase:
    """`Services that lead there: shop/cart:80 → targetPort 7070 (cart.yaml:9)`; empty where none does."""
    if not report.services:
        return ()
    told = [_lead(each) for each in report.services[:MOST_SERVICES]]
    rest = len(report.services) - len(told)
    noun = "Service that leads" if len(report.services) == 1 else "Services that lead"
    return (f"{noun} there: ", *enumerated(told), *((f" and {rest} more",) if rest else ()))


def _lead(each: ServiceLead) -> Phrase:
    arrow = f" → targetPort {each.target}" if each.port != each.target else ""
    return (Name(f"{each.service}:{each.port}"), f"{arrow} (", Place("head", each.origin), ")")


def step_in_words(step: Step) -> Phrase:
    """`NetworkPolicy shop/cart ingress[0] allows: from pods app=web … (cart.yaml:14)`."""
    detail: Phrase = (Prose(step.detail),)
    if step.policy is None:
        return detail
    rule: Phrase = (" ", Name(step.rule)) if step.rule else ()
    place: Phrase = (" (", Place("head", SourceLocation(step.path, step.line or 0)), ")") if step.path is not None else ()
    return (*titled(step.policy), *rule, f" {step.effect}: ", *detail, *place)
