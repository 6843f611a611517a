"""Leads and attempts as streams, a page at a time: any number of them in little memory, and no long transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, and_, or_, select

from core.lead_record import AttemptRecord, LeadRecord
from store.sql.database import Database
from store.sql.lead_models import AttemptRow, LeadRow
from store.sql.lead_rows import AWAY, attempt_of, lead_of, to_us, unavailable

_PAGE = 2_000


async def leads_of(database: Database, tenant: str, list_id: str) -> AsyncIterator[LeadRecord]:
    """In the order of their ids. Raises StoreUnavailable."""
    table, after = LeadRow.__table__, ""
    while True:
        query = (
            select(table)
            .where(table.c.tenant == tenant, table.c.list_id == list_id, table.c.lead_id > after)
            .order_by(table.c.lead_id)
            .limit(_PAGE)
        )
        rows = await _page(database, query)
        for row in rows:
            yield lead_of(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1]["lead_id"]


async def attempts_of(
    database: Database, tenant: str, campaign: str, list_id: str, since_s: float
) -> AsyncIterator[AttemptRecord]:
    """By campaign, then by the time they were dialed. Raises StoreUnavailable."""
    table = AttemptRow.__table__
    of_all = select(table.c.campaign).where(table.c.tenant == tenant).distinct().order_by(table.c.campaign)
    names = [campaign] if campaign else [row["campaign"] for row in await _page(database, of_all)]
    for name in names:
        after: tuple[int, str] = (to_us(max(since_s, 0.0)), "")
        while True:
            later = or_(
                table.c.dialed_us > after[0], and_(table.c.dialed_us == after[0], table.c.attempt_id > after[1])
            )
            here = [table.c.list_id == list_id] if list_id else []
            query = (
                select(table)
                .where(table.c.tenant == tenant, table.c.campaign == name, table.c.dialed_us >= after[0], later, *here)
                .order_by(table.c.dialed_us, table.c.attempt_id)
                .limit(_PAGE)
            )
            rows = await _page(database, query)
            for row in rows:
                yield attempt_of(row)
            if len(rows) < _PAGE:
                break
            after = rows[-1]["dialed_us"], rows[-1]["attempt_id"]


async def _page(database: Database, query: Select[Any]) -> Sequence[RowMapping]:
    try:
        async with database.begin() as connection:
            rows: Sequence[RowMapping] = (await connection.execute(query)).mappings().all()
            return rows
    except AWAY as failure:
        raise unavailable(failure) from failure
