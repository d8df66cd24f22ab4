"""Sign-off through the real service: a guarded flow waits for the right person's yes, on GitHub (with a token and as an App) and GitLab."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.demo.process import ServiceProcess
from service.forges.port import Account
from service.settings import Settings
from service.signoff.audit import verify
from service.store import Store
from tests.e2e.running import ROOT, Running
from tests.forges import gitlab_webhooks as webhooks
from tests.forges.fixtures import TOKEN
from tests.forges.github_app import APP_ID, private_key
from tests.forges.github_state import Review
from tests.forges.gitlab_fake import WHEN, GitLabFake, Merge, Note
from tests.forges.origin import Origin, shop
from tests.forges.signoff_contract import address
from tests.service.site import NUMBER, SHOP, Site

RULES = """\
version: 1
zones:
  cart: {pods: {matchLabels: {app: cart}}}
guardrails:
  - name: into-cart
    when: {opened: {to: cart}}
    require: {signoff: {groups: [GROUP]}, label: needs-security}
"""
AUTHOR, ANN = Account("1", "octocat"), Account("11", "ann")
_DIGEST = re.compile(r"`/flowdelta approve into-cart ([0-9a-f]{12})`")


def files(*ports: int, group: str = "security") -> dict[str, str]:
    """A cluster where web may reach cart on some ports, with a guardrail about it."""
    listed = "}, {protocol: TCP, port: ".join(map(str, ports))
    return {name: text.replace("port: 7070", f"port: {listed}") for name, text in shop(7070).items()} | {
        ".flowdelta.yaml": RULES.replace("GROUP", group)
    }


def digest_in(text: str) -> str:
    """What the comment says to type."""
    found = _DIGEST.search(text)
    assert found is not None, text
    return found[1]


@dataclass
class Play:
    """A pull request on GitHub that opens a guarded flow, and the service that judges it."""

    running: Running
    site: Site
    service: ServiceProcess
    app: bool

    def state(self) -> str:
        """How the check of the head ended, or how far it is."""
        if not self.app:
            return "" if not self.site.states else self.site.states[-1]
        runs = self.site.github.checks(SHOP, self.site.pull.head_sha)
        return runs[-1].state if runs else ""

    def wait_for(self, state: str, *words: str) -> None:
        def reached() -> bool:
            return self.state() == state and bool(self.site.comments) and all(word in self.site.comments[0] for word in words)

        self.running.wait(reached, self.service)

    def comment(self, author: Account, text: str) -> None:
        said = self.site.github.add_comment(SHOP, NUMBER, (author.name, int(author.id)), text)
        user = {"login": author.name, "id": int(author.id), "type": "User"}
        issue = {"number": NUMBER, "pull_request": {"url": "https://github.example"}}
        payload = {"action": "created", "issue": issue, "comment": {"id": said.number, "user": user, "body": said.body}}
        assert self.running.send(self.service, "issue_comment", payload) == 202

    def approve(self, author: Account) -> None:
        self.comment(author, f"/flowdelta approve into-cart {digest_in(self.site.comments[0])} looks right")

    def press(self, author: Account) -> None:
        (run,) = self.site.github.checks(SHOP, self.site.pull.head_sha)
        (button,) = run.buttons
        check = {"id": run.number, "external_id": str(NUMBER), "head_sha": run.head_sha, "pull_requests": []}
        sender = {"login": author.name, "id": int(author.id), "type": "User"}
        action = {"identifier": button["identifier"]}
        payload: dict[str, Any] = {"action": "requested_action", "check_run": check, "requested_action": action, "sender": sender}
        assert self.running.send(self.service, "check_run", payload) == 202

    def review(self, author: Account) -> None:
        self.site.pull.reviews.append(Review(1, (author.name, int(author.id)), "APPROVED", self.site.pull.head_sha))
        payload = {"action": "submitted", "pull_request": {"number": NUMBER}, "review": {"state": "approved"}}
        assert self.running.send(self.service, "pull_request_review", payload) == 202

    def push(self, *ports: int) -> None:
        self.site.push(files(*ports))
        assert self.running.deliver(self.service, "synchronize") == 202


@pytest.fixture(params=["token", "app"])
def play(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Play]:
    site.open(files(7070), files(9090))
    site.github.teams["acme/security"] = [(ANN.name, int(ANN.id)), (AUTHOR.name, int(AUTHOR.id))]
    app = request.param == "app"
    running = Running(site, tmp_path / "data")
    if app:
        site.github.app.install(SHOP)
        running.environment.pop("FLOWDELTA_GITHUB_TOKEN")
        running.environment |= {"FLOWDELTA_GITHUB_APP_ID": str(APP_ID), "FLOWDELTA_GITHUB_APP_KEY": private_key()}
    with running.serve() as service:
        assert running.deliver(service) == 202
        yield Play(running, site, service, app)
    with running.store() as store:
        assert list(verify(store.audit_rows())) == []


def test_a_guarded_flow_waits_for_the_right_yes_and_waits_again_for_one_more_flow(play: Play) -> None:
    waiting = "action_required" if play.app else "failure"
    play.wait_for(waiting, "Sign-off: waiting for approval", "1 of group `security` must still agree")
    assert play.site.pull.asked == ["security"]
    assert play.site.pull.labels == ["needs-security"]

    play.approve(AUTHOR)
    play.running.wait(lambda: len(play.site.comments) == 3, play.service)
    assert "the author does not count" in play.site.comments[2]
    assert play.state() == waiting

    play.approve(ANN)
    play.wait_for("success", "Sign-off: approved", "`ann` agreed")

    play.push(9090, 5050)
    play.wait_for(waiting, "Sign-off: an approval lapsed", "`ann` agreed to fewer flows; not to", "TCP 5050")
    assert play.site.pull.asked == ["security"]
    assert len(play.site.comments) == 4  # the one report, two commands, and one reply

    play.push(9090)
    play.wait_for("success", "Sign-off: approved")


def test_a_check_tells_the_newest_hash_of_the_log(play: Play) -> None:
    if not play.app:
        pytest.skip("a commit status has no room for it")
    play.wait_for("action_required")
    (run,) = play.site.github.checks(SHOP, play.site.pull.head_sha)
    with play.running.store() as store:
        hashes = {row.hash for row in store.audit_rows()}
    assert any(hash in run.output["summary"] for hash in hashes)


def test_the_button_and_a_review_are_ways_to_agree(play: Play) -> None:
    if not play.app:
        pytest.skip("only an App has buttons")
    play.wait_for("action_required")
    play.press(AUTHOR)
    play.service.wait_for("command ended")
    assert play.state() == "action_required"
    play.press(ANN)
    play.wait_for("success", "Sign-off: approved")

    play.push(9090, 5050)
    play.wait_for("action_required", "Sign-off: an approval lapsed")
    play.review(ANN)
    play.wait_for("success", "Sign-off: approved")


PROJECT, SECRET = "acme/platform/shop", "lab-secret-5512"
LAB_HEAD = f"refs/merge-requests/{NUMBER}/head"


@dataclass
class Lab:
    """A merge request on GitLab that opens a guarded flow."""

    fake: GitLabFake
    origin: Origin
    service: ServiceProcess
    reviews: int = 0
    sent: int = 0

    @property
    def merge(self) -> Merge:
        return self.fake.merges[NUMBER]

    @property
    def report(self) -> str:
        return next(note.body for note in self.fake.notes if "flowdelta:report" in note.body)

    @property
    def state(self) -> str:
        assert self.merge.sha is not None
        return self.fake.shown_statuses(self.merge.sha)[-1].state

    def send(self, event: str, body: bytes) -> None:
        self.sent += 1
        headers = webhooks.token_headers(event, f"delivery-{self.sent}", SECRET)
        asked = urllib.request.Request(f"{self.service.url}/webhooks/gitlab", body, {"Content-Type": "application/json", **headers})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 202

    def reviewed(self) -> None:
        """Wait until one more review has ended."""
        self.reviews += 1
        self.service.wait_for('"review ended"', times=self.reviews)

    def approve(self, author: Account, commands: int) -> None:
        number = self.fake.next_id()
        text = f"/flowdelta approve into-cart {digest_in(self.report)}"
        self.fake.notes.append(Note(number, NUMBER, int(author.id), text))
        self.send("Note Hook", webhooks.note(PROJECT, NUMBER, text, user=author, number=number))
        self.service.wait_for('"command ended"', times=commands)


def committed(sha: str) -> dict[str, Any]:
    """A commit of the author, as GitLab lists it."""
    said = {"name": AUTHOR.name, "email": address(AUTHOR)}
    people = {f"{role}_{what}": text for role in ("author", "committer") for what, text in said.items()}
    dates = dict.fromkeys(("created_at", "authored_date", "committed_date"), WHEN)
    return {"id": sha, "short_id": sha[:8], "title": "A change", "message": "A change", "web_url": "", "parent_ids": [], **people, **dates}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    origin = Origin(tmp_path / "git", PROJECT)
    base = origin.commit("refs/heads/main", files(7070, group="acme/security"))
    head = origin.commit(LAB_HEAD, files(9090, group="acme/security"), base)
    known = {"FORGES": "gitlab", "GITLAB_REPOSITORIES": PROJECT, "GITLAB_TOKEN": TOKEN, "GITLAB_WEBHOOK_SECRET": SECRET}
    with GitLabFake(TOKEN, PROJECT) as fake:
        fake.users |= {int(each.id): (each.name, False) for each in (AUTHOR, ANN)}
        fake.groups = {"acme/security": {int(ANN.id): {}, int(AUTHOR.id): {}}}
        fake.branches["main"] = base
        fake.emails[address(AUTHOR)] = int(AUTHOR.id)
        fake.merges[NUMBER] = Merge(NUMBER, int(AUTHOR.id), head, commits=[committed(head)])
        places = {"GITLAB_API_URL": fake.url, "GITLAB_GIT_URL": origin.url}
        shared = {"DATA_DIR": str(tmp_path / "data"), "ALLOW_LOCAL_GIT": "true", "LISTEN_PORT": "0", "POLL_INTERVAL": "0.05"}
        shared |= {"RETRY_FIRST": "0.01", "RETRY_LONGEST": "0.05", "WRITE_INTERVAL": "0", "GRACE": "0", "LEASE": "1.5"}
        variables = {f"FLOWDELTA_{name}": value for name, value in (known | places | shared | {"RECONCILE_INTERVAL": "86400"}).items()}
        with ServiceProcess(ROOT, variables) as service:
            yield Lab(fake, origin, service)
        store = Store.open(Settings.from_environment(variables))
        assert list(verify(store.audit_rows())) == []
        store.close()
    assert fake.violations == []


def test_on_gitlab_too(lab: Lab) -> None:
    lab.send("Merge Request Hook", webhooks.merge_request(PROJECT, NUMBER, "open", user=AUTHOR))
    lab.reviewed()
    assert lab.state == "failed"
    assert "Sign-off: waiting for approval" in lab.report, lab.service.log()
    assert lab.merge.labels == ["needs-security"]

    lab.approve(AUTHOR, 1)
    assert [note.body for note in lab.fake.notes if "the author does not count" in note.body]
    assert lab.state == "failed"

    lab.approve(ANN, 2)
    lab.reviewed()
    assert lab.state == "success"
    assert "Sign-off: approved" in lab.report

    lab.merge.sha = lab.origin.commit(LAB_HEAD, files(9090, 5050, group="acme/security"), lab.merge.sha or "")
    lab.merge.commits.append(committed(lab.merge.sha))
    lab.send("Merge Request Hook", webhooks.merge_request(PROJECT, NUMBER, "update", user=AUTHOR, oldrev="d" * 40))
    lab.reviewed()
    assert lab.state == "failed"
    assert "Sign-off: an approval lapsed" in lab.report

    younger = lab.fake.run_pipeline(NUMBER, sha=lab.merge.sha, ref=LAB_HEAD)  # whoever may run one shall not get around the check
    lab.send("Pipeline Hook", webhooks.pipeline(PROJECT, younger, lab.merge.sha, user=AUTHOR))
    lab.reviewed()
    assert [each.state for each in lab.fake.shown_statuses(lab.merge.sha) if each.pipeline == younger] == ["failed"]
