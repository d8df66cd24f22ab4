"""The progress bar appears on a terminal, for runs that take long, and nowhere else."""

from __future__ import annotations

import io
import sys

import pytest

from analyzers.pipeline import ignore
from service import progress


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, patience: float) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    with progress.watching(quiet=False) as observe:
        observe("read", 512, 6200)
        observe("reachability", 0, 0)
        observe("diff", 0, 0)
    return terminal.getvalue()


def test_a_long_run_says_what_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(monkeypatch, 0.0)
    assert "comparing" in shown


def test_a_short_run_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, 3600.0) == ""


def test_nobody_at_a_terminal_or_who_wants_quiet_sees_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.watching(quiet=True) as observe:
        assert observe is ignore
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.watching(quiet=False) as observe:
        assert observe is ignore
