"""The tables of leads are made by migrations, alike in both databases, beside those of the projection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from core.errors import StoreUnavailable
from store.sql.database import LEADS, Database
from store.sql.lead_models import LeadBase
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import NOW_S, attempt, lead, save, staging
from tests.postgres_fixture import PostgresServer


def _differences(connection: Connection) -> list[object]:
    return list(
        compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), LeadBase.metadata)
    )


def _to_second(leads: Database, connection: Connection) -> None:
    config = leads._config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0002")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_migrations_lead_to_the_models(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/dialer.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database("lead_migrations")
    leads = Database(url, LEADS)
    await leads.upgrade()
    await leads.upgrade()
    await leads.check()
    async with leads.begin() as connection:
        assert [each for each in await connection.run_sync(_differences) if "lead_version" not in str(each)] == []
    await leads.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_was_kept_before_a_migration_is_there_after_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/dialer.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database("lead_migrated")
    leads, store = Database(url, LEADS), SqlLeadStore(Database(url, LEADS))
    await leads.upgrade()
    ana = lead("ana")
    await store.save([save(ana), save(attempt("a", "ana", ana.numbers[0].number, NOW_S))])
    async with leads.begin() as connection:
        await connection.run_sync(partial(_to_second, leads))
    await leads.upgrade()
    kept = await store.lead("main", "ana", 0.0)
    assert kept is not None
    assert (kept.record, kept.history[0].answers, kept.history[0].script) == (ana, {}, "")
    await store.close()
    await leads.close()


async def test_the_projection_lives_in_the_same_database(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("both_tables")
    for database in (Database(url, LEADS), Database(url), Database(url, LEADS)):
        await database.upgrade()
        await database.check()
        await database.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/dialer.db", "postgresql://nobody@127.0.0.1:1/none"])
async def test_a_database_that_is_away_is_said_in_the_ports_words(url: str) -> None:
    store = SqlLeadStore(Database(url, LEADS))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await store.stage(staging())
    with pytest.raises(StoreUnavailable):
        [each async for each in store.listed()]
    await store.close()
