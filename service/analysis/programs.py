"""The programs that render, as the environment names them."""

from __future__ import annotations

PROGRAMS = ("FLOWDELTA_KUSTOMIZE", "FLOWDELTA_HELM")
"""The variables that name the programs that render: settings of whoever runs Flowdelta, never of a repository."""
