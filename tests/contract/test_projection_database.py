"""The tables are made by migrations, alike in both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from store.errors import DatabaseUnusable
from store.sql.account_models import AccountBase
from store.sql.database import Database, upgrade
from store.sql.models import Base


def _differences(connection: Connection) -> list[object]:
    both: Any = [Base.metadata, AccountBase.metadata]
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), both))


async def test_the_migrations_lead_to_the_models(database: Database) -> None:
    await database.check()
    async with database.begin() as connection:
        assert await connection.run_sync(_differences) == []


async def test_upgrading_again_and_by_several_at_once_does_no_harm(url: str) -> None:
    databases = [Database(url) for _ in range(3)]
    await asyncio.gather(*(each.upgrade() for each in databases))
    await databases[0].upgrade()
    await databases[0].check()
    for each in databases:
        await each.close()


def test_a_caller_without_a_loop_can_upgrade(url: str) -> None:
    upgrade(url)
    upgrade(url)


async def test_tables_that_lag_are_refused_with_the_remedy(url: str) -> None:
    database = Database(url)
    with pytest.raises(DatabaseUnusable, match="at nothing, this release needs 0005: upgrade them first"):
        await database.check()
    await database.upgrade()
    async with database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(DatabaseUnusable, match="at later"):
        await database.check()
    await database.close()


@pytest.mark.parametrize("wrong", ["mysql://h/db", "", "no url", "http://example.org"])
def test_a_url_of_no_database_we_know_says_what_to_write(wrong: str) -> None:
    with pytest.raises(DatabaseUnusable, match="write sqlite:"):
        Database(wrong)


def test_a_password_is_not_shown_in_the_error() -> None:
    with pytest.raises(DatabaseUnusable) as raised:
        Database("mysql://user:secret@h/db")
    assert "secret" not in str(raised.value)


async def test_sqlite_readers_do_not_wait_for_the_projector(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/c.db")
    await database.upgrade()
    async with database.begin() as writing:
        await writing.execute(text("INSERT INTO projection_state VALUES ('x', 1)"))
        # Who waited for a writer that waits for her would be told that the file is locked.
        async with asyncio.timeout(60), database.begin() as reading:
            assert (await reading.execute(text("SELECT count(*) FROM projection_state"))).scalar_one() == 0
    await database.close()
