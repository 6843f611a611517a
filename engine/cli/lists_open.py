"""What the commands for lists and do-not-call share: the database, the site's habits, telling the engine."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy.exc import SQLAlchemyError

from core.errors import CentralitaError
from desk.lists.service import Lists
from desk.lists.tables import FileUnusable
from engine.cli.common import fail
from engine.cli.site import site_of
from engine.databases import DatabaseUnknown, bring_up_to_date, leads_url
from engine.home import Home
from store.errors import StoreError
from store.sql.database import LEADS, Database
from store.sql.lead_imports import SqlListStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """`home` with its lists open. `country`, `time_zone`: of the site, where a command says nothing."""

    home: Home
    lists: Lists
    store: SqlListStore
    country: str
    time_zone: str

    def day(self, at_s: float) -> str:
        """`2026-11-22`, at the site."""
        return datetime.fromtimestamp(at_s, ZoneInfo(self.time_zone)).date().isoformat()


@contextlib.asynccontextmanager
async def opened(home: Home) -> AsyncIterator[Place]:
    site = await asyncio.to_thread(site_of, home)
    await asyncio.to_thread(home.prepare)
    try:
        database = Database(await asyncio.to_thread(leads_url, home), LEADS)
    except DatabaseUnknown as unknown:
        fail(str(unknown))
    try:
        await bring_up_to_date(home, database)
        store = SqlListStore(database)
        lists = Lists(store, home.state, time.time, lambda *changed: tell(home, *changed))
        yield Place(home, lists, store, site.country, site.time_zone)
    finally:
        await database.close()


def carried_out(home: Home, work: Callable[[Place], Awaitable[T]]) -> T:
    """Runs `work`; what goes wrong ends the command in words."""

    async def run() -> T:
        async with opened(home) as place:
            return await work(place)

    try:
        return asyncio.run(run())
    except SQLAlchemyError as failure:
        fail(f"the database of leads does not answer ({type(failure).__name__}): is it running, and is its disk full?")
    except (CentralitaError, StoreError, FileUnusable, OSError, ValueError) as failure:
        fail(str(failure))


async def tell(home: Home, tenant: str, campaign: str, leaving: str = "") -> None:
    """Lists have changed; one of them is `leaving`. `tenant` empty: everybody's, as a national register is. An engine
    that is away reads them when it comes."""
    await ask_engine(home, "ListsChanged", {"tenant": tenant, "campaign": campaign, "leaving": leaving})


async def ask_engine(home: Home, fact: str, fields: Mapping[str, Any]) -> str | None:
    """None: no engine is there. Empty: it did so. Else why it refused."""
    transport = httpx.AsyncHTTPTransport(uds=str(home.control_socket))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=10.0) as client:
            answer = await client.post("/dialer/do", json={"fact": fact, "fields": dict(fields)})
            return "" if answer.status_code == 200 else str(answer.json().get("why") or answer.text)
    except (httpx.HTTPError, OSError, ValueError):
        return None
