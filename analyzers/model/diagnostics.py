"""Diagnostics: what the analysis could not read, did not model, or wants a person to know.

"Not analysed" is a value here, never a log line. `CODES` is the whole vocabulary; a test checks that each code is documented.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Severity(StrEnum):
    """How much a diagnostic matters: an `error` always makes the report incomplete."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class CodeInfo(Struct, frozen=True):
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
    "render-refused": _error("A unit names something outside the repository, or would run code; it is not rendered."),
    "render-failed": _error("A renderer ended without a result, or its output cannot be read."),
    "render-timeout": _error("A renderer took longer than it may, and was stopped."),
    "renderer-missing": _gap("A renderer that units need was not found; their files are read as written."),
    "missing-namespace": _gap("Nothing says into which namespace a unit is deployed; its objects are read as in default."),
    "encrypted": _gap("The document is encrypted."),
    "unsupported-kind": _gap("A policy kind that is not analysed."),
    "unknown-peer": _gap("A rule of an admin policy names a peer that the API does not know, and so fails closed."),
    "missing-field": _gap("An admin policy lacks a selector that the API requires; it is read as an empty one."),
    "pods-unknown": _gap("A workload uses the pod template of an object that the manifests do not hold."),
    "ingress-blocked": _warning("A way in from outside leads to pods that policy closes to it."),
    "leads-nowhere": _warning("A way in names a Service, a port or a Gateway that does not exist or does not admit it."),
    "service-selects-nothing": _warning("A Service selects no pod of the manifests."),
    "target-port-unknown": _warning("A Service leads to a named port that no pod that it selects has."),
    "not-followed": _warning("A submodule, or a link that leaves the tree, is not followed."),
    "cidr-host-bits": _warning("A CIDR has host bits set; they are masked, as the network plugins do."),
    "unknown-field": _warning("A policy has a field that the API does not know; the API server drops or refuses it."),
    "mixed-admin-apis": _warning("Admin policies of both generations of the API stand side by side."),
    "equal-priorities": _warning("Admin policies between which the API sets no order can match the same connection."),
    "ipblock-overlaps-pods": _warning("An ipBlock holds addresses of pods; plugins differ in whether it matches them, so it is may."),
    "networks-may-match-pods": _warning("A network of an admin policy could hold addresses of pods that it is not read to match."),
    "unresolvable-peer": _warning("An admin policy names nodes or domain names, whose addresses manifests do not tell."),
    "clusters-by-convention": _info("The names of folders and values files tell clusters apart, which are analysed one by one."),
    "namespace-moved": _info("Rendering puts policies into another namespace than the one that they were written for."),
    "not-included": _info("A file beside a kustomization that no kustomization names; it is left out."),
    "source-assumed": _info("What deploys a folder names a source that is taken for this repository."),
    "deployed-elsewhere": _info("The repository deploys something that it does not hold: a chart or a repository of others."),
    "link-skipped": _info("A symbolic link to a file of the same tree is not followed; its target is read in its own place."),
    "not-an-object": _info("The document is not a Kubernetes object."),
    "ipblock-may-cover-pods": _info("An ipBlock could also cover pod addresses; it is read as addresses outside the cluster."),
    "inventory": _info("What runs in the cluster and is not declared was read from a snapshot, of the age that is told."),
    "inventory-partial": _gap("The snapshot of a cluster lacks namespaces in which workloads run."),
    "already-running": _info("A workload that only head declares runs already; it is compared as a new one."),
    "host-network": _info("Pods with hostNetwork count as node addresses, or as pods, by the hostNetwork setting."),
    "no-manifests": _info("No Kubernetes object was found."),
}


class SourceLocation(Struct, frozen=True, array_like=True):
    """A line of a file of the analysed tree. `path` is relative with `/`; `line` counts from 1, and is 0 where it is not known: rendering
    leads back to the file, not always to the line."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Diagnostic(Struct, frozen=True, array_like=True):
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
        return cls(code, message, location.path, location.line or None)

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
