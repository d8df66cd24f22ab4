"""What a policy API provides to the analysis: the kinds it claims and how one object lowers to policies."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from analyzers.model.diagnostics import Diagnostic
from analyzers.model.manifest import Manifest
from analyzers.model.pod_network import PodNetwork
from analyzers.model.policy import Policy


class Lowered(Struct, frozen=True):
    """What one object means: its policies, and what was noticed on the way."""

    policies: tuple[Policy, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


class Dialect(Struct, frozen=True):
    """A policy API. `kinds` are (API group, kind) pairs; `lower` reads an object beside the addresses of the cluster's pods, and raises
    InvalidObject for what the API server would reject."""

    name: str
    kinds: frozenset[tuple[str, str]]
    lower: Callable[[Manifest, PodNetwork], Lowered]
