"""Checks on GitLab: a commit status, external to the pipeline that the merge request shows where there is one.

https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitlab.v4.objects import Project

from service.forges.connection import Refused, cut
from service.forges.git_names import HEADS
from service.forges.port import Check, ForgeError, State

_DESCRIPTION_LIMIT = 140
_URL_LIMIT = 255
# Whatever is no success fails the pipeline: GitLab has no word for a check that someone must act on.
_STATE = {State.PENDING: "pending", State.SUCCESS: "success"}
_FAILED = "failed"
# A status that is pending already may have been taken up by the pipeline.
_STANDS_FOR = {"pending": ("pending", "running"), "success": ("success",), _FAILED: (_FAILED,)}


def put(project: Project, check: Check, name: str) -> None:
    """Give the commit of the check the status `name`. GitLab shows the last one of a name, so setting it again changes nothing."""
    state, where = _STATE.get(check.state, _FAILED), _pipeline(project, check)
    statuses = project.commits.get(check.sha, lazy=True).statuses
    said = {"state": state, "name": name, "description": cut(check.line, _DESCRIPTION_LIMIT), **_target(check), **where}
    try:
        statuses.create(said)
    except Refused as refused:
        if refused.status != 400 or "cannot transition status" not in refused.said.lower():
            raise
        # GitLab refuses a step from a state to itself. What counts is what stands there now.
        shown = statuses.list(iterator=True, name=name, **({"ref": where["ref"]} if "ref" in where else {}))
        if not any(each.attributes["status"] in _STANDS_FOR[state] for each in shown):
            raise ForgeError(f"GitLab did not take the commit status: {refused.said}", retry=True) from None


def _target(check: Check) -> Mapping[str, str]:
    return {"target_url": check.url} if check.url and len(check.url) <= _URL_LIMIT else {}


def _pipeline(project: Project, check: Check) -> Mapping[str, Any]:
    """Where the status belongs: the pipeline that ran for this very commit in this very project, else the ref that a new one is made for.

    A pipeline of merged results ran for a commit of its own, and one of a fork in the fork: neither takes a status of this commit.
    """
    if not check.subject.isdecimal():
        return {"ref": check.ref.removeprefix(HEADS)} if check.ref else {}
    merge = project.mergerequests.get(int(check.subject)).attributes
    pipeline = merge.get("head_pipeline")
    if pipeline and pipeline["sha"] == check.sha and pipeline.get("project_id", merge["target_project_id"]) == merge["target_project_id"]:
        return {"pipeline_id": pipeline["id"], "ref": pipeline["ref"]}
    if merge["source_project_id"] == merge["target_project_id"]:
        return {"ref": merge["source_branch"]}
    return {"ref": f"refs/merge-requests/{int(merge['iid'])}/head"}
