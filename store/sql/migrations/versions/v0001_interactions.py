"""Interactions, legs, segments, node visits, recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interactions",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("contact_key_id", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("flow_version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("erased_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("interaction_id"),
    )
    op.create_index("interactions_by_contact", "interactions", ["contact_key_id"], unique=False)
    op.create_index("interactions_by_time", "interactions", ["tenant", "opened_us"], unique=False)
    op.create_table(
        "legs",
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_us", sa.BigInteger(), nullable=False),
        sa.Column("up_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("cause", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("leg_id"),
    )
    op.create_index("legs_by_interaction", "legs", ["interaction_id"], unique=False)
    op.create_index("legs_by_time", "legs", ["tenant", "joined_us"], unique=False)
    op.create_table(
        "node_visits",
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("visit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("flow_version", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("entered_us", sa.BigInteger(), nullable=False),
        sa.Column("left_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("interaction_id", "visit"),
    )
    op.create_index("node_visits_by_flow", "node_visits", ["tenant", "flow", "entered_us"], unique=False)
    op.create_table(
        "projection_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "recordings",
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("duration_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("recording_id"),
    )
    op.create_index("recordings_by_interaction", "recordings", ["interaction_id"], unique=False)
    op.create_index("recordings_by_mailbox", "recordings", ["tenant", "mailbox", "started_us"], unique=False)
    op.create_table(
        "segments",
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("segment_id"),
    )
    op.create_index("segments_by_interaction", "segments", ["interaction_id"], unique=False)
    op.create_index("segments_by_time", "segments", ["tenant", "kind", "started_us"], unique=False)


def downgrade() -> None:
    op.drop_index("segments_by_time", table_name="segments")
    op.drop_index("segments_by_interaction", table_name="segments")
    op.drop_table("segments")
    op.drop_index("recordings_by_mailbox", table_name="recordings")
    op.drop_index("recordings_by_interaction", table_name="recordings")
    op.drop_table("recordings")
    op.drop_table("projection_state")
    op.drop_index("node_visits_by_flow", table_name="node_visits")
    op.drop_table("node_visits")
    op.drop_index("legs_by_time", table_name="legs")
    op.drop_index("legs_by_interaction", table_name="legs")
    op.drop_table("legs")
    op.drop_index("interactions_by_time", table_name="interactions")
    op.drop_index("interactions_by_contact", table_name="interactions")
    op.drop_table("interactions")
