"""Lists and their imports in SQL. See `core.list_store.ListStore`.

A batch is one short transaction: the engine stages leads between two of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialing import NumberListed
from core.lead_record import AttemptRecord, LeadRecord
from core.list_store import (
    ImportBatch,
    ImportJob,
    ImportState,
    ImportStopped,
    KnownLead,
    LeadList,
    ListBusy,
    lead_id_of,
)
from store.sql.database import Database
from store.sql.lead_exports import attempts_of, leads_of
from store.sql.lead_jobs import begin_job, find_job, job_of, set_job
from store.sql.lead_listed import settle_listed
from store.sql.lead_models import (
    NOT_RELEASED_US,
    ImportChangeRow,
    ImportJobRow,
    LeadListRow,
    LeadNumberRow,
    LeadRow,
    ListedNumberRow,
)
from store.sql.lead_rows import among, answering, insert_into, lead_of, to_us
from store.sql.lead_writer import LeadWriter, NewLeads
from store.sql.leads import SqlLeadStore

_LAST_ROW = 99_999_999
_RESUMABLE = (ImportState.RUNNING, ImportState.CANCELLED, ImportState.FAILED)
_UNDOABLE = (*_RESUMABLE, ImportState.FINISHED, ImportState.UNDONE)
_FROM = {ImportState.UNDONE: _UNDOABLE}
_UNTOUCHED = text("leads.attempts = 0 AND leads.state IN ('new', 'waiting', 'blocked')")
_NOT_IN_HAND = text("leads.state NOT IN ('staged', 'dialing')")


class SqlListStore(SqlLeadStore):
    """The same tables, for those who fill them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)

    @answering
    async def open_job(self, job: ImportJob, campaign: str = "", alive_s: float = 30.0) -> ImportJob:
        async with self._database.write() as connection:
            await begin_job(insert_into(self._database, LeadListRow), connection, job, campaign)
            others = select(ImportJobRow.job_id).where(
                ImportJobRow.tenant == job.tenant,
                ImportJobRow.list_id == job.list_id,
                ImportJobRow.state == ImportState.RUNNING.value,
                ImportJobRow.touched_us >= to_us(job.started_s - alive_s),
                ImportJobRow.job_id != job.job_id,
            )
            if (other := await connection.scalar(others)) is not None:
                raise ListBusy(f"the import {other} into {job.list_id} is at work: wait for it, or cancel it")
        return job

    @answering
    async def resume_job(self, tenant: str, job_id: str, worker: str, now_s: float) -> ImportJob:
        async with self._database.write() as connection:
            job = await find_job(connection, tenant, job_id, lock=True)
            if job is None or job.state not in _RESUMABLE:
                raise ImportStopped(
                    f"the import {job_id} is {job.state.value if job else 'not known'}: it cannot go on"
                )
            state = ImportState.RUNNING.value
            values = {"state": state, "worker": worker, "touched_us": to_us(now_s), "finished_us": None, "why": ""}
            return await set_job(connection, tenant, job_id, values)

    @answering
    async def known(
        self, tenant: str, numbers: Collection[str], external_ids: Collection[str], list_id: str = ""
    ) -> Sequence[KnownLead]:
        keys = [int(number[1:]) for number in numbers if number[1:].isdecimal()]
        lead = LeadRow.__table__
        here = (lead.c.tenant == tenant, *([lead.c.list_id == list_id] if list_id else []))
        found: dict[str, KnownLead] = {}
        async with self._database.begin() as connection:
            if keys:
                # In two steps: a join would be planned by what PostgreSQL last knew of a table that grows as it looks.
                of_numbers = select(LeadNumberRow.lead_id).where(
                    LeadNumberRow.tenant == tenant, among(self._database, "lead_numbers.number", keys)
                )
                ids = set(await connection.scalars(of_numbers))
                rows = await connection.execute(select(lead).where(*here, among(self._database, "leads.lead_id", ids)))
                for row in rows.mappings():
                    found.setdefault(row["lead_id"], KnownLead(lead_of(row), "number"))
            if external_ids:
                rows = await connection.execute(
                    select(lead).where(
                        *here, text("external_id <> ''"), among(self._database, "leads.external_id", external_ids)
                    )
                )
                for row in rows.mappings():
                    found[row["lead_id"]] = KnownLead(lead_of(row), "external_id")
        return list(found.values())

    async def take(self, batch: ImportBatch) -> ImportJob:
        job = await self._take(batch)
        if self._database.kind == "postgresql" and _grew(batch.rows_before, batch.rows):
            await self._analyze()
        return job

    @answering
    async def _analyze(self) -> None:
        """A table that has just been filled is planned for as if it were empty, until PostgreSQL is told."""
        async with self._database.begin() as connection:
            for table in (LeadRow, LeadNumberRow):
                await connection.execute(text(f"ANALYZE {table.__tablename__}"))

    @answering
    async def _take(self, batch: ImportBatch) -> ImportJob:
        new = await asyncio.to_thread(NewLeads.of, batch)
        async with self._database.write() as connection:
            tenant = await self._tenant_of(connection, batch.job_id, batch.worker)
            job = await self._mine(connection, tenant, batch.job_id, batch.worker)
            if job.rows != batch.rows_before:
                raise ImportStopped(f"the import {job.job_id} is at row {job.rows}, not {batch.rows_before}")
            writer = LeadWriter(self._database, connection, tenant)
            await writer.add(new)
            await writer.change(batch)
            values = {
                "row_count": batch.rows,
                "position": batch.position,
                "rejects_bytes": batch.rejects_bytes,
                "tally": msgspec.json.encode(job.tally + batch.tally).decode(),
                "touched_us": to_us(batch.now_s),
            }
            return await set_job(connection, tenant, batch.job_id, values)

    @answering
    async def release(self, tenant: str, job_id: str, worker: str, most: int, now_s: float) -> bool:
        async with self._database.write() as connection:
            await self._mine(connection, tenant, job_id, worker)
            after = await connection.scalar(
                select(ImportJobRow.released_to).where(ImportJobRow.tenant == tenant, ImportJobRow.job_id == job_id)
            )
            ids = select(LeadRow.lead_id).where(
                LeadRow.tenant == tenant,
                LeadRow.lead_id > (after or job_id),
                LeadRow.lead_id <= lead_id_of(job_id, _LAST_ROW),
            )
            last = await connection.scalar(
                select(func.max(text("lead_id"))).select_from(ids.order_by(LeadRow.lead_id).limit(most).subquery())
            )
            if last is None:
                return False
            let_go = await connection.execute(
                update(LeadRow)
                .where(
                    LeadRow.tenant == tenant,
                    LeadRow.lead_id > (after or job_id),
                    LeadRow.lead_id <= last,
                    LeadRow.not_before_us == NOT_RELEASED_US,
                )
                .values(not_before_us=0, ready=1, reason="")
            )
            values = {
                "released": ImportJobRow.released + let_go.rowcount,
                "released_to": last,
                "touched_us": to_us(now_s),
            }
            await set_job(connection, tenant, job_id, values)
            return True

    @answering
    async def end_job(self, tenant: str, job_id: str, state: ImportState, now_s: float, why: str = "") -> ImportJob:
        async with self._database.write() as connection:
            job = await find_job(connection, tenant, job_id, lock=True)
            if job is None or job.state not in _FROM.get(state, (ImportState.RUNNING,)):
                raise ImportStopped(
                    f"the import {job_id} is {job.state.value if job else 'not known'}: it cannot be {state.value} now"
                )
            values = {"state": state.value, "worker": "", "finished_us": to_us(now_s), "why": why}
            await connection.execute(
                update(LeadListRow)
                .where(LeadListRow.tenant == tenant, LeadListRow.list_id == job.list_id)
                .values(changed_us=to_us(now_s))
            )
            return await set_job(connection, tenant, job_id, values)

    @answering
    async def undo(self, tenant: str, job_id: str, most: int) -> int:
        async with self._database.write() as connection:
            job = await find_job(connection, tenant, job_id, lock=True)
            if job is None or job.state is not ImportState.UNDONE:
                raise ImportStopped(f"the import {job_id} is not undone: say so first")
            mine = (
                LeadRow.tenant == tenant,
                LeadRow.lead_id > job_id,
                LeadRow.lead_id <= lead_id_of(job_id, _LAST_ROW),
                LeadRow.job_id == job_id,
                _UNTOUCHED,
            )
            writer = LeadWriter(self._database, connection, tenant)
            return await writer.delete(mine, most) or await writer.restore(job_id, most)

    @answering
    async def job(self, tenant: str, job_id: str) -> ImportJob | None:
        async with self._database.begin() as connection:
            return await find_job(connection, tenant, job_id)

    @answering
    async def jobs(self, tenant: str, list_id: str = "") -> Sequence[ImportJob]:
        table = ImportJobRow.__table__
        query = select(table).where(table.c.tenant == tenant, *([table.c.list_id == list_id] if list_id else []))
        async with self._database.begin() as connection:
            rows = await connection.execute(query.order_by(table.c.started_us.desc(), table.c.job_id.desc()))
            return [job_of(row) for row in rows.mappings()]

    @answering
    async def lists(self, tenant: str) -> Sequence[LeadList]:
        row = LeadListRow
        query = select(row.list_id, row.campaign, row.created_us, row.changed_us).where(row.tenant == tenant)
        async with self._database.begin() as connection:
            return [
                LeadList(tenant, list_id, campaign, created_us / 1e6, changed_us / 1e6)
                for list_id, campaign, created_us, changed_us in await connection.execute(query.order_by(row.list_id))
            ]

    @answering
    async def delete_leads(self, tenant: str, list_id: str, most: int) -> int:
        async with self._database.write() as connection:
            mine = (LeadRow.tenant == tenant, LeadRow.list_id == list_id, _NOT_IN_HAND)
            return await LeadWriter(self._database, connection, tenant).delete(mine, most)

    @answering
    async def delete_list(self, tenant: str, list_id: str) -> bool:
        async with self._database.write() as connection:
            some = select(LeadRow.lead_id).where(LeadRow.tenant == tenant, LeadRow.list_id == list_id).limit(1)
            if await connection.scalar(some) is not None:
                return False
            jobs = select(ImportJobRow.job_id).where(ImportJobRow.tenant == tenant, ImportJobRow.list_id == list_id)
            changes = ImportChangeRow
            await connection.execute(delete(changes).where(changes.tenant == tenant, changes.job_id.in_(jobs)))
            for table in ("import_jobs", "list_zones", "lead_lists"):
                statement = text(f"DELETE FROM {table} WHERE tenant = :tenant AND list_id = :list_id")  # noqa: S608
                await connection.execute(statement, {"tenant": tenant, "list_id": list_id})
            return True

    def leads(self, tenant: str, list_id: str) -> AsyncIterator[LeadRecord]:
        return leads_of(self._database, tenant, list_id)

    def attempts(
        self, tenant: str, campaign: str = "", list_id: str = "", since_s: float = 0.0
    ) -> AsyncIterator[AttemptRecord]:
        return attempts_of(self._database, tenant, campaign, list_id, since_s)

    @answering
    async def put_listed(self, numbers: Sequence[NumberListed], now_s: float) -> int:
        serial = int(now_s * 1000)
        last = {(each.tenant, each.campaign, each.called): each for each in numbers}
        changed: list[dict[str, Any]] = []
        heard: list[NumberListed] = []
        async with self._database.write() as connection:
            for tenant, campaign in sorted({place[:2] for place in last}):
                ours = {place[2]: each for place, each in last.items() if place[:2] == (tenant, campaign)}
                row = ListedNumberRow
                found = await connection.execute(
                    select(row.number, row.listed, row.serial).where(
                        row.tenant == tenant,
                        row.campaign == campaign,
                        among(self._database, "listed_numbers.number", list(ours)),
                    )
                )
                kept = {number: (bool(listed), before) for number, listed, before in found}
                for number, each in ours.items():
                    listed, before = kept.get(number, (False, 0))
                    if listed is not each.listed:
                        newer = max(serial, before + 1)
                        values = {"listed": int(each.listed), "by": each.by, "why": each.why, "serial": newer}
                        place = {"tenant": tenant, "campaign": campaign, "number": number}
                        changed.append({**place, **values, "changed_us": to_us(now_s)})
                        heard.append(each)
            await self._newest(connection, ListedNumberRow, changed)
            await settle_listed(self._database, connection, heard)
        return len(changed)

    @answering
    async def listed_among(self, tenant: str, numbers: Collection[str], campaign: str = "") -> Collection[str]:
        if not numbers:
            return ()
        row = ListedNumberRow
        query = select(row.number).where(
            row.tenant == tenant,
            row.campaign.in_({"", campaign}),
            row.listed == 1,
            among(self._database, "listed_numbers.number", numbers),
        )
        async with self._database.begin() as connection:
            return frozenset(await connection.scalars(query))

    async def _tenant_of(self, connection: AsyncConnection, job_id: str, worker: str) -> str:
        found = await connection.scalar(
            select(ImportJobRow.tenant).where(ImportJobRow.job_id == job_id, ImportJobRow.worker == worker)
        )
        if found is None:
            raise ImportStopped(f"the import {job_id} is not this worker's any more")
        return str(found)

    async def _mine(self, connection: AsyncConnection, tenant: str, job_id: str, worker: str) -> ImportJob:
        job = await find_job(connection, tenant, job_id, lock=True)
        if job is None or job.state is not ImportState.RUNNING or job.worker != worker:
            raise ImportStopped(f"the import {job_id} is {job.state.value if job else 'gone'}, or another's")
        return job


def _grew(before: int, now: int) -> bool:
    """Whether a batch went past one of 1,000, 4,000, 16,000, … rows."""
    mark = 1_000
    while mark <= before:
        mark *= 4
    return mark <= now
