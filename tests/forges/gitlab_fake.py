"""A stand-in for GitLab's REST API: it keeps merge requests with their commits, approvals and labels, notes, emoji, members, groups,
branches, pipelines and their statuses. Of its GraphQL API it knows one query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from tests.forges.answering import Answer
from tests.forges.described import Asked, DescribedServer, Description, Refusal, paged

BOT_ID, WHEN = 4242, "2024-05-01T12:00:00.000Z"
PROJECT_ID, FORK_ID = 77, 78


@dataclass
class Merge:
    """A merge request. `sha` is None before it is prepared; a `source` of None is a fork that was deleted. `approvals` are accounts and
    when they approved, which an older GitLab does not tell; `versions` are heads and when they came, the oldest first."""

    iid: int
    author: int
    sha: str | None
    target: str = "main"
    state: str = "opened"
    draft: bool = False
    source: int | None = PROJECT_ID
    pipeline: dict[str, Any] | None = None
    branch: str = "change"
    commits: list[dict[str, Any]] = field(default_factory=list)
    approvals: dict[int, str | None] = field(default_factory=dict)
    versions: list[tuple[str, str]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass
class Note:
    """A note on a merge request."""

    id: int
    iid: int
    author: int
    body: str
    system: bool = False
    awards: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass
class Status:
    """A commit status, in a pipeline. A status that ended stays; a later one of its name hides it."""

    id: int
    sha: str
    pipeline: int
    ref: str
    name: str
    state: str
    description: str | None
    target_url: str | None


class GitLabFake(DescribedServer):
    """One GitLab with one project."""

    description = Description("gitlab_openapi.yaml")

    def __init__(self, token: str, project: str) -> None:
        super().__init__(token)
        self.project = project
        self.users: dict[int, tuple[str, bool]] = {BOT_ID: ("flowdelta-bot", True)}
        self.merges: dict[int, Merge] = {}
        self.notes: list[Note] = []
        self.members: dict[int, dict[str, Any]] = {}
        self.branches: dict[str, str] = {}
        self.emails: dict[str, int] = {}
        self.groups: dict[str, dict[int, dict[str, Any]]] = {}
        self.moved: dict[str, str] = {}
        self.pipelines: dict[int, tuple[str, str]] = {}
        self.statuses: list[Status] = []
        self._ids: Iterator[int] = iter(range(1_000, 1_000_000))

    def now(self) -> str:
        """A time, later each time."""
        return f"2024-05-02T00:00:00.{next(self._ids):06}Z"

    def next_id(self) -> int:
        """A fresh id."""
        return next(self._ids)

    def run_pipeline(self, iid: int, *, sha: str, ref: str, project: int = PROJECT_ID) -> int:
        """Let a merge request have a pipeline."""
        number = self.next_id()
        if project == PROJECT_ID:
            self.pipelines[number] = (sha, ref)
        shown = {"id": number, "project_id": project, "sha": sha, "ref": ref, "status": "running", "source": "merge_request_event"}
        self.merges[iid].pipeline = shown
        return number

    def shown_statuses(self, sha: str, ref: str | None = None) -> list[Status]:
        """The last status of each name in each pipeline."""
        latest = {(each.pipeline, each.name): each for each in self.statuses if each.sha == sha and ref in (None, each.ref)}
        return list(latest.values())

    def authorized(self, headers: Message) -> bool:
        """GitLab's own header; nothing else is to be sent."""
        return headers.get("PRIVATE-TOKEN") == self.token and "Authorization" not in headers

    def handle(self, asked: Asked, operation: str) -> Answer:
        """See `DescribedServer`."""
        if "/projects/" in asked.path and asked.where["id"] != self.project:
            raise Refusal(404, "404 Project Not Found")
        answer: Answer = getattr(self, f"_{operation}")(asked)
        return answer

    def _current_user(self, _asked: Asked) -> Answer:
        return 200, self._full_user(BOT_ID), {}

    def _user(self, asked: Asked) -> Answer:
        return 200, self._full_user(int(asked.where["id"])), {}

    def _project(self, _asked: Asked) -> Answer:
        name = self.project.rsplit("/", 1)[-1]
        known = {"id": PROJECT_ID, "name": name, "path": name, "path_with_namespace": self.project, "visibility": "private"}
        return 200, {**known, "default_branch": "main", "web_url": f"{self.url}/{self.project}"}, {}

    def _merge_requests(self, asked: Asked) -> Answer:
        wanted = [merge for merge in self.merges.values() if asked.query.get("state", "all") in ("all", merge.state)]
        return self._page([self._shown_merge(merge) for merge in wanted], asked)

    def _merge_request(self, asked: Asked) -> Answer:
        merge = self._merge(asked)
        return 200, {**self._shown_merge(merge), "head_pipeline": merge.pipeline, "diff_refs": None}, {}

    def _update_merge_request(self, asked: Asked) -> Answer:
        """GitLab splits labels at commas, and keeps each once."""
        merge = self._merge(asked)
        gone = asked.body.get("remove_labels", "").split(",")
        new = [name for name in asked.body.get("add_labels", "").split(",") if name]
        merge.labels = [name for name in dict.fromkeys([*merge.labels, *new]) if name not in gone]
        return 200, {**self._shown_merge(merge), "head_pipeline": merge.pipeline, "diff_refs": None}, {}

    def _commits_of_merge_request(self, asked: Asked) -> Answer:
        return self._page(list(reversed(self._merge(asked).commits)), asked)

    def _approvals(self, asked: Asked) -> Answer:
        merge = self._merge(asked)
        times = {number: {} if when is None else {"approved_at": when} for number, when in merge.approvals.items()}
        by = [{"user": self._shown_user(number), **time} for number, time in times.items()]
        known = {"id": merge.iid + 5_000, "iid": merge.iid, "project_id": PROJECT_ID, "title": "A change", "state": merge.state}
        return 200, {**known, "approved": bool(by), "approvals_required": 0, "approvals_left": 0, "approved_by": by}, {}

    def _versions(self, asked: Asked) -> Answer:
        merge = self._merge(asked)
        known = {"merge_request_id": merge.iid + 5_000, "state": "collected", "real_size": "1"}
        ends = {"base_commit_sha": "b" * 40, "start_commit_sha": "b" * 40}
        made = [{"id": 100 + n, "head_commit_sha": sha, "created_at": when} for n, (sha, when) in enumerate(merge.versions)]
        return self._page([{**each, **ends, **known} for each in reversed(made)], asked)

    def _graphql(self, asked: Asked) -> Answer:
        """Whose the commits are: accounts are found by every email that belongs to them. A page has 100 commits at most."""
        for field_name in ("fullPath: $project", "iid: $number", "after: $after", "authorEmail", "hasNextPage", "endCursor"):
            if field_name not in asked.body["query"]:
                self.violations.append(f"the query lacks {field_name}")
        variables = asked.body["variables"]
        merge = self.merges.get(int(variables["number"])) if variables["project"] == self.project else None
        if merge is None:
            return 200, {"data": {"project": None}}, {}
        start, newest = int(variables.get("after") or 0), list(reversed(merge.commits))
        nodes = [{"authorEmail": each["author_email"], "author": self._gid(each["author_email"])} for each in newest[start : start + 100]]
        more = {"hasNextPage": start + 100 < len(newest), "endCursor": str(start + 100)}
        users = {gid["id"]: gid for each in newest if (gid := self._gid(each["committer_email"]))}
        committers = {"pageInfo": {"hasNextPage": len(users) > 100}, "nodes": list(users.values())[:100]}
        return 200, {"data": {"project": {"mergeRequest": {"committers": committers, "commits": {"pageInfo": more, "nodes": nodes}}}}}, {}

    def _gid(self, email: str) -> dict[str, str] | None:
        number = self.emails.get(email.lower())
        return None if number is None else {"id": f"gid://gitlab/User/{number}"}

    def _group(self, asked: Asked) -> Answer:
        path = self.moved.get(asked.where["id"], asked.where["id"])
        if path not in self.groups:
            raise Refusal(404, "404 Group Not Found")
        known = {"id": 31, "name": path.rsplit("/", 1)[-1], "path": path.rsplit("/", 1)[-1], "full_path": path}
        return 200, {**known, "visibility": "private", "web_url": f"{self.url}/groups/{path}"}, {}

    def _member_of_group(self, asked: Asked) -> Answer:
        """A direct member; the group is asked for by its id."""
        user, (members,) = int(asked.where["user_id"]), self.groups.values()
        if asked.where["id"] != "31" or user not in members:
            raise Refusal(404, "404 Not found")
        return 200, {**self._shown_user(user), "membership_state": "active", "expires_at": None, "access_level": 30, **members[user]}, {}

    def _notes(self, asked: Asked) -> Answer:
        iid = self._merge(asked).iid
        found = sorted((note for note in self.notes if note.iid == iid), key=lambda note: note.id, reverse=asked.query.get("sort") != "asc")
        return self._page([self._shown_note(note) for note in found], asked)

    def _create_note(self, asked: Asked) -> Answer:
        # GitLab carries out lines that begin with a quick action, and drops them.
        if re.search(r"(?m)^/[a-z]", asked.body["body"].replace("\r", "")):
            self.violations.append(f"a note holds a quick action: {asked.body['body'][:200]!r}")
        note = Note(self.next_id(), self._merge(asked).iid, BOT_ID, asked.body["body"].rstrip())
        self.notes.append(note)
        return 201, self._shown_note(note), {}

    def _update_note(self, asked: Asked) -> Answer:
        note = self._own_note(asked)
        note.body = asked.body["body"].rstrip()
        return 200, self._shown_note(note), {}

    def _delete_note(self, asked: Asked) -> Answer:
        self.notes.remove(self._own_note(asked))
        return 204, None, {}

    def _awards(self, asked: Asked) -> Answer:
        note = self._note(asked)
        return self._page([self._shown_award(note, *award) for award in note.awards], asked)

    def _create_award(self, asked: Asked) -> Answer:
        note, name = self._note(asked), asked.body["name"]
        if any((user, given) == (BOT_ID, name) for _, user, given in note.awards):
            raise Refusal(404, "404 Award Emoji Name has already been taken Not Found")
        note.awards.append((self.next_id(), BOT_ID, name))
        return 201, self._shown_award(note, *note.awards[-1]), {}

    def _member(self, asked: Asked) -> Answer:
        user = int(asked.where["user_id"])
        if user not in self.members:
            raise Refusal(404, "404 Not found")
        return 200, {**self._shown_user(user), "membership_state": "active", "expires_at": None, **self.members[user]}, {}

    def _branch(self, asked: Asked) -> Answer:
        name = asked.where["branch"]
        if name not in self.branches:
            raise Refusal(404, "404 Branch Not Found")
        flags = {"merged": False, "protected": True, "default": name == "main", "can_push": False}
        return 200, {"name": name, **flags, "web_url": f"{self.url}/-/tree/{name}", "commit": {"id": self.branches[name]}}, {}

    def _merge_requests_of_commit(self, asked: Asked) -> Answer:
        return self._page([self._shown_merge(merge) for merge in self.merges.values() if merge.sha == self._commit(asked)], asked)

    def _refs_of_commit(self, asked: Asked) -> Answer:
        sha = self._commit(asked)
        return self._page([{"type": "branch", "name": name} for name, commit in self.branches.items() if commit == sha], asked)

    def _statuses(self, asked: Asked) -> Answer:
        shown = self.shown_statuses(asked.where["sha"], asked.query.get("ref"))
        return self._page([self._shown_status(each) for each in shown if each.name == asked.query.get("name", each.name)], asked)

    def _create_status(self, asked: Asked) -> Answer:
        sha, body = asked.where["sha"], asked.body
        pipeline, ref = self._pipeline(sha, body)
        name, said = body.get("name", "default"), (body.get("description"), body.get("target_url"))
        going = (each for each in self.statuses if (each.pipeline, each.ref, each.name) == (pipeline, ref, name))
        current = next((each for each in going if each.state in ("pending", "running")), None)
        if current is not None and body["state"] == "pending":
            raise Refusal(
                400, f'Cannot transition status via :enqueue from :{current.state} (Reason(s): Status cannot transition via "enqueue")'
            )
        if current is None:
            current = Status(self.next_id(), sha, pipeline, ref, name, body["state"], None, None)
            self.statuses.append(current)
        current.state, (current.description, current.target_url) = body["state"], said
        return 201, self._shown_status(current), {}

    def _pipeline(self, sha: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """The pipeline that a status belongs to; a new one where none fits and none is asked for."""
        known = [
            (number, ref)
            for number, (commit, ref) in self.pipelines.items()
            if commit == sha and body.get("ref", ref) == ref and body.get("pipeline_id", number) == number
        ]
        if known:
            return known[-1]
        if "pipeline_id" in body:
            raise Refusal(404, "404 Pipeline for pipeline_id, sha and ref Not Found")
        ref = body.get("ref") or next((name for name, commit in self.branches.items() if commit == sha), "")
        if not ref:
            raise Refusal(404, "404 References for commit Not Found")
        number = self.next_id()
        self.pipelines[number] = (sha, ref)
        return number, ref

    def _page(self, found: list[Any], asked: Asked) -> Answer:
        return paged(found, asked, self.url, "per_page", 20, 100)

    def _merge(self, asked: Asked) -> Merge:
        merge = self.merges.get(int(asked.where["merge_request_iid"]))
        if merge is None:
            raise Refusal(404, "404 Not found")
        return merge

    def _note(self, asked: Asked) -> Note:
        wanted = (int(asked.where["note_id"]), self._merge(asked).iid)
        note = next((note for note in self.notes if (note.id, note.iid) == wanted), None)
        if note is None:
            raise Refusal(404, "404 Note Not Found")
        return note

    def _own_note(self, asked: Asked) -> Note:
        """A note that may be changed. A maintainer's token could delete others'; that it is tried at all is an error."""
        note = self._note(asked)
        if note.author != BOT_ID:
            self.violations.append(f"note {note.id} belongs to {note.author}")
            raise Refusal(403, "403 Forbidden")
        return note

    def _commit(self, asked: Asked) -> str:
        sha = asked.where["sha"]
        if sha not in self.branches.values() and all(merge.sha != sha for merge in self.merges.values()):
            raise Refusal(404, "404 Commit Not Found")
        return sha

    def _shown_user(self, number: int) -> dict[str, Any]:
        if number not in self.users:
            raise Refusal(404, "404 User Not Found")
        name = self.users[number][0]
        page = {"avatar_url": None, "web_url": f"{self.url}/{name}"}
        return {"id": number, "username": name, "name": name, "state": "active", **page}

    def _full_user(self, number: int) -> dict[str, Any]:
        return {**self._shown_user(number), "bot": self.users[number][1], "created_at": WHEN}

    def _shown_merge(self, merge: Merge) -> dict[str, Any]:
        known = {"id": merge.iid + 5_000, "iid": merge.iid, "project_id": PROJECT_ID, "title": "A change", "description": ""}
        ends = {"target_branch": merge.target, "source_branch": merge.branch, "sha": merge.sha}
        projects = {"source_project_id": merge.source, "target_project_id": PROJECT_ID}
        flags = {"draft": merge.draft, "work_in_progress": merge.draft, "merge_status": "unchecked"}
        more = {"created_at": WHEN, "updated_at": WHEN, "web_url": f"{self.url}/{self.project}/-/merge_requests/{merge.iid}"}
        now = {"state": merge.state, "labels": merge.labels, "author": self._shown_user(merge.author)}
        return {**known, **ends, **projects, **flags, **more, **now}

    def _shown_note(self, note: Note) -> dict[str, Any]:
        about = {"noteable_id": note.iid + 5_000, "noteable_type": "MergeRequest", "noteable_iid": note.iid}
        written = {"author": self._shown_user(note.author), "created_at": WHEN, "updated_at": WHEN, "system": note.system}
        return {"id": note.id, "body": note.body, **written, **about}

    def _shown_award(self, note: Note, number: int, user: int, name: str) -> dict[str, Any]:
        about = {"awardable_id": note.id, "awardable_type": "Note", "created_at": WHEN, "updated_at": WHEN}
        return {"id": number, "name": name, "user": self._shown_user(user), **about}

    def _shown_status(self, status: Status) -> dict[str, Any]:
        times = {"created_at": WHEN, "started_at": None, "finished_at": None}
        said = {"name": status.name, "description": status.description, "target_url": status.target_url, "allow_failure": False}
        known = {"id": status.id, "sha": status.sha, "ref": status.ref, "status": status.state, "pipeline_id": status.pipeline}
        return {**known, **said, **times, "author": self._shown_user(BOT_ID)}
