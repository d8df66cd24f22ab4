"""What monitoring sees of running processes: metrics after a review, on the web side and of a worker alone, and whether a worker lives."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.demo.process import ServiceProcess
from tests.e2e.running import PATIENCE, Running
from tests.forges.faults import Fault
from tests.forges.fixtures import TOKEN
from tests.service.site import SHOP, Site


def scrape(service: ServiceProcess) -> str:
    """The metrics of a process."""
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return str(answer.read().decode())


def value(said: str, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    samples = (sample for family in text_string_to_metric_families(said) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def test_a_review_can_be_read_off_the_metrics_and_no_name_of_it(site: Site, tmp_path: Path) -> None:
    site.github.inject(Fault("POST", ".*/statuses/.*", status=500))
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        assert running.deliver(service, delivery="first") == 202
        running.deliver(service, delivery="first")
        running.wait_for_record("done", service)
        said = scrape(service)
    assert value(said, "flowdelta_deliveries_total", forge="github", outcome="queued") == 1
    assert value(said, "flowdelta_deliveries_total", forge="github", outcome="already seen") == 1
    assert value(said, "flowdelta_forge_calls_total", forge="github", outcome="failed") == 1
    assert value(said, "flowdelta_forge_calls_total", forge="github", outcome="done") >= 4
    for stage in ("look", "announce", "examine", "comment", "conclude"):
        assert value(said, "flowdelta_stage_seconds_count", stage=stage, outcome="done") == 1, stage
    assert value(said, "flowdelta_stage_seconds_count", stage="announce", outcome="failed") == 1
    assert value(said, "flowdelta_reviews_total", state="done") == 1
    assert (value(said, "flowdelta_database_up"), value(said, "flowdelta_queue_waiting")) == (1, 0)
    for private in (SHOP, "acme", "octocat", "main", TOKEN, site.pull.head_sha):
        assert private not in said


def test_diagnostics_are_counted_by_code(site: Site, tmp_path: Path) -> None:
    site.push({"broken.yaml": "kind: ["})
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        running.deliver(service)
        running.wait_for_record("done", service)
        said = scrape(service)
    assert value(said, "flowdelta_diagnostics_total", code="syntax-error") >= 1


def test_a_worker_answers_monitoring_where_it_is_told_to(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", WORKER_LISTEN="127.0.0.1:0")
    with running.serve("--no-worker") as web, running.worker() as worker:
        worker.wait_for("worker", PATIENCE)
        running.deliver(web)
        running.wait_for_record("done", web, worker)
        assert value(scrape(worker), "flowdelta_reviews_total", state="done") == 1
        assert value(scrape(web), "flowdelta_reviews_total") == 0, "each process counts what it did"
        with urllib.request.urlopen(f"{worker.url}/healthz", timeout=30) as health:
            assert health.read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError) as missing, urllib.request.urlopen(f"{worker.url}/reports", timeout=30):
            pass
        with missing.value:
            assert missing.value.code == 404


def test_metrics_can_be_switched_off(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", METRICS="false")
    with running.serve("--no-worker") as service:
        with pytest.raises(urllib.error.HTTPError) as missing, urllib.request.urlopen(f"{service.url}/metrics", timeout=30):
            pass
        with missing.value:
            assert missing.value.code == 404


def test_a_worker_whose_address_is_taken_does_not_start(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve("--no-worker") as web:
        running.environment["FLOWDELTA_WORKER_LISTEN"] = web.url.removeprefix("http://")
        with running.worker() as worker:
            assert worker.process.wait(PATIENCE) == 2
    assert "FLOWDELTA_WORKER_LISTEN: nobody can listen there" in worker.log()
