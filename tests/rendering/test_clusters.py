"""Several clusters of one repository: each is analysed by itself, and they are told side by side."""

from __future__ import annotations

import csv
import json
import os
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from analyzers.impact.clusters import Changes, DiffsReport, digest_of_all
from analyzers.pipeline import ClusterError, Options, Revision, compare, like, matrices, matrix
from analyzers.rendering.tools import Tools
from analyzers.reports import FORMATS, Context, render
from analyzers.reports.side_by_side import FORMATS as SIDE_BY_SIDE
from tests.rendering.repositories import Bench, configured, deny, deployment, tree

GOLDEN = Path(__file__).parent / "golden"
CLUSTERS = configured("clusters: {dev: {paths: [dev]}, prod: {paths: [prod]}, test: {paths: [test]}}")
WEB, DB = deployment("web", "shop"), deployment("db", "shop")
BASE = {f"{name}/{each}.yaml": text for name in ("dev", "prod", "test") for each, text in (("web", WEB), ("db", DB))}
CLOSED = {**BASE, "prod/deny.yaml": deny(namespace="shop")}


def compared(base: dict[str, str], head: dict[str, str], cluster: str | None = None, bench: Bench | None = None) -> Changes:
    rendering = (bench or Bench(Tools(), CLUSTERS)).rendering
    options = Options(rendering=rendering, cluster=cluster)
    return compare(tree(base), tree(head), options, base_revision=Revision("main"), head_revision=Revision("topic"))


def document(report: Changes) -> Any:
    return json.loads("".join(render("json", report)))


def test_each_cluster_has_a_report_of_its_own_and_no_flow_of_another() -> None:
    found = document(compared(BASE, CLOSED))
    assert found["schema"] == "flowdelta.diffs/1"
    assert [(each["cluster"], each["summary"]["closed"]) for each in found["clusters"]] == [("dev", 0), ("prod", 8), ("test", 0)]
    assert all(each["schema"] == "flowdelta.diff/1" for each in found["clusters"])


def test_the_digest_over_all_is_that_of_the_list_of_theirs() -> None:
    found = document(compared(BASE, CLOSED))
    assert found["digest"] == digest_of_all(each["digest"] for each in found["clusters"])
    assert found["digest"] != document(compared(BASE, {**BASE, "dev/deny.yaml": deny(namespace="shop")}))["digest"]


def test_the_same_change_in_another_cluster_has_another_digest() -> None:
    one, other = (compared(BASE, {**BASE, f"{name}/deny.yaml": deny(namespace="shop")}, name) for name in ("dev", "prod"))
    assert one.digest != other.digest


def test_a_cluster_can_be_compared_alone() -> None:
    found = document(compared(BASE, CLOSED, "prod"))
    assert (found["schema"], found["cluster"], found["summary"]["closed"]) == ("flowdelta.diff/1", "prod", 8)
    assert found == document(compared(BASE, CLOSED))["clusters"][1]


@pytest.mark.parametrize("name", ["", "staging"])
def test_a_cluster_that_is_not_there_is_refused_with_the_names(name: str) -> None:
    with pytest.raises(ClusterError, match=r"there is no cluster .*dev, prod, test"):
        compared(BASE, CLOSED, name)


def test_a_matrix_of_several_clusters_needs_the_name_of_one() -> None:
    options = Options(rendering=Bench(Tools(), CLUSTERS).rendering)
    with pytest.raises(ClusterError, match=r"several clusters, .*: dev, prod, test"):
        matrix(tree(BASE), options)
    assert [each.cluster for each in matrices(tree(BASE), options)] == ["dev", "prod", "test"]


