"""Analyses through the API: listed page by page, shown, run again, and their reports in every format."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from analyzers.reports import FORMATS
from service.analysis.job import GitComparison, GitSide, Merging, Order, Wanted
from service.analysis.runner import run
from service.forges.port import Queued
from service.settings import Settings
from service.store import Request, subject_of_queue
from service.store.tables import contents
from service.web.reporting import TYPES
from tests.forges.github_fake import GitHubFake
from tests.forges.origin import Origin
from tests.service.site import SHOP, Site, environment, opened
from tests.service.test_api import problem
from tests.service.web_app import Web, web

LIST = "/api/v1/analyses"


@dataclass
class Analysed:
    """A web process, and one analysis as a worker would have left it."""

    process: Web
    client: FlaskClient
    request: Request
    site: Site

    @property
    def where(self) -> str:
        return f"{LIST}/{self.request.id}"


@pytest.fixture
def analysed(tmp_path: Path, github: GitHubFake, origin: Origin) -> Iterator[Analysed]:
    site = opened(github, origin)
    with web(Settings.from_environment(environment(tmp_path / "data", github, origin, API_RATE="10000"))) as process:
        client = process.client
        client.environ_base["HTTP_AUTHORIZATION"] = process.bearer()["Authorization"]
        request = process.store.request("github", SHOP, "7", "pull_request opened")
        review(process, site, request, Merging.PREFERRED)
        yield Analysed(process, client, request, site)


def review(process: Web, site: Site, request: Request, merging: Merging) -> None:
    """Analyse as a worker does, and write down what it found."""
    parts, store = process.parts, process.store
    url = parts.connected["github"].forge.clone_url(SHOP)
    parts.mirrors.fetch(url, ("refs/heads/main", "refs/pull/7/head"))
    sides = GitSide("main", site.pull.base_sha), GitSide("refs/pull/7/head", site.pull.head_sha)
    with tempfile.TemporaryDirectory() as directory:
        comparison = GitComparison(*sides, str(parts.mirrors.root), url, True, merging)
        wanted = (Wanted("report.json", "json"), Wanted("report.md", "markdown", 60_000))
        found = run(Order(comparison, wanted, directory, "node", 60, 4_000_000_000), 60.0)
        report, text = (store.keep((Path(directory) / name).read_bytes()) for name in ("report.json", "report.md"))
    store.start(request)
    store.judged(request, site.pull.head_sha, site.pull.base_sha)
    store.attach(request, report=report, text=text, digest=found.digest, complete=found.complete, headline=found.headline)
    store.finish(request, "done", found.headline)


def body(answer: Any) -> dict[str, Any]:
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_an_analysis_is_shown_with_what_it_compared_and_found(analysed: Analysed) -> None:
    shown = body(analysed.client.get(analysed.where))
    assert (shown["forge"], shown["repository"], shown["number"], shown["state"]) == ("github", SHOP, 7, "done")
    assert (shown["base_sha"], shown["head_sha"]) == (analysed.site.pull.base_sha, analysed.site.pull.head_sha)
    assert (shown["headline"], shown["complete"], shown["report"]) == ("1 flow opens, 1 closes", True, f"{analysed.where}/report")
    assert shown["digest"] == body(analysed.client.get(shown["report"]))["digest"]
    assert shown["created"].endswith("Z")


@pytest.mark.parametrize("format", [name for name, _ in FORMATS])
def test_the_report_comes_in_every_format(analysed: Analysed, format: str) -> None:
    answer = analysed.client.get(f"{analysed.where}/report?format={format}")
    assert (answer.status_code, answer.content_type) == (200, TYPES.get(format, TYPES["text"]))
    assert "9090" in answer.text


def test_a_report_that_takes_longer_is_a_job_too(analysed: Analysed) -> None:
    answer = analysed.client.get(f"{analysed.where}/report?format=csv", headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.headers["Location"].startswith("/api/v1/jobs/")) == (202, True)


def test_a_report_that_would_say_something_else_now_is_not_given_out(analysed: Analysed) -> None:
    store, request = analysed.process.store, analysed.request
    known = store.review(request.id)
    assert known is not None
    assert known.report is not None
    assert known.text is not None
    store.attach(request, report=known.report, text=known.text, digest="sha256:" + "0" * 64, complete=True, headline="")
    assert problem(analysed.client.get(f"{analysed.where}/report?format=csv")) == (409, "changed")


def test_a_commit_of_a_merge_queue_is_compared_as_the_queue_made_it(analysed: Analysed) -> None:
    pull = analysed.site.pull
    queued = Queued(pull.base_sha, pull.head_sha, "refs/heads/gh-readonly-queue/main/pr-7-x", 7)
    request = analysed.process.store.request("github", SHOP, subject_of_queue(queued), "merge_group checks_requested")
    review(analysed.process, analysed.site, request, Merging.NO)
    answer = analysed.client.get(f"{LIST}/{request.id}/report?format=text")
    assert (answer.status_code, body(analysed.client.get(f"{LIST}/{request.id}"))["number"]) == (200, 7)


def test_an_analysis_without_a_report_says_how_far_it_is(analysed: Analysed) -> None:
    request = analysed.process.store.request("github", SHOP, "8", "test")
    shown = body(analysed.client.get(f"{LIST}/{request.id}"))
    assert (shown["state"], shown["report"], shown["complete"]) == ("queued", None, None)
    for format in ("json", "csv"):
        assert problem(analysed.client.get(f"{LIST}/{request.id}/report?format={format}")) == (404, "no-report")


def test_a_report_that_was_damaged_is_not_given_out(analysed: Analysed) -> None:
    with analysed.process.store._database.writing() as connection:
        connection.execute(contents.update().values(body=b"something else"))
    assert problem(analysed.client.get(f"{analysed.where}/report")) == (503, "storage")


def test_running_again_asks_for_a_new_analysis_of_the_same(analysed: Analysed) -> None:
    answer = analysed.client.post(f"{analysed.where}/rerun")
    shown = body(answer)
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{LIST}/{shown['id']}")
    assert (shown["state"], shown["cause"], shown["number"]) == ("queued", "api", 7)
    assert shown["id"] != analysed.request.id
    assert [request.id for request in analysed.process.store.undispatched()] == [shown["id"]]
    assert analysed.process.woken == [None]


def test_what_is_not_served_any_more_is_neither_run_again_nor_read_from_git(analysed: Analysed) -> None:
    request = analysed.process.store.request("github", "acme/gone", "1", "test")
    assert problem(analysed.client.post(f"{LIST}/{request.id}/rerun")) == (409, "not-served")
    assert analysed.process.woken == []


def test_analyses_are_listed_newest_first_page_by_page(analysed: Analysed) -> None:
    store = analysed.process.store
    made = [analysed.request.id, *(store.request("github", SHOP, str(number), "test").id for number in range(20, 26))]
    found: list[str] = []
    cursors = [""]
    while len(cursors) <= 4:
        page = body(analysed.client.get(f"{LIST}?limit=2{cursors[-1]}"))
        found += [item["id"] for item in page["items"]]
        cursors.append(f"&cursor={page['next']}")
    assert (found, cursors[-1]) == (made[::-1], "&cursor=None")


def test_a_list_can_be_narrowed(analysed: Analysed) -> None:
    store = analysed.process.store
    other = store.request("github", "acme/other", "7", "test").id
    mine = analysed.request.id

    def ids(query: str) -> list[str]:
        return [item["id"] for item in body(analysed.client.get(f"{LIST}?{query}"))["items"]]

    assert ids("repository=acme/other") == [other]
    assert ids("repository=acme/shop&number=7") == [mine]
    assert ids("state=done") == [mine]
    assert ids("forge=github&state=queued") == [other]
    assert ids("forge=gitlab") == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=0", "invalid-field"),
        ("limit=201", "invalid-field"),
        ("limit=many", "invalid-field"),
        ("number=0", "invalid-field"),
        ("number=99999999999999999999", "invalid-field"),
        ("cursor=x", "invalid-field"),
        ("cursor=%00", "invalid-field"),
        ("repository=a%00b/c", "invalid-field"),
        ("repository=https://evil.example/x", "invalid-field"),
        ("state=DROP", "invalid-field"),
        ("forge=..", "invalid-field"),
        ("forge=github&forge=gitlab", "invalid-field"),
        ("page=2", "unknown-field"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(analysed: Analysed, query: str, reason: str) -> None:
    assert problem(analysed.client.get(f"{LIST}?{query}")) == (400, reason)


@pytest.mark.parametrize("id", ["0" * 16, "x", "0" * 15, "%00", "..%2f.."])
def test_an_analysis_that_is_not_there_is_not_found(analysed: Analysed, id: str) -> None:
    for answer in (
        analysed.client.get(f"{LIST}/{id}"),
        analysed.client.get(f"{LIST}/{id}/report"),
        analysed.client.post(f"{LIST}/{id}/rerun"),
    ):
        assert problem(answer)[0] == 404


def test_repositories_are_listed_by_forge(tmp_path: Path, github: GitHubFake, origin: Origin) -> None:
    more = {"GITHUB_REPOSITORIES": "acme/shop, Acme/Fleet, globex/*"}
    with web(Settings.from_environment(environment(tmp_path / "data", github, origin, **more))) as process:
        for name in ("globex/infra", "initech/gone"):
            process.store.request("github", name, "1", "test")
        shown = body(process.client.get("/api/v1/repositories", headers=process.bearer()))
    (forge,) = shown["items"]
    assert (forge["forge"], forge["kind"], forge["served"]) == ("github", "github", ["acme/shop", "Acme/Fleet", "globex/*"])
    assert forge["repositories"] == ["Acme/Fleet", "acme/shop", "globex/infra"]
