"""Diagnostics: what the analysis could not read, did not model, or wants a person to know.

"Not analysed" is a value here, never a log line. `CODES` is the whole vocabulary; a test checks that each code is documented.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    """How much a diagnostic matters: an `error` always makes the report incomplete."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """What a diagnostic code means, and whether it says that something policy-relevant was left out."""

    severity: Severity
    incomplete: bool
    meaning: str


def _error(meaning: str) -> CodeInfo:
    return CodeInfo(Severity.ERROR, True, meaning)


def _gap(meaning: str) -> CodeInfo:
    return CodeInfo(Severity.WARNING, True, meaning)


def _warning(meaning: str) -> CodeInfo:
    return CodeInfo(Severity.WARNING, False, meaning)


def _info(meaning: str) -> CodeInfo:
    return CodeInfo(Severity.INFO, False, meaning)


CODES: dict[str, CodeInfo] = {
    "syntax-error": _error("The file is not valid YAML or JSON."),
    "duplicate-key": _error("A mapping holds the same key twice; readers disagree on which one counts."),
    "cyclic-alias": _error("A YAML alias refers to a value that contains it."),
    "limit-exceeded": _error("The file or tree exceeds a cap (bytes, depth, nodes, documents, alias expansion, files)."),
    "unsupported-encoding": _error("The file is not UTF-8."),
    "unreadable-file": _error("The content of the file could not be read from the tree."),
    "invalid-object": _error("The API server would reject this object, so it takes no part in the analysis."),
    "duplicate-object": _error("Two documents describe the same object; the later one in path order counts."),
    "needs-rendering": _gap("A template or kustomization must be rendered before it can be analysed."),
    "encrypted": _gap("The document is encrypted."),
    "unsupported-kind": _gap("A policy kind that is not analysed."),
    "not-followed": _warning("A submodule, or a link that leaves the tree, is not followed."),
    "cidr-host-bits": _warning("A CIDR has host bits set; they are masked, as the network plugins do."),
    "unknown-field": _warning("A policy has a field that the API does not know; the API server drops or refuses it."),
    "link-skipped": _info("A symbolic link to a file of the same tree is not followed; its target is read in its own place."),
    "not-an-object": _info("The document is not a Kubernetes object."),
    "ipblock-may-cover-pods": _info("An ipBlock could also cover pod addresses; it is read as addresses outside the cluster."),
    "host-network": _info("Pods with hostNetwork count as node addresses, or as pods, by the hostNetwork setting."),
    "no-manifests": _info("No Kubernetes object was found."),
}


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A line of a file of the analysed tree. `path` is relative with `/`; `line` counts from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about the input. `path` and `line` are null where it concerns no single place.

    In a diff `side` is `base` or `head` for a finding of one revision only, and null for one of both.
    """

    code: str
    message: str
    path: str | None = None
    line: int | None = None
    side: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"undocumented diagnostic code {self.code!r}")

    @classmethod
    def at(cls, code: str, message: str, location: SourceLocation) -> Diagnostic:
        """A diagnostic about one line."""
        return cls(code, message, location.path, location.line)

    @property
    def severity(self) -> Severity:
        """The severity of its code."""
        return CODES[self.code].severity

    @property
    def sort_key(self) -> tuple[str, int, str, str, str]:
        """Order of diagnostics in every report: by place, then code."""
        return (self.path or "", self.line or 0, self.code, self.message, self.side or "")


def is_complete(diagnostics: Iterable[Diagnostic]) -> bool:
    """False when some diagnostic says that something policy-relevant was left out."""
    return not any(CODES[diagnostic.code].incomplete for diagnostic in diagnostics)


def of_both_sides(base: Iterable[Diagnostic], head: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings of two revisions, those that both have once, sorted."""
    before, after = set(base), set(head)
    one_sided = [replace(each, side=side) for side, found in (("base", before - after), ("head", after - before)) for each in found]
    return tuple(sorted((*one_sided, *(before & after)), key=lambda each: each.sort_key))
