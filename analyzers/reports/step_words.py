"""Steps of an explanation in words."""

from __future__ import annotations

from analyzers.impact.report import Explanation, Step
from analyzers.model.diagnostics import SourceLocation
from analyzers.reports.phrases import Name, Phrase, Place, Prose, titled


def egress_title(report: Explanation) -> Phrase:
    """The heading of the steps that decide whether traffic may leave the source."""
    return ("Leaving ", Name(report.source))


def ingress_title(report: Explanation) -> Phrase:
    """The heading of the steps that decide whether traffic may enter the destination."""
    return ("Entering ", Name(report.destination))


def step_in_words(step: Step) -> Phrase:
    """`NetworkPolicy shop/cart ingress[0] allows: from pods app=web … (cart.yaml:14)`."""
    detail: Phrase = (Prose(step.detail),)
    if step.policy is None:
        return detail
    rule: Phrase = (" ", Name(step.rule)) if step.rule else ()
    place: Phrase = (" (", Place("head", SourceLocation(step.path, step.line or 1)), ")") if step.path is not None else ()
    return (*titled(step.policy), *rule, f" {step.effect}: ", *detail, *place)
