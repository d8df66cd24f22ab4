"""The analysis sections of `.flowdelta.yaml`: what of a repository is deployed where, read as a value. Every mistake is an `InvalidObject`
with its field and line. A repository says what is rendered, never what is executed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from functools import partial
from posixpath import normpath
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from analyzers.manifests.kinds import CustomKinds
from analyzers.manifests.operator_kinds import OperatorKind, OperatorPort, PodSet
from analyzers.manifests.workload_kinds import WorkloadKind
from analyzers.model.manifest import Field, YamlMap
from analyzers.model.metadata import check_dns_label, read_labels, read_port_name, read_port_number, read_protocol
from analyzers.model.pod_network import PodNetwork, PodNetworks
from analyzers.model.selectors import Labels
from analyzers.sets.intervals import IntervalSet
from analyzers.sets.ip_blocks import IPBlock, parse_cidr

NAME: Final = ".flowdelta.yaml"
"""Where the file stands, at the root of the repository."""

SECTIONS: Final = ("clusters", "units", "namespaces", "pod_cidrs", "sensitive_labels", "kinds", "ignore")
"""The top-level fields that this module reads."""

RENDERERS: Final = ("plain", "kustomize", "helm")
# Compiled when they are first needed: most runs have nothing to read here.
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_RELEASE = r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?"
_GROUP = r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?"
_KIND = r"[A-Z][A-Za-z0-9]{0,62}"
_MOST: Final = 1_000
"""Items of one list."""


class ClusterSettings(Struct, frozen=True):
    """A cluster: what stands below its `paths` (folders or patterns) is deployed to it; `pod_cidrs` are the addresses of its pods."""

    name: str
    line: int
    paths: tuple[str, ...]
    pod_cidrs: tuple[str, ...] = ()


class UnitSettings(Struct, frozen=True):
    """A unit: a folder and how it is rendered. An empty field leaves it to discovery."""

    path: str
    line: int
    renderer: str = ""
    clusters: tuple[str, ...] = ()
    namespace: str = ""
    release: str = ""
    values: tuple[str, ...] = ()


class AnalysisSettings(Struct, frozen=True):
    """What a repository says of itself for the analysis. `namespaces` are given, by path, to objects that have none; objects with one of
    `sensitive_labels` deserve more attention; `ignore` are folders or patterns that are neither read nor rendered."""

    clusters: tuple[ClusterSettings, ...] = ()
    units: tuple[UnitSettings, ...] = ()
    namespaces: tuple[tuple[str, str], ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    sensitive_labels: tuple[Labels, ...] = ()
    kinds: CustomKinds = field(default_factory=CustomKinds)
    ignore: tuple[str, ...] = ()

    def below(self, folder: str) -> AnalysisSettings:
        """The settings as seen from a folder of the repository: its paths, and patterns that reach into it, without what stands above."""
        if not folder:
            return self
        seen = partial(_seen_from, folder.split("/"))
        clusters = ((each, tuple(path for path in map(seen, each.paths) if path is not None)) for each in self.clusters)
        units = ((each, seen(each.path)) for each in self.units)
        namespaces = ((seen(path), namespace) for path, namespace in self.namespaces)
        return replace(
            self,
            clusters=tuple(replace(each, paths=paths) for each, paths in clusters),
            units=tuple(
                replace(each, path=path, values=tuple(inner for value in each.values if (inner := seen(value)) is not None))
                for each, path in units
                if path is not None and below(each.path, folder)
            ),
            namespaces=tuple((path, namespace) for path, namespace in namespaces if path is not None),
            ignore=tuple(path for path in map(seen, self.ignore) if path is not None),
        )

    @property
    def pod_networks(self) -> PodNetworks:
        """The addresses of pods: those that a cluster gives of its own, else those given for all."""
        named = ((each.name, _network(each.pod_cidrs)) for each in self.clusters if each.pod_cidrs)
        return PodNetworks(_network(self.pod_cidrs), tuple(named))

    @property
    def decides_units(self) -> bool:
        """Whether it says anything about what is read or rendered, or for which cluster."""
        return bool(self.clusters or self.units or self.namespaces or self.ignore)


def below(path: str, pattern: str) -> bool:
    """Whether a path is what a folder or pattern names, or stands below it. `*` is anything within one name, `**` any folders."""
    if not pattern:
        return True
    return _matches(path.split("/"), pattern.split("/"))


def read_analysis(root: Field) -> AnalysisSettings:
    """The analysis settings of a file whose top level is `root`. Raises `InvalidObject`."""
    clusters = tuple(_cluster(name, each) for name, each in root["clusters"].fields())
    known = {each.name for each in clusters}
    return AnalysisSettings(
        clusters,
        tuple(_unit(each, known) for each in _listed(root["units"])),
        tuple(_namespace(each) for each in _listed(root["namespaces"])),
        _cidrs(root["pod_cidrs"]),
        tuple(_labels(each) for each in _listed(root["sensitive_labels"])),
        _kinds(root["kinds"]),
        tuple(_path(each) for each in _listed(root["ignore"])),
    )


def _cluster(name: str, field: Field) -> ClusterSettings:
    field.only("paths", "pod_cidrs")
    if not re.fullmatch(_NAME, name):
        raise field.fail(f"{name!r} is no name of a cluster: at most 63 of letters, digits, '.', '_' and '-'")
    paths = tuple(_path(each) for each in _listed(field["paths"]))
    if not paths:
        raise field.fail("must have paths")
    return ClusterSettings(name, field.line, paths, _cidrs(field["pod_cidrs"]))


def _unit(field: Field, clusters: Collection[str]) -> UnitSettings:
    field.only("path", "renderer", "cluster", "clusters", "namespace", "release", "values")
    renderer, release = field["renderer"].text(""), field["release"].text("")
    if renderer and renderer not in RENDERERS:
        raise field["renderer"].fail(f"{renderer!r} is not one of {', '.join(RENDERERS)}")
    if release and not re.fullmatch(_RELEASE, release):
        raise field["release"].fail(f"{release!r} is no name of a release: at most 53 of a-z, 0-9 and -")
    values = tuple(_path(each) for each in _listed(field["values"]))
    if renderer != "helm" and (release or values):
        raise field.fail("release and values need renderer: helm")
    if field["cluster"] and field["clusters"]:
        raise field["cluster"].fail("must not stand beside clusters")
    named = [field["cluster"]] if field["cluster"] else _listed(field["clusters"])
    for each in named:
        if each.text() not in clusters and (clusters or not re.fullmatch(_NAME, each.text())):
            raise each.fail(f"there is no cluster {each.text()!r}; known are {', '.join(sorted(clusters)) or 'none'}")
    namespace = check_dns_label(field["namespace"], field["namespace"].text()) if field["namespace"] else ""
    return UnitSettings(_path(field["path"]), field.line, renderer, tuple(each.text() for each in named), namespace, release, values)


def _namespace(field: Field) -> tuple[str, str]:
    field.only("path", "namespace")
    return _path(field["path"]), check_dns_label(field["namespace"], field["namespace"].text())


def _kinds(field: Field) -> CustomKinds:
    field.only("workloads", "operators")
    workloads = tuple(_workload(each) for each in _listed(field["workloads"]))
    return CustomKinds(workloads, tuple(_operator(each) for each in _listed(field["operators"])))


def _workload(field: Field) -> WorkloadKind:
    field.only("group", "kind", "template")
    template = tuple(each for each in field["template"].text("spec.template").split(".") if each)
    return WorkloadKind((_group(field["group"]),), _kind(field["kind"]), template)


def _operator(field: Field) -> OperatorKind:
    field.only("group", "kind", "pods")
    pods = tuple(_pods(each) for each in _listed(field["pods"]))
    if not pods:
        raise field.fail("must have pods")
    return OperatorKind(_group(field["group"]), _kind(field["kind"]), pods)


def _pods(field: Field) -> PodSet:
    field.only("labels", "ports")
    labels = _labels(field["labels"], named=True)
    return PodSet(labels, tuple(_port(each) for each in _listed(field["ports"])))


def _port(field: Field) -> OperatorPort:
    field.only("name", "port", "protocol")
    return OperatorPort(read_port_name(field["name"]), read_port_number(field["port"]), read_protocol(field["protocol"]))


def _labels(field: Field, *, named: bool = False) -> Labels:
    """At least one label; where `named`, a value may hold `{name}`."""
    if named:
        for key, value in field.fields():
            read_labels(_single(field, key, value.text().replace("{name}", "name")))
        labels = tuple(sorted((key, value.text()) for key, value in field.fields()))
    else:
        labels = read_labels(field)
    if not labels:
        raise field.fail("must have at least one label")
    return labels


def _single(field: Field, key: str, value: str) -> Field:
    body = YamlMap(field.line)
    body[key] = value
    body.lines[key] = field[key].line
    return Field(body, field.path, field.line)


def _group(field: Field) -> str:
    text = field.text("")
    if not re.fullmatch(_GROUP, text):
        raise field.fail(f"{text!r} is no API group")
    return text


def _kind(field: Field) -> str:
    if not re.fullmatch(_KIND, field.text()):
        raise field.fail(f"{field.text()!r} is no kind")
    return field.text()


def _cidrs(field: Field) -> tuple[str, ...]:
    found = []
    for each in _listed(field):
        try:
            _, _, masked = parse_cidr(each.text())
        except ValueError as error:
            raise each.fail(str(error)) from error
        if masked:
            raise each.fail(f"{each.text()} has host bits set")
        found.append(each.text())
    return tuple(found)


def _network(cidrs: Iterable[str]) -> PodNetwork:
    parsed = map(parse_cidr, cidrs)
    return PodNetwork(tuple(IPBlock(family, IntervalSet((span,))) for family, span, _ in parsed))


def _path(field: Field) -> str:
    """A path from the root of the repository, which is `.`."""
    text = field.text()
    if not text or text.startswith("/") or "\0" in text:
        raise field.fail(f"{text!r} is not a path from the root of the repository")
    path = normpath(text)
    if path == ".." or path.startswith("../"):
        raise field.fail(f"{text!r} leaves the repository")
    return "" if path == "." else path


def _listed(field: Field) -> list[Field]:
    items = list(field.items())
    if len(items) > _MOST:
        raise field.fail(f"has {len(items)} items; at most {_MOST} are read")
    return items


def _seen_from(folder: list[str], pattern: str) -> str | None:
    """A path or pattern as seen from a folder; empty where it covers all of the folder, None where it does not reach into it."""
    wanted = pattern.split("/") if pattern else []
    for position, step in enumerate(folder):
        if position == len(wanted):
            return ""
        if wanted[position] == "**":
            return "/".join(wanted[position:])
        if not fnmatchcase(step, wanted[position]):
            return None
    return "/".join(wanted[len(folder) :])


def _matches(steps: list[str], wanted: list[str]) -> bool:
    """Whether the beginning of a path is what a pattern names."""
    if not wanted:
        return True
    if wanted[0] == "**":
        return any(_matches(steps[start:], wanted[1:]) for start in range(len(steps) + 1))
    return bool(steps) and fnmatchcase(steps[0], wanted[0]) and _matches(steps[1:], wanted[1:])
