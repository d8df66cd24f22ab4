"""Inventories of clusters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "inventories",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("forge", "repository", "cluster")),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("objects", sa.Integer, nullable=False),
        sa.Column("taken", sa.Double),
        sa.Column("uploaded", sa.Double, nullable=False),
    )
    op.create_index("inventories_by_content", "inventories", ["content"])
