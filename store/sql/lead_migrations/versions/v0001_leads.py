"""Lists, leads, attempts, do-not-call, imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("interaction_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("dialed_us", sa.BigInteger(), nullable=False),
        sa.Column("ringing_us", sa.BigInteger(), nullable=True),
        sa.Column("answered_us", sa.BigInteger(), nullable=True),
        sa.Column("connected_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "attempt_id"),
    )
    op.create_index("attempts_by_lead", "attempts", ["tenant", "lead_id", "dialed_us"], unique=False)
    op.create_index("attempts_by_number", "attempts", ["tenant", "number", "dialed_us"], unique=False)
    op.create_index("attempts_by_time", "attempts", ["tenant", "campaign", "dialed_us", "attempt_id"], unique=False)
    op.create_table(
        "import_changes",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "job_id", "lead_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_jobs",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rejects_bytes", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("released_to", sa.Text(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("touched_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "job_id"),
    )
    op.create_index("import_jobs_by_list", "import_jobs", ["tenant", "list_id", "started_us"], unique=False)
    op.create_table(
        "lead_lists",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "list_id"),
    )
    op.create_table(
        "lead_numbers",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", "lead_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leads",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("consent_us", sa.BigInteger(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Float(precision=53), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("not_before_us", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_number", sa.Text(), nullable=False),
        sa.Column("number_state", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("ready", sa.BigInteger(), nullable=False),
        sa.Column("staged_from", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "lead_id"),
    )
    op.create_index(
        "leads_by_external_id",
        "leads",
        ["tenant", "external_id", "list_id"],
        unique=False,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.create_index("leads_by_state", "leads", ["tenant", "list_id", "state", "ready", "not_before_us"], unique=False)
    op.create_index(
        "leads_in_hand",
        "leads",
        ["tenant", "lead_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('staged', 'dialing')"),
        postgresql_where=sa.text("state IN ('staged', 'dialing')"),
    )
    op.create_index(
        "leads_ready",
        "leads",
        ["tenant", "list_id", "zone", "turn", "rank", "lead_id"],
        unique=False,
        sqlite_where=sa.text("ready = 1"),
        postgresql_where=sa.text("ready = 1"),
    )
    op.create_table(
        "list_zones",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "list_id", "zone"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listed_numbers",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("listed", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "campaign", "number"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("listed_numbers")
    op.drop_table("list_zones")
    op.drop_index(
        "leads_ready", table_name="leads", sqlite_where=sa.text("ready = 1"), postgresql_where=sa.text("ready = 1")
    )
    op.drop_index(
        "leads_in_hand",
        table_name="leads",
        sqlite_where=sa.text("state IN ('staged', 'dialing')"),
        postgresql_where=sa.text("state IN ('staged', 'dialing')"),
    )
    op.drop_index("leads_by_state", table_name="leads")
    op.drop_index(
        "leads_by_external_id",
        table_name="leads",
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.drop_table("leads")
    op.drop_table("lead_numbers")
    op.drop_table("lead_lists")
    op.drop_index("import_jobs_by_list", table_name="import_jobs")
    op.drop_table("import_jobs")
    op.drop_table("import_changes")
    op.drop_index("attempts_by_time", table_name="attempts")
    op.drop_index("attempts_by_number", table_name="attempts")
    op.drop_index("attempts_by_lead", table_name="attempts")
    op.drop_table("attempts")
