"""The programs that render, and repositories to render."""

from __future__ import annotations

import pytest

from analyzers.rendering.tools import Tools, find_tools
from tools.renderers import Unavailable, fetch


@pytest.fixture(scope="session")
def programs() -> Tools:
    """kubectl and helm, real ones."""
    try:
        return find_tools(str(fetch()))
    except Unavailable as problem:
        pytest.skip(f"kubectl and helm are not here, and the network is gone: {problem}")
