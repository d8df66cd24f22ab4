"""Runs before a renderer, in its process: shuts it in, then becomes it. A program of its own, so that no lock of a threaded parent is held.

Its only argument is JSON: `parent`, the process that must be alive; `limits`, pairs of a resource number and a value; `user`, whom root
becomes; `folder`, all that the renderer may write; `command` and `environment`. Ends with status 125 where the renderer could not be
started.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38  # linux/prctl.h
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # linux/sched.h
NOT_STARTED = 125


def isolate_network() -> bool:
    """Leave the network for one that holds nothing; false where the kernel does not permit it."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        return any(library.unshare(flags) == 0 for flags in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))
    return False


def _bind_to_parent(parent: int) -> None:
    """Die with the parent, and never gain privileges."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(NOT_STARTED)


def _become(user: int, program: str, folder: str) -> None:
    """Leave root for a user without rights, if that one reaches the program and the folder, and the kernel knows it."""
    groups = os.getgroups()
    with contextlib.suppress(OSError):
        os.setgroups([])
        os.setegid(user)
        os.seteuid(user)
        writable = os.R_OK | os.W_OK | os.X_OK
        reached = os.access(program, os.X_OK, effective_ids=True) and os.access(folder, writable, effective_ids=True)
        os.seteuid(0)
        os.setegid(0)
        if reached:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        else:
            os.setgroups(groups)


def _limit(limits: list[list[int]]) -> None:
    for kind, value in limits:
        _, hard = resource.getrlimit(kind)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))


def main() -> None:
    """Become the renderer."""
    order = json.loads(sys.argv[1])
    isolate_network()
    if os.geteuid() == 0 and os.access in os.supports_effective_ids:
        _become(order["user"], order["command"][0], order["folder"])
    # After that, because the kernel forgets with whom to die when the user changes.
    _bind_to_parent(order["parent"])
    _limit(order["limits"])
    try:
        os.execve(order["command"][0], order["command"], order["environment"])
    except OSError as error:
        print(f"cannot be started: {error.strerror}", file=sys.stderr)
        os._exit(NOT_STARTED)


if __name__ == "__main__":
    main()
