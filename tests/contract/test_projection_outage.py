"""The SQL database is locked, or gone for a while: calls go on, the lag is visible, nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import store.sql.projector as projector_module
from store.sql.database import Database
from store.sql.projector import Projector
from tests.contract.projection_stage import Diary, contents, many_calls
from tests.postgres_fixture import PostgresServer, find_binaries


@asynccontextmanager
async def running(projector: Projector) -> AsyncIterator[None]:
    task = asyncio.ensure_future(projector.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool], seconds: float = 50.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "_RETRY_S", (0.1,))
    monkeypatch.setattr(projector_module, "IDLE_S", 0.02)


async def _compare_with_a_fresh_copy(diary: Diary, database: Database, tmp_path: Path) -> None:
    copy = Database(f"sqlite:///{tmp_path}/copy.db")
    await copy.upgrade()
    await Projector(diary.reader, copy, pytest.fail).catch_up()
    assert await contents(database) == await contents(copy)
    await copy.close()


async def test_postgresql_gone_for_a_while(diary: Diary, tmp_path: Path) -> None:
    binaries = find_binaries()
    if binaries is None:
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgresServer(binaries)
    errors: list[str] = []
    entries = many_calls(200)
    try:
        server.start()
        database = Database(server.create_database("outage"))
        await database.upgrade()
        projector = Projector(diary.reader, database, errors.append)
        async with running(projector):
            await diary.write(*(next(entries) for _ in range(300)))
            await until(lambda: projector.seq == 300)
            for round_ in (1, 2):
                await asyncio.to_thread(server.stop)
                await diary.write(*(next(entries) for _ in range(300)))
                assert diary.journal.healthy
                await until(lambda: projector.lag_events == 300 and bool(projector.failing))
                await asyncio.sleep(1.0)
                await diary.write(next(entries))
                await until(lambda: projector.lag_events == 301)
                await asyncio.to_thread(server.start)
                await until(lambda: projector.lag_events == 0 and not projector.failing)
                assert len(errors) == 2 * round_
            await diary.write(*entries)
            await until(lambda: projector.seq == diary.journal.last_seq)
        assert "Calls go on, nothing is lost" in errors[0]
        assert "answers again" in errors[1]
        await _compare_with_a_fresh_copy(diary, database, tmp_path)
        await database.close()
    finally:
        server.remove()


async def test_postgresql_stalled(
    diary: Diary, tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its connections and answers nothing: that takes long at first, then it is given up and tried again."""
    errors: list[str] = []
    url = postgres_server.create_database("stalled")
    database = Database(url)
    await database.upgrade()
    monkeypatch.setattr("store.sql.database._ANSWERS_WITHIN_S", 3.0)
    impatient = Database(url)
    projector = Projector(diary.reader, impatient, errors.append)

    async def lag() -> int:
        await projector.measure()
        return projector.lag_events

    async with running(projector):
        await diary.write(*many_calls(20, seed=1))
        await until(lambda: projector.seq == diary.journal.last_seq)
        before = diary.journal.last_seq
        with postgres_server.stalled():
            await diary.write(*many_calls(20, seed=2))
            assert diary.journal.healthy
            assert await lag() == diary.journal.last_seq - before, "told while the database still keeps us waiting"
            await until(lambda: bool(projector.failing))
            await diary.write(*many_calls(20, seed=3))
            assert await lag() == diary.journal.last_seq - before
        await until(lambda: projector.seq == diary.journal.last_seq and not projector.failing)
    await impatient.close()
    assert "Calls go on, nothing is lost" in errors[0]
    assert "answers again" in errors[1]
    await _compare_with_a_fresh_copy(diary, database, tmp_path)
    await database.close()


async def test_a_database_that_is_not_there_yet_is_waited_for(diary: Diary, tmp_path: Path) -> None:
    errors: list[str] = []
    database = Database(f"sqlite:///{tmp_path}/late.db")
    projector = Projector(diary.reader, database, errors.append)
    async with running(projector):
        await diary.write(*many_calls(5))
        await until(lambda: projector.lag_events == diary.journal.last_seq and bool(projector.failing))
        await database.upgrade()
        await until(lambda: projector.lag_events == 0 and not projector.failing)
    await database.close()


async def test_sqlite_locked_for_a_while(diary: Diary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.sql.database._LOCKED_S", 0.1)
    errors: list[str] = []
    database = Database(f"sqlite:///{tmp_path}/locked.db")
    await database.upgrade()
    projector = Projector(diary.reader, database, errors.append)
    async with running(projector):
        await diary.write(*many_calls(20, seed=1))
        await until(lambda: projector.seq == diary.journal.last_seq)
        rogue = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
        rogue.execute("BEGIN EXCLUSIVE")
        before = diary.journal.last_seq
        await diary.write(*many_calls(20, seed=2))
        await until(lambda: projector.lag_events == diary.journal.last_seq - before and bool(projector.failing))
        assert "locked" in projector.failing
        rogue.execute("ROLLBACK")
        rogue.close()
        await until(lambda: projector.lag_events == 0)
    await _compare_with_a_fresh_copy(diary, database, tmp_path)
    await database.close()
