"""The names of the renderers."""

from __future__ import annotations

from enum import StrEnum


class RendererName(StrEnum):
    """Who makes the objects of a unit."""

    PLAIN = "plain"
    KUSTOMIZE = "kustomize"
    HELM = "helm"
