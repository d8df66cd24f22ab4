"""From an order to its reports: opens the trees, analyses them and renders. Runs in the process of the analysis."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from analyzers.manifests.running import Running, SnapshotError
from analyzers.model.cluster import HostNetwork
from analyzers.model.diagnostics import SourceLocation
from analyzers.pipeline import ClusterError, ExplainError, Options, Revision, explain, like, matrices, matrix
from analyzers.pipeline import compare as compare_trees
from analyzers.reports import Context, Report, headline, render
from analyzers.reports.cluster_words import headline_of
from service import inventories
from service.analysis.job import AnalysisError, Comparison, GitComparison, GitRevision, InventoryFile, Order, Pair, Result, Single, Subject
from service.analysis.opening import Side, both, link, one
from service.analysis.preparing import prepared
from service.analysis.wording import conflict_note
from service.archives import ArchiveError
from service.checkout import CheckoutError
from service.parse_cache import remembering


def answer(order: Order) -> Result:
    """Write the reports of the order. Raises `AnalysisError`."""
    if order.pair is not None:
        return _explanation(order, order.pair)
    return compare(order) if isinstance(order.subject, Comparison) else _matrix(order, order.subject)


def compare(order: Order) -> Result:
    """Write the reports of an order that has two sides. Raises `AnalysisError`."""
    assert isinstance(order.subject, Comparison)
    with _explained(), both(order.subject) as opened:
        base, head = opened.base, opened.head
        started = time.monotonic()
        with _options(order, base) as options:
            report = compare_trees(base.tree, head.tree, options, base_revision=base.revision, head_revision=head.revision)
            if order.guard is not None:
                from service.analysis.guards import write_guarded  # imported here: it brings sign-off along

                of_head = partial(matrices, head.tree, like(options, report))
                write_guarded(order.guard, base.tree, head.tree, report, of_head, Path(order.directory))
        note = conflict_note(opened.conflicts) if opened.conflicts else ""
        context = Context(seconds=time.monotonic() - started, note=note)
        _write(order, report, context, lambda side: base.revision if side == "base" else head.revision)
        return Result(report.complete, report.digest, headline_of(report), opened.conflicts, _codes(report))


def _matrix(order: Order, single: Single) -> Result:
    with _explained(), one(single) as side:
        started = time.monotonic()
        with _options(order, side) as options:
            report = matrix(side.tree, options, revision=side.revision)
        _write(order, report, Context(seconds=time.monotonic() - started), _always(side))
        return Result(report.complete, "", headline.of_matrix(report), diagnostics=_codes(report))


def _explanation(order: Order, pair: Pair) -> Result:
    with _explained(), _asked(order.subject) as (side, base, conflicts):
        with _options(order, base) as options:
            report = explain(side.tree, pair.source, pair.destination, pair.port, options)
        _write(order, report, Context(), _always(side))
        return Result(report.complete, "", headline.of_explanation(report), conflicts, _codes(report))


@contextmanager
def _asked(subject: Subject) -> Iterator[tuple[Side, Side, tuple[str, ...]]]:
    """The side that is asked about, of a comparison its head, the side whose configuration counts, and what kept the head from merging."""
    if isinstance(subject, Comparison):
        with both(subject) as opened:
            yield opened.head, opened.base, opened.conflicts
        return
    with one(subject) as side:
        yield side, side, ()


def _codes(report: Report) -> Mapping[str, int]:
    return Counter(each.code for each in report.diagnostics)


def _always(side: Side) -> Callable[[str], Revision]:
    return lambda _side: side.revision


def _write(order: Order, report: Report, context: Context, revision: Callable[[str], Revision]) -> None:
    """Render every report that is wanted. `revision` says which one a side of it stands for."""

    def where(side: str, location: SourceLocation) -> str | None:
        return link(order.subject, revision(side), location)

    for wanted in order.reports:
        with (Path(order.directory) / wanted.name).open("w", encoding="utf-8") as stream:
            stream.writelines(render(wanted.format, report, context=_for(order, wanted.budget, context, where)))


def _for(order: Order, budget: int, context: Context, where: Callable[[str, SourceLocation], str | None]) -> Context:
    return Context(frozenset(order.namespaces), where, budget, context.note, order.report_url or None, context.seconds)


@contextmanager
def _options(order: Order, base: Side) -> Iterator[Options]:
    """How to analyse; what the repository says of itself is read from `base`."""
    remote = order.subject.url if isinstance(order.subject, GitComparison | GitRevision) else ""
    with remembering(Path(order.cache) if order.cache else None) as shelf:
        options = Options(host_network=HostNetwork(order.host_network), shelf=shelf, baselines=shelf, cluster=order.cluster)
        options = prepared(options, base.tree, shelf, remote)
        yield replace(options, running={each.cluster: _running(each, options) for each in order.inventories})


def _running(each: InventoryFile, options: Options) -> Running:
    """What runs in a cluster. It is no error where this revision does not have the cluster."""
    uploaded = datetime.fromisoformat(each.uploaded)
    name = f"the inventory of {each.cluster}" if each.cluster else "the inventory"
    running = inventories.of_bytes(Path(each.path).read_bytes(), name, options.kinds, uploaded, "uploaded")
    return replace(running, required=False)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ArchiveError, CheckoutError) as error:
        raise AnalysisError(error.reason, error.message) from error
    except (ClusterError, ExplainError, SnapshotError) as error:
        raise AnalysisError(error.reason, str(error)) from error
