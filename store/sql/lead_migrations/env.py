"""Called by Alembic with the connection that `Database.upgrade` holds."""

from __future__ import annotations

from alembic import context

from store.sql.lead_models import LeadBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=LeadBase.metadata,
    version_table=context.config.attributes["version_table"],
    # SQLite alters a table by copying it.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
