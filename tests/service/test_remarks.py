"""Annotations: of real reports, on the lines at head, in words that stay one line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzers.manifests.folder import FolderTree
from analyzers.pipeline import Revision, diff
from analyzers.reports import render
from service.forges.port import Annotation
from service.review import remarks
from tests.forges.origin import policy, shop


def document(folder: Path, base: dict[str, str], head: dict[str, str]) -> bytes:
    """The JSON report of two folders."""
    for side, files in (("base", base), ("head", head)):
        (folder / side).mkdir()
        for name, content in files.items():
            (folder / side / name).write_text(content)
    base_tree, head_tree = FolderTree(folder / "base"), FolderTree(folder / "head")
    report = diff(base_tree, head_tree, base_revision=Revision("base"), head_revision=Revision("head"))
    return "".join(render("json", report)).encode()


def report(*groups: dict[str, Any]) -> bytes:
    return json.dumps({"groups": groups}).encode()


def group(path: str = "p.yaml", line: int = 3, side: str = "head", **more: Any) -> dict[str, Any]:
    causes = [{"undo": [{"path": path, "line": line, "side": side}]}]
    known = {"sources": ["a/x[Deployment]"], "destinations": ["a/y[Deployment]"], "opened": {"TCP": [[80, 80]]}, "closed": {}}
    return {**known, "causes": causes, **more}


def test_the_line_that_opens_a_flow_says_what_it_opens(tmp_path: Path) -> None:
    (remark,) = remarks.of_report(document(tmp_path, shop(7070), shop(9090)))
    assert remark.path == "policy.yaml"
    assert shop(9090)["policy.yaml"].splitlines()[remark.line - 1].strip()
    assert remark.title == "Opens and closes network flows"
    assert "shop/web[Deployment] to shop/cart[Deployment]" in remark.message
    assert "opens TCP 9090" in remark.message
    assert "closes TCP 7070" in remark.message


def test_what_is_only_at_base_is_no_line_to_remark_on(tmp_path: Path) -> None:
    base = {**shop(7070), "more.yaml": policy("web", "cart", 80)}
    assert remarks.of_report(document(tmp_path, base, shop(7070))) == ()


def test_no_change_has_no_remark(tmp_path: Path) -> None:
    assert remarks.of_report(document(tmp_path, shop(), shop())) == ()


def test_changes_of_one_line_are_one_remark() -> None:
    (remark,) = remarks.of_report(report(group(), group(opened={}, closed={"UDP": [[1, 65_535]]})))
    assert (remark.path, remark.line, remark.title) == ("p.yaml", 3, "Opens and closes network flows")
    assert remark.message.splitlines() == [
        "a/x[Deployment] to a/y[Deployment]: opens TCP 80",
        "a/x[Deployment] to a/y[Deployment]: closes UDP all ports",
    ]


def test_a_change_of_conditions_alone_is_said_as_such() -> None:
    (remark,) = remarks.of_report(report(group(opened={}, closed={})))
    assert remark == Annotation(
        "p.yaml", 3, "Changes what network flows depend on", "a/x[Deployment] to a/y[Deployment]: depends on something else"
    )


def test_many_remarks_and_long_ones_are_cut() -> None:
    many = remarks.of_report(report(*(group(line=line) for line in range(1, 500))))
    assert [remark.line for remark in many] == list(range(1, remarks.MOST + 1))
    (long,) = remarks.of_report(report(*(group(sources=[f"{number}{'x' * 5_000}" for number in range(n)]) for n in range(1, 50))))
    assert len(long.message) < 2_000
    assert long.message.endswith("more changes; the report lists them")


def test_every_cluster_is_remarked_on() -> None:
    clusters = {"clusters": [{"groups": [group("one.yaml")]}, {"groups": [group("two.yaml")]}]}
    assert [remark.path for remark in remarks.of_report(json.dumps(clusters).encode())] == ["one.yaml", "two.yaml"]


def test_a_name_stays_in_its_line() -> None:
    (remark,) = remarks.of_report(report(group(sources=["a\nb\u202e\x1b[31m"])))
    assert len(remark.message.splitlines()) == 1
    assert "\x1b" not in remark.message
    assert "\u202e" not in remark.message


def test_a_report_too_large_to_read_has_no_remarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks, "LARGEST", 10)
    assert remarks.of_report(report(group())) == ()
