"""The stage of the contract suite for Gitea and Forgejo; see `contract`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from service.forges.gitea import Gitea
from service.forges.gitea_events import GiteaReceiver
from service.forges.port import Account, Permission
from service.secret import Secret
from tests.forges import gitea_webhooks as webhooks
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
from tests.forges.gitea_fake import BOT_ID, EVENT, FORK_ID, REPOSITORY_ID, WHEN, Comment, GiteaFake, Pull
from tests.forges.signoff_contract import address

PATH = "acme/shop"
TOKEN = "fake-gitea-token-7f3a9c"
_CALLS = {
    Doing.READ_PULL: ("GET", r".*/pulls/\d+"),
    Doing.CREATE_COMMENT: ("POST", r".*/issues/\d+/comments"),
    Doing.CREATE_CHECK: ("POST", ".*/statuses/[0-9a-f]+"),
    Doing.READ_COMMITS: ("GET", ".*/commits"),
    Doing.READ_GROUP: ("GET", ".*/members"),
    Doing.READ_REVIEWS: ("GET", ".*/reviews"),
    Doing.LABEL: ("POST", r".*/issues/\d+/labels"),
}
_SHOWN = {"pending": "pending", "success": "success", "failure": "failed", "error": "failed"}
_ACTIONS = {
    Happening.OPENED: "opened",
    Happening.REOPENED: "reopened",
    Happening.PUSHED: "synchronized",
    Happening.CLOSED: "closed",
}
_CHANGES = {
    Happening.READY: {"title": {"from": "WIP: A change"}},
    Happening.RETARGETED: {"ref": {"from": "release/1.0"}},
    Happening.RETITLED: {"title": {"from": "Another change"}},
}
_COMMENTS = {
    Happening.COMMENTED: "created",
    Happening.COMMENT_EDITED: "edited",
    Happening.COMMENT_DELETED: "deleted",
    Happening.ISSUE_COMMENTED: "created",
}


class GiteaStage:
    """Gitea, or Forgejo, which sends headers of its own."""

    repository, group, signs_time, asks_groups = PATH, "acme/security", False, True

    def __init__(self, fake: GiteaFake, kind: str) -> None:
        self.fake, self.kind = fake, kind
        for account in (ALICE, MALLORY, ROBOT, BOB):
            fake.users[int(account.id)] = account.name
            fake.emails[address(account)] = int(account.id)
        self.forge = Gitea(fake.url, "https://gitea.example", Secret(TOKEN), context="flowdelta", timeout=1, write_interval=0)
        self.receiver = GiteaReceiver(kind, (CURRENT, PREVIOUS))

    def open_pull(self, number: int, *, head: str = HEAD, base: str = "main", draft: bool = False, fork: bool = False) -> None:
        repository = FORK_ID if fork else REPOSITORY_ID
        self.fake.pulls[number] = Pull(number, int(ALICE.id), head, base, draft=draft, head_repository=repository)

    def close_pull(self, number: int) -> None:
        self.fake.pulls[number].state = "closed"

    def set_branch(self, name: str, commit: str) -> None:
        self.fake.branches[name] = commit

    def say(self, number: int, author: Account | None, body: str) -> str:
        comment = Comment(self.fake.next_id(), number, BOT_ID if author is None else int(author.id), body)
        self.fake.comments.append(comment)
        return str(comment.id)

    def remarks(self, number: int) -> list[Remark]:
        return [Remark(comment.author == BOT_ID, comment.body) for comment in self.fake.comments if comment.number == number]

    def reactions(self, number: int, comment: str) -> list[str]:
        (found,) = (each for each in self.fake.comments if (each.number, each.id) == (number, int(comment)))
        return [content for user, content in found.reactions if user == BOT_ID]

    def checks(self, commit: str) -> list[Shown]:
        latest = {status["context"]: status for status in self.fake.statuses if status["sha"] == commit}
        return [Shown(_SHOWN[each["status"]], each["description"], each["target_url"]) for each in latest.values()]

    def commit(self, number: int, author: Account | str, committer: Account | str | None = None, message: str = "A change") -> None:
        pull = self.fake.pulls[number]
        pull.sha = hashlib.sha1(f"{number}/{len(pull.commits)}".encode()).hexdigest()
        written = {"author": _signed(author), "committer": _signed(committer or author), "message": message}
        pull.commits.append({"sha": pull.sha, "commit": written, "parents": [], "html_url": ""})

    def push(self, number: int, account: Account) -> None:
        pushed = {**EVENT, "id": self.fake.next_id(), "type": "pull_push", "user": int(account.id)}
        self.fake.pulls[number].events += [None, pushed]

    def make_group(self, *members: Account) -> None:
        for member in members:
            self.fake.users.setdefault(int(member.id), member.name)
        self.fake.teams = {"security": [int(member.id) for member in members]}

    def review(self, number: int, account: Account, approves: bool, commit: str = HEAD) -> None:
        self._review(number, account, "APPROVED" if approves else "REQUEST_CHANGES", commit)

    def remark(self, number: int, account: Account) -> None:
        self._review(number, account, "COMMENT", HEAD)

    def dismiss(self, number: int, account: Account) -> None:
        given = [review for review in self.fake.pulls[number].reviews if review["user"] == int(account.id)]
        given[-1]["dismissed"] = True

    def asked(self, number: int) -> list[str]:
        events = (event for event in self.fake.pulls[number].events if event is not None)
        return [event["assignee_team"]["name"] for event in events if event["type"] == "review_request"]

    def label(self, number: int, name: str) -> None:
        made = self.fake.next_id()
        self.fake.labels[made] = name
        self.fake.pulls[number].labels.append(made)

    def labels(self, number: int) -> set[str]:
        known = {**self.fake.labels, **self.fake.shared_labels}
        return {known[label] for label in self.fake.pulls[number].labels}

    def _review(self, number: int, account: Account, state: str, commit: str) -> None:
        flags: dict[str, Any] = {"stale": commit != HEAD, "official": True, "dismissed": False, "team": None, "submitted_at": WHEN}
        known = {"id": self.fake.next_id(), "user": int(account.id), "state": state, "body": "", "commit_id": commit}
        self.fake.pulls[number].reviews.append({**known, **flags})

    def permit(self, account: Account, permission: Permission) -> None:
        self.fake.permissions[int(account.id)] = str(permission)

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
        headers = webhooks.forgejo_headers if self.kind == "forgejo" else webhooks.gitea_headers
        return Delivery(headers(event, name, secret.reveal(), body), body) if event else None

    def _told(self, happening: Happening, number: int, author: Account, comment: int, text: str, ref: str) -> tuple[str, bytes]:
        if happening in _ACTIONS:
            return "pull_request", webhooks.pull_request(PATH, number, _ACTIONS[happening], user=author)
        if happening in _CHANGES:
            return "pull_request", webhooks.pull_request(PATH, number, "edited", user=author, changes=_CHANGES[happening])
        if happening is Happening.REVIEWED:
            review = {"type": "pull_request_review_approved", "content": ""}
            return "pull_request_approved", webhooks.pull_request(PATH, number, "reviewed", user=author, review=review)
        if happening in _COMMENTS:
            pull = happening is not Happening.ISSUE_COMMENTED
            return "issue_comment", webhooks.comment(PATH, number, _COMMENTS[happening], text, user=author, id=comment, is_pull=pull)
        if happening in (Happening.BRANCH_MOVED, Happening.BRANCH_DELETED):
            return "push", webhooks.push(PATH, ref, HEAD if happening is Happening.BRANCH_MOVED else webhooks.ZERO, user=author)
        if happening is Happening.TAGGED:
            return "push", webhooks.push(PATH, "refs/tags/v1.0.0", HEAD, user=author)
        return "", b""


def _signed(who: Account | str) -> dict[str, str]:
    name, email = ("Somebody", who) if isinstance(who, str) else (who.name, address(who))
    return {"name": name, "email": email, "date": WHEN}
