"""What deploys: one object of Flux or Argo CD, read into the folder of this repository that it deploys, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from posixpath import normpath
from typing import Final

from msgspec import Struct

from analyzers.model.diagnostics import Diagnostic, SourceLocation
from analyzers.model.manifest import YamlMap, YamlValue
from analyzers.units.unit import Cluster, Document, Elsewhere

DEPLOYING: Final = frozenset(
    {
        *(("argoproj.io", kind) for kind in ("Application", "ApplicationSet")),
        *(("kustomize.toolkit.fluxcd.io", "Kustomization"), ("helm.toolkit.fluxcd.io", "HelmRelease")),
    }
)
"""The groups and kinds of Flux and Argo CD whose objects say what is deployed where."""


class Deployment(Struct, frozen=True):
    """A folder of this repository that something deploys. `cluster` is where, None where that is not told; `namespace` is for objects that
    have none, `moved_to` for every object; `overlay` are fields of a kustomization put over what the folder holds; `inline` are values for
    a chart, after the files `values`. `recurse` says whether plain files of inner folders belong to it."""

    title: str
    path: str
    cluster: Cluster
    place: SourceLocation
    namespace: str = ""
    moved_to: str = ""
    release: str = ""
    values: tuple[str, ...] = ()
    inline: str = ""
    overlay: str = ""
    recurse: bool = True


class Deployed(Struct, frozen=True):
    """What objects of Flux and Argo CD deploy: folders of this repository, things from elsewhere, and what is to be said of them."""

    here: tuple[Deployment, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def path_in_repository(text: str) -> str | None:
    """The path that a deployment names, from the root of the repository; None where it leaves it."""
    path = normpath(text.lstrip("/") or ".")
    return None if path == ".." or path.startswith("../") else "" if path == "." else path


def title_of(document: Document) -> str:
    """How messages name the object."""
    metadata = at(document.body, "metadata")
    name = text_at(metadata, "name")
    return f"{text_at(document.body, 'kind')} {name}"


def place_of(document: Document) -> SourceLocation:
    """Where the object stands."""
    return SourceLocation(document.path, document.line)


def at(body: YamlValue, *steps: str) -> YamlMap:
    """The mapping at a path; an empty one where there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, YamlMap) else None
    return body if isinstance(body, YamlMap) else YamlMap()


def text_at(body: YamlValue, *steps: str) -> str:
    """The text at a path; empty where there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, YamlMap) else None
    return body if isinstance(body, str) else ""


def maps_at(body: YamlValue, *steps: str) -> list[YamlMap]:
    """The mappings of the list at a path."""
    for step in steps:
        body = body.get(step) if isinstance(body, YamlMap) else None
    return [each for each in body if isinstance(each, YamlMap)] if isinstance(body, list) else []


def texts_at(body: YamlValue, *steps: str) -> list[str]:
    """The texts of the list at a path."""
    for step in steps:
        body = body.get(step) if isinstance(body, YamlMap) else None
    return [each for each in body if isinstance(each, str)] if isinstance(body, list) else []


def as_json(value: YamlValue | Mapping[str, object]) -> str:
    """A value as JSON, the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def same_repository(one: str, other: str) -> bool:
    """Whether two addresses name the same repository, however they are written."""
    return _plain_address(one) == _plain_address(other)


def _plain_address(url: str) -> str:
    text = re.sub(r"^[a-z+]+://", "", url.strip().lower())
    text = re.sub(r"^[^@/]+@", "", text)
    text = re.sub(r"^([^/:]+):(\d+/)?", r"\1/", text)
    return text.rstrip("/").removesuffix(".git")
