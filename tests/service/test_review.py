"""A review from the request to the comment: real git, a real database, real HTTP to a stand-in forge. The engine is a record in memory,
so that a test can stop a review between any two steps and let it begin again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from service.analysis.compare import compare
from service.analysis.job import AnalysisError, Order, Result
from service.checkout.mirror import Mirrors
from service.forges import connect
from service.forges.port import PullRequest, Queued
from service.review.durable import Lost, Retries
from service.review.flow import review
from service.review.steps import Steps
from service.settings import Settings
from service.store import Request, subject_of_queue
from tests.forges.faults import Fault, When
from tests.forges.github_fake import BOT, BOT_ID, GitHubFake
from tests.forges.origin import Origin, policy, shop
from tests.service.record import Killed, Record
from tests.service.site import BASE, HEAD, NUMBER, SHOP, Site, environment, opened, parts

QUEUE = f"refs/heads/gh-readonly-queue/main/pr-{NUMBER}-{'0' * 40}"
STATUSES, COMMENTS = r"/repos/acme/shop/statuses/.*", r"/repos/acme/shop/issues/7/comments"


@dataclass
class Bench:
    """A site and the steps of a service over it."""

    site: Site
    steps: Steps
    retries: Retries = field(default_factory=lambda: Retries(attempts=4, first=1.0, longest=8.0))

    def request(self) -> Request:
        return self.steps.store.request("github", SHOP, str(NUMBER), "test")

    def run(self, request: Request | None = None, record: Record | None = None) -> str:
        return review(request or self.request(), self.steps, record or Record(), self.retries)


def directly(order: Order, _timeout: float) -> Result:
    return compare(order)


@pytest.fixture
def bench(tmp_path: Path, github: GitHubFake, origin: Origin) -> Iterator[Bench]:
    settings = Settings.from_environment(environment(tmp_path / "data", github, origin, PUBLIC_URL="https://flowdelta.example"))
    store, connected = parts(settings)
    work = tmp_path / "work"
    work.mkdir()
    mirrors = Mirrors(tmp_path / "mirrors", allow_file=True)
    yield Bench(opened(github, origin), Steps(settings, store, connected, mirrors, directly, work))
    store.close()
    assert list(work.iterdir()) == []


def changed(bench: Bench, **settings: object) -> Bench:
    return replace(bench, steps=replace(bench.steps, settings=replace(bench.steps.settings, **settings)))  # type: ignore[arg-type]


def test_a_change_of_flows_is_commented_and_is_a_success(bench: Bench) -> None:
    assert bench.run() == "done"
    assert bench.site.states == ["pending", "success"]
    assert bench.site.status == ("success", "1 flow opens, 1 closes")
    assert "9090" in bench.site.comment
    assert "7070" in bench.site.comment


def test_two_configurations_have_a_check_and_a_comment_each(bench: Bench) -> None:
    settings = replace(bench.steps.settings, status_context="team --> b")
    other = replace(bench, steps=replace(bench.steps, settings=settings, connected=connect(settings)))
    for each in (bench, other, bench, other):
        assert each.run() == "done"
    assert len(bench.site.comments) == 2
    assert all(body.count("-->") == 1 for body in bench.site.comments)


def test_no_change_is_said_too(bench: Bench) -> None:
    bench.site.push(shop(7070, README_md="words"))
    assert bench.run() == "done"
    assert bench.site.status == ("success", "No flow changes (2 workloads, 1 policy)")
    assert len(bench.site.comments) == 1


def test_the_head_is_compared_as_merged_into_the_tip_of_the_base(bench: Bench) -> None:
    """What the base branch has gained since is no change of the pull request, least of all a reversed one."""
    bench.site.advance(shop(7070, db_yaml="", other_yaml=policy("web", "cart", 8080)))
    assert bench.run() == "done"
    assert "other" not in bench.site.comment
    assert bench.site.status == ("success", "1 flow opens, 1 closes")


def test_a_conflict_is_compared_with_the_merge_base_and_never_passes(bench: Bench) -> None:
    bench.site.advance(shop(6060))
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"
    assert "conflict" in bench.site.status[1].lower()
    assert "Merge conflict" in bench.site.comment
    assert "policy.yaml" in bench.site.comment
    assert "9090" in bench.site.comment


def test_an_incomplete_analysis_is_never_a_success(bench: Bench) -> None:
    bench.site.push(shop(9090, broken_yaml="kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: x"))
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"
    assert "ncomplete" in bench.site.status[1]
    assert "incomplete" in bench.site.comment


def test_a_repository_without_manifests_has_nothing_to_report(bench: Bench) -> None:
    bench.site.open({"README.md": "words"}, {"README.md": "other words"})
    assert bench.run() == "done"
    assert bench.site.status[0] == "success"
    assert "no workload" in bench.site.status[1]


def test_a_second_push_updates_the_first_comment(bench: Bench) -> None:
    bench.run()
    bench.site.push(shop(5050))
    bench.run()
    assert "5050" in bench.site.comment
    assert "9090" not in bench.site.comment


def test_the_same_request_twice_writes_one_comment(bench: Bench) -> None:
    request = bench.request()
    assert [bench.run(request), bench.run(request)] == ["done", "done"]
    assert len(bench.site.comments) == 1


def test_an_older_request_says_nothing(bench: Bench) -> None:
    old, new = bench.request(), bench.request()
    assert bench.run(old) == "superseded"
    assert bench.site.github.calls == []
    assert bench.run(new) == "done"


def test_a_request_that_comes_during_the_analysis_stops_the_older_one_before_it_comments(bench: Bench) -> None:
    def interrupted(order: Order, timeout: float) -> Result:
        bench.request()
        return directly(order, timeout)

    assert replace(bench, steps=replace(bench.steps, analyse=interrupted)).run() == "superseded"
    assert bench.site.comments == []


def test_a_push_during_the_analysis_is_analysed_instead_even_if_its_event_is_lost(bench: Bench) -> None:
    pushes = [5050]

    def interrupted(order: Order, timeout: float) -> Result:
        if pushes:
            bench.site.push(shop(pushes.pop()))
        return directly(order, timeout)

    assert replace(bench, steps=replace(bench.steps, analyse=interrupted)).run() == "done"
    assert "5050" in bench.site.comment
    assert bench.site.github.called("POST", COMMENTS) == 1


def test_a_head_that_git_has_and_the_forge_does_not_know_yet_is_looked_at_again(bench: Bench) -> None:
    known = bench.site.pull.head_sha
    ahead = bench.site.push(shop(5050))
    bench.site.pull.head_sha = known
    record = Record()
    sleep = record.sleep

    def sleep_and_learn(seconds: float) -> None:
        bench.site.pull.head_sha = ahead
        sleep(seconds)

    record.sleep = sleep_and_learn  # type: ignore[method-assign]
    assert bench.run(record=record) == "done"
    assert "5050" in bench.site.comment
    assert record.slept == [1.0]


def test_a_head_that_never_settles_ends_as_a_failure(bench: Bench) -> None:
    bench.site.push(shop(5050))
    bench.site.pull.head_sha = "b" * 40
    assert bench.run() == "failed"
    assert bench.site.status[0] == "error"


def test_a_closed_pull_request_is_left_alone(bench: Bench) -> None:
    bench.site.pull.state = "closed"
    assert bench.run() == "closed"
    assert (bench.site.comments, bench.site.states) == ([], [])


def test_a_pull_request_from_a_fork_is_told_that_it_is_not_analysed(bench: Bench) -> None:
    bench.site.pull.head_repository = "stranger/shop"
    assert bench.run() == "done"
    assert bench.site.states == ["failure"]
    assert "`FLOWDELTA_ALLOW_FORKS`" in bench.site.comment
    assert not (bench.steps.mirrors.root).exists()


def test_a_pull_request_from_a_fork_is_analysed_where_the_settings_say_so(bench: Bench) -> None:
    bench.site.pull.head_repository = "stranger/shop"
    assert changed(bench, allow_forks=True).run() == "done"
    assert bench.site.states == ["pending", "success"]


def test_a_head_ref_that_is_missing_ends_as_an_error_that_says_so(bench: Bench) -> None:
    bench.site.origin.delete(HEAD)
    assert bench.run() == "failed"
    assert bench.site.status[0] == "error"
    assert "not analysed" in bench.site.comment


def test_a_base_branch_that_is_gone_ends_as_an_error_that_says_so(bench: Bench) -> None:
    bench.site.origin.commit("refs/heads/other", shop())
    bench.site.origin.delete(BASE)
    assert bench.run() == "failed"
    assert bench.site.status[0] == "error"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", r".*/pulls/7"), ("POST", STATUSES), ("GET", "/user"), ("GET", COMMENTS), ("POST", COMMENTS)],
)
@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 502, "when": When.AFTER}, {"status": 0}, {"status": 0, "when": When.AFTER}, {"status": 429}],
    ids=["500", "502 after the effect", "connection closed", "connection closed after the effect", "429"],
)
def test_a_forge_that_stumbles_changes_nothing_in_the_end(bench: Bench, method: str, path: str, fault: dict[str, object]) -> None:
    bench.site.github.inject(Fault(method, path, times=2, **fault))  # type: ignore[arg-type]
    record = Record()
    assert bench.run(record=record) == "done"
    assert bench.site.status == ("success", "1 flow opens, 1 closes")
    assert "9090" in bench.site.comment
    waits = [8.0, 8.0] if fault["status"] == 429 else [1.0, 2.0]
    # A comment whose creation took effect is found at the next try, so there is no second creation to fail.
    assert record.slept == (waits[:1] if "when" in fault and (method, path) == ("POST", COMMENTS) else waits)


def test_a_forge_that_asks_for_patience_gets_it(bench: Bench) -> None:
    bench.site.github.inject(Fault("POST", COMMENTS, status=403, headers={"Retry-After": "5"}, message="secondary rate limit"))
    record = Record()
    bench.run(record=record)
    assert record.slept == [5.0]


def test_a_job_that_keeps_failing_ends_as_an_error_with_its_reason_and_a_remedy(bench: Bench) -> None:
    bench.site.github.inject(Fault("POST", COMMENTS, status=500, times=4))
    assert bench.run() == "failed"
    assert bench.site.status[0] == "error"
    assert "500" in bench.site.status[1]
    assert "not analysed" in bench.site.comment
    assert "tried several times" in bench.site.comment


def test_a_forge_that_is_gone_leaves_a_failed_review_and_nothing_half_written(bench: Bench) -> None:
    bench.site.github.inject(Fault("GET", ".*", status=503, times=None))
    request = bench.request()
    assert bench.run(request) == "failed"
    found = bench.steps.store.review(request.id)
    assert found is not None
    assert (found.state, found.report) == ("failed", None)
    assert "503" in found.reason


def test_a_token_without_rights_fails_at_once(bench: Bench) -> None:
    bench.site.github.inject(Fault("POST", STATUSES, status=403, times=None, message="Resource not accessible by personal access token"))
    record = Record()
    assert bench.run(record=record) == "failed"
    assert record.slept == []
    assert "check its token" in bench.site.comment


@pytest.mark.parametrize("reason", ["timeout", "memory", "internal"])
def test_an_analysis_that_is_stopped_ends_as_an_error(bench: Bench, reason: str) -> None:
    def stopped(_order: Order, _timeout: float) -> Result:
        raise AnalysisError(reason, "The analysis was stopped.")

    assert replace(bench, steps=replace(bench.steps, analyse=stopped)).run() == "failed"
    assert bench.site.states == ["pending", "error"]
    assert "The analysis was stopped." in bench.site.comment


def test_a_fault_of_our_own_reaches_the_pull_request_without_its_details(bench: Bench) -> None:
    def broken(_order: Order, _timeout: float) -> Result:
        raise KeyError("inner-matters")

    assert replace(bench, steps=replace(bench.steps, analyse=broken)).run() == "failed"
    assert bench.site.states == ["pending", "error"]
    assert "inner-matters" not in bench.site.comment + bench.site.status[1]


def test_a_pull_request_that_kills_its_worker_is_given_up(bench: Bench) -> None:
    def deadly(_order: Order, _timeout: float) -> Result:
        raise Killed

    request, record = bench.request(), Record()
    killing = replace(bench, steps=replace(bench.steps, analyse=deadly))
    for _ in range(4):
        with pytest.raises(Killed):
            killing.run(request, record)
        record = record.again()
        bench.steps.store.takeover(request)
    assert killing.run(request, record) == "failed"
    assert bench.site.status[0] == "error"
    assert "stopped its worker 4 times" in bench.site.comment
    found = bench.steps.store.review(request.id)
    assert found is not None
    assert "stopped its worker" in found.reason


def count_steps(bench: Bench) -> int:
    record = Record()
    bench.run(record=record)
    return len(record.done)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_review_killed_around_any_step_resumes_with_one_comment(bench: Bench, after: bool) -> None:
    for position in range(count_steps(bench)):
        bench.site.push(shop(1000 + position))
        request, record = bench.request(), Record(kill_at=position, after=after)
        with pytest.raises(Killed):
            bench.run(request, record)
        assert bench.run(request, record.again()) == "done"
        assert str(1000 + position) in bench.site.comment
        assert bench.site.status[0] == "success"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_first_review_killed_around_its_comment_leaves_one(bench: Bench, after: bool) -> None:
    request = bench.request()
    steps = ["look", "announce", "examine", "comment", "conclude", "note"]
    record = Record(kill_at=steps.index("comment"), after=after)
    with pytest.raises(Killed):
        bench.run(request, record)
    assert len(bench.site.comments) == (1 if after else 0)
    resumed = record.again()
    assert bench.run(request, resumed) == "done"
    assert [name for name, _ in resumed.done] == steps
    assert len(bench.site.comments) == 1


def test_the_report_is_stored_and_linked(bench: Bench) -> None:
    request = bench.request()
    bench.run(request)
    found = bench.steps.store.review(request.id)
    assert found is not None
    assert found.report is not None
    assert b'"flowdelta.diff/1"' in bench.steps.store.content(found.report)
    link = f"https://flowdelta.example/reports/{request.id}"
    assert link in bench.site.comment
    assert bench.site.github.repository(SHOP).statuses[-1]["target_url"] == link


def test_what_a_pull_request_names_does_not_reach_anyone_or_break_out(bench: Bench) -> None:
    """Names come from hostile files: no mention, no link, no markup of their own."""
    hostile = "a@octocat](evil.example)<img src=x>`|**.yaml"
    bench.site.advance({**shop(6060), hostile: "a: 1\n"})
    bench.site.push({**shop(9090), hostile: "a: 2\n"})
    assert bench.run() == "done"
    comment = bench.site.comment
    assert "conflict" in comment
    spoken = re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", comment)  # a forge obeys nothing inside a code span
    for markup in ("@octocat", "evil", "<img", "|**"):
        assert markup not in spoken


def test_comments_are_ours_alone(bench: Bench) -> None:
    bench.site.github.add_comment(SHOP, NUMBER, ("octocat", 1), "<!-- flowdelta:report -->\nby someone else")
    bench.run()
    bench.site.push(shop(5050))
    bench.run()
    first, second = bench.site.github.comments(SHOP, NUMBER)
    assert (first.author, first.body) == (("octocat", 1), "<!-- flowdelta:report -->\nby someone else")
    assert second.author == (BOT, BOT_ID)


def test_a_long_wait_ends_when_something_newer_comes(bench: Bench) -> None:
    bench.site.github.inject(Fault("POST", COMMENTS, status=403, headers={"Retry-After": "3000"}, message="secondary rate limit"))
    record = Record()
    sleep = record.sleep

    def sleep_and_push(seconds: float) -> None:
        sleep(seconds)
        if len(record.slept) == 2:
            bench.request()

    record.sleep = sleep_and_push  # type: ignore[method-assign]
    patient = replace(bench, retries=replace(bench.retries, longest=3600.0))
    assert patient.run(record=record) == "superseded"
    assert record.slept == [15.0, 15.0]


def test_a_repository_that_is_not_served_any_more_is_not_asked_about(bench: Bench) -> None:
    known = bench.steps.connected["github"]
    elsewhere = replace(known, settings=replace(known.settings, repositories=("acme/other",)))
    assert replace(bench, steps=replace(bench.steps, connected={"github": elsewhere})).run() == "failed"
    assert bench.site.github.calls == []


def test_a_forge_that_is_not_configured_any_more_is_not_asked_about(bench: Bench) -> None:
    assert replace(bench, steps=replace(bench.steps, connected={})).run() == "failed"
    assert bench.site.github.calls == []


def test_a_draft_is_analysed_or_left_alone_as_the_settings_say(bench: Bench) -> None:
    bench.site.pull.draft = True
    assert changed(bench, review_drafts=False).run() == "draft"
    assert (bench.site.comments, bench.site.states) == ([], [])
    assert bench.run() == "done"
    assert "9090" in bench.site.comment


def test_what_was_compared_is_recorded(bench: Bench) -> None:
    request = bench.request()
    tip = bench.site.advance(shop(7070, README_md="words"))
    bench.run(request)
    assert bench.steps.store.last_judged("github", SHOP, NUMBER) == (bench.site.pull.head_sha, tip)
    (known,) = bench.steps.store.pulls("github", SHOP, BASE)
    assert (known.pull.number, known.pull.head_sha, known.base_sha) == (NUMBER, bench.site.pull.head_sha, tip)
    bench.site.pull.state = "closed"
    bench.run()
    assert bench.steps.store.pulls("github", SHOP) == []


def test_a_job_that_another_worker_has_taken_writes_nothing_more(bench: Bench) -> None:
    """The process was paused for long; when it goes on, its review is someone else's."""
    record = Record()

    def paused(order: Order, timeout: float) -> Result:
        record.lost = True
        return directly(order, timeout)

    request = bench.request()
    with pytest.raises(Lost):
        replace(bench, steps=replace(bench.steps, analyse=paused)).run(request, record)
    assert (bench.site.comments, bench.site.states) == ([], ["pending"])
    assert bench.run(request, record.again()) == "done"
    assert bench.site.states == ["pending", "success"]


