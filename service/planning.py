"""The commands that tell what would be analysed: `flowdelta config check` and `flowdelta units`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzers.manifests.folder import FolderTree, TreeError
from analyzers.model.diagnostics import Diagnostic, Severity, is_complete
from analyzers.pipeline import Options, plan
from analyzers.rendering.sandbox import network_is_isolated
from analyzers.rendering.stage import Rendering
from analyzers.rendering.tools import Tools
from analyzers.reports.escape import printable
from analyzers.units.unit import Plan, RendererName, Unit
from service.analysis.job import AnalysisError
from service.analysis.preparing import configuration_of, settings_of
from service.analysis.programs import tools
from service.configuration import NAME, Configuration, ConfigurationError, read_configuration
from service.exits import BadInput, Exit


def check(path: Path) -> Exit:
    """Run `flowdelta config check`: say what the configuration holds, or where it is wrong."""
    configuration = _configuration(path)
    for line in _summary(configuration):
        print(printable(line))
    return Exit.DONE


def units(path: Path, strict: bool) -> Exit:
    """Run `flowdelta units`: say what would be rendered, for which cluster, and why. Nothing is rendered."""
    try:
        tree = FolderTree(path)
        found = tools()
        settings = settings_of(tree)
        made = plan(tree, Options(rendering=Rendering(found, settings), kinds=settings.kinds))
    except (TreeError, AnalysisError) as error:
        raise BadInput(printable(str(error))) from error
    for line in (*_programs(found), "", *_told(made)):
        print(printable(line))
    problems = (*made.diagnostics, *(why for _, why in made.refused))
    return Exit.BAD_INPUT if strict and not is_complete(problems) else Exit.DONE


def _configuration(path: Path) -> Configuration:
    """The configuration of a folder, or of a file by itself."""
    try:
        if not path.is_dir():
            return read_configuration(path.read_bytes(), str(path))
        if not (path / NAME).is_file():
            raise BadInput(f"{path}: there is no {NAME}")
        return configuration_of(FolderTree(path))
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    except (TreeError, AnalysisError, ConfigurationError) as error:
        raise BadInput(printable(str(error))) from error


def _summary(configuration: Configuration) -> Iterator[str]:
    analysis, rules = configuration.analysis, configuration.guardrails
    counts = {
        "clusters": len(analysis.clusters),
        "units": len(analysis.units),
        "namespaces by path": len(analysis.namespaces),
        "kinds that make pods": len(analysis.kinds.workloads) + len(analysis.kinds.operators),
        "ignored paths": len(analysis.ignore),
        "pod CIDRs": len(analysis.pod_cidrs) + sum(len(each.pod_cidrs) for each in analysis.clusters),
        "sensitive labels": len(analysis.sensitive_labels),
        "zones": len(rules.zones),
        "guardrails": len(rules.guardrails),
        "invariants": len(rules.invariants),
        "exceptions": len(rules.exceptions),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    yield f"{NAME} is well formed: {said or 'nothing is configured'}"


def _programs(found: Tools) -> Iterator[str]:
    for renderer in (RendererName.KUSTOMIZE, RendererName.HELM):
        tool = found.of(renderer)
        yield f"{renderer}: {f'{tool.path} ({tool.version})' if tool is not None else 'not found; what needs it is read as written'}"
    isolated = "renderers have none" if network_is_isolated() else "this kernel gives renderers none of their own; proxies lead nowhere"
    yield f"network: {isolated}"


def _told(made: Plan) -> Iterator[str]:
    for cluster in made.clusters:
        yield f"cluster {cluster}" if cluster is not None else "without a cluster's name"
        for unit in made.units:
            if cluster in unit.clusters:
                yield from _unit(unit)
        if count := len(made.files.get(cluster, ())):
            yield f"  {count} plain file{'s' if count != 1 else ''}, read as written"
    for unit, why in made.refused:
        yield f"refused: {unit.title}: {_place(why)}{why.message}"
    for each in made.elsewhere:
        yield f"elsewhere: {each.title} deploys {each.source} ({each.place})"
    for diagnostic in made.diagnostics:
        word = "note" if diagnostic.severity is Severity.INFO else str(diagnostic.severity)
        yield f"{word}: {_place(diagnostic)}{diagnostic.message} [{diagnostic.code}]"


def _unit(unit: Unit) -> Iterator[str]:
    where = f", into namespace {unit.moved_to or unit.namespace}" if unit.moved_to or unit.namespace else ""
    yield f"  {unit.title}: {unit.renderer}{where}; {unit.why} ({unit.place}); {len(unit.reads)} files"


def _place(diagnostic: Diagnostic) -> str:
    if diagnostic.path is None:
        return ""
    return f"{diagnostic.path}:{diagnostic.line}: " if diagnostic.line else f"{diagnostic.path}: "
