"""The demo, as people run it first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demo_shows_the_comment_and_the_status_and_where_to_look_next(root: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOWDELTA_")}
    command = [sys.executable, "-m", "service", "demo"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "### Flowdelta: " in done.stdout
    assert "`shop/checkout` Deployment" in done.stdout
    assert "pending (" in done.stdout
    assert "-> success (" in done.stdout
    assert "answered with 202" in done.stderr
    assert "Where to look next" in done.stderr
