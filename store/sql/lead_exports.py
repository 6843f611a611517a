"""Leads and attempts as streams, a page at a time: any number of them in little memory, and no long transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, and_, or_, select, text

from core.lead_record import AttemptRecord, LeadRecord
from store.sql.database import Database
from store.sql.lead_models import AttemptRow, LeadRow
from store.sql.lead_rows import AWAY, attempt_of, lead_of, to_us, unavailable

_PAGE = 2_000
_MOST = 1 << 60
"""More than there are: with a limit no database moves a condition out of a query."""


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


async def answered_fields(database: Database, tenant: str, campaign: str, since_s: float) -> list[str]:
    """The names of all fields of forms that attempts of this campaign have answers to, sorted. Raises
    StoreUnavailable."""
    keys = "json_each(a.answers) AS f" if database.kind == "sqlite" else "json_object_keys(a.answers::json) AS f(key)"
    # The inner query comes first: what is no JSON (no answers at all) must not reach the function.
    query = text(
        f"SELECT DISTINCT f.key FROM (SELECT answers FROM attempts WHERE tenant = :tenant AND campaign = :campaign"  # noqa: S608 - names of ours
        f" AND dialed_us >= :since AND answers <> '' LIMIT {_MOST}) AS a, {keys}"
    ).bindparams(tenant=tenant, campaign=campaign, since=to_us(max(since_s, 0.0)))
    try:
        async with database.begin() as connection:
            return sorted((await connection.execute(query)).scalars())
    except AWAY as failure:
        raise unavailable(failure) from failure


async def _page(database: Database, query: Select[Any]) -> Sequence[RowMapping]:
    try:
        async with database.begin() as connection:
            rows: Sequence[RowMapping] = (await connection.execute(query)).mappings().all()
            return rows
    except AWAY as failure:
        raise unavailable(failure) from failure
