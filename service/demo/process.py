"""The real service as a process of its own, and a webhook sent to it as GitHub would send it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path


class ServiceFailed(Exception):
    """The service did not start, or ended too early. The message holds what it said."""


class ServiceProcess:
    """`flowdelta serve` (or another command) with just these settings, stopped at the end of the block."""

    def __init__(self, root: Path, settings: Mapping[str, str], command: tuple[str, ...] = ("serve",), *, answers: bool = True) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWDELTA_")}
        self._answers, self._lines = answers, list[str]()
        self._listening, self._said = threading.Event(), threading.Condition()
        self.url = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", *command],
            cwd=root,
            env={**kept, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> ServiceProcess:
        self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self) -> None:
        """Block until it takes requests, if it is of that sort."""
        if self._answers and not (self._listening.wait(60) and self.url):
            self.kill()
            raise ServiceFailed(f"the service did not begin to answer; it said:\n{self.log()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raise `ServiceFailed` if the service has ended."""
        if self.process.poll() is not None:
            raise ServiceFailed(f"the service ended with status {self.process.returncode}; it said:\n{self.log()}")

    def wait_for(self, words: str, timeout: float = 60.0, *, times: int = 1) -> None:
        """Block until that many lines of its log hold these words."""
        with self._said:
            if not self._said.wait_for(lambda: self.log().count(words) >= times, timeout):
                raise ServiceFailed(f"the service did not say {words!r}; it said:\n{self.log()}")

    def log(self) -> str:
        """What it wrote so far."""
        return "".join(self._lines)

    def stop(self, timeout: float = 60.0) -> int:
        """Ask it to end; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()
        return self.process.returncode

    def kill(self) -> None:
        """End it and everything it started, at once and without a word, as a crash would."""
        with contextlib.suppress(ProcessLookupError):  # it was faster
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(10)
        if self.process.stderr is not None and not self._reader.is_alive():
            self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._said:
                self._lines.append(line)
                self._said.notify_all()
            if not self.url and '"listening"' in line:
                said = json.loads(line)
                self.url = f"http://{said['host']}:{said['port']}"
                self._listening.set()
        self._listening.set()


def signature(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def deliver(url: str, secret: str, payload: Mapping[str, object], *, delivery: str, event: str = "pull_request") -> int:
    """Send a signed webhook; the status of the answer."""
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": signature(secret, body),
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
