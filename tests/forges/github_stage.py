"""The stage of the contract for GitHub: the adapter as an App or with a token, against the stand-in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from service.forges.github import GitHub
from service.forges.github_events import GitHubReceiver
from service.forges.port import Account, Permission
from service.secret import Secret
from service.settings import ForgeSettings, Settings
from tests.forges.contract import ALICE, BASE, CURRENT, HEAD, PREVIOUS, Delivery, Doing, Happening, Remark, Shown
from tests.forges.faults import Fault, Gate, When
from tests.forges.fixtures import TOKEN
from tests.forges.github_app import APP_ID, private_key
from tests.forges.github_deliveries import payload, signed
from tests.forges.github_fake import BOT, BOT_ID, GitHubFake, Pull
from tests.forges.github_state import Commit, Push, Review, Signed, User
from tests.forges.signoff_contract import address

SHOP = "acme/shop"
_SHOWN = {"success": "success", "pending": "pending", "queued": "pending", "in_progress": "pending"}


def settings(github: GitHubFake, **of_forge: str) -> tuple[ForgeSettings, Settings]:
    """Settings of a service that asks the stand-in, impatiently."""
    known = {
        "DATA_DIR": "var",
        "FORGE_TIMEOUT": "3",
        "WRITE_INTERVAL": "0",
        "GITHUB_REPOSITORIES": SHOP,
        "GITHUB_WEBHOOK_SECRET": CURRENT.reveal(),
        "GITHUB_API_URL": github.url,
        "GITHUB_GIT_URL": "https://github.example",
        **{f"GITHUB_{name}": value for name, value in of_forge.items()},
    }
    found = Settings.from_environment({f"FLOWDELTA_{name}": value for name, value in known.items()})
    return found.forges[0], found


def with_token(github: GitHubFake) -> GitHub:
    """The adapter with a token."""
    return GitHub.from_settings(*settings(github, TOKEN=TOKEN))


def as_app(github: GitHubFake) -> GitHub:
    """The adapter as an App, which is installed on the shop's repository."""
    github.app.install(SHOP)
    return GitHub.from_settings(*settings(github, APP_ID=str(APP_ID), APP_KEY=private_key()))


