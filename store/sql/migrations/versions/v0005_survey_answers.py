"""Answers to surveys. The journal is read once more from its beginning, so that those of earlier calls are there too:
what is in the other tables comes out the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey_answers",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("visit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant", "survey", "kind", "flow", "node")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("language", "queue", "agent_id")),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("answered_us", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("interaction_id", "visit", "question"),
    )
    op.create_index("survey_answers_by_time", "survey_answers", ["tenant", "at_us"], unique=False)
    op.create_index("survey_answers_by_agent", "survey_answers", ["tenant", "agent_id", "at_us"], unique=False)
    op.execute("DELETE FROM projection_state")
