"""A forge that is a few dictionaries: for tests of what is decided, where the tests of the forges have shown how it is said over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from service.forges import Connected
from service.forges.port import (
    Account,
    Check,
    Command,
    Contributors,
    Credential,
    ForgeError,
    GivenReview,
    Permission,
    PullRequest,
    Reaction,
    Receiver,
)
from service.settings import Settings

MAIN = "refs/heads/main"
ALICE, BOB, ROBOT = Account("501", "alice"), Account("502", "bob"), Account("503", "robot[bot]", bot=True)


@dataclass
class ForgeInMemory:
    """Keeps pull requests of repositories and the tips of their branches, who had a hand in them and what is thought of them; `down` makes
    every question fail, `broken` those for the pull requests of some repositories. `questions` counts all of them.
    `asked` and `labels` are what was asked for and set, by the number of the pull request."""

    comment_limit: int = 65_536
    pulls: dict[tuple[str, int], PullRequest] = field(default_factory=dict)
    tips: dict[tuple[str, str], str] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    answers: list[tuple[str, Reaction, str]] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    hands: Contributors = field(default_factory=Contributors)
    groups: dict[str, set[str]] = field(default_factory=dict)
    opinions: list[GivenReview] = field(default_factory=list)
    asked: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    labels: dict[int, set[str]] = field(default_factory=dict)
    down: ForgeError | None = None
    broken: set[str] = field(default_factory=set)
    questions: int = 0

    def open(self, number: int, head: str, *, repository: str = "acme/shop", base: str = MAIN, draft: bool = False) -> PullRequest:
        """Open a pull request of ALICE, or change it."""
        pull = PullRequest(repository, number, True, draft, base, f"refs/pull/{number}/head", head, False, ALICE)
        self.pulls[repository, number] = pull
        return pull

    def close(self, number: int, repository: str = "acme/shop") -> None:
        """Close it."""
        self.pulls[repository, number] = replace(self.pulls[repository, number], open=False)

    def credential(self, repository: str) -> Credential | None:
        return None

    def pull_request(self, repository: str, number: int) -> PullRequest:
        self._asked()
        if (repository, number) not in self.pulls:
            raise ForgeError("no such pull request", retry=False)
        return self.pulls[repository, number]

    def open_pull_requests(self, repository: str) -> Iterator[PullRequest]:
        self._asked()
        self.listed.append(repository)
        if repository in self.broken:
            raise ForgeError("broken", retry=True)
        yield from (pull for (name, _), pull in self.pulls.items() if name == repository and pull.open)

    def tip(self, repository: str, ref: str) -> str:
        self._asked()
        if (repository, ref) not in self.tips:
            raise ForgeError("no such branch", retry=False)
        return self.tips[repository, ref]

    def clone_url(self, repository: str) -> str:
        return f"https://forge.invalid/{repository}.git"

    def source_url(self, repository: str) -> str:
        return ""

    def refs_near(self, repository: str, commit: str) -> Iterator[str]:
        return iter(())

    def put_check(self, repository: str, check: Check) -> None:
        raise AssertionError("no check was expected")

    def put_comment(self, repository: str, number: int, body: str) -> None:
        raise AssertionError("no comment was expected")

    def permission(self, repository: str, account: Account) -> Permission:
        self._asked()
        return self.permissions.get(account.id, Permission.READ)

    def answer(self, repository: str, command: Command, reaction: Reaction, reply: str = "") -> None:
        self._asked()
        said = (command.comment, reaction, reply)
        if said not in self.answers:  # as every forge does: a second call changes nothing
            self.answers.append(said)

    def contributors(self, repository: str, number: int) -> Contributors:
        self._asked()
        return self.hands

    def members(self, repository: str, group: str, accounts: Collection[Account]) -> frozenset[str]:
        self._asked()
        if group not in self.groups:
            raise ForgeError(f"the forge shows no group {group}", retry=False)
        return frozenset(account.id for account in accounts if account.id in self.groups[group])

    def reviews(self, repository: str, number: int) -> tuple[GivenReview, ...]:
        self._asked()
        return tuple(self.opinions)

    def request_review(self, repository: str, number: int, groups: Collection[str]) -> None:
        self._asked()
        self.asked.append((number, tuple(groups)))

    def put_labels(self, repository: str, number: int, present: Collection[str], absent: Collection[str]) -> None:
        self._asked()
        self.labels[number] = (self.labels.get(number, set()) | set(present)) - set(absent)

    def _asked(self) -> None:
        self.questions += 1
        if self.down is not None:
            raise self.down


class Deaf:
    """A receiver of no delivery."""

    def receive(self, headers: object, body: bytes, now: float) -> object:
        raise AssertionError("no delivery was expected")


def connected(settings: Settings, forge: ForgeInMemory) -> dict[str, Connected]:
    """The first forge of the settings, played by `forge`."""
    known = settings.forges[0]
    receiver: Receiver = Deaf()  # type: ignore[assignment]
    return {known.name: Connected(known, forge, receiver)}


def environment(folder: str, **more: str) -> dict[str, str]:
    """Settings of a service that serves acme/shop and all of corp."""
    known = {
        "DATA_DIR": folder,
        "GITHUB_REPOSITORIES": "acme/shop, corp/*",
        "GITHUB_TOKEN": "token-1",
        "GITHUB_WEBHOOK_SECRET": "secret-1",
        "DEBOUNCE": "0",
        "LEASE": "0.2",
    }
    return {f"FLOWDELTA_{name}": value for name, value in (known | more).items()}
