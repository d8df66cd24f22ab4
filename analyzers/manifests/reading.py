"""One file: its bytes in, its wanted manifests and diagnostics out. Pure, so that the outcome can be kept by the content's id."""

from __future__ import annotations

from collections.abc import Iterator

from analyzers.manifests.defects import Defect, Unparsable
from analyzers.manifests.limits import Limits, NodeBudget
from analyzers.manifests.prescan import Wanted, is_irrelevant
from analyzers.manifests.shelf import FileReading
from analyzers.manifests.source import Chunk, chunks, decode
from analyzers.manifests.templates import has_template_mark, template_mark_line
from analyzers.manifests.unpacking import Finding, unpack
from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest


def read_file(path: str, data: bytes, wanted: Wanted, limits: Limits, budget: NodeBudget) -> FileReading[Manifest]:
    """Read one file. A document that cannot be read is a diagnostic; the documents before and after it are read all the same.

    Documents whose kind nobody wants are passed over without parsing where that is safe (`prescan`), so errors in them may go unreported.
    Of documents that are no Kubernetes objects the first is named.
    """
    try:
        text = decode(data)
    except Unparsable as error:
        return FileReading((), (_diagnostic(path, error.defect),))
    return _read_text(path, text, wanted, limits, budget)


def _read_text(path: str, text: str, wanted: Wanted, limits: Limits, budget: NodeBudget) -> FileReading[Manifest]:
    manifests: list[Manifest] = []
    problems: list[Diagnostic] = []
    no_object: Diagnostic | None = None
    templated, before = False, budget.left
    for finding in _findings(path, text, wanted, limits, budget):
        if isinstance(finding, Manifest):
            manifests.append(finding)
        elif finding is None:
            templated = True
        elif finding.code == "not-an-object":
            no_object = no_object or finding
        elif len(problems) < limits.problems:
            problems.append(finding)
        else:
            what = f"more than {limits.problems} problems; the rest of the file is left out"
            problems.append(Diagnostic("limit-exceeded", what, path, finding.line))
            break
    diagnostics = (*problems, no_object) if no_object is not None else tuple(problems)
    template_line = template_mark_line(text) if templated else None
    return FileReading(tuple(manifests), diagnostics, template_line, before - max(budget.left, 0))


def _findings(path: str, text: str, wanted: Wanted, limits: Limits, budget: NodeBudget) -> Iterator[Finding | None]:
    """What the documents hold, in order; None stands for a document that is no YAML because it is a template."""
    for number, chunk in enumerate(chunks(text)):
        if number == limits.documents:
            what = f"more than {limits.documents} documents; the rest of the file is left out"
            yield Diagnostic("limit-exceeded", what, path, chunk.line)
            return
        if is_irrelevant(chunk.text, wanted):
            continue
        yield from (_judged(finding, chunk, path) for finding in _findings_of(path, chunk, wanted, limits, budget))
        if budget.left < 0:
            return


def _findings_of(path: str, chunk: Chunk, wanted: Wanted, limits: Limits, budget: NodeBudget) -> Iterator[Finding]:
    from analyzers.manifests.documents import read_documents  # imported here: a run that finds everything on the shelf parses nothing

    try:
        for document in read_documents(chunk, limits, budget):
            is_template = document.defect is not None and has_template_mark(chunk.text)
            yield from unpack(document, path, wanted, is_template=is_template)
    except Unparsable as error:
        yield _diagnostic(path, error.defect)


def _judged(finding: Finding, chunk: Chunk, path: str) -> Finding | None:
    """The finding, but for syntax errors that tell of something else: a template, or no manifest to begin with."""
    if isinstance(finding, Manifest) or finding.code != "syntax-error":
        return finding
    if has_template_mark(chunk.text):
        return None
    if _is_commented_json(path, chunk.text):
        return Diagnostic("not-an-object", "not a Kubernetes object: JSON with comments and no apiVersion", path, chunk.line)
    return finding


def _is_commented_json(path: str, text: str) -> bool:
    """Whether a text is the JSON with comments of editors and compilers, which is no JSON and no error in a repository of manifests."""
    return path.lower().endswith(".json") and ("//" in text or "/*" in text) and "apiVersion" not in text


def _diagnostic(path: str, defect: Defect) -> Diagnostic:
    return Diagnostic(defect.code, defect.message, path, defect.line)
