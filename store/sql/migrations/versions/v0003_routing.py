"""Queue stays, agents' work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queue_stays",
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("in_target", sa.BigInteger(), nullable=False),
        sa.Column("waited_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stay_id"),
    )
    op.create_index("queue_stays_by_interaction", "queue_stays", ["interaction_id"], unique=False)
    op.create_index("queue_stays_by_queue", "queue_stays", ["tenant", "queue", "ended_us"], unique=False)
    op.create_table(
        "agent_work",
        sa.Column("work_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("ring_us", sa.BigInteger(), nullable=False),
        sa.Column("talk_us", sa.BigInteger(), nullable=False),
        sa.Column("hold_us", sa.BigInteger(), nullable=False),
        sa.Column("consult_us", sa.BigInteger(), nullable=False),
        sa.Column("wrap_up_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("work_id"),
    )
    op.create_index("agent_work_by_agent", "agent_work", ["tenant", "agent_id", "ended_us"], unique=False)
    op.create_index("agent_work_by_interaction", "agent_work", ["interaction_id"], unique=False)
    op.create_index("agent_work_by_queue", "agent_work", ["tenant", "queue", "ended_us"], unique=False)