class GitHubStage:
    """See `Stage` and `SignOffStage`."""

    signs_time, group, asks_groups = False, "acme/security", True

    def __init__(self, github: GitHubFake, forge: GitHub, *, app: bool) -> None:
        self.github, self.forge, self.app, self.repository = github, forge, app, SHOP
        self.receiver = GitHubReceiver((CURRENT, PREVIOUS))
        self.us = github.app.user if app else (BOT, BOT_ID)
        github.repository(SHOP).branches["main"] = BASE

    def open_pull(self, number: int, *, head: str = "a" * 40, base: str = "main", draft: bool = False, fork: bool = False) -> None:
        made = Pull(number, base=base, head_sha=head, draft=draft, head_repository="someone/shop" if fork else "", author=_user(ALICE))
        self.github.repository(SHOP).pulls[number] = made

    def close_pull(self, number: int) -> None:
        pulls = self.github.repository(SHOP).pulls
        pulls[number] = replace(pulls[number], state="closed")

    def set_branch(self, name: str, commit: str) -> None:
        self.github.repository(SHOP).branches[name] = commit

    def say(self, number: int, author: Account | None, body: str) -> str:
        return str(self.github.add_comment(SHOP, number, self.us if author is None else _user(author), body).number)

    def remarks(self, number: int) -> list[Remark]:
        return [Remark(comment.author == self.us, comment.body) for comment in self.github.comments(SHOP, number)]

    def reactions(self, number: int, comment: str) -> list[str]:
        (found,) = (each for each in self.github.comments(SHOP, number) if str(each.number) == comment)
        return [content for user, content in found.reactions if user == self.us]

    def checks(self, commit: str) -> list[Shown]:
        runs = [(run.state, run.output["title"], run.values.get("details_url")) for run in self.github.checks(SHOP, commit)]
        last = {
            status["context"]: (status["state"], status["description"], status["target_url"])
            for status in self.github.repository(SHOP).statuses
            if status["url"].endswith(commit)
        }
        return [Shown(_SHOWN.get(state, "failed"), line, url or "") for state, line, url in (*runs, *last.values())]

    def commit(self, number: int, author: Account | str, committer: Account | str | None = None, message: str = "A change") -> None:
        pull = self.github.repository(SHOP).pulls[number]
        pull.head_sha = hashlib.sha1(f"{number}/{len(pull.commits)}".encode()).hexdigest()
        pull.commits.append(Commit(pull.head_sha, _signed(author), _signed(committer or author), message))

    def push(self, number: int, account: Account, *, before: str = BASE, kind: str = "push") -> None:
        head = self.github.repository(SHOP).pulls[number].head_sha
        self.github.repository(SHOP).pushes.append(Push("refs/heads/change", before, head, _user(account), kind))

    def make_group(self, *members: Account) -> None:
        self.github.teams[self.group] = [_user(member) for member in members]

    def review(self, number: int, account: Account, approves: bool, commit: str = HEAD) -> None:
        self._review(number, account, "APPROVED" if approves else "CHANGES_REQUESTED", commit)

    def remark(self, number: int, account: Account) -> None:
        self._review(number, account, "COMMENTED", HEAD)

    def dismiss(self, number: int, account: Account) -> None:
        given = [review for review in self.github.repository(SHOP).pulls[number].reviews if review.user == _user(account)]
        given[-1].state = "DISMISSED"

    def asked(self, number: int) -> list[str]:
        return self.github.repository(SHOP).pulls[number].asked

    def label(self, number: int, name: str) -> None:
        self.github.repository(SHOP).pulls[number].labels.append(name)

    def labels(self, number: int) -> set[str]:
        return set(self.github.repository(SHOP).pulls[number].labels)

    def _review(self, number: int, account: Account, state: str, commit: str) -> None:
        reviews = self.github.repository(SHOP).pulls[number].reviews
        reviews.append(Review(1 + len(reviews), _user(account), state, commit))

    def permit(self, account: Account, permission: Permission) -> None:
        self.github.repository(SHOP).permissions[account.name] = (int(account.id), permission.value)

    def fail(
        self, doing: Doing, status: int, *, after: bool = False, times: int | None = 1, headers: Mapping[str, str] = {}, message: str = "No"
    ) -> None:
        when = When.AFTER if after else When.BEFORE
        self.github.inject(Fault(*self._call(doing), status, when, times, headers, message))

    def hang(self, doing: Doing) -> None:
        self.github.inject(Fault(*self._call(doing), gate=Gate()))

    def delivery(
        self,
        happening: Happening,
        *,
        name: str = "delivery-1",
        number: int = 7,
        author: Account = ALICE,
        comment: str = "901",
        text: str = "",
        ref: str = "refs/heads/main",
        secret: Secret = CURRENT,
        now: float = 1_700_000_000.0,
    ) -> Delivery | None:
        if happening is Happening.PRESSED and not self.app:
            return None
        kind, body = payload(SHOP, happening, number=number, author=author, comment=comment, text=text, ref=ref, now=now)
        return signed(kind, body, name=name, secret=secret)

    def _call(self, doing: Doing) -> tuple[str, str]:
        created = "/repos/acme/shop/check-runs" if self.app else "/repos/acme/shop/statuses/.*"
        return {
            Doing.READ_PULL: ("GET", r"/repos/acme/shop/pulls/\d+"),
            Doing.CREATE_COMMENT: ("POST", r"/repos/acme/shop/issues/\d+/comments"),
            Doing.CREATE_CHECK: ("POST", created),
            Doing.READ_COMMITS: ("GET", "/repos/acme/shop/compare/.*"),
            Doing.READ_GROUP: ("GET", "/orgs/acme/teams/security/members"),
            Doing.READ_REVIEWS: ("GET", r"/repos/acme/shop/pulls/\d+/reviews"),
            Doing.LABEL: ("POST", r"/repos/acme/shop/issues/\d+/labels"),
        }[doing]


def _signed(who: Account | str) -> Signed:
    return Signed("Somebody", who) if isinstance(who, str) else Signed(who.name, address(who), _user(who))


def _user(account: Account) -> User:
    return account.name, int(account.id)
