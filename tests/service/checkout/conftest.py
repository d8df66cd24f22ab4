from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Recorder:
    """What the programs named `git` were given: their arguments and their environment, a line each."""

    arguments: Path
    environment: Path

    def lines(self) -> list[str]:
        return self.arguments.read_text().splitlines()

    def variables(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.environment.read_text().splitlines() if "=" in line)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A `git` first on the path that writes down how it was called and then is the real one."""
    found = Recorder(tmp_path / "arguments", tmp_path / "environment")
    script = f'printf \'%s\\n\' "$@" >>"{found.arguments}"\nenv >>"{found.environment}"\nexec "{shutil.which("git")}" "$@"\n'
    install(tmp_path / "bin", script, monkeypatch)
    return found


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a shell script called git first on the path."""
    folder.mkdir()
    program = folder / "git"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
