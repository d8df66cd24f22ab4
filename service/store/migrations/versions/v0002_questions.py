"""Questions that the API answers later, and when a token was last used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "questions",
        *(
            sa.Column(name, sa.Text, primary_key=name == "id", nullable=False)
            for name in ("id", "kind", "state", "reason", "detail", "type")
        ),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("result", sa.Text),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("created", "updated", "until")),
    )
    op.create_index("questions_by_age", "questions", ["updated"])
    op.create_index("questions_by_result", "questions", ["result"])
    op.add_column("tokens", sa.Column("used", sa.Double))
