"""`flowdelta ci` in pipelines of GitLab: with a token the same note and status as from the service, without one the report alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.ci_jobs import NUMBER, pipeline, run
from tests.forges.gitlab_fake import PROJECT_ID, GitLabFake, Merge
from tests.forges.origin import Origin, shop

PROJECT, TOKEN, ALICE = "acme/platform/shop", "glpat-fake-token-7f3a9c", 501
HEAD = f"refs/merge-requests/{NUMBER}/head"


@dataclass(frozen=True)
class Lab:
    """A GitLab with one merge request, on the forge and in git."""

    fake: GitLabFake
    origin: Origin

    @property
    def merge(self) -> Merge:
        return self.fake.merges[NUMBER]

    @property
    def notes(self) -> list[str]:
        return [note.body for note in self.fake.notes]

    def job(self, **more: str) -> dict[str, str]:
        """The environment of a job in a pipeline of the merge request's head."""
        assert self.merge.sha is not None
        return pipeline(self.origin, PROJECT, self.fake.url, self.merge.sha) | more


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    origin = Origin(tmp_path / "git", PROJECT)
    base = origin.commit("refs/heads/main", shop(7070))
    head = origin.commit(HEAD, shop(9090), base)
    with GitLabFake(TOKEN, PROJECT) as fake:
        fake.users[ALICE] = ("alice", False)
        fake.branches["main"] = base
        fake.merges[NUMBER] = Merge(NUMBER, ALICE, head)
        fake.run_pipeline(NUMBER, sha=head, ref=HEAD, project=PROJECT_ID)
        yield Lab(fake, origin)
    assert fake.violations == []


def test_a_job_with_a_token_writes_one_note_and_a_status_in_its_pipeline(lab: Lab) -> None:
    environ = lab.job(FLOWDELTA_GITLAB_TOKEN=TOKEN)
    assert [run(environ).returncode for _ in range(2)] == [0, 0]
    assert len(lab.notes) == 1
    assert "9090" in lab.notes[0]
    assert lab.merge.sha is not None
    assert [status.state for status in lab.fake.shown_statuses(lab.merge.sha)] == ["success"]


def test_a_job_without_a_token_reports_to_its_own_output_and_says_so(lab: Lab) -> None:
    done = run(lab.job(), "--exit-code")
    assert done.returncode == 1, done.stderr
    assert "9090" in done.stdout
    assert "::" not in done.stdout.splitlines()[0], "GitLab knows no commands"
    assert "comment: could not be written: a job's own token cannot write to merge requests" in done.stderr
    assert lab.fake.calls == []
    assert "job-token-1f2e3d" not in done.stdout + done.stderr


def test_a_token_that_may_not_write_keeps_the_report_from_nobody(lab: Lab) -> None:
    done = run(lab.job(FLOWDELTA_GITLAB_TOKEN="glpat-another"))
    assert done.returncode == 2, "a token that may not even read has nothing to review with"
    assert "not analysed: look: GitLab answered 401" in done.stderr


def test_in_a_pipeline_of_merged_results_the_head_is_what_the_source_branch_was(lab: Lab) -> None:
    merged = lab.origin.commit(f"refs/merge-requests/{NUMBER}/merge", shop(9090), lab.fake.branches["main"])
    assert lab.merge.sha is not None
    done = run(lab.job(CI_COMMIT_SHA=merged, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=lab.merge.sha))
    assert done.returncode == 0, done.stderr
    assert "9090" in done.stdout


def test_a_pipeline_of_an_older_head_does_not_report_on_it_without_a_token(lab: Lab) -> None:
    environ = lab.job()
    lab.origin.commit(HEAD, shop(5050), lab.merge.sha or "")
    done = run(environ)
    assert done.returncode == 2
    assert "changed during every attempt" in done.stderr


def test_a_pipeline_of_a_fork_looks_where_the_merge_request_is(lab: Lab) -> None:
    environ = lab.job(CI_PROJECT_PATH="mallory/shop", CI_MERGE_REQUEST_SOURCE_PROJECT_ID="78")
    assert run(environ).returncode == 0
    assert run(environ | {"FLOWDELTA_ALLOW_FORKS": "false"}).returncode == 2


def test_a_pipeline_of_a_branch_has_nothing_to_review(lab: Lab) -> None:
    done = run(lab.job(CI_PIPELINE_SOURCE="push", CI_MERGE_REQUEST_IID="", CI_MERGE_REQUEST_PROJECT_PATH=""))
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to review: this is a job of the event push" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CI_MERGE_REQUEST_IID": "7; id"}, "CI_MERGE_REQUEST_IID: '7; id' is no number"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "--upload-pack=id"}, "a branch that git would not take"),
        ({"CI_COMMIT_SHA": "HEAD"}, "a commit that git would not take"),
        ({"CI_JOB_TOKEN": ""}, "CI_JOB_TOKEN: is not set"),
        ({"CI_SERVER_URL": "http://gitlab.example"}, "FLOWDELTA_GITLAB_API_URL: must be https"),
    ],
)
def test_an_environment_that_does_not_suffice_ends_with_2(lab: Lab, change: dict[str, str], said: str) -> None:
    done = run(lab.job(**change))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
