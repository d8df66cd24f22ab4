"""What calls for a review beside the events of a pull request: a base that moves, a lost event, a command, a merge queue."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.running import Running
from tests.forges.origin import policy, shop
from tests.service.site import BASE, NUMBER, SHOP, Site

QUEUE = f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{'0' * 40}"


def test_a_push_to_the_base_reviews_the_open_pull_requests_again(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        running.deliver(service)
        running.wait_for_verdict(service)
        tip = site.advance({**shop(7070), "policy.yaml": policy("cart", "web", 9090)})  # the pull request changes nothing any more
        assert running.send(service, "push", {"ref": BASE, "before": "0" * 40, "after": tip, "deleted": False}) == 202
        running.wait(lambda: "No flow changes" in site.status[1], service)
    assert len(site.comments) == 1


def test_a_pull_request_whose_event_was_lost_is_found(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data", RECONCILE_INTERVAL="0.3")
    with running.worker() as worker:
        running.wait_for_verdict(worker)
        site.push(shop(5050))
        running.wait(lambda: "5050" in site.comment and site.states[-1:] == ["success"], worker)
    with running.store() as store:
        assert {review.cause for review in store.reviews()} <= {"never reviewed", "the head has moved"}


def test_a_command_reviews_the_pull_request_again_and_is_answered(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    asked = site.github.add_comment(SHOP, NUMBER, ("octocat", 1), "/flowdelta review")
    payload = {
        "action": "created",
        "issue": {"number": NUMBER, "pull_request": {"url": "https://github.example"}},
        "comment": {"id": asked.number, "user": {"login": "octocat", "id": 1, "type": "User"}, "body": asked.body},
    }
    with running.serve() as service:
        assert running.send(service, "issue_comment", payload) == 202
        running.wait(lambda: bool(asked.reactions) and len(site.comments) == 2, service)
        assert running.send(service, "issue_comment", payload) in (200, 202)
    assert len(asked.reactions) == 1
    assert "9090" in site.comments[1]


def test_an_explanation_is_one_reply_with_file_and_line(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    with running.serve() as service:
        running.deliver(service)
        running.wait_for_verdict(service)
        text = "/flowdelta explain shop/web[Deployment] shop/cart[Deployment]"
        asked = site.github.add_comment(SHOP, NUMBER, ("octocat", 1), text)
        comment = {"id": asked.number, "user": {"login": "octocat", "id": 1, "type": "User"}, "body": asked.body}
        issue = {"number": NUMBER, "pull_request": {"url": "https://github.example"}}
        for _ in range(2):
            running.send(service, "issue_comment", {"action": "created", "issue": issue, "comment": comment})
        running.wait(lambda: bool(asked.reactions) and len(site.comments) == 3, service)
    assert "policy.yaml" in site.comments[2]
    assert "allowed on TCP 9090" in site.comments[2]


def test_a_commit_of_a_merge_queue_gets_a_check_of_its_own(site: Site, tmp_path: Path) -> None:
    running = Running(site, tmp_path / "data")
    head = site.origin.commit(QUEUE, shop(5050), site.pull.base_sha)
    group = {"head_sha": head, "head_ref": QUEUE, "base_sha": site.pull.base_sha, "base_ref": BASE}
    with running.serve() as service:
        assert running.send(service, "merge_group", {"action": "checks_requested", "merge_group": group}) == 202
        running.wait(lambda: [state for state, _ in site.github.statuses(SHOP, head)][-1:] == ["success"], service)
    assert (site.comments, site.states) == ([], [])
