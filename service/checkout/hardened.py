"""GitPython's gate to git, narrowed. The only module that imports GitPython, which takes a tenth of a second: import it late."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from git.cmd import Git
from git.exc import GitCommandNotFound


class HardenedGit(Git):
    """A `git.Git` whose commands get exactly the given environment and a process group of their own.

    The base class adds to the environment of this process, which holds the service's secrets and whatever `GIT_*` its user set; it can stop
    one process and not the transport helpers below it. Every way through GitPython to a git process ends in `execute`.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str], held: Sequence[int] = ()) -> None:
        """`held` are descriptors that the process keeps open: a lock then outlives us for as long as a git that we started."""
        super().__init__()
        self._directory, self._held = directory, tuple(held)
        self.update_environment(**environment)

    def execute(self, command: Any, istream: Any = None, *_unused: Any, **_ignored: Any) -> Any:
        """The started process, as GitPython's `AutoInterrupt`; whoever asks reads its pipes, ends its group and collects its status."""
        try:
            process = subprocess.Popen(
                command,
                cwd=self._directory,
                env=self.environment(),
                stdin=istream if istream is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=self._held,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise GitCommandNotFound(command, error) from error
        return self.AutoInterrupt(process, command)
