"""The SQL database: SQLite in the state directory, or PostgreSQL, by one URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import stamina
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from store.errors import DatabaseUnusable
from store.sql.sqlite_threads import connected

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_LOCKED_S = 2.0
_SHARED_S = 10.0
"""So long SQLite waits for another's transaction: for tables that one process writes, and for those that several do."""
_ANSWERS_WITHIN_S = 30.0
"""PostgreSQL; whoever asked may then ask again."""
_UPGRADE_LOCK = 0x43745631


@dataclass(frozen=True, slots=True)
class Tables:
    """One set of tables with migrations of its own; several may live in one database. `migrations`: the package of
    their Alembic scripts. `version_table`: where the database keeps which of them it has. `durable`: what is committed
    outlives a power failure; what can be projected again need not."""

    migrations: str
    version_table: str
    durable: bool = False


PROJECTION = Tables("store.sql:migrations", "alembic_version")
"""What the journal projects, and the accounts."""
LEADS = Tables("store.sql:lead_migrations", "lead_version", durable=True)
"""Lists, leads, attempts, do-not-call."""


class Database:
    """`sqlite:////var/lib/centralita/centralita.db` or `postgresql://user:secret@host/centralita`.

    Nothing is connected until it is needed; every connection may raise SQLAlchemy's `OperationalError`.

    Raises:
        DatabaseUnusable: the URL names neither.
    """

    def __init__(self, url: str, tables: Tables = PROJECTION) -> None:
        self._tables = tables
        try:
            parsed = make_url(url)
        except ArgumentError:
            parsed = None
        driver = _DRIVERS.get(parsed.drivername.split("+")[0]) if parsed is not None else None
        if parsed is None or driver is None:
            raise DatabaseUnusable(
                f"{url.split(':')[0]}:… is no database we know: write sqlite:////path/to/file.db or postgresql://user@host/name"
            )
        self.kind = driver.split("+")[0]
        if self.kind == "sqlite":
            self._engine = create_async_engine(
                parsed.set(drivername=driver),
                connect_args={"timeout": _SHARED_S if tables.durable else _LOCKED_S, "async_creator_fn": connected},
            )
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            if tables.durable:
                event.listen(self._engine.sync_engine, "connect", _sync_sqlite)
        else:
            self._engine = create_async_engine(
                parsed.set(drivername=driver),
                pool_size=4,
                pool_pre_ping=True,
                connect_args={"timeout": 5.0, "command_timeout": _ANSWERS_WITHIN_S},
            )

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may look before it writes: nobody else writes to what it looked at (SQLite), or waits."""
        async with self._engine.connect() as connection:
            if self.kind == "sqlite":
                await connection.execute(text("BEGIN IMMEDIATE"))
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """For reading rows as objects; they stay usable afterwards."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield session

    async def upgrade(self) -> None:
        """Brings the tables to this release. Several processes may ask at once."""
        if self.kind == "postgresql":
            async with self._engine.begin() as connection:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
                await connection.run_sync(self._upgrade)
            return
        # Changing SQLite's journal mode does not wait for a lock as other statements do.
        async for attempt in stamina.retry_context(OperationalError, attempts=20, wait_max=0.5, timeout=10.0):
            with attempt:
                async with self._engine.connect() as connection:
                    await connection.execute(text("PRAGMA journal_mode = WAL"))
                    # Alembic looks before it writes: take the write lock before it looks.
                    await connection.execute(text("BEGIN IMMEDIATE"))
                    await connection.run_sync(self._upgrade)
                    await connection.commit()

    async def check(self) -> None:
        """Raises DatabaseUnusable: the tables are not those of this release."""
        found = await self.version()
        wanted = ScriptDirectory.from_config(self._config()).get_current_head()
        if found != wanted:
            raise DatabaseUnusable(
                f"the SQL tables are at {found or 'nothing'}, this release needs {wanted}: upgrade them first"
            )

    async def version(self) -> str | None:
        """Of the tables, as they are; None: there are none yet."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(self._version)

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", self._tables.migrations)
        config.attributes["version_table"] = self._tables.version_table
        return config

    def _upgrade(self, connection: Connection) -> None:
        config = self._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    def _version(self, connection: Connection) -> str | None:
        options = {"version_table": self._tables.version_table}
        return MigrationContext.configure(connection, opts=options).get_current_revision()


def upgrade(url: str, tables: Tables = PROJECTION) -> None:
    """Brings the tables of a database to this release; for callers without an event loop."""

    async def run() -> None:
        database = Database(url, tables)
        try:
            await database.upgrade()
        finally:
            await database.close()

    asyncio.run(run())


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _sync_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    # Indexes over a million numbers are written all over: 2 MB of pages, as it comes, would be written again and again.
    cursor.execute("PRAGMA cache_size = -32768")
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.close()
