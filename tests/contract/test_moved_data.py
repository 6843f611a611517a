"""From SQLite into PostgreSQL: what cannot be made again comes along, whole, and once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.home import Home
from engine.left_data import left_behind
from store.sql.account_models import AccountRow
from store.sql.database import LEADS, Database
from store.sql.lead_models import LeadListRow, ListedNumberRow
from store.sql.moving import NotEmpty, move
from tests.postgres_fixture import PostgresServer

ACCOUNT = {
    "account_id": "p-ana",
    "tenant": "main",
    "login": "ana",
    "name": "Ñandú 語",
    "role": "admin",
    "agent_id": "",
    "language": "es",
    "password_hash": "h",
    "created_us": 2**60,
    "password_us": 1,
    "disabled_us": None,
}


async def _fill(home: Home, numbers: int) -> None:
    accounts, leads = Database(home.database_url), Database(home.leads_url, LEADS)
    await accounts.upgrade()
    await leads.upgrade()
    async with accounts.begin() as connection:
        await connection.execute(insert(AccountRow), [ACCOUNT])
    async with leads.begin() as connection:
        row = {"tenant": "main", "list_id": "spring", "campaign": "c", "created_us": 1, "changed_us": 2}
        await connection.execute(insert(LeadListRow), [row])
        listed = [_listed(number) for number in range(numbers)]
        await connection.execute(insert(ListedNumberRow), listed)
    await accounts.close()
    await leads.close()


def _listed(number: int) -> dict[str, object]:
    values: dict[str, object] = {}
    for column in ListedNumberRow.__table__.columns:
        values[column.name] = None if column.nullable else 0 if str(column.type) == "BIGINT" else "x"
    key = next(column for column in ListedNumberRow.__table__.columns if "number" in column.name)
    values[key.name] = number if str(key.type) == "BIGINT" else f"+346{number:08}"
    return values


async def _all(connection: AsyncConnection, row: type) -> list[dict[str, object]]:
    return [dict(each) for each in (await connection.execute(select(row.__table__))).mappings()]  # type: ignore[attr-defined]


async def test_it_comes_whole_and_only_into_empty_tables(tmp_path: Path, postgres_server: PostgresServer) -> None:
    home = Home.at(tmp_path, tmp_path / "var")
    home.prepare()
    await _fill(home, 2500)
    url = postgres_server.create_database("moved")
    told = left_behind(home, url)
    assert told.startswith("2500 do-not-call numbers in dialer.db, 1 account of the desk in centralita.db")
    assert left_behind(home, "") == ""
    moved = await move(home.database_url, home.leads_url, url)
    assert (moved["accounts"], moved["lead_lists"], moved["listed_numbers"]) == (1, 1, 2500)
    target = Database(url)
    async with target.begin() as connection:
        assert await _all(connection, AccountRow) == [ACCOUNT]
        numbers = await _all(connection, ListedNumberRow)
    assert sorted(map(str, numbers)) == sorted(map(str, (_listed(number) for number in range(2500))))
    with pytest.raises(NotEmpty, match="accounts"):
        await move(home.database_url, home.leads_url, url)
    async with target.begin() as connection:
        assert len(await _all(connection, ListedNumberRow)) == 2500
    await target.close()
