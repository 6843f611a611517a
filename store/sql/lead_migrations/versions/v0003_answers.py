"""What agents filled into a campaign's form, and what people promised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("answers", sa.Text(), nullable=False, server_default=""))
    op.add_column("leads", sa.Column("promise", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("leads", "promise")
    op.drop_column("attempts", "answers")
