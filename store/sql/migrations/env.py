"""Called by Alembic with the connection that `Database.upgrade` holds."""

from __future__ import annotations

from alembic import context

from store.sql.account_models import AccountBase
from store.sql.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[Base.metadata, AccountBase.metadata],
    # SQLite alters a table by copying it.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
