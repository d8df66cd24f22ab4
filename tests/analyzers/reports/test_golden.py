"""Each case is a folder of manifests before and after, with the reports that a reviewer gets to read.

`REGOLD=1 pytest tests/analyzers/reports/test_golden.py` writes them anew: read what changed as a reviewer would.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzers.manifests.folder import FolderTree
from analyzers.model.diagnostics import SourceLocation
from analyzers.model.revision import Revision
from analyzers.pipeline import diff, explain, matrix
from analyzers.reports import Context, Report, render
from analyzers.reports.rows import Ends
from analyzers.reports.sections import HEAD, sections

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(folder.name for folder in GOLDEN.iterdir())
SUFFIXES = {
    "markdown": "md",
    "text": "txt",
    "csv": "csv",
    "dot": "dot",
    "html": "html",
    "sarif": "sarif",
    "codequality": "codequality.json",
}
EXPLAINED = ("service-port-closed", "shop/checkout", "shop/cart", "7070")


def link(side: str, location: SourceLocation) -> str:
    return f"https://forge.example/acme/infra/blob/{side}/{location.path}#L{location.line}"


LINKED = Context(link=link, report_url="https://flowdelta.example/reports/1", seconds=0.4)
CONTEXTS = {"markdown": LINKED, "html": LINKED}


def compare(report: Report, path: Path) -> None:
    for format, suffix in SUFFIXES.items():
        shown = "".join(render(format, report, context=CONTEXTS.get(format, Context())))
        golden = path.with_name(f"{path.name}.{suffix}")
        if os.environ.get("REGOLD"):
            golden.write_text(shown, encoding="utf-8")
        assert shown == golden.read_text(encoding="utf-8"), f"{golden.name} differs: read it, then run again with REGOLD=1"


@pytest.mark.parametrize("case", CASES)
def test_diff_reads_as_written(case: str) -> None:
    base, head = (FolderTree(GOLDEN / case / side) for side in ("base", "head"))
    revisions = (Revision("main", "9b04e17" + "0" * 33), Revision("refs/pull/7/head", "3f2c1aa" + "0" * 33))
    compare(diff(base, head, base_revision=revisions[0], head_revision=revisions[1]), GOLDEN / case / "expected")


@pytest.mark.parametrize("case", ["three-flows", "bare-pods", "ways-in"])
def test_matrix_reads_as_written(case: str) -> None:
    compare(matrix(FolderTree(GOLDEN / case / "head"), revision=Revision("main")), GOLDEN / case / "expected.matrix")


def test_explanation_reads_as_written() -> None:
    case, source, destination, port = EXPLAINED
    compare(explain(FolderTree(GOLDEN / case / "head"), source, destination, port), GOLDEN / case / "expected.explain")
    compare(explain(FolderTree(GOLDEN / case / "base"), source, destination), GOLDEN / case / "expected.explain-all")


def test_explanation_of_a_way_in_reads_as_written() -> None:
    for side, name in (("base", "expected.explain-open"), ("head", "expected.explain-cut-off")):
        compare(explain(FolderTree(GOLDEN / "ways-in" / side), "{ingress-controller}", "shop/web"), GOLDEN / "ways-in" / name)
    compare(
        explain(FolderTree(GOLDEN / "ways-in" / "base"), "{ingress-controller}", "shop/cart"),
        GOLDEN / "ways-in" / "expected.explain-gateway",
    )


def members(ends: Ends) -> list[str]:
    return [
        *(each.id for each in ends.workloads),
        *(block.id for block in ends.blocks),
        *(["{ingress-controller}"] if ends.controller else []),
    ]


@pytest.mark.parametrize("case", CASES)
def test_rows_stand_for_exactly_the_changed_pairs(case: str) -> None:
    base, head = (FolderTree(GOLDEN / case / side) for side in ("base", "head"))
    report = diff(base, head, base_revision=Revision("a"), head_revision=Revision("b"))
    named = sorted(
        (source, destination, section.revision == HEAD, str(row.ports))
        for section in sections(report, Context())
        for row in section.rows
        for source in members(row.sources)
        for destination in members(row.destinations)
        if source != destination or not source.endswith("[Pod]")
    )
    changed = [(pair, True, pair.opened) for pair in report.pairs()] + [(pair, False, pair.closed) for pair in report.pairs()]
    assert named == sorted((pair.source, pair.destination, opens, str(ports)) for pair, opens, ports in changed if ports)


def test_every_case_has_its_reports() -> None:
    for case in CASES:
        assert {f"expected.{suffix}" for suffix in SUFFIXES.values()} <= {path.name for path in (GOLDEN / case).iterdir()}
