"""Repositories as text, and what rendering makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from analyzers.configuration import AnalysisSettings
from analyzers.interest import wanted
from analyzers.model.diagnostics import Diagnostic
from analyzers.pipeline import Options, Revision, diff, matrix
from analyzers.rendering.limits import RenderLimits
from analyzers.rendering.source import Prepared
from analyzers.rendering.stage import Outputs, Rendering, prepare
from analyzers.rendering.tools import Tools
from analyzers.reports import render
from service.configuration import read_configuration
from tests.property.product import MemoryTree

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: c}]}
"""
DENY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
spec:
  podSelector: {}
"""


def deployment(name: str, namespace: str = "") -> str:
    """A deployment whose pods have the label app."""
    text = DEPLOYMENT.replace("NAME", name)
    return text.replace("  name: ", f"  namespace: {namespace}\n  name: ", 1) if namespace else text


def deny(name: str = "deny", namespace: str = "") -> str:
    """A policy that denies all ingress in its namespace."""
    text = DENY.replace("name: deny", f"name: {name}")
    return text.replace("  name: ", f"  namespace: {namespace}\n  name: ", 1) if namespace else text


@dataclass(frozen=True, slots=True)
class Bench:
    """Trees of text, rendered with the programs at hand."""

    tools: Tools
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    remote: str = ""
    limits: RenderLimits = field(default_factory=RenderLimits)
    outputs: Outputs | None = None

    @property
    def rendering(self) -> Rendering:
        """How trees are prepared."""
        return Rendering(self.tools, self.settings, self.remote, self.outputs, self.limits)

    def prepared(self, files: Mapping[str, str]) -> Prepared:
        """A tree, rendered."""
        return prepare(tree(files), self.rendering, wanted, lambda *_: None)

    def matrix(self, files: Mapping[str, str]) -> Any:
        """The matrix of a tree, as JSON."""
        report = matrix(tree(files), Options(rendering=self.rendering))
        return json.loads("".join(render("json", report)))

    def diff(self, base: Mapping[str, str], head: Mapping[str, str]) -> Any:
        """The diff of two trees, as JSON."""
        options = Options(rendering=self.rendering)
        report = diff(tree(base), tree(head), options, base_revision=Revision("base"), head_revision=Revision("head"))
        return json.loads("".join(render("json", report)))


def tree(files: Mapping[str, str]) -> MemoryTree:
    """Text files as a tree."""
    return MemoryTree({path: dedent(text).encode() for path, text in files.items()})


def configured(text: str) -> AnalysisSettings:
    """The analysis settings of a configuration without its version."""
    return read_configuration(f"version: 1\n{dedent(text)}".encode()).analysis


def notes(prepared: Prepared) -> list[Diagnostic]:
    """Every diagnostic, of the tree and of its units."""
    return [*prepared.diagnostics, *(note for each in prepared.results for note in each.diagnostics)]


def codes(prepared: Prepared) -> list[str]:
    """The codes of every diagnostic."""
    return sorted(note.code for note in notes(prepared))


def objects(prepared: Prepared) -> dict[str, str]:
    """Every rendered object with the place that it came from."""
    return {each.title: str(each.location) for result in prepared.results for each in result.manifests or ()}
