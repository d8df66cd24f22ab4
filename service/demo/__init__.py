"""`flowdelta demo`: a pull request on a sample repository, from the signed webhook to the comment, with nothing replaced but GitHub.

The stand-in for GitHub is the one of the tests, `tests/forges/github_fake.py`: one implementation, checked there against GitHub's own
description, and no fake forge inside the package that serves real ones. It and the samples come with a checkout of Flowdelta.
"""

from __future__ import annotations

import importlib
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click

import service
from service.demo.process import ServiceFailed, ServiceProcess, deliver
from service.demo.repository import publish

REPOSITORY, NUMBER = "acme/shop", 7
_SAMPLE = Path("sample_repos") / "shop"
_DEADLINE = 120.0


class DemoError(Exception):
    """The demo cannot run here, or the service did not do its part. The message says what to do."""


def demo(show: Callable[[str], None] = click.echo, progress: Callable[[str], None] = lambda line: click.echo(line, err=True)) -> None:
    """Play one pull request and show its comment and commit status. Raises `DemoError`."""
    root = _checkout()
    forge = _stand_in(root)
    token, secret = secrets.token_hex(20), secrets.token_hex(32)
    stand_in = forge.GitHubFake(token, description=forge.Description.cached())
    with tempfile.TemporaryDirectory(prefix="flowdelta-demo-") as folder, stand_in as github:
        progress(f"A repository from {_SAMPLE}: base is branch main, head is pull request {NUMBER}.")
        head = publish(root / _SAMPLE, Path(folder) / "git" / f"{REPOSITORY}.git", NUMBER)
        github.repository(REPOSITORY).pulls[NUMBER] = forge.Pull(NUMBER, base="main", head_sha=head)
        environment = {
            "FLOWDELTA_DATA_DIR": f"{folder}/data",
            "FLOWDELTA_GITHUB_REPOSITORIES": REPOSITORY,
            "FLOWDELTA_GITHUB_TOKEN": token,
            "FLOWDELTA_GITHUB_WEBHOOK_SECRET": secret,
            "FLOWDELTA_GITHUB_API_URL": github.url,
            "FLOWDELTA_GITHUB_GIT_URL": f"file://{folder}/git",
            "FLOWDELTA_ALLOW_LOCAL_GIT": "true",
            "FLOWDELTA_LISTEN_PORT": "0",
            "FLOWDELTA_WRITE_INTERVAL": "0",
            "FLOWDELTA_POLL_INTERVAL": "0.1",
        }
        with _reported(), ServiceProcess(root, environment) as running:
            progress(f"The service answers at {running.url}; a stand-in for GitHub's REST API at {github.url}.")
            answer = deliver(f"{running.url}/webhooks/github", secret, _event(head), delivery="demo-1")
            progress(f"A signed pull_request webhook was answered with {answer}. Waiting for the comment.")
            _wait(running, lambda: len(github.statuses(REPOSITORY, head)) > 1 and bool(github.comments(REPOSITORY, NUMBER)), github)
            show(_shown(github, head))
        if github.violations:
            raise DemoError(f"GitHub would have refused a call: {github.violations[0]}")
    progress(_NEXT)


_NEXT = """
Where to look next:
  sample_repos/shop/README.md              what a reviewer should notice in this change
  .venv/bin/flowdelta diff sample_repos/shop/base sample_repos/shop/head   the same analysis on the command line
  .venv/bin/flowdelta serve --help                   every setting, to run it on repositories of your own
"""


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except ServiceFailed as error:
        raise DemoError(str(error)) from error


def _checkout() -> Path:
    for root in (Path(service.__file__).resolve().parents[1], Path.cwd()):
        if (root / _SAMPLE / "base").is_dir() and (root / "tests" / "forges" / "github_fake.py").is_file():
            return root
    raise DemoError("the demo needs a checkout of Flowdelta, for its sample repositories: run it there, or mount one and start in it")


def _stand_in(root: Path) -> ModuleType:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return importlib.import_module("tests.forges.github_fake")


def _event(head: str) -> dict[str, object]:
    """The fields of GitHub's event that are read, and a few around them."""
    pull = {"number": NUMBER, "head": {"sha": head}, "base": {"ref": "main"}}
    return {"action": "opened", "number": NUMBER, "pull_request": pull, "repository": {"full_name": REPOSITORY}}


def _wait(running: ServiceProcess, done: Callable[[], bool], github: ModuleType) -> None:
    waited = 0.0
    while waited < _DEADLINE:
        try:
            github.wait_until(done, 1.0)
        except TimeoutError:
            waited += 1.0
            running.check()
        else:
            return
    raise DemoError(f"no comment and status came within {_DEADLINE:g} seconds; the service said:\n{running.log()}")


def _shown(github: ModuleType, head: str) -> str:
    states = " -> ".join(f"{state} ({description})" for state, description in github.statuses(REPOSITORY, head))
    bodies = [comment.body for comment in github.comments(REPOSITORY, NUMBER)]
    return "\n".join([*bodies, "", f"Commit status of {head[:12]}: {states}"])