def test_a_cluster_that_only_one_side_has_opens_or_closes_as_a_whole() -> None:
    less = {path: text for path, text in CLOSED.items() if not path.startswith("test/")}
    added, removed = document(compared(less, CLOSED)), document(compared(CLOSED, less))
    assert (added["added"], added["removed"]) == (["test"], [])
    assert (removed["added"], removed["removed"]) == ([], ["test"])
    opened, closed = (found["clusters"][2]["summary"] for found in (added, removed))
    assert (opened["opened"], opened["closed"]) == (closed["closed"], closed["opened"]) == (12, 0)
    assert "Cluster test (new): " in "".join(render("text", compared(less, CLOSED)))


def test_swapping_the_sides_swaps_what_opens_in_every_cluster() -> None:
    there, back = (document(compared(*sides)) for sides in ((BASE, CLOSED), (CLOSED, BASE)))
    for one, other in zip(there["clusters"], back["clusters"], strict=True):
        assert (one["summary"]["opened"], one["summary"]["closed"]) == (other["summary"]["closed"], other["summary"]["opened"])


def test_files_outside_of_clusters_that_hold_no_object_are_no_cluster() -> None:
    found = document(compared({**BASE, "ci/pipeline.yaml": "steps: []\n"}, {**CLOSED, "ci/pipeline.yaml": "steps: []\n"}))
    assert [each["cluster"] for each in found["clusters"]] == ["dev", "prod", "test"]


def test_a_broken_file_outside_of_clusters_is_not_passed_over() -> None:
    report = compared(BASE, {**CLOSED, "ci/broken.yaml": "a: [\n"})
    assert not report.complete
    assert [each["cluster"] for each in document(report)["clusters"]] == [None, "dev", "prod", "test"]


def test_one_named_cluster_is_a_report_of_one() -> None:
    settings = configured("clusters: {prod: {paths: [prod]}}")
    files = {path: text for path, text in BASE.items() if path.startswith("prod/")}
    found = document(compared(files, {**files, "prod/deny.yaml": deny(namespace="shop")}, bench=Bench(Tools(), settings)))
    assert (found["schema"], found["cluster"]) == ("flowdelta.diff/1", "prod")


def test_a_second_cluster_does_not_move_what_names_none(programs: Tools) -> None:
    base = {
        "apps/overlays/prod/kustomization.yaml": "namespace: shop\nresources: [web.yaml]\n",
        "apps/overlays/prod/web.yaml": deployment("web"),
        "infra/dns.yaml": deployment("dns", "infra"),
    }
    more = {path.replace("prod", "dev"): text for path, text in base.items()}
    found = document(compared(base, {**base, **more}, bench=Bench(programs)))
    assert [(each["cluster"], each["summary"]["pairs"]) for each in found["clusters"]][:1] == [(None, 0)]
    assert [each["cluster"] for each in found["clusters"] if each["workloads"]["added"] or each["workloads"]["removed"]] == ["dev"]


def test_every_format_has_its_way_of_telling_several() -> None:
    assert list(SIDE_BY_SIDE) == [name for name, _ in FORMATS]


@pytest.mark.parametrize("format", [name for name, _ in FORMATS])
def test_every_format_names_each_cluster_with_changes(format: str) -> None:
    shown = "".join(render(format, compared(BASE, {**CLOSED, "dev/deny.yaml": deny(namespace="shop")})))
    assert "dev" in shown
    assert "prod" in shown


def test_rows_of_a_table_stand_behind_the_name_of_their_cluster() -> None:
    rows = list(csv.reader(StringIO("".join(render("csv", compared(BASE, CLOSED))))))
    assert rows[0][:2] == ["cluster", "source"]
    assert {row[0] for row in rows[1:]} == {"prod"}


@pytest.mark.parametrize("budget", [200, 1_000, 4_000, 60_000])
def test_a_comment_over_many_clusters_keeps_its_budget(budget: int) -> None:
    names = [f"c{number}" for number in range(30)]
    settings = configured(f"clusters: {{{', '.join(f'{each}: {{paths: [{each}]}}' for each in names)}}}")
    base = {f"{name}/web.yaml": WEB for name in names} | {f"{name}/db.yaml": DB for name in names}
    head = base | {f"{name}/deny.yaml": deny(namespace="shop") for name in names}
    shown = "".join(render("markdown", compared(base, head, bench=Bench(Tools(), settings)), context=Context(budget=budget)))
    assert len(shown) <= budget
    assert shown.startswith("### Flowdelta")


