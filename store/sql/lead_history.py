"""What was tried with leads before, and at their numbers as far back as the law looks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from core.lead_record import AttemptRecord, LeadRecord, StagedLead
from store.sql.database import Database
from store.sql.lead_models import AttemptRow
from store.sql.lead_rows import among, attempt_of, to_us


async def with_history(
    database: Database, connection: AsyncConnection, tenant: str, records: Sequence[LeadRecord], since_s: float
) -> tuple[StagedLead, ...]:
    """Each with all its attempts, and those at its numbers, in any campaign, dialed at `since_s` or later; in order."""
    if not records:
        return ()
    table = AttemptRow.__table__
    here = table.c.tenant == tenant
    recent = table.c.dialed_us >= to_us(max(since_s, 0.0))
    numbers = sorted({each.number for record in records for each in record.numbers})
    found = union(
        select(table).where(here, among(database, "attempts.lead_id", [r.lead_id for r in records], "leads_")),
        select(table).where(here, recent, among(database, "attempts.number", numbers, "numbers_")),
    )
    of_lead: dict[str, list[AttemptRecord]] = defaultdict(list)
    of_number: dict[str, list[AttemptRecord]] = defaultdict(list)
    for row in (await connection.execute(found)).mappings():
        attempt = attempt_of(row)
        of_lead[attempt.lead_id].append(attempt)
        of_number[attempt.number].append(attempt)
    return tuple(
        StagedLead(record, _together(of_lead[record.lead_id], *(of_number[each.number] for each in record.numbers)))
        for record in records
    )


def _together(*several: Sequence[AttemptRecord]) -> tuple[AttemptRecord, ...]:
    every = {each.attempt_id: each for attempts in several for each in attempts}
    return tuple(sorted(every.values(), key=lambda each: (each.dialed_s, each.attempt_id)))
