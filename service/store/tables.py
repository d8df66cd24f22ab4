"""The tables. What is here and what the migrations make of an empty database are the same; a test compares them.

Times are seconds since 1970 by the database's clock.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


def storable(text: str) -> str:
    """The text with what PostgreSQL or UTF-8 cannot hold (NUL, half a surrogate pair) replaced."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Words(sa.TypeDecorator[str]):
    """Text from anywhere: what cannot be stored is replaced instead of failing a webhook."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text as it is stored."""
        return None if value is None else storable(value)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, Words, primary_key=True)


def _words(name: str) -> sa.Column[Any]:
    return sa.Column(name, Words, nullable=False)


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=False)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


deliveries = sa.Table(
    "deliveries",
    metadata,
    _key("forge"),
    _key("delivery"),
    _words("kind"),
    _words("action"),
    _words("repository"),
    _time("received"),
    sa.Index("deliveries_by_age", "received"),
)

# How many reviews were asked for, by subject. The row is what makes a generation unique: who raises it holds it until the commit.
subjects = sa.Table("subjects", metadata, _key("forge"), _key("repository"), _key("subject"), _count("generation"))

# A review is also the outbox's row: it is written in the same transaction as the delivery that asks for it, and handed to the job
# engine afterwards, so a process that dies in between loses nothing.
reviews = sa.Table(
    "reviews",
    metadata,
    _key("id"),
    _words("forge"),
    _words("repository"),
    _words("subject"),
    sa.Column("number", sa.BigInteger),
    _count("generation"),
    _words("cause"),
    sa.Column("dispatched", sa.Boolean, nullable=False),
    _words("state"),
    _words("reason"),
    sa.Column("head_sha", Words),
    sa.Column("base_sha", Words),
    sa.Column("digest", Words),
    sa.Column("complete", sa.Boolean),
    sa.Column("headline", Words),
    sa.Column("report", Words),
    sa.Column("text", Words),
    _count("starts"),
    _count("takeovers"),
    _time("created"),
    _time("updated"),
    sa.UniqueConstraint("forge", "repository", "subject", "generation", name="reviews_of_a_subject"),
    sa.Index("reviews_by_age", "created", "id"),
    sa.Index("reviews_of_a_pull_request", "forge", "repository", "number", "created", "id"),
    sa.Index("reviews_by_state", "state", "updated"),
    sa.Index("reviews_by_report", "report"),
    sa.Index("reviews_by_text", "text"),
)
sa.Index(
    "reviews_to_dispatch",
    reviews.c.created,
    sqlite_where=reviews.c.dispatched.is_(False),
    postgresql_where=reviews.c.dispatched.is_(False),
)

pulls = sa.Table(
    "pulls",
    metadata,
    _key("forge"),
    _key("repository"),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("draft", sa.Boolean, nullable=False),
    _words("base_ref"),
    _words("base_sha"),
    _words("head_ref"),
    _words("head_sha"),
    sa.Column("fork", sa.Boolean, nullable=False),
    _words("author_id"),
    _words("author_name"),
    sa.Column("author_bot", sa.Boolean, nullable=False),
    _time("seen"),
)

# Branches that moved and whose pull requests are to be reviewed again at `due`. `delivery` is the last that said so.
moves = sa.Table("moves", metadata, _key("forge"), _key("repository"), _key("ref"), _words("delivery"), _time("first"), _time("due"))

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _words("forge"),
    _words("repository"),
    sa.Column("number", sa.BigInteger, nullable=False),
    _words("comment"),
    _words("author_id"),
    _words("author_name"),
    sa.Column("author_bot", sa.Boolean, nullable=False),
    _words("text"),
    _time("due"),
    _time("received"),
    sa.Column("outcome", Words),
    sa.UniqueConstraint("forge", "repository", "comment", name="commands_by_comment"),
)
sa.Index(
    "commands_to_do",
    commands.c.due,
    sqlite_where=commands.c.outcome.is_(None),
    postgresql_where=commands.c.outcome.is_(None),
)

contents = sa.Table(
    "contents",
    metadata,
    _key("address"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _time("kept"),
    sa.Index("contents_by_age", "kept"),
)

# The newest snapshot of each cluster; `taken` is when it says that it was taken, `cluster` is empty for what names none.
inventories = sa.Table(
    "inventories",
    metadata,
    _key("forge"),
    _key("repository"),
    _key("cluster"),
    _words("content"),
    _count("objects"),
    sa.Column("taken", sa.Double),
    _time("uploaded"),
    sa.Index("inventories_by_content", "content"),
)

leases = sa.Table("leases", metadata, _key("executor"), _time("until"), sa.Column("claimed_by", Words))

tokens = sa.Table(
    "tokens",
    metadata,
    _key("id"),
    sa.Column("digest", Words, nullable=False, unique=True),
    _words("name"),
    _words("scopes"),
    _time("created"),
    sa.Column("expires", sa.Double),
    sa.Column("revoked", sa.Double),
    sa.Column("used", sa.Double),
    sa.Column("account", sa.Text),
)

# Questions of the API that are answered later. `status`, `reason` and `detail` are those of the problem that ended one.
questions = sa.Table(
    "questions",
    metadata,
    _key("id"),
    _words("kind"),
    _words("state"),
    _count("status"),
    _words("reason"),
    _words("detail"),
    _words("type"),
    sa.Column("result", Words),
    _time("created"),
    _time("updated"),
    _time("until"),
    sa.Index("questions_by_age", "updated"),
    sa.Index("questions_by_result", "result"),
)

# Appended to and never changed; each row holds the hash of the one before.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    _words("kind"),
    _words("forge"),
    _words("repository"),
    sa.Column("pull", sa.BigInteger),
    _time("created"),
    sa.Index("audit_of_a_pull_request", "forge", "repository", "pull", "number"),
)

# What the log refers to and retention must leave alone.
audit_contents = sa.Table(
    "audit_contents",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _key("address"),
    sa.Index("audit_contents_by_address", "address"),
)