@pytest.mark.parametrize("loss", ["taken", "superseded"])
def test_nothing_is_written_where_the_review_is_lost_while_the_head_is_looked_at_again(bench: Bench, loss: str) -> None:
    """The last look at the pull request may take long: what was true before it is asked again after it."""
    record, looked = Record(), list[int]()
    connected = bench.steps.connected["github"]
    forge = connected.forge

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(forge, name)

        def pull_request(self, repository: str, number: int) -> PullRequest:
            looked.append(number)
            if len(looked) == 2:
                record.lost = loss == "taken"
                if loss == "superseded":
                    bench.request()
            return forge.pull_request(repository, number)

    slow = replace(bench, steps=replace(bench.steps, connected={"github": replace(connected, forge=Slow())}))
    if loss == "taken":
        with pytest.raises(Lost):
            slow.run(record=record)
    else:
        assert slow.run(record=record) == "superseded"
    assert bench.site.comments == []


def queued(bench: Bench, *files: dict[str, str]) -> Request:
    """A request for a commit that the merge queue made; more files make further commits of the same branch."""
    base = bench.site.origin.commit(BASE, shop(7070))
    head = bench.site.origin.commit(QUEUE, shop(9090), base)
    for more in files:
        bench.site.origin.commit(QUEUE, more, head)
    subject = subject_of_queue(Queued(base, head, QUEUE, NUMBER))
    return bench.steps.store.request("github", SHOP, subject, "merge_group checks_requested")


