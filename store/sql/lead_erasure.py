"""Forgetting a person in the store of leads: who she is goes, what was counted about her stays, and so does her wish
not to be called.

    her leads      no name, number, field, proof, promise; `done`, because they were erased: nobody dials them again
    her attempts   no number, nothing of what was heard or answered; times and outcomes stay: the law's evidence
    undo of lists  what lists said of her before goes
    do-not-call    stays, on the bare number: it is what keeps her from being called
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.lead import LeadState
from core.list_store import ImportState
from store.sql.database import Database
from store.sql.lead_models import AttemptRow, ImportChangeRow, ImportJobRow, LeadNumberRow, LeadRow
from store.sql.lead_rows import among

ERASED = "erased"
"""The reason of a lead that was forgotten."""
_NOBODY = {
    **dict.fromkeys(("external_id", "name", "language", "region", "proof", "next_number", "agent_id", "promise"), ""),
    "numbers": "[]",
    "number_state": "{}",
    "fields": "{}",
    "consent_us": None,
    "basis": "none",
    "state": LeadState.DONE.value,
    "reason": ERASED,
    "ready": 0,
    "staged_from": "",
    "not_before_us": 0,
}
_OVER = (ImportState.FINISHED.value, ImportState.UNDONE.value)
"""Imports that nobody takes up again."""
_IN_HAND = (LeadState.STAGED.value, LeadState.DIALING.value)


@dataclass(frozen=True, slots=True)
class ErasedLeads:
    """`leads`: ids of those forgotten; `in_hand`: of those a campaign is about to dial, or dials: they are left for
    another time. `attempts`: how many were blanked."""

    leads: tuple[str, ...] = ()
    in_hand: tuple[str, ...] = ()
    attempts: int = 0


async def erase_leads(database: Database, tenant: str, numbers: Collection[str]) -> ErasedLeads:
    """`numbers`: E.164. A lead with one of them is forgotten with all of its numbers."""
    keys = [int(number[1:]) for number in numbers if number.startswith("+") and number[1:].isdecimal()]
    if not keys:
        return ErasedLeads()
    async with database.write() as connection:
        number = LeadNumberRow
        query = select(number.lead_id).where(
            number.tenant == tenant, among(database, "lead_numbers.number", keys, "numbers_")
        )
        known = sorted(set((await connection.execute(query)).scalars()))
        mine = (LeadRow.tenant == tenant, among(database, "leads.lead_id", known))
        rows = await connection.execute(select(LeadRow.lead_id, LeadRow.state).where(*mine))
        states = {row.lead_id: row.state for row in rows}
        in_hand = tuple(lead_id for lead_id, state in states.items() if state in _IN_HAND)
        hers = [lead_id for lead_id in states if lead_id not in in_hand]
        attempts = await _blank_attempts(database, connection, tenant, list(numbers), hers)
        theirs = among(database, "lead_numbers.lead_id", hers)
        await connection.execute(delete(LeadNumberRow).where(LeadNumberRow.tenant == tenant, theirs))
        theirs = among(database, "import_changes.lead_id", hers)
        await connection.execute(delete(ImportChangeRow).where(ImportChangeRow.tenant == tenant, theirs))
        theirs = among(database, "leads.lead_id", hers)
        await connection.execute(update(LeadRow).where(LeadRow.tenant == tenant, theirs).values(_NOBODY))
    return ErasedLeads(tuple(hers), in_hand, attempts)


async def jobs_of(database: Database, tenant: str) -> tuple[list[str], list[str]]:
    """(imports that are over, those that may go on), by their ids."""
    job = ImportJobRow
    async with database.begin() as connection:
        rows = (await connection.execute(select(job.job_id, job.state).where(job.tenant == tenant))).all()
    over = [row.job_id for row in rows if row.state in _OVER]
    return over, [row.job_id for row in rows if row.state not in _OVER]


async def _blank_attempts(
    database: Database, connection: AsyncConnection, tenant: str, numbers: Collection[str], lead_ids: Collection[str]
) -> int:
    """A number of nobody's, dialed by hand, has a lead that is called like it."""
    attempt = AttemptRow
    hers = or_(
        among(database, "attempts.number", numbers, "numbers_"), among(database, "attempts.lead_id", lead_ids, "leads_")
    )
    named = case((attempt.lead_id.contains("+"), ERASED), else_=attempt.lead_id)
    done = await connection.execute(
        update(attempt).where(attempt.tenant == tenant, hers).values(number="", evidence="", answers="", lead_id=named)
    )
    return int(done.rowcount)
