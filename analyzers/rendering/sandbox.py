"""Runs one renderer shut in: its own process group, an empty environment and home, no network where the kernel permits, a user without
rights in place of root, limits on processor time, memory and output, and SIGKILL at the deadline."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from analyzers.rendering import launch
from analyzers.rendering.limits import MEBIBYTE, RenderLimits

_TOLD: Final = 1_000
"""Characters of what a renderer says that are shown: its last words, where the reason stands."""
_NOWHERE: Final = "http://127.0.0.1:9"
_LAUNCHER: Final = launch.__file__
_NOBODY: Final = 65534
"""The user and the group that have no rights, by custom of every system, and that are known inside user namespaces too."""


class Outcome(Struct, frozen=True):
    """What came of a run: the output, or why there is none."""

    output: bytes = b""
    problem: str = ""
    timed_out: bool = False


def run(command: Sequence[str], folder: Path, limits: RenderLimits) -> Outcome:
    """Run a command in a folder that holds all it may read; `home` and `tmp` are made in it."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    _give_away(folder)
    with (folder / "stdout").open("w+b") as stdout, (folder / "stderr").open("w+b") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCHER, _order(command, folder, limits)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            return Outcome(problem=f"took longer than {limits.seconds:g} seconds and was stopped", timed_out=True)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        # A program may pass over that its output was cut off.
        if os.fstat(stdout.fileno()).st_size >= limits.file_bytes:
            return Outcome(problem=f"wrote more than {limits.file_bytes} bytes and was stopped")
        if code != 0:
            return _failed(code, stderr.fileno(), limits)
        stdout.seek(0)
        return Outcome(stdout.read())


def _give_away(folder: Path) -> None:
    """Make a folder and all in it the renderer's own, where that will not be this process's user."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            for place, folders, files in os.walk(folder):
                for name in (".", *folders, *files):
                    os.chown(os.path.join(place, name), _NOBODY, _NOBODY, follow_symlinks=False)


@cache
def network_is_isolated() -> bool:
    """Whether renderers get a network of their own here, which holds nothing. Where not, they have no git and proxies that lead nowhere."""
    code = f"import sys; sys.path.insert(0, {str(Path(_LAUNCHER).parent)!r}); import launch; sys.exit(not launch.isolate_network())"
    found = subprocess.run([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.DEVNULL, capture_output=True, env={}, timeout=30)
    return found.returncode == 0


def _order(command: Sequence[str], folder: Path, limits: RenderLimits) -> str:
    bounds = [
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_CORE, 0),
    ]
    whom = {"parent": os.getpid(), "user": _NOBODY, "folder": str(folder)}
    return json.dumps({**whom, "limits": bounds, "command": list(command), "environment": _environment(folder, limits)})


def _environment(folder: Path, limits: RenderLimits) -> dict[str, str]:
    """Nothing of ours, and nothing to find: no program on the path, a home that is empty, proxies that lead nowhere."""
    home = str(folder / "home")
    proxies = {name: _NOWHERE for each in ("http_proxy", "https_proxy", "all_proxy") for name in (each, each.upper())}
    helm = {f"HELM_{name}": f"{home}/{name.lower()}" for name in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "PLUGINS")}
    return {
        **proxies,
        **helm,
        "PATH": f"{home}/bin",
        "HOME": home,
        "TMPDIR": str(folder / "tmp"),
        "KUBECONFIG": os.devnull,
        "HELM_NO_PLUGINS": "1",
        "GOMAXPROCS": "2",
        "GOMEMLIMIT": str(limits.memory // 2),
        "LC_ALL": "C.UTF-8",
    }


def _failed(code: int, stderr: int, limits: RenderLimits) -> Outcome:
    if code == -signal.SIGXCPU:
        return Outcome(problem=f"used more than {limits.cpu} seconds of processor time and was stopped", timed_out=True)
    size = os.fstat(stderr).st_size
    said = os.pread(stderr, 64 * 1024, max(0, size - 64 * 1024)).decode("utf-8", "replace")
    if "out of memory" in said or "cannot allocate memory" in said:
        return Outcome(problem=f"needed more than {limits.memory // MEBIBYTE} MiB of memory")
    words = " ".join(said.split()).removeprefix("Error: ").removeprefix("error: ")
    shown = words if len(words) <= _TOLD else f"…{words[-_TOLD:]}"
    return Outcome(problem=f"ended with status {code}: {shown or 'without a word'}")
