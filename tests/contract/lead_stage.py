"""Leads, and every kind of store that keeps them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadNumber, LeadRecord
from core.lead_store import ListShare, Save, Staging
from dialer.memory_store import MemoryLeadStore
from store.sql.database import LEADS, Database, upgrade
from store.sql.lead_models import LeadBase
from store.sql.leads import SqlLeadStore
from tests.postgres_fixture import PostgresServer

NOW_S = 1_795_000_000.0
_serials = count(1_000)


def _upgrade(url: str) -> None:
    """From a fixture that is asked for while a loop runs."""
    thread = Thread(target=upgrade, args=(url, LEADS))
    thread.start()
    thread.join()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with empty tables, to be copied."""
    file = tmp_path_factory.mktemp("leads") / "dialer.db"
    _upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    url = postgres_server.create_database("leads")
    _upgrade(url)
    return url


@asynccontextmanager
async def opened_database(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> AsyncIterator[Database]:
    """With empty tables."""
    if kind == "sqlite":
        file = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "dialer.db")
        database = Database(f"sqlite:///{file}", LEADS)
    else:
        database = Database(request.getfixturevalue("postgres_url"), LEADS)
        async with database.begin() as connection:
            await connection.execute(text("TRUNCATE " + ", ".join(LeadBase.metadata.tables)))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield MemoryLeadStore()
        return
    async with opened_database(request, request.param, tmp_path) as database:
        yield SqlLeadStore(database)


def lead(lead_id: str, **more: Any) -> LeadRecord:
    """Somebody of list `spring`, tenant `main`; her number follows from her id unless `numbers` tells."""
    numbers = more.pop("numbers", None) or (LeadNumber(f"+34600{sum(map(ord, lead_id)):06d}"),)
    return LeadRecord(**{"tenant": "main", "list_id": "spring", "numbers": numbers, **more, "lead_id": lead_id})


def attempt(attempt_id: str, lead_id: str, number: str, dialed_s: float, **more: Any) -> AttemptRecord:
    values: dict[str, Any] = {"campaign": "c1", "list_id": "spring", "mode": "power", "state": "no_answer"}
    return AttemptRecord(
        **{
            **values,
            "tenant": "main",
            "interaction_id": f"i-{attempt_id}",
            "identity": "+34911000000",
            **more,
            "attempt_id": attempt_id,
            "lead_id": lead_id,
            "number": number,
            "dialed_s": dialed_s,
        }
    )


def save(record: Any, serial: int = 0) -> Save:
    """As the dialer asks for it; each newer than the one before, unless `serial` tells."""
    serial = serial or next(_serials)
    if isinstance(record, LeadRecord):
        return Save(f"lead:{record.lead_id}", serial, lead=record)
    if isinstance(record, AttemptRecord):
        return Save(f"attempt:{record.attempt_id}", serial, attempt=record)
    return Save(f"dnc:{record.called}", serial, listed=record)


def staging(most: int = 100, **more: Any) -> Staging:
    lists = more.pop("lists", {"spring": 1})
    shares = tuple(ListShare(name, weight) for name, weight in lists.items())
    return Staging(**{"tenant": "main", "campaign": "c1", "lists": shares, "count": most, "now_s": NOW_S, **more})


async def staged_ids(store: Any, most: int = 100, **more: Any) -> list[str]:
    return [each.record.lead_id for each in (await store.stage(staging(most, **more))).leads]


async def state_of(store: Any, lead_id: str) -> LeadState:
    found = await store.lead("main", lead_id, 0.0)
    assert found is not None
    state: LeadState = found.record.state
    return state
