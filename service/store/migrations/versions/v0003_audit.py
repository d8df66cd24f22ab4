"""The audit log of sign-off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the log and what it refers to."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("previous", "entry", "hash", "kind", "forge", "repository")),
        sa.Column("pull", sa.BigInteger),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_index("audit_of_a_pull_request", "audit", ["forge", "repository", "pull", "number"])
    op.create_table(
        "audit_contents",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("address", sa.Text, primary_key=True, nullable=False),
    )
    op.create_index("audit_contents_by_address", "audit_contents", ["address"])
