"""The programs that render, as the environment names them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from analyzers.rendering.tools import ToolMissing, Tools, find_tools
from service.analysis.errors import AnalysisError

PROGRAMS = ("FLOWDELTA_KUSTOMIZE", "FLOWDELTA_HELM")
"""The variables that name the programs that render: settings of whoever runs Flowdelta, never of a repository."""


def tools(environ: Mapping[str, str] | None = None) -> Tools:
    """The programs that render: those that the environment names, else those on its path. Raises `AnalysisError`."""
    environ = os.environ if environ is None else environ
    try:
        return find_tools(environ.get("PATH", os.defpath), *(environ.get(name, "") for name in PROGRAMS))
    except ToolMissing as error:
        raise AnalysisError("renderer", str(error)) from error
