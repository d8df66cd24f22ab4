"""Figures and traces of a running service: Prometheus metrics of this process, and OpenTelemetry spans where an exporter is configured.

Labels are few and known in advance: no repository, no branch and no account ever becomes one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_registry = CollectorRegistry()
_stages = Histogram(
    "flowdelta_stage_seconds",
    "Wall time of the stages of a review and of an analysis on demand.",
    ["stage", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=_registry,
)
_forge_calls = Counter("flowdelta_forge_calls", "Calls to forges, by how they ended.", ["forge", "outcome"], registry=_registry)
_deliveries = Counter("flowdelta_deliveries", "Webhook deliveries, by what became of them.", ["forge", "outcome"], registry=_registry)
_reviews = Counter("flowdelta_reviews", "Reviews that ended, by how.", ["state"], registry=_registry)
_diagnostics = Counter("flowdelta_diagnostics", "Diagnostics of analyses, by code.", ["code"], registry=_registry)
# Spans of the API go nowhere until `trace_where_configured` was called, and cost next to nothing then.
_tracer = trace.get_tracer("flowdelta")


class Figures(Protocol):
    """What the database says of the queue; the age is in seconds."""

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        ...

    @property
    def oldest(self) -> float:
        """Age of the oldest of them."""
        ...

    @property
    def running(self) -> int:
        """Reviews that run."""
        ...

    @property
    def failed(self) -> int:
        """Reviews that failed within the last hour."""
        ...


def span(name: str, review: str = "") -> AbstractContextManager[Any]:
    """A span around what happens inside; the spans of its stages hang below it."""
    return _tracer.start_as_current_span(name, attributes={"flowdelta.review": review} if review else None)


@contextmanager
def stage(name: str, review: str = "", *, stopped: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Measure a stage of work, as a metric and as a span. An exception that leaves it counts as a failure, but for those of `stopped`:
    somebody ended the work, and nothing is wrong with it."""
    started, outcome = time.monotonic(), "failed"
    with span(name, review):
        try:
            yield
            outcome = "done"
        except stopped:
            outcome = "stopped"
            raise
        finally:
            _stages.labels(name, outcome).observe(time.monotonic() - started)


def forge_call(forge: str, outcome: str) -> None:
    """Count a call to a forge."""
    _forge_calls.labels(forge, outcome).inc()


def delivery(forge: str, outcome: str) -> None:
    """Count a delivery."""
    _deliveries.labels(forge, outcome).inc()


def review_ended(state: str) -> None:
    """Count a review."""
    _reviews.labels(state).inc()


def diagnosed(counts: Mapping[str, int]) -> None:
    """Count the diagnostics of one analysis: how many there were of each code."""
    for code, count in counts.items():
        _diagnostics.labels(code).inc(count)


def exposition(figures: Callable[[], Figures | None]) -> bytes:
    """Every metric of this process and the figures of the queue, in the text format of Prometheus. The figures are None where the database
    does not answer."""
    queue = CollectorRegistry()
    queue.register(_Queue(figures))
    return generate_latest(_registry) + generate_latest(queue)


class _Queue(Collector):
    """The queue as it is when it is asked for."""

    def __init__(self, figures: Callable[[], Figures | None]) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        found = self._figures()
        yield GaugeMetricFamily("flowdelta_database_up", "Whether the database answers.", int(found is not None))
        if found is None:
            return
        yield GaugeMetricFamily("flowdelta_queue_waiting", "Requests for a review that wait.", found.waiting)
        yield GaugeMetricFamily("flowdelta_queue_oldest_seconds", "Age of the oldest request that waits.", found.oldest)
        yield GaugeMetricFamily("flowdelta_reviews_running", "Reviews that run.", found.running)
        yield GaugeMetricFamily("flowdelta_reviews_failed_last_hour", "Reviews that failed within the last hour.", found.failed)


def trace_where_configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Send spans where the variables of OpenTelemetry say (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`), if they
    say so. Call it after any fork: the exporter has a thread. Returns whether there is anywhere to send them."""
    if not any(environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME") or "flowdelta"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


def end_traces() -> None:
    """Send the spans that wait to be sent. A process that ends without it loses them."""
    end = getattr(trace.get_tracer_provider(), "shutdown", None)  # only the provider that was configured has one
    if end is not None:
        end()
