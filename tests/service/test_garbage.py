"""When a process looks for garbage that refers to itself."""

from __future__ import annotations

import gc
import subprocess
import sys

from service.garbage import look_as_usual, look_seldom

SAYS_WHEN = """
import gc, sys
from service.__main__ import main
sys.argv = ["flowdelta", "--version"]
usual = gc.get_threshold()[0]
try:
    main()
except SystemExit:
    print(gc.isenabled(), gc.get_threshold()[0] > 100 * usual)
"""


def test_a_command_does_not_look_while_it_loads() -> None:
    done = subprocess.run([sys.executable, "-c", SAYS_WHEN], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"


LAST_LOOK = """
import gc, sys
from service.__main__ import main
sys.argv = ["flowdelta", "--version"]
gc.callbacks.append(lambda phase, _: phase == "stop" and sys.stderr.write(f"{gc.get_freeze_count()}\\n"))
main()
"""


def test_a_command_that_ends_has_little_left_to_look_through() -> None:
    done = subprocess.run([sys.executable, "-c", LAST_LOOK], capture_output=True, text=True, check=True)
    assert int(done.stderr.splitlines()[-1]) > 10_000


def test_a_process_that_stays_looks_as_python_does_at_what_it_makes_from_now_on() -> None:
    usual = gc.get_threshold()
    look_seldom()
    assert gc.get_threshold() != usual
    try:
        look_as_usual()
        assert gc.get_threshold() == usual
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
