"""What a detector took for who answered an attempt, and when her greeting ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("verdict", "evidence"):
        op.add_column("attempts", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("greeted_us", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("greeted_us", "evidence", "verdict"):
        op.drop_column("attempts", name)
