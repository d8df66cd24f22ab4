"""What one review is about: the commit that gets the check, and the two sides that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.analysis.job import GitComparison, GitSide, Merging
from service.checkout.mirror import Mirrors
from service.forges.port import Account, Forge, PullRequest, Queued


@dataclass(frozen=True, slots=True)
class Target:
    """`head_ref` must still be at `sha` when it is fetched. The base is the tip of `base_ref`, or `base_sha` where the forge fixed it;
    `number` and `ref` are what a check says of itself."""

    repository: str
    sha: str
    head_ref: str
    base_ref: str
    base_sha: str
    merging: Merging
    number: str

    @property
    def refs(self) -> tuple[str, ...]:
        """What is fetched."""
        return (self.base_ref, self.head_ref) if self.base_ref else (self.head_ref,)

    @property
    def base_label(self) -> str:
        """What people call the base."""
        return self.base_ref.removeprefix("refs/heads/") if self.base_ref else self.base_sha[:12]

    def base(self, commits: Mapping[str, str]) -> str:
        """The commit of the base, of what was fetched."""
        return commits[self.base_ref] if self.base_ref else self.base_sha


def of_pull(pull: PullRequest) -> Target:
    """What merging a pull request would do to the tip of its base branch."""
    return Target(pull.repository, pull.head_sha, pull.head_ref, pull.base_ref, "", Merging.PREFERRED, str(pull.number))


def of_queue(repository: str, queued: Queued) -> Target:
    """What a commit of a merge queue does to the commit that it was made on: the queue has merged already."""
    return Target(repository, queued.head_sha, queued.head_ref, "", queued.base_sha, Merging.NO, "")


def compared(target: Target, base: str, forge: Forge, mirrors: Mirrors, subdir: str) -> GitComparison:
    """What is analysed: the commit `base` against the target, below `subdir` of the repository. It must have been fetched."""
    return GitComparison(
        base=GitSide(target.base_label, base, subdir),
        head=GitSide(target.head_ref, target.sha, subdir),
        root=str(mirrors.root),
        url=forge.clone_url(target.repository),
        allow_file=mirrors.allow_file,
        merging=target.merging,
        source_url=forge.source_url(target.repository),
    )


def pull_from_json(value: Mapping[str, Any]) -> PullRequest:
    """The pull request that `dataclasses.asdict` took apart."""
    return PullRequest(**{**value, "author": Account(**value["author"])})
