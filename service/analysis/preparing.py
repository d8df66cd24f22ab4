"""How trees are rendered and read: the programs of this process's environment, and what the repository's configuration says at base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from analyzers.configuration import NAME, AnalysisSettings
from analyzers.manifests.tree import EntryKind, Tree, Unreadable
from analyzers.pipeline import Options
from analyzers.rendering.stage import Rendering
from service.analysis.errors import AnalysisError
from service.analysis.programs import tools
from service.checkout import GitTree
from service.parse_cache import ParseCache

if TYPE_CHECKING:
    from service.configuration import Configuration


def prepared(options: Options, base: Tree, cache: ParseCache | None, remote: str = "") -> Options:
    """The options with everything that rendering needs. `base` is the tree whose configuration counts, and `remote` the address of its
    repository, empty where it is not known. Raises `AnalysisError`."""
    settings, severity, data = AnalysisSettings(), options.severity, _content(base)
    if data is not None:
        configuration = _configuration(data)
        settings, rules = _seen_from(base, configuration), configuration.severity
        severity = replace(rules, sensitive_labels=(*rules.sensitive_labels, *settings.sensitive_labels))
    rendering = Rendering(tools(), settings, remote, cache)
    return replace(options, rendering=rendering, kinds=settings.kinds, pods=settings.pod_networks, severity=severity)


def settings_of(base: Tree) -> AnalysisSettings:
    """The analysis settings of a tree, as seen from its top. Raises `AnalysisError`."""
    data = _content(base)
    return AnalysisSettings() if data is None else _seen_from(base, _configuration(data))


def _seen_from(base: Tree, configuration: Configuration) -> AnalysisSettings:
    return configuration.analysis.below(base.subdir if isinstance(base, GitTree) else "")


def configuration_of(tree: Tree) -> Configuration:
    """The configuration at the root of a tree, or of the repository that it is a folder of. Raises `AnalysisError`."""
    return _configuration(_content(tree))


def _configuration(data: bytes | None) -> Configuration:
    from service.configuration import Configuration, ConfigurationError, read_configuration  # it brings guardrails along

    try:
        return Configuration() if data is None else read_configuration(data)
    except ConfigurationError as error:
        raise AnalysisError("configuration", str(error)) from error


def _content(tree: Tree) -> bytes | None:
    """What the configuration file of a tree, or of the repository that it is a folder of, holds; None where there is none."""
    if isinstance(tree, GitTree):
        tree = tree.whole
        found = tree.find(NAME)
    else:
        found = next((entry for entry in tree.entries() if entry.path == NAME and entry.kind is EntryKind.FILE), None)
    if found is None:
        return None
    ((_, data),) = tree.read([found])
    if isinstance(data, Unreadable):
        raise AnalysisError("configuration", f"{NAME}: {data.reason}")
    return data
