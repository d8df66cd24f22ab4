"""`python -m tests.oracle SEED FOLDER`: write the case of a seed as FOLDER/base and FOLDER/head, to run the command line on it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.oracle.cases import Files, case


def _write(folder: Path, files: Files) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def main(arguments: list[str]) -> int:
    """Write one case; the exit code is 2 when the arguments are not a seed and a folder."""
    if len(arguments) != 2 or not arguments[0].isdecimal():
        print(__doc__, file=sys.stderr)
        return 2
    made, folder = case(int(arguments[0])), Path(arguments[1])
    configuration = {".flowdelta.yaml": f"version: 1\npod_cidrs: {json.dumps(made.pod_cidrs)}\n".encode()}
    _write(folder / "base", made.base_files | configuration)
    _write(folder / "head", made.head_files | configuration)
    print(f"flowdelta diff {folder}/base {folder}/head --host-network {made.host_network}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
