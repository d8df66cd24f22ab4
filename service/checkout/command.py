"""Running git: bounded in time and output, ended as a whole process group, and telling what went wrong without secrets."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from service.checkout.credential import Credential, readable, redaction
from service.checkout.environment import environment, options
from service.checkout.errors import CheckoutError, GitFailed

_CHUNK = 65_536
_TICK = 0.1
_STDERR_KEPT = 8_192
_STDOUT_CAP = 16 * 2**20

Watch = Callable[[], None]


class Completed(Struct, frozen=True):
    """What a git command that ended as expected left: its status, its standard output and what it said besides."""

    status: int
    stdout: bytes
    remarks: str

    @property
    def line(self) -> str:
        """Its output as one line of text."""
        return os.fsdecode(self.stdout).removesuffix("\n")


class GitRunner(Struct, frozen=True):
    """How git is run in one repository. `timeout` is in seconds for each command; `protocols` are the transports it may use."""

    git_dir: Path
    timeout: float
    protocols: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    credential: Credential | None = None
    origin: str = ""
    held: tuple[int, ...] = ()

    def run(
        self, command: str, *arguments: str, accept: Sequence[int] = (0,), stdin: IO[bytes] | None = None, watch: Watch | None = None
    ) -> Completed:
        """The finished command. Raises `GitFailed` for a status not in `accept`, `CheckoutError` when it takes or says too much."""
        with self._started(command, arguments, stdin) as process:
            output = bytearray()
            for chunk in process.chunks(watch):
                output += chunk
                if len(output) > _STDOUT_CAP:
                    raise CheckoutError("too-large", f"git {command} gave more than {_STDOUT_CAP} bytes")
            status = self._ended(process, accept)
        return Completed(status, bytes(output), self._remarks(process))

    def stream(self, command: str, *arguments: str, stdin: IO[bytes] | None = None) -> Iterator[bytes]:
        """Its standard output as it comes. Time that the reader takes between two chunks does not count."""
        with self._started(command, arguments, stdin) as process:
            yield from process.chunks()
            self._ended(process, (0,))

    @contextlib.contextmanager
    def _started(self, command: str, arguments: Sequence[str], stdin: IO[bytes] | None) -> Iterator[GitProcess]:
        try:
            from git.exc import GitCommandNotFound

            from service.checkout.hardened import HardenedGit
        except ImportError as error:  # GitPython looks for git while it is imported
            raise CheckoutError("git-missing", "git is not installed, or GitPython cannot find it") from error
        variables = environment(os.environ, self.protocols, self.credential, self.origin)
        git = HardenedGit(self.git_dir if self.git_dir.is_dir() else self.git_dir.parent, variables, self.held)
        argv = [git.GIT_PYTHON_GIT_EXECUTABLE or "git", *options(self.git_dir, self.settings), f"--git-dir={self.git_dir}"]
        try:
            started = git.execute([*argv, command, *arguments], istream=stdin)
        except GitCommandNotFound as error:
            raise CheckoutError("git-missing", f"git cannot be started for {self.git_dir}") from error
        process = GitProcess(started.proc, command, self.timeout)
        try:
            yield process
        finally:
            process.close()

    def _ended(self, process: GitProcess, accept: Sequence[int]) -> int:
        status = process.status()
        if status not in accept:
            raise GitFailed(process.command, status, self._remarks(process))
        return status

    def _remarks(self, process: GitProcess) -> str:
        complaint = process.complaint()
        return readable(complaint, redaction(self.credential)) if complaint else ""


class GitProcess:
    """A running git with a budget of seconds."""

    def __init__(self, process: subprocess.Popen[bytes], command: str, budget: float) -> None:
        self.command, self.stderr = command, bytearray()
        self._process, self._budget, self._left = process, budget, budget
        self._pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]

    def chunks(self, watch: Watch | None = None) -> Iterator[bytes]:
        """Standard output until it closes, while the end of standard error is kept. `watch` is called ten times a second and may raise."""
        with selectors.DefaultSelector() as selector:
            for pipe in self._pipes:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in self._ready(selector, watch):
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is self._process.stdout:
                        yield chunk
                    else:
                        self.stderr = (self.stderr + chunk)[-_STDERR_KEPT:]

    def _ready(self, selector: selectors.BaseSelector, watch: Watch | None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._left <= 0:
            raise self._too_slow()
        started = time.monotonic()
        ready = selector.select(self._left if watch is None else min(_TICK, self._left))
        if watch is not None:
            watch()
        self._left -= time.monotonic() - started
        return ready

    def status(self) -> int:
        """Its exit status, once it has closed its output."""
        try:
            return self._process.wait(max(self._left, 0))
        except subprocess.TimeoutExpired as error:
            raise self._too_slow() from error

    def complaint(self) -> str:
        """The end of its standard error. A line cut in two could hold half a secret, which nobody would recognise: it is left out."""
        kept = self.stderr if len(self.stderr) < _STDERR_KEPT else self.stderr.partition(b"\n")[2]
        return kept.decode("utf-8", "replace")

    def _too_slow(self) -> CheckoutError:
        return CheckoutError("timeout", f"git {self.command} did not finish within {self._budget:g} seconds and was stopped")

    def close(self) -> None:
        """Stops it with everything that it started, unless it has ended by itself, and leaves no zombie."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        for pipe in self._pipes:
            pipe.close()
        self._process.wait()
