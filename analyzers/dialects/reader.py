"""Reading one policy object: what every dialect shares, whatever its API."""

from __future__ import annotations

from collections.abc import Collection

from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import Field, Manifest
from analyzers.model.metadata import read_selector
from analyzers.model.selectors import LabelSelector
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import Family, parse_cidr

SELECTOR_FIELDS = ("matchLabels", "matchExpressions")

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_POD_SPACE: tuple[tuple[Family, IntervalSet], ...] = tuple((parse_cidr(text)[0], IntervalSet((parse_cidr(text)[1],))) for text in _PRIVATE)


class ObjectReader:
    """Reads the parts of one object and gathers what is worth a diagnostic."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.diagnostics: list[Diagnostic] = []

    def at(self, field: Field) -> SourceLocation:
        """Where a field stands."""
        return SourceLocation(self.manifest.location.path, field.line)

    def note(self, code: str, field: Field, problem: str) -> None:
        """Add a diagnostic about one field."""
        self.diagnostics.append(Diagnostic.at(code, f"{self.manifest.title}: {field.path}: {problem}", self.at(field)))

    def check_known(self, field: Field, known: Collection[str]) -> None:
        """Report fields that the API does not know: a misspelt one changes what the policy means."""
        for inner in field.others(known):
            self.note("unknown-field", inner, f"is not a field of the API, which knows {', '.join(known)}")

    def selector(self, field: Field) -> LabelSelector:
        """A label selector, its field names checked."""
        self.check_known(field, SELECTOR_FIELDS)
        return read_selector(field)

    def cidr(self, field: Field) -> tuple[Family, IntervalSet]:
        """The family and addresses of one CIDR."""
        try:
            family, span, masked = parse_cidr(field.text())
        except ValueError as error:
            raise field.fail(str(error)) from error
        if masked:
            self.note("cidr-host-bits", field, f"{field.text()} has host bits set, which are masked")
        return family, IntervalSet((span,))


def may_hold_pods(family: Family, block: IntervalSet) -> bool:
    """A private or whole-family block: where clusters take their pod addresses from."""
    return block == family.everything or any(space_family is family and block & space for space_family, space in _POD_SPACE)
