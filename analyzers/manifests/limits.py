"""Caps on what a tree may make the loader do, so that no input can exhaust the process."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MEBIBYTE = 1024 * 1024


class Limits(Struct, frozen=True):
    """How much is read before a `limit-exceeded` diagnostic ends it.

    The defaults lie an order of magnitude above what real repositories hold and bound one run to a few minutes of CPU:

    - `depth`: nested collections of a document, aliases counted as what they stand for. Deployments reach 12, CRD schemas 40.
      Reading recurses, so keep it below 200.
    - `file_bytes`: one file. Bundles of CRDs reach 5 MiB; the API server itself takes 3 MiB a request.
    - `tree_bytes`, `files`: all manifest files of a tree together.
    - `nodes`: scalars, lists and mappings of one file, aliases counted as what they stand for; 16 MiB of ordinary YAML holds about 700,000.
    - `tree_nodes`: the same over the whole tree. It bounds the later stages too, which walk through aliases.
    - `documents`: one file. 16 MiB hold about 40,000 ordinary objects.
    - `problems`: diagnostics of one file; nobody reads more, and such a file is no manifest.
    """

    depth: int = 64
    file_bytes: int = 16 * MEBIBYTE
    tree_bytes: int = 512 * MEBIBYTE
    files: int = 100_000
    nodes: int = 1_000_000
    tree_nodes: int = 50_000_000
    documents: int = 50_000
    problems: int = 100


DEFAULT_LIMITS: Final = Limits()


class NodeBudget:
    """How many values may be read in all, and how many are left."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = self.left = limit
