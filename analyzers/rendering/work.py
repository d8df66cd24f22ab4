"""The work of rendering: units are found, their programs run, and what they wrote becomes objects at their source lines."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from analyzers.manifests.defects import Unparsable
from analyzers.manifests.limits import Limits
from analyzers.manifests.listing import Listing, is_manifest_name
from analyzers.manifests.prescan import Wanted
from analyzers.manifests.shelf import content_id_of
from analyzers.manifests.tree import Entry, PartialTree, Tree, Unreadable
from analyzers.model.diagnostics import Diagnostic
from analyzers.rendering.following import MOST_LEVELS, following, made_by, unsettled
from analyzers.rendering.inputs import read_inputs
from analyzers.rendering.limits import RenderLimits
from analyzers.rendering.objects import Objects, Written, as_written, plain_objects, rendered_objects
from analyzers.rendering.renderers import Contents, Job, renderer_of
from analyzers.rendering.sandbox import Outcome, run
from analyzers.rendering.source import Prepared, UnitResult
from analyzers.rendering.stage import MemoryOutputs, Observer, Rendering
from analyzers.rendering.tools import Tool
from analyzers.units.deployment import DEPLOYING
from analyzers.units.discovery import discover
from analyzers.units.unit import Document, Inputs, Plan, Unit

_AT_ONCE: Final = 2
"""Renderers that run side by side."""


class Task(Struct, frozen=True):
    """One run of a program, and what its output is kept as."""

    tool: Tool
    job: Job
    name: str


def plan(tree: Tree, entries: Sequence[Entry], rendering: Rendering, limits: Limits) -> Plan:
    """What is to be read and rendered of a tree."""
    inputs = read_inputs(tree, Listing(entries), limits)
    return discover(inputs, rendering.settings, rendering.remote, rendering.tools.available, rendering.apart, rendering.convention)


def plain(tree: Tree) -> Plan:
    """The plan of a tree of plain files that are read as one."""
    paths = frozenset(entry.path for entry in Listing(tree.entries()).files if is_manifest_name(entry.path))
    return Plan((), {None: paths}, (), (), ())


class Work:
    """One run of `prepare`."""

    def __init__(self, tree: Tree, entries: Sequence[Entry], rendering: Rendering, wanted: Wanted, limits: Limits) -> None:
        self._tree, self._entries, self._rendering, self._limits = tree, entries, rendering, limits
        self._wanted: Wanted = lambda group, kind: wanted(group, kind) or (group, kind) in DEPLOYING
        self._listed = {entry.path: entry for entry in entries}
        self._outputs = MemoryOutputs(rendering.outputs)

    def prepared(self, observe: Observer) -> Prepared:
        """The outcome."""
        listing = Listing(self._entries)
        plan, results, problems = self._followed(read_inputs(self._tree, listing, self._limits), observe)
        files = {
            cluster: PartialTree(self._tree, tuple(self._listed[path] for path in sorted(paths))) for cluster, paths in plan.files.items()
        }
        diagnostics = (*listing.diagnostics(), *plan.diagnostics, *problems)
        return Prepared(files, tuple(results), diagnostics, plan.elsewhere)

    def _followed(self, inputs: Inputs, observe: Observer) -> tuple[Plan, list[UnitResult], list[Diagnostic]]:
        """The plan and the outcome of its units, once what these make deploys nothing more."""
        plan, results, problems = self._outcome(inputs, observe)
        before, made, levels = tuple[Document, ...](), made_by(results), 0
        while made != before:
            if levels == MOST_LEVELS:
                return plan, results, [*problems, *unsettled(made)]
            levels += 1
            plan, results, problems = self._outcome(following(inputs, results, made), observe)
            before, made = made, made_by(results)
        return plan, results, problems

    def _outcome(self, inputs: Inputs, observe: Observer) -> tuple[Plan, list[UnitResult], list[Diagnostic]]:
        """A plan, the outcome of each of its units, and what stood in the way of reading their files."""
        rendering = self._rendering
        available = rendering.tools.available
        plan = discover(inputs, rendering.settings, rendering.remote, available, rendering.apart, rendering.convention)
        contents, ids, problems = self._contents(path for unit in plan.units for path in unit.reads)
        written = as_written(contents, self._wanted, self._limits)
        rendered = self._rendered(plan.units, contents, ids, written, observe)
        return plan, [*rendered, *(UnitResult(unit, None, (why,)) for unit, why in plan.refused)], problems

    def _contents(self, paths: Iterable[str]) -> tuple[dict[str, bytes], dict[str, str], list[Diagnostic]]:
        """The files that units read, with the ids of their content."""
        entries = [self._listed[path] for path in sorted(set(paths))]
        contents: dict[str, bytes] = {}
        ids: dict[str, str] = {}
        problems: list[Diagnostic] = []
        total = 0
        for entry in entries:
            total += entry.size
            if entry.size > self._limits.file_bytes or total > self._limits.tree_bytes:
                problems.append(Diagnostic("limit-exceeded", "larger than what is read; the units that need it are left out", entry.path))
        too_large = {each.path for each in problems}
        for entry, data in self._tree.read([entry for entry in entries if entry.path not in too_large]):
            if isinstance(data, Unreadable):
                problems.append(Diagnostic("unreadable-file", data.reason, entry.path))
            else:
                contents[entry.path] = data
                ids[entry.path] = entry.content_id or content_id_of(data)
        return contents, ids, problems

    def _rendered(
        self, units: Sequence[Unit], contents: Contents, ids: Mapping[str, str], written: Written, observe: Observer
    ) -> Iterable[UnitResult]:
        """The outcome of each unit, in their order. Two programs run side by side; only this thread asks what is kept, and keeps."""
        from concurrent.futures import ThreadPoolExecutor

        tasks = [self._task(unit, contents, ids) for unit in units]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            runs = [pool.submit(_run, task, self._rendering.limits) if isinstance(task, Task) else None for task in tasks]
            for number, (unit, task, ran) in enumerate(zip(units, tasks, runs, strict=True)):
                observe("render", number, len(units))
                output = self._kept(unit, task, ran.result()) if isinstance(task, Task) and ran is not None else task
                assert not isinstance(output, Task)
                yield self._result(unit, output, contents, written)

    def _task(self, unit: Unit, contents: Contents, ids: Mapping[str, str]) -> Task | bytes | Diagnostic | None:
        """What is to be run for a unit; what a renderer wrote for it before; why it is refused; None where nothing is to be run."""
        lacking = [path for path in unit.reads if path not in ids]
        if lacking:
            return _problem("render-failed", unit, f"{lacking[0]} cannot be read")
        renderer, tool = renderer_of(unit), self._rendering.tools.of(unit.renderer)
        if renderer.job is None or tool is None:
            return None
        job = renderer.job(unit, {path: contents[path] for path in unit.reads})
        if isinstance(job, Diagnostic):
            return job
        task = Task(tool, job, _name(job, tool))
        known = self._outputs.recall_output(task.name)
        return task if known is None else known

    def _kept(self, unit: Unit, task: Task, outcome: Outcome) -> bytes | Diagnostic:
        """The output of a run, kept for the next time; or why there is none."""
        if outcome.problem:
            program = task.tool.arguments[0]
            return _problem("render-timeout" if outcome.timed_out else "render-failed", unit, f"{program} {outcome.problem}")
        self._outputs.keep_output(task.name, outcome.output)
        return outcome.output

    def _result(self, unit: Unit, output: bytes | Diagnostic | None, contents: Contents, written: Written) -> UnitResult:
        if isinstance(output, Diagnostic):
            return UnitResult(unit, None, (output,))
        try:
            objects = self._objects(unit, output, contents, written)
        except Unparsable as error:
            return UnitResult(unit, None, (_problem("render-failed", unit, f"its output cannot be read: {error.defect.message}"),))
        return UnitResult(unit, objects.manifests, (*unit.notes, *objects.diagnostics), objects.deploying)

    def _objects(self, unit: Unit, output: bytes | None, contents: Contents, written: Written) -> Objects:
        if output is None:
            return plain_objects(unit, contents, self._wanted, self._limits)
        return rendered_objects(unit, renderer_of(unit), output, contents, written, self._wanted, self._limits)


def _name(job: Job, tool: Tool) -> str:
    """What an output is kept as: the program, its arguments, and every file that it was given."""
    digest = hashlib.sha256()
    for part in (tool.identity, *tool.arguments, *job.arguments, ""):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    for path, data in sorted(job.files.items()):
        digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogatepass") + data)
    return digest.hexdigest()


def _run(task: Task, limits: RenderLimits) -> Outcome:
    """Run a program on a private copy of its files."""
    tool, job = task.tool, task.job
    folder = Path(tempfile.mkdtemp(prefix="flowdelta-unit-"))
    try:
        for path, data in job.files.items():
            place = folder / path
            if ".." in Path(path).parts or not place.is_relative_to(folder):
                return Outcome(problem=f"cannot be given {path!r}, which is no path")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return run((tool.path, *tool.arguments, *job.arguments), folder, limits)
    except OSError as error:
        return Outcome(problem=f"cannot be given its files: {(error.strerror or 'unknown').lower()}")
    except ValueError:
        return Outcome(problem="cannot be given its files: one has no name that a file can have")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _problem(code: str, unit: Unit, what: str) -> Diagnostic:
    return Diagnostic(code, f"{unit.title}: {what}", unit.place.path, unit.place.line or None)
