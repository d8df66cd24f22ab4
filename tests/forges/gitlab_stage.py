"""The stage of the contract suite for GitLab; see `contract`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from service.forges.gitlab import GitLab
from service.forges.gitlab_events import GitLabReceiver
from service.forges.port import Account, Permission
from service.secret import Secret
from tests.forges import gitlab_webhooks as webhooks
from tests.forges.contract import (
    ALICE,
    BOB,
    BRANCH,
    CURRENT,
    HEAD,
    MALLORY,
    NUMBER,
    PREVIOUS,
    ROBOT,
    Delivery,
    Doing,
    Happening,
    Remark,
    Shown,
)
from tests.forges.faults import Fault, Gate, When
from tests.forges.gitlab_fake import BOT_ID, FORK_ID, PROJECT_ID, WHEN, GitLabFake, Merge, Note
from tests.forges.signoff_contract import address

PATH = "acme/platform/shop"
TOKEN = "glpat-fake-token-7f3a9c"
_LEVELS = {Permission.READ: 20, Permission.WRITE: 30, Permission.ADMIN: 40}
_CALLS = {
    Doing.READ_PULL: ("GET", r".*/merge_requests/\d+"),
    Doing.CREATE_COMMENT: ("POST", ".*/notes"),
    Doing.CREATE_CHECK: ("POST", ".*/statuses/[0-9a-f]+"),
    Doing.READ_COMMITS: ("GET", ".*/commits"),
    Doing.READ_GROUP: ("GET", "/api/v4/groups/[^/]+"),
    Doing.READ_REVIEWS: ("GET", ".*/approvals"),
    Doing.LABEL: ("PUT", r".*/merge_requests/\d+"),
}
_SHOWN = {"pending": "pending", "success": "success", "failed": "failed"}
_ACTIONS = {
    Happening.OPENED: "open",
    Happening.REOPENED: "reopen",
    Happening.CLOSED: "merge",
    Happening.REVIEWED: "approved",
    Happening.DISMISSED: "unapproval",
}
_CHANGES: dict[Happening, dict[str, Any]] = {
    Happening.READY: {"draft": {"previous": True, "current": False}, "title": {"previous": "Draft: a", "current": "a"}},
    Happening.RETARGETED: {"target_branch": {"previous": "release/1.0", "current": "main"}},
    Happening.RETITLED: {"title": {"previous": "a", "current": "b"}},
}


def signing_token(secret: Secret) -> str:
    """A signing token as GitLab makes them, one for each secret."""
    return f"whsec_{base64.b64encode(hashlib.sha256(secret.reveal().encode()).digest()).decode()}"


class GitLabStage:
    """GitLab with a secret token on its webhook, or with a signing token."""

    repository, group, asks_groups = PATH, "acme/security", False

    def __init__(self, fake: GitLabFake, *, signing: bool) -> None:
        self.fake, self.signs_time = fake, signing
        for account in (ALICE, MALLORY, ROBOT, BOB):
            fake.users[int(account.id)] = (account.name, account.bot)
            fake.emails[address(account)] = int(account.id)
        self.forge = GitLab(fake.url, "https://gitlab.example", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
        self.receiver = GitLabReceiver(tuple(Secret(self._known(secret)) for secret in (CURRENT, PREVIOUS)))

    def open_pull(self, number: int, *, head: str = HEAD, base: str = "main", draft: bool = False, fork: bool = False) -> None:
        self.fake.merges[number] = Merge(number, int(ALICE.id), head, base, draft=draft, source=FORK_ID if fork else PROJECT_ID)

    def close_pull(self, number: int) -> None:
        self.fake.merges[number].state = "merged"

    def set_branch(self, name: str, commit: str) -> None:
        self.fake.branches[name] = commit

    def say(self, number: int, author: Account | None, body: str) -> str:
        note = Note(self.fake.next_id(), number, BOT_ID if author is None else int(author.id), body)
        self.fake.notes.append(note)
        return str(note.id)

    def remarks(self, number: int) -> list[Remark]:
        return [Remark(note.author == BOT_ID, note.body) for note in self.fake.notes if note.iid == number and not note.system]

    def reactions(self, number: int, comment: str) -> list[str]:
        (note,) = (note for note in self.fake.notes if (note.iid, note.id) == (number, int(comment)))
        return [name for _, user, name in note.awards if user == BOT_ID]

    def checks(self, commit: str) -> list[Shown]:
        shown = self.fake.shown_statuses(commit)
        return [Shown(_SHOWN[each.state], each.description or "", each.target_url or "") for each in shown]

    def commit(self, number: int, author: Account | str, committer: Account | str | None = None, message: str = "A change") -> None:
        merge = self.fake.merges[number]
        merge.sha = hashlib.sha1(f"{number}/{len(merge.commits)}".encode()).hexdigest()
        dates = dict.fromkeys(("created_at", "authored_date", "committed_date"), WHEN)
        known = {"id": merge.sha, "short_id": merge.sha[:8], "title": message.split("\n")[0], "message": message, "web_url": "", **dates}
        merge.commits.append({**known, "parent_ids": [], **_signed("author", author), **_signed("committer", committer or author)})

    def push(self, number: int, account: Account) -> None:
        body = "added 1 commit\n\n<ul><li>1234abcd - A change</li></ul>\n\n[Compare with previous version](/-/diffs)"
        self.fake.notes.append(Note(self.fake.next_id(), number, int(account.id), body, system=True))

    def make_group(self, *members: Account) -> None:
        for member in members:
            self.fake.users.setdefault(int(member.id), (member.name, member.bot))
        self.fake.groups = {self.group: {int(member.id): {} for member in members}}

    def review(self, number: int, account: Account, approves: bool, commit: str = HEAD) -> None:
        merge = self.fake.merges[number]
        self.dismiss(number, account)
        if approves:
            merge.versions.append((commit, self.fake.now()))
            merge.approvals[int(account.id)] = self.fake.now()
            merge.versions.append((merge.sha or HEAD, self.fake.now()))

    def dismiss(self, number: int, account: Account) -> None:
        self.fake.merges[number].approvals.pop(int(account.id), None)

    def remark(self, number: int, account: Account) -> None:
        self.say(number, account, "A remark")

    def asked(self, number: int) -> list[str]:
        return []

    def label(self, number: int, name: str) -> None:
        self.fake.merges[number].labels.append(name)

    def labels(self, number: int) -> set[str]:
        return set(self.fake.merges[number].labels)

    def permit(self, account: Account, permission: Permission) -> None:
        self.fake.members.pop(int(account.id), None)
        if permission is not Permission.NONE:
            self.fake.members[int(account.id)] = {"access_level": _LEVELS[permission]}

    def fail(
        self, doing: Doing, status: int, *, after: bool = False, times: int | None = 1, headers: Mapping[str, str] = {}, message: str = "No"
    ) -> None:
        when = When.AFTER if after else When.BEFORE
        self.fake.inject(Fault(*_CALLS[doing], status=status, when=when, times=times, headers=headers, message=message))

    def hang(self, doing: Doing) -> None:
        self.fake.inject(Fault(*_CALLS[doing], gate=Gate()))

    def delivery(
        self,
        happening: Happening,
        *,
        name: str = "delivery-1",
        number: int = NUMBER,
        author: Account = ALICE,
        comment: str = "901",
        text: str = "",
        ref: str = BRANCH,
        secret: Secret = CURRENT,
        now: float = 1_700_000_000.0,
    ) -> Delivery | None:
        event, body = self._told(happening, number, author, int(comment), text, ref)
        if not event:
            return None
        if self.signs_time:
            return Delivery(webhooks.signed_headers(event, name, self._known(secret), body, int(now)), body)
        return Delivery(webhooks.token_headers(event, name, self._known(secret)), body)

    def _told(self, happening: Happening, number: int, author: Account, comment: int, text: str, ref: str) -> tuple[str, bytes]:
        if happening in _ACTIONS:
            return "Merge Request Hook", webhooks.merge_request(PATH, number, _ACTIONS[happening], user=author)
        if happening in _CHANGES:
            return "Merge Request Hook", webhooks.merge_request(PATH, number, "update", user=author, changes=_CHANGES[happening])
        if happening is Happening.PUSHED:
            return "Merge Request Hook", webhooks.merge_request(PATH, number, "update", user=author, oldrev="d" * 40)
        if happening in (Happening.COMMENTED, Happening.COMMENT_EDITED, Happening.ISSUE_COMMENTED):
            action = "update" if happening is Happening.COMMENT_EDITED else "create"
            on = "Issue" if happening is Happening.ISSUE_COMMENTED else "MergeRequest"
            return "Note Hook", webhooks.note(PATH, number, text, user=author, number=comment, action=action, on=on)
        if happening in (Happening.BRANCH_MOVED, Happening.BRANCH_DELETED):
            after = HEAD if happening is Happening.BRANCH_MOVED else webhooks.ZERO
            return "Push Hook", webhooks.push(PATH, ref, after, user=author)
        if happening is Happening.TAGGED:
            return "Tag Push Hook", webhooks.push(PATH, "refs/tags/v1.0.0", HEAD, user=author, kind="tag_push")
        return "", b""

    def _known(self, secret: Secret) -> str:
        return signing_token(secret) if self.signs_time else secret.reveal()


def _signed(role: str, who: Account | str) -> dict[str, str]:
    name, email = ("Somebody", who) if isinstance(who, str) else (who.name, address(who))
    return {f"{role}_name": name, f"{role}_email": email}
