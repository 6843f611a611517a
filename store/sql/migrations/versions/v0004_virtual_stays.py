"""How much of a stay was waited away from the phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("virtual", "virtual_us"):
        op.add_column("queue_stays", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
