"""Makes the virtual environment and installs the locked requirements, with nothing but the standard library.

usage: python3.11 tools/bootstrap.py REQUIREMENTS...

Needs no pip and no ensurepip (Debian packages both apart from Python): where they are absent, one pinned wheel of pip is fetched from
the package index and checked against its SHA-256 before anything of it runs. A second run with unchanged requirements does nothing.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import shlex
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
STAMP = VENV / "flowdelta-setup"

PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
DEFAULT_INDEX = "https://pypi.org/simple"
SECONDS = 60


class SetupFailed(Exception):
    """The environment cannot be made; the message says what to do."""


def main(names: list[str]) -> int:
    """Bring the environment up to date with the requirement files `names`; the exit code."""
    if sys.version_info < (3, 11):
        print(f"setup: Python 3.11 or later is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    wanted = stamp_lines(names)
    if PYTHON.exists() and STAMP.exists() and wanted <= set(STAMP.read_text().splitlines()):
        return 0
    try:
        set_up(names)
    except SetupFailed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    STAMP.write_text("".join(f"{line}\n" for line in sorted(wanted)))
    return 0


def stamp_lines(names: list[str]) -> set[str]:
    """One line for each file that decides what is installed, with its digest."""
    paths = [ROOT / name for name in (*names, "tools/bootstrap.py")]
    return {f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in paths}


def set_up(names: list[str]) -> None:
    """Create what is missing of the environment, install the files, link the project."""
    print(f"setup: installing {', '.join(names)} into {VENV.name}", file=sys.stderr)
    if not succeeds(PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"):
        # Links, as `python -m venv` makes them: a copied interpreter may not find its shared library.
        venv.create(VENV, clear=True, symlinks=True)
    if not succeeds(PYTHON, "-m", "pip", "--version"):
        add_pip()
    pip("install", "--require-hashes", "--only-binary", ":all:", *(f"--requirement={ROOT / name}" for name in names))
    add_command()


def add_pip() -> None:
    """Put pip into the environment: the interpreter's own copy if it has one, else the pinned wheel."""
    if importlib.util.find_spec("ensurepip") and succeeds(PYTHON, "-I", "-m", "ensurepip", "--default-pip"):
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder, PIP_WHEEL)
        wheel.write_bytes(download_pip(os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX))
        run(PYTHON, "-I", f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel))


def add_command() -> None:
    """Let the environment import this checkout from any folder, and give it the command `flowdelta`."""
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV), "platbase": str(VENV)}))
    (packages / "flowdelta.pth").write_text(f"{ROOT}\n")
    command = PYTHON.with_name("flowdelta")
    # Without -P a folder named `service` in the current folder would run instead.
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(str(PYTHON))} -P -m service "$@"\n')
    command.chmod(0o755)


def download_pip(index: str, sha256: str = PIP_SHA256) -> bytes:
    """The pinned wheel, found through the simple API of a package index and checked against its digest."""
    listing, credentials = split_credentials(f"{index.rstrip('/')}/pip/")
    host = urllib.parse.urlsplit(listing).hostname
    try:
        page_url, page = fetch(listing, credentials)
        found = re.search(rf'href="([^"]*/{re.escape(PIP_WHEEL)})[#"]', page.decode("utf-8", "replace"))
        if not found:
            raise SetupFailed(f"the package index at {host} does not list {PIP_WHEEL}")
        wheel_url = urllib.parse.urljoin(page_url, found[1])
        _, wheel = fetch(wheel_url, credentials if origin(wheel_url) == origin(listing) else "")
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise SetupFailed(
            f"cannot fetch pip from {host}: {reason}. Set PIP_INDEX_URL to an index that can be reached, SSL_CERT_FILE to its certificate "
            "authority, or install the package python3.11-venv, which brings pip along."
        ) from error
    if hashlib.sha256(wheel).hexdigest() != sha256:
        raise SetupFailed(f"{PIP_WHEEL} from {host} is not the file that was pinned: its SHA-256 differs")
    return wheel


def split_credentials(url: str) -> tuple[str, str]:
    """A URL without its `user:password@`, and that part as an Authorization header ("" if there is none)."""
    parts = urllib.parse.urlsplit(url)
    userinfo, separator, host = parts.netloc.rpartition("@")
    if not separator:
        return url, ""
    token = base64.b64encode(urllib.parse.unquote(userinfo).encode()).decode()
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), f"Basic {token}"


def origin(url: str) -> tuple[str, str]:
    """Scheme, host and port: what a secret may be shared with."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


def fetch(url: str, authorization: str) -> tuple[str, bytes]:
    """The final URL and body of a GET; only http and https, certificates as pip and OpenSSL are told to check them."""
    if not url.startswith(("https://", "http://")):
        raise SetupFailed("PIP_INDEX_URL must be an http or https address")
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    authorities = os.environ.get("PIP_CERT") or os.environ.get("REQUESTS_CA_BUNDLE")
    context = ssl.create_default_context(cafile=authorities or None)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:
            return answer.url, answer.read()
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise


def succeeds(program: Path, *arguments: str) -> bool:
    """Whether a command exists and ends well; its output is dropped."""
    try:
        return subprocess.run([program, *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def pip(*arguments: str) -> None:
    """Run the environment's pip; `user` in a person's pip.conf would refuse to install into an environment."""
    run(PYTHON, "-I", "-m", "pip", *arguments[:1], "--quiet", "--disable-pip-version-check", "--no-input", "--no-user", *arguments[1:])


def run(program: Path, *arguments: str) -> None:
    """Run a command that must end well; its messages go to the person."""
    if subprocess.run([program, *arguments], check=False, stdout=sys.stderr).returncode != 0:
        raise SetupFailed(f"{' '.join(arguments[:4])} … failed; its message is above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
