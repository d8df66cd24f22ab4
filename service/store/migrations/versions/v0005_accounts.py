"""Tokens that speak for an account of a forge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add whom a token speaks for."""
    op.add_column("tokens", sa.Column("account", sa.Text))
