"""Leads that wait, when a number is listed or unlisted: found by the number, so a list's length does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialing import NumberListed
from core.lead_record import LeadRecord
from core.listed_leads import after_word
from store.sql.database import Database
from store.sql.lead_models import NOT_RELEASED_US, LeadNumberRow, LeadRow, ListedNumberRow
from store.sql.lead_rows import AWAKE, among, lead_of


async def settle_listed(database: Database, connection: AsyncConnection, words: Sequence[NumberListed]) -> None:
    """`words`: new ones, which are in `listed_numbers` already."""
    for tenant in sorted({said.tenant for said in words}):
        mine = [said for said in words if said.tenant == tenant]
        said_of = {said.called: said for said in mine if not said.campaign}
        whose = {said.lead_id: said for said in mine if said.listed and said.lead_id}
        records = await _waiting(database, connection, tenant, list(said_of), list(whose))
        listed = await _listed(database, connection, tenant, records)
        rows = []
        for record in records:
            heard = (said_of[one.number] for one in record.numbers if one.number in said_of)
            said = whose.get(record.lead_id) or next(heard, None)
            becomes = after_word(record, said, listed) if said is not None else None
            if becomes is not None:
                state, why = becomes[0].value, becomes[1]
                row = {"of": record.lead_id, "was": record.state.value, "is": state, "why": why}
                rows.append({**row, "is_ready": int(state in AWAKE and record.not_before_s <= 0)})
        if rows:
            to: dict[str, Any] = {"state": bindparam("is"), "reason": bindparam("why"), "ready": bindparam("is_ready")}
            await connection.execute(
                update(LeadRow.__table__)  # type: ignore[arg-type]
                .where(LeadRow.tenant == tenant, LeadRow.lead_id == bindparam("of"), LeadRow.state == bindparam("was"))
                .values(to),
                rows,
            )


async def _waiting(
    database: Database, connection: AsyncConnection, tenant: str, numbers: Sequence[str], lead_ids: Sequence[str]
) -> list[LeadRecord]:
    """Leads that have one of these numbers or ids, their import finished."""
    keys, ids = [int(number[1:]) for number in numbers if number[1:].isdecimal()], set(lead_ids)
    if keys:
        these = among(database, "lead_numbers.number", keys, "numbers_")
        ids |= set(await connection.scalars(select(LeadNumberRow.lead_id).where(LeadNumberRow.tenant == tenant, these)))
    if not ids:
        return []
    query = select(LeadRow.__table__).where(
        LeadRow.tenant == tenant,
        among(database, "leads.lead_id", sorted(ids)),
        or_(LeadRow.state != "new", LeadRow.not_before_us < NOT_RELEASED_US),
    )
    return [lead_of(row) for row in (await connection.execute(query)).mappings()]


async def _listed(
    database: Database, connection: AsyncConnection, tenant: str, records: Sequence[LeadRecord]
) -> frozenset[str]:
    """Those of their numbers that the tenant's list has."""
    row, numbers = ListedNumberRow, sorted({one.number for record in records for one in record.numbers})
    if not numbers:
        return frozenset()
    query = select(row.number).where(
        row.tenant == tenant,
        row.campaign == "",
        row.listed == 1,
        among(database, "listed_numbers.number", numbers),
    )
    return frozenset(await connection.scalars(query))
