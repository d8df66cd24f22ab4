"""The programs that render: found on the path or named by whoever runs Flowdelta, never by a repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from analyzers.units.renderer_name import RendererName


class Tool(Struct, frozen=True):
    """A program: its path, and the arguments that make it render. `identity` tells one installed program from another."""

    path: str
    arguments: tuple[str, ...]
    identity: str

    @property
    def version(self) -> str:
        """What the program says of its version; empty where it says nothing."""
        return _version(self.path, self.identity)


class Tools(Struct, frozen=True):
    """The programs at hand."""

    kustomize: Tool | None = None
    helm: Tool | None = None

    def of(self, renderer: RendererName) -> Tool | None:
        """The program of a renderer; None also for one that needs none."""
        return {RendererName.KUSTOMIZE: self.kustomize, RendererName.HELM: self.helm}.get(renderer)

    @property
    def available(self) -> frozenset[RendererName]:
        """The renderers that can be used."""
        return frozenset({RendererName.PLAIN, *(each for each in RendererName if self.of(each) is not None)})


class ToolMissing(Exception):
    """A program that was named is not there."""


def find_tools(path: str, kustomize: str = "", helm: str = "") -> Tools:
    """The programs on a search path (as in `PATH`), or at the places given. kubectl takes the place of kustomize. Raises `ToolMissing`."""
    return Tools(_found(kustomize, ("kustomize", "kubectl"), path), _found(helm, ("helm",), path))


def _found(chosen: str, names: tuple[str, ...], path: str) -> Tool | None:
    if chosen:
        place = shutil.which(chosen, path=path)
        if place is None:
            raise ToolMissing(f"{chosen}: there is no such program")
        return _tool(place)
    places = (shutil.which(name, path=path) for name in names)
    return next((_tool(place) for place in places if place is not None), None)


def _tool(place: str) -> Tool:
    real = os.path.realpath(place)
    status = os.stat(real)
    name = Path(place).name
    arguments = ("kustomize",) if name.startswith("kubectl") else ("template",) if name.startswith("helm") else ("build",)
    return Tool(real, arguments, f"{arguments[0]} {real} {status.st_size} {status.st_mtime_ns}")


@lru_cache(maxsize=16)
def _version(path: str, identity: str) -> str:
    """The version of a program; `identity` is part of the question, so that a new program is asked again."""
    word = {"kustomize": ("version", "--client"), "template": ("version", "--short")}.get(identity.partition(" ")[0], ("version",))
    environment = {"HOME": os.devnull, "PATH": os.devnull, "LC_ALL": "C.UTF-8"}
    try:
        found = subprocess.run([path, *word], stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=20, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ", ".join(line.strip() for line in found.stdout.splitlines() if line.strip())
