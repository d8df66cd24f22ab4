"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of an empty database."""
    _webhooks()
    _reviews()
    _pull_requests()
    _work()
    _access()


def _text(*names: str, key: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=key, nullable=False) for name in names]


def _times(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Double, nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _optional(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _webhooks() -> None:
    op.create_table("deliveries", *_text("forge", "delivery", key=True), *_text("kind", "action", "repository"), *_times("received"))
    op.create_index("deliveries_by_age", "deliveries", ["received"])
    op.create_table("moves", *_text("forge", "repository", "ref", key=True), *_text("delivery"), *_times("first", "due"))
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, primary_key=True),
        *_text("forge", "repository"),
        sa.Column("number", sa.BigInteger, nullable=False),
        *_text("comment", "author_id", "author_name"),
        *_flags("author_bot"),
        *_text("text"),
        *_times("due", "received"),
        *_optional("outcome"),
        sa.UniqueConstraint("forge", "repository", "comment", name="commands_by_comment"),
    )
    undone = sa.text("outcome IS NULL")
    op.create_index("commands_to_do", "commands", ["due"], sqlite_where=undone, postgresql_where=undone)


def _reviews() -> None:
    op.create_table("subjects", *_text("forge", "repository", "subject", key=True), *_counts("generation"))
    op.create_table(
        "reviews",
        *_text("id", key=True),
        *_text("forge", "repository", "subject"),
        sa.Column("number", sa.BigInteger),
        *_counts("generation"),
        *_text("cause"),
        *_flags("dispatched"),
        *_text("state", "reason"),
        *_optional("head_sha", "base_sha", "digest"),
        sa.Column("complete", sa.Boolean),
        *_optional("headline", "report", "text"),
        *_counts("starts", "takeovers"),
        *_times("created", "updated"),
        sa.UniqueConstraint("forge", "repository", "subject", "generation", name="reviews_of_a_subject"),
    )
    op.create_index("reviews_by_age", "reviews", ["created", "id"])
    op.create_index("reviews_of_a_pull_request", "reviews", ["forge", "repository", "number", "created", "id"])
    op.create_index("reviews_by_state", "reviews", ["state", "updated"])
    op.create_index("reviews_by_report", "reviews", ["report"])
    op.create_index("reviews_by_text", "reviews", ["text"])
    op.create_index(
        "reviews_to_dispatch",
        "reviews",
        ["created"],
        sqlite_where=sa.text("dispatched IS 0"),
        postgresql_where=sa.text("dispatched IS false"),
    )


def _pull_requests() -> None:
    op.create_table(
        "pulls",
        *_text("forge", "repository", key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *_flags("open", "draft"),
        *_text("base_ref", "base_sha", "head_ref", "head_sha"),
        *_flags("fork"),
        *_text("author_id", "author_name"),
        *_flags("author_bot"),
        *_times("seen"),
    )


def _work() -> None:
    op.create_table("leases", *_text("executor", key=True), *_times("until"), *_optional("claimed_by"))
    op.create_table("contents", *_text("address", key=True), sa.Column("body", sa.LargeBinary, nullable=False), *_times("kept"))
    op.create_index("contents_by_age", "contents", ["kept"])


def _access() -> None:
    op.create_table(
        "tokens",
        *_text("id", key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        *_text("name", "scopes"),
        *_times("created"),
        sa.Column("expires", sa.Double),
        sa.Column("revoked", sa.Double),
    )
