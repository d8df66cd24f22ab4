"""Metrics are in the format that Prometheus reads, and traces reach a collector where one is configured."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service import telemetry


@dataclass(frozen=True)
class Figures:
    waiting: int = 3
    oldest: float = 12.5
    running: int = 1
    failed: int = 0


def sample(name: str, **labels: str) -> float:
    families = text_string_to_metric_families(telemetry.exposition(Figures).decode())
    return sum(each.value for family in families for each in family.samples if each.name == name and labels.items() <= each.labels.items())


def test_the_queue_is_read_when_it_is_asked_for() -> None:
    assert (sample("flowdelta_queue_waiting"), sample("flowdelta_queue_oldest_seconds")) == (3, 12.5)


def test_a_stage_that_fails_is_counted_as_such() -> None:
    before = sample("flowdelta_stage_seconds_count", stage="examine", outcome="failed")
    with telemetry.stage("examine"):
        pass
    with pytest.raises(ValueError, match="no"), telemetry.stage("examine"):
        raise ValueError("no")
    assert sample("flowdelta_stage_seconds_count", stage="examine", outcome="failed") == before + 1
    assert sample("flowdelta_stage_seconds_count", stage="examine", outcome="done") >= 1


def test_a_stage_that_somebody_stopped_is_no_failure() -> None:
    failed = sample("flowdelta_stage_seconds_count", stage="examine", outcome="failed")
    stopped = sample("flowdelta_stage_seconds_count", stage="examine", outcome="stopped")
    with pytest.raises(KeyError), telemetry.stage("examine", stopped=(KeyError,)):
        raise KeyError
    assert sample("flowdelta_stage_seconds_count", stage="examine", outcome="failed") == failed
    assert sample("flowdelta_stage_seconds_count", stage="examine", outcome="stopped") == stopped + 1


def test_a_database_that_does_not_answer_is_a_figure_and_hides_no_other() -> None:
    telemetry.review_ended("done")
    said = {each.name: each for each in text_string_to_metric_families(telemetry.exposition(lambda: None).decode())}
    assert said["flowdelta_database_up"].samples[0].value == 0
    assert "flowdelta_queue_waiting" not in said
    assert "flowdelta_reviews" in said


def test_counters_count() -> None:
    before = sample("flowdelta_diagnostics_total", code="syntax-error")
    telemetry.diagnosed({"syntax-error": 2})
    assert sample("flowdelta_diagnostics_total", code="syntax-error") == before + 2


def test_without_a_collector_nothing_is_traced() -> None:
    assert not telemetry.trace_where_configured({})


PROGRAM = """
from opentelemetry import trace
from service import telemetry
assert telemetry.trace_where_configured()
with telemetry.span("review", "review-1"), telemetry.stage("examine"):
    pass
telemetry.end_traces()
"""


def test_spans_reach_the_collector_that_the_environment_names(root: Path) -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, env=os.environ | endpoint, check=True, timeout=60)
        server.shutdown()
    assert [path for path, _ in received] == ["/v1/traces"]
    assert all(word in received[0][1] for word in (b"review", b"examine", b"review-1", b"flowdelta"))
