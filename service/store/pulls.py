"""Pull requests: what the forge last said of each."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.forges.port import Account, PullRequest
from service.store.part import Part
from service.store.records import KnownPull
from service.store.tables import pulls, subjects


class Pulls(Part):
    """Remembers pull requests, so that a branch that moves finds those towards it."""

    def saw(self, forge: str, pull: PullRequest, base_sha: str) -> None:
        """Note what the forge says of a pull request now, and the tip of its base branch."""
        key = {"forge": forge, "repository": pull.repository, "number": pull.number}
        said = {**_said(pull), "base_sha": base_sha, "seen": self._database.now()}
        upsert = self._database.insert(pulls).values({**key, **said})
        with self._database.writing() as connection:
            connection.execute(upsert.on_conflict_do_update(index_elements=list(pulls.primary_key), set_=said))

    def pulls(self, forge: str, repository: str, base_ref: str | None = None) -> list[KnownPull]:
        """The open pull requests of a repository, or those towards one branch (a full ref), by number."""
        query = sa.select(pulls).where(pulls.c.forge == forge, pulls.c.repository == repository, pulls.c.open)
        if base_ref is not None:
            query = query.where(pulls.c.base_ref == base_ref)
        with self._database.reading() as connection:
            return [_known(row._mapping) for row in connection.execute(query.order_by(pulls.c.number))]

    def repositories(self, forge: str) -> list[str]:
        """The repositories that a review was asked for or a pull request seen of, sorted."""
        seen = sa.union(*(sa.select(table.c.repository).where(table.c.forge == forge) for table in (pulls, subjects)))
        with self._database.reading() as connection:
            return sorted(connection.execute(seen).scalars())


def _said(pull: PullRequest) -> dict[str, Any]:
    refs = {"base_ref": pull.base_ref, "head_ref": pull.head_ref, "head_sha": pull.head_sha}
    author = {"author_id": pull.author.id, "author_name": pull.author.name, "author_bot": pull.author.bot}
    return {**refs, **author, "open": pull.open, "draft": pull.draft, "fork": pull.fork}


def _known(row: Any) -> KnownPull:
    names = ("repository", "number", "open", "draft", "base_ref", "head_ref", "head_sha", "fork")
    author = Account(row["author_id"], row["author_name"], row["author_bot"])
    return KnownPull(row["forge"], PullRequest(**{name: row[name] for name in names}, author=author), row["base_sha"], row["seen"])