def test_a_commit_of_a_merge_queue_is_compared_as_it_is_and_gets_a_check_and_no_comment(bench: Bench) -> None:
    request = queued(bench)
    assert request.queued is not None
    assert bench.run(request) == "done"
    assert bench.site.comments == []
    assert [state for state, _ in bench.site.github.statuses(SHOP, request.queued.head_sha)] == ["pending", "success"]
    assert bench.site.states == []


def test_a_merge_queue_that_has_moved_on_is_let_go(bench: Bench) -> None:
    assert bench.run(queued(bench, shop(5050))) == "closed"


def test_a_commit_of_a_merge_queue_that_cannot_be_fetched_never_passes(bench: Bench) -> None:
    request = queued(bench)
    bench.site.origin.delete(QUEUE)
    assert bench.run(request) == "failed"
    assert request.queued is not None
    assert bench.site.github.statuses(SHOP, request.queued.head_sha)[-1][0] == "error"
    assert bench.site.comments == []


def test_waits_grow_up_to_a_limit_and_obey_the_forge() -> None:
    retries = Retries(attempts=9, first=2.0, longest=60.0)
    assert [retries.wait(failures, None) for failures in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]
    assert retries.wait(1, 17.0) == 17.0
    assert retries.wait(1, 3_600.0) == 60.0
