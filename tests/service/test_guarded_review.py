"""Guardrails in a review from the request to the check: real git, a real database, real HTTP to a stand-in forge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from service.forges.port import State
from service.review.target import of_pull, pull_from_json
from service.review.verdict import Verdict, beside, published
from service.signoff.audit import START
from service.store import Request
from tests.forges.github_fake import Pull
from tests.forges.origin import shop
from tests.service.site import BASE, NUMBER, SHOP
from tests.service.test_review import Bench, queued
from tests.service.test_review import bench as bench

RULES = """\
version: 1
guardrails:
  - {name: any, when: {opened: {}}, require: {signoff: {groups: [security]}}}
"""


def guarded(bench: Bench) -> None:
    """Begin again with a guardrail at base."""
    rules = {".flowdelta.yaml": RULES}
    bench.site.open({**shop(7070), **rules}, {**shop(9090), **rules})
    bench.site.github.teams["acme/security"] = [("ann", 11)]


def sandboxed(bench: Bench, number: int) -> Request:
    """A request for another pull request with the same head, towards a branch without guardrails."""
    head = bench.site.pull.head_sha
    tip = bench.site.origin.commit("refs/heads/sandbox", shop(7070), bench.site.pull.base_sha)
    bench.site.origin._git("update-ref", f"refs/pull/{number}/head", head)
    repository = bench.site.github.repository(SHOP)
    repository.branches["sandbox"] = tip
    repository.pulls[number] = Pull(number, base="sandbox", base_sha=tip, head_sha=head)
    return bench.steps.store.request("github", SHOP, str(number), "test")


def test_the_same_commit_towards_a_branch_without_guardrails_does_not_turn_green(bench: Bench) -> None:
    """Whoever may push can make such a branch, and the forge shows one check for both."""
    guarded(bench)
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"
    other = bench.run(sandboxed(bench, 8))
    assert (other, bench.site.status[0]) == ("done", "failure")
    assert f"#{NUMBER}" in bench.site.status[1]


def test_a_conflict_never_passes_and_neither_does_what_guards_its_merge_base(bench: Bench) -> None:
    """An old head has an old merge base, with older rules or none."""
    bench.site.advance({**shop(6060), ".flowdelta.yaml": RULES})
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"


def test_guardrails_that_cannot_be_read_fail_the_check_with_their_line(bench: Bench) -> None:
    bench.site.open({**shop(7070), ".flowdelta.yaml": "version: 1\nguardrail: []\n"}, shop(9090))
    assert bench.run() == "failed"
    assert bench.site.status[0] == "error"
    assert ".flowdelta.yaml:2" in bench.site.comment.replace("`", "")


def test_a_guardrail_file_that_goes_away_is_told_and_still_judges_the_change(bench: Bench) -> None:
    rules = {".flowdelta.yaml": RULES}
    bench.site.open({**shop(7070), **rules}, shop(9090))
    bench.site.github.teams["acme/security"] = [("ann", 11)]
    assert bench.run() == "done"
    assert bench.site.status[0] == "failure"
    assert "this change edits" in bench.site.comment
    assert "waiting for approval" in bench.site.status[1].lower()


def test_a_commit_of_a_merge_queue_waits_like_the_head_that_it_holds(bench: Bench) -> None:
    guarded(bench)
    bench.run()
    request = queued(bench)
    assert request.queued is not None
    base = bench.site.origin.commit(BASE, {**shop(7070), ".flowdelta.yaml": RULES})
    head = bench.site.origin.commit(request.queued.head_ref, {**shop(9090), ".flowdelta.yaml": RULES}, base)
    subject = request.subject.replace(request.queued.base_sha, base).replace(request.queued.head_sha, head)
    assert bench.run(bench.steps.store.request("github", SHOP, subject, "test")) == "done"
    assert bench.site.github.statuses(SHOP, head)[-1][0] == "failure"


def test_an_approval_by_nobody_left_is_none_after_the_service_died_anywhere(bench: Bench) -> None:
    """Whatever runs twice, the log holds one decision."""
    guarded(bench)
    request = bench.request()
    assert [bench.run(request), bench.run(request)] == ["done", "done"]
    rows = bench.steps.store.audit_of("github", SHOP, NUMBER)
    assert [row.read()["kind"] for row in rows].count("decision") == 1
    assert json.loads(rows[0].entry)["rules"]["configuration"] != ""


def test_a_review_that_nobody_listens_after_offers_no_command_no_button_and_no_log(bench: Bench) -> None:
    """A CI job ends with its report; what it says to type must have an effect."""
    guarded(bench)
    assert bench.run() == "done"
    assert "`/flowdelta approve any " in bench.site.comment
    assert "audit `" in bench.site.comment
    job = replace(bench, steps=replace(bench.steps, alone=True))
    assert job.run() == "done"
    assert "`/flowdelta" not in bench.site.comment
    assert "approve this commit in a review" in bench.site.comment
    assert "audit" not in bench.site.comment.lower()


@pytest.mark.parametrize(("alone", "offered"), [(False, 1), (True, 0)])
def test_a_button_stands_where_someone_hears_it(bench: Bench, alone: bool, offered: int) -> None:
    guarded(bench)
    request, steps = bench.request(), replace(bench.steps, alone=alone)
    pull = steps.look(request)["pull"]
    target = of_pull(pull_from_json(pull))
    verdict = steps.judge(request, target, NUMBER, steps.examine(request, target, pull_from_json(pull), lambda: None))
    assert len(verdict["buttons"]) == offered
    assert (verdict["audit"] == START) is alone


def test_every_check_tells_the_newest_hash_once() -> None:
    verdict, hash = Verdict(State.SUCCESS, "line", "body"), "a" * 64
    assert published(verdict, hash).body == f"body\n<sub>Audit log: `{hash}`</sub>\n"
    assert published(published(verdict, hash), hash) == published(verdict, hash)
    assert published(verdict, START) == verdict


def test_who_is_held_back_beside_another_is_told_so() -> None:
    verdict = Verdict(State.SUCCESS, "line", "body")
    assert beside(verdict, ()) == verdict
    held = beside(verdict, (7, 9))
    assert (held.state, "#7, #9" in held.line) == (State.FAILURE, True)
    assert replace(held, state=verdict.state, line="line", body="body") == verdict