def test_the_name_of_a_cluster_is_never_markup(programs: Tools) -> None:
    name = "[x](http:x)@everyone"
    files = {f"clusters/{each}/kustomization.yaml": "namespace: a\nresources: [web.yaml]\n" for each in (name, "prod")}
    files |= {f"clusters/{each}/web.yaml": deployment("web") for each in (name, "prod")}
    head = files | {f"clusters/{name}/kustomization.yaml": "namespace: b\nresources: [web.yaml]\n"}
    report = compared(files, head, bench=Bench(programs))
    assert isinstance(report, DiffsReport)
    shown = "".join(render("markdown", report))
    bare = re.sub(r"`[^`]*`", "", shown)
    assert "](http" not in bare
    assert "@everyone" not in bare
    assert f"Cluster `{name}`" in shown


@pytest.mark.parametrize(("format", "suffix"), [("text", "txt"), ("markdown", "md")])
def test_several_clusters_read_as_written(format: str, suffix: str) -> None:
    shown = "".join(
        render(
            format,
            compared(BASE, {**CLOSED, "dev/mesh.yaml": "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x}\n"}),
        )
    )
    golden = GOLDEN / f"clusters.{suffix}"
    if os.environ.get("REGOLD"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8"), f"{golden.name} differs: read it, then run again with REGOLD=1"


PLAIN = {f"clusters/{name}/{each}.yaml": text for name in ("eu", "us") for each, text in (("web", WEB), ("db", DB))}
BARE = Bench(Tools())


def test_plain_files_that_cannot_be_one_cluster_are_compared_side_by_side() -> None:
    found = document(compared(PLAIN, {**PLAIN, "clusters/us/deny.yaml": deny(namespace="shop")}, bench=BARE))
    assert [(each["cluster"], each["summary"]["closed"], each["complete"]) for each in found["clusters"]] == [
        ("eu", 0, True),
        ("us", 8, True),
    ]
    assert {each["message"] for report in found["clusters"] for each in report["diagnostics"]} == {
        "the names of folders and values files tell clusters apart: eu, us"
    }


def test_a_change_cannot_divide_what_base_reads_as_one() -> None:
    base = {"clusters/eu/web.yaml": WEB, "clusters/us/db.yaml": DB, "clusters/eu/deny.yaml": deny(namespace="shop")}
    head = {path: text for path, text in base.items() if "deny" not in path} | {"clusters/us/web.yaml": WEB}
    found = document(compared(base, head, bench=BARE))
    assert (found["schema"], found["complete"], found["summary"]["opened"]) == ("flowdelta.diff/1", False, 8)
    assert "duplicate-object" in {each["code"] for each in found["diagnostics"]}


def test_what_base_divides_stays_divided() -> None:
    less = {path: text for path, text in PLAIN.items() if path != "clusters/us/web.yaml" and path != "clusters/us/db.yaml"}
    found = document(compared(PLAIN, {**less, "clusters/us/cache.yaml": deployment("cache", "shop")}, bench=BARE))
    assert [each["cluster"] for each in found["clusters"]] == ["eu", "us"]
    assert [each["workloads"]["added"] for each in found["clusters"]] == [[], ["shop/cache[Deployment]"]]


def test_what_holds_of_head_is_asked_of_the_clusters_that_were_compared() -> None:
    head = {**PLAIN, "clusters/us/cache.yaml": deployment("cache", "shop")}
    for base, clusters in ((PLAIN, ["eu", "us"]), ({"clusters/eu/web.yaml": WEB}, [None])):
        options = Options(rendering=BARE.rendering)
        assert [each.cluster for each in matrices(tree(head), like(options, compared(base, head, bench=BARE)))] == clusters
