"""Check runs of an App: one is shown, remarks come once and in parts, and a run that is completed is not touched again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.forges.github import GitHub
from service.forges.port import Annotation, Check, ForgeError, State
from tests.forges.faults import Fault, When
from tests.forges.github_app import APP_ID
from tests.forges.github_fake import CheckRun, GitHubFake, Pull
from tests.forges.github_stage import SHOP, as_app

SHA = "a" * 40
RUNS, RUN = "/repos/acme/shop/check-runs", r"/repos/acme/shop/check-runs/\d+"
PENDING = Check(SHA, State.PENDING, "Comparing network flows", subject="7")


@pytest.fixture
def forge(github: GitHubFake) -> GitHub:
    github.repository(SHOP).pulls[7] = Pull(7, base="main", head_sha=SHA)
    return as_app(github)


def remarks(count: int, title: str = "opens a flow") -> tuple[Annotation, ...]:
    return tuple(Annotation("shop/cart.yaml", line, title, f"line {line}") for line in range(1, count + 1))


def ended(count: int = 0, state: State = State.FAILURE, title: str = "opens a flow") -> Check:
    url = "https://flowdelta.example/reports/1"
    return Check(SHA, state, "3 flows opened", "### 3 flows\n\nopened", url, remarks(count, title), "7", "refs/pull/7/head")


def shown(github: GitHubFake) -> CheckRun:
    (run,) = github.checks(SHOP, SHA)
    return run


def writes(github: GitHubFake) -> list[str]:
    return [call.method for call in github.calls if "check-runs" in call.path and call.method != "GET"]


def test_a_run_is_opened_and_completed_in_place(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, PENDING)
    assert shown(github).state == "in_progress"
    forge.put_check(SHOP, ended())
    run = shown(github)
    assert (run.name, run.state, run.output["title"], run.output["summary"]) == (
        "flowdelta",
        "failure",
        "3 flows opened",
        "### 3 flows\n\nopened",
    )
    assert (run.values["external_id"], run.values["details_url"]) == ("7", "https://flowdelta.example/reports/1")
    assert writes(github) == ["POST", "PATCH"]


@pytest.mark.parametrize(
    ("state", "conclusion"),
    [
        (State.SUCCESS, "success"),
        (State.FAILURE, "failure"),
        (State.ERROR, "failure"),
        (State.ACTION_REQUIRED, "action_required"),
    ],
)
def test_each_end_has_its_conclusion(forge: GitHub, github: GitHubFake, state: State, conclusion: str) -> None:
    forge.put_check(SHOP, ended(state=state))
    assert shown(github).state == conclusion


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (50, 1), (51, 2), (120, 3)])
def test_remarks_come_fifty_in_a_call_and_the_end_comes_last(forge: GitHub, github: GitHubFake, count: int, calls: int) -> None:
    forge.put_check(SHOP, ended(count))
    assert [remark["start_line"] for remark in shown(github).annotations] == list(range(1, count + 1))
    sent = [call.body for call in github.calls if call.method in ("POST", "PATCH") and "check-runs" in call.path]
    assert [body["status"] for body in sent] == ["in_progress"] * (calls - 1) + ["completed"]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("skip", [0, 1])
def test_remarks_that_were_cut_off_go_on_and_are_not_doubled(forge: GitHub, github: GitHubFake, when: When, skip: int) -> None:
    forge.put_check(SHOP, PENDING)
    github.inject(Fault("PATCH", RUN, status=502, when=when, skip=skip))
    with pytest.raises(ForgeError) as lost:
        forge.put_check(SHOP, ended(120))
    assert lost.value.retry
    forge.put_check(SHOP, ended(120))
    run = shown(github)
    assert run.state == "failure"
    assert [remark["start_line"] for remark in run.annotations] == list(range(1, 121))
    assert len(github.repository(SHOP).checks) == 1


def test_more_remarks_than_anyone_reads_are_left_out(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, ended(700))
    assert len(shown(github).annotations) == 500


def test_a_check_that_is_there_already_is_not_written_again(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, ended(3))
    before = writes(github)
    forge.put_check(SHOP, ended(3))
    assert writes(github) == before


def test_another_end_after_the_end_is_a_new_run_which_is_the_one_that_is_shown(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, ended(3))
    forge.put_check(SHOP, PENDING)
    forge.put_check(SHOP, ended(1, State.SUCCESS, "another"))
    first, second = github.repository(SHOP).checks
    assert (first.state, len(first.annotations)) == ("failure", 3)
    assert (second.state, [remark["title"] for remark in second.annotations]) == ("success", ["another"])
    assert shown(github) is second


def test_a_run_that_someone_asked_for_again_does_not_keep_the_remarks_of_the_last_time(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, ended(2, title="of the last time"))
    run = shown(github)
    run.values |= {"status": "queued", "conclusion": None}  # what GitHub does when the button is pressed
    forge.put_check(SHOP, PENDING)
    forge.put_check(SHOP, ended(1))
    assert [each.state for each in github.repository(SHOP).checks] == ["cancelled", "failure"]
    assert [remark["title"] for remark in shown(github).annotations] == ["opens a flow"]


def test_a_run_that_someone_asked_for_again_is_gone_on_with_where_it_had_no_remarks(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, ended())
    shown(github).values |= {"status": "queued", "conclusion": None}
    forge.put_check(SHOP, PENDING)
    forge.put_check(SHOP, ended(state=State.SUCCESS))
    assert [each.state for each in github.repository(SHOP).checks] == ["success"]


def test_a_run_of_another_app_with_the_same_name_is_left_alone(forge: GitHub, github: GitHubFake) -> None:
    theirs = CheckRun(1, "flowdelta", SHA, APP_ID + 1, {"status": "in_progress"})
    github.repository(SHOP).checks.append(theirs)
    forge.put_check(SHOP, ended())
    assert theirs.state == "in_progress"
    assert [run.state for run in github.checks(SHOP, SHA) if run is not theirs] == ["failure"]


def test_texts_are_cut_to_the_bytes_that_github_holds(forge: GitHub, github: GitHubFake) -> None:
    long = Annotation("a.yaml", 1, "t" * 999, "ü" * 70_000)
    forge.put_check(SHOP, replace(ended(), line="w " * 900, summary="ü" * 70_000, annotations=(long,)))
    run = shown(github)
    (remark,) = run.annotations
    assert len(run.output["summary"].encode()) <= 65_535
    assert len(remark["message"].encode()) <= 65_535
    assert (len(run.output["title"]), len(remark["title"])) == (255, 255)


def test_a_remark_without_a_line_or_a_message_is_still_one_that_github_takes(forge: GitHub, github: GitHubFake) -> None:
    forge.put_check(SHOP, replace(ended(), annotations=(Annotation("a.yaml", 0, "opened", "  "),)))
    (remark,) = shown(github).annotations
    assert (remark["start_line"], remark["end_line"], remark["message"]) == (1, 1, "opened")


@pytest.mark.parametrize("status", [502, 0], ids=["502", "connection closed"])
def test_a_run_whose_creation_was_not_confirmed_is_found_again(forge: GitHub, github: GitHubFake, status: int) -> None:
    github.inject(Fault("POST", RUNS, status=status, when=When.AFTER))
    with pytest.raises(ForgeError):
        forge.put_check(SHOP, ended(3))
    forge.put_check(SHOP, ended(3))
    assert [len(run.annotations) for run in github.repository(SHOP).checks] == [3]
