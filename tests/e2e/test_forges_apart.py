"""A forge that is gone costs only what is its own: pull requests of another one are reviewed and its commands answered meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.forges.port import Account, Command, WebhookEvent
from service.store import Store
from tests.e2e.running import Running
from tests.service.site import NUMBER, SHOP, Site

AWAY = "acme/away"
# More than a worker holds of one forge, each asked for again after a time that no test waits for.
MANY = 12
SETTINGS = {"CONCURRENCY": "1", "RETRY_FIRST": "3000", "RETRY_LONGEST": "3000"}


def away(site: Site) -> dict[str, str]:
    """Settings of a second forge, at an address where nobody answers."""
    known = {
        "REPOSITORIES": AWAY,
        "TOKEN": "token-2",
        "WEBHOOK_SECRET": "secret-2",
        "API_URL": "http://127.0.0.1:9",
        "GIT_URL": site.origin.url,
    }
    return {"FORGES": "away=github, github", **{f"AWAY_{name}": value for name, value in known.items()}}


def ask_of_the_forge_that_is_away(store: Store) -> None:
    """Reviews and commands, as webhooks would bring them."""
    for number in range(1, MANY + 1):
        store.request("away", AWAY, str(number), "test")
        command = Command(number, str(900 + number), Account("1", "octocat"), "/flowdelta help")
        store.accept("away", WebhookEvent(f"away-{number}", "issue_comment", "created", AWAY, (command,)))


@pytest.mark.slow
def test_a_forge_that_is_gone_keeps_no_other_waiting(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", **SETTINGS, **away(site))
    with running.store() as store:
        ask_of_the_forge_that_is_away(store)
    asked = site.github.add_comment(SHOP, NUMBER, ("octocat", 1), "/flowdelta help")
    with running.serve() as service:
        service.wait_for("could not be reached", times=6)  # as many as it holds: four reviews and two commands
        assert running.deliver(service) == 202
        author = {"login": "octocat", "id": 1, "type": "User"}
        comment = {"id": asked.number, "user": author, "body": asked.body}
        issue = {"number": NUMBER, "pull_request": {"url": "https://github.example"}}
        assert running.send(service, "issue_comment", {"action": "created", "issue": issue, "comment": comment}) == 202
        running.wait(lambda: bool(asked.reactions) and site.states[-1:] == ["success"], service)
    assert site.status[0] == "success"
