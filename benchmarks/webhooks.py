"""`python -m benchmarks.webhooks`: a hundred signed webhooks a second for ten seconds, and whether one was lost.

The service is the real one, web process and worker, on SQLite or on the PostgreSQL of FLOWDELTA_DATABASE_URL. The forge is a closed port,
so that what is measured is acceptance and not review.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

RATE, SECONDS, PULLS = 100, 10, 40
SECRET = "benchmark-secret"


def main() -> None:
    """Run, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(folder)
        service = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], env=os.environ | environment, stderr=subprocess.PIPE, text=True
        )
        try:
            home = f"http://127.0.0.1:{_port(service)}"
            urllib.request.urlopen(f"{home}/readyz", timeout=60).close()  # it listens before it can answer
            waits, refused = _storm(f"{home}/webhooks/github")
        finally:
            service.terminate()
            service.wait(60)
        stored = _stored(environment)
    waits.sort()
    print(f"sent {RATE * SECONDS} in {SECONDS} s; accepted {len(waits)}, refused {refused}, stored {stored}")
    median, most, longest = (1000 * waits[place] for place in (len(waits) // 2, len(waits) * 99 // 100, -1))
    print(f"answer: median {median:.0f} ms, 99 % {most:.0f} ms, longest {longest:.0f} ms")
    sys.exit(stored != RATE * SECONDS)


def _environment(folder: str) -> dict[str, str]:
    known = {
        "DATA_DIR": folder,
        "DATABASE_URL": os.environ.get("FLOWDELTA_DATABASE_URL", ""),
        "GITHUB_REPOSITORIES": "acme/shop",
        "GITHUB_TOKEN": "none",
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "LISTEN_PORT": "0",
        "GRACE": "0",
    }
    return {f"FLOWDELTA_{name}": value for name, value in known.items()}


def _port(service: subprocess.Popen[str]) -> int:
    assert service.stderr is not None
    for line in service.stderr:
        said = json.loads(line)
        if said["message"] == "listening":
            threading.Thread(target=service.stderr.read, daemon=True).start()
            return int(said["port"])
    raise SystemExit("the service did not start")


def _storm(url: str) -> tuple[list[float], int]:
    started = time.monotonic()
    with ThreadPoolExecutor(64) as pool:
        sent = []
        for number in range(RATE * SECONDS):
            time.sleep(max(0.0, started + number / RATE - time.monotonic()))
            sent.append(pool.submit(_deliver, url, number))
        answers = [each.result() for each in sent]
    accepted = [wait for status, wait in answers if status == 202]
    return accepted, len(answers) - len(accepted)


def _deliver(url: str, number: int) -> tuple[int, float]:
    body = json.dumps(
        {"action": "synchronize", "repository": {"full_name": "acme/shop"}, "pull_request": {"number": 1 + number % PULLS}, "number": 1}
    ).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": f"storm-{number}",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    started = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return answer.status, time.monotonic() - started
    except OSError:
        return 0, time.monotonic() - started


def _stored(environment: dict[str, str]) -> int:
    """The deliveries that are in the database."""
    url = environment["FLOWDELTA_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url or f"sqlite:///{environment['FLOWDELTA_DATA_DIR']}/flowdelta.sqlite3")
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM deliveries WHERE delivery LIKE 'storm-%'")) or 0)


if __name__ == "__main__":
    main()
