"""Leads as imports add, change and delete them; each call within one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.list_store import ImportBatch
from store.sql.database import Database
from store.sql.lead_models import NOT_RELEASED_US, ImportChangeRow, LeadNumberRow, LeadRow, ListZoneRow
from store.sql.lead_rows import SAID, among, columns_of, insert_into, lead_of, lead_row, number_keys, said


async def add_zones(
    database: Database, connection: AsyncConnection, tenant: str, zones: Iterable[tuple[str, str]]
) -> None:
    """(list, zone key) pairs, new or not."""
    rows = [{"tenant": tenant, "list_id": list_id, "zone": zone} for list_id, zone in sorted(zones)]
    if rows:
        await connection.execute(insert_into(database, ListZoneRow).on_conflict_do_nothing(), rows)


@dataclass(slots=True)
class NewLeads:
    """Rows as they go into the tables, made before a transaction begins: others wait while it lasts."""

    columns: Sequence[str] = ()
    records: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: list[tuple[Any, ...]] = field(default_factory=list)
    zones: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, batch: ImportBatch) -> NewLeads:
        made = cls()
        for record in batch.added:
            row = lead_row(record, job_id=batch.job_id)
            if row["state"] == "new":
                row |= {"ready": 0, "not_before_us": NOT_RELEASED_US, "reason": "importing"}
            made.columns = made.columns or tuple(row)
            made.records.append(tuple(row.values()))
            made.numbers += [(record.tenant, key, record.lead_id) for key in number_keys(record)]
            made.zones.add((record.list_id, record.zone))
        return made


class LeadWriter:
    """`connection`: in a transaction that may write."""

    def __init__(self, database: Database, connection: AsyncConnection, tenant: str) -> None:
        self._database, self._connection, self._tenant = database, connection, tenant

    async def _zones(self, zones: Iterable[tuple[str, str]]) -> None:
        await add_zones(self._database, self._connection, self._tenant, zones)

    async def add(self, new: NewLeads) -> None:
        if new.records:
            await self._insert(LeadRow.__tablename__, new.columns, new.records)
            await self._insert(LeadNumberRow.__tablename__, ("tenant", "number", "lead_id"), new.numbers)
            await self._zones(new.zones)

    async def _insert(self, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
        """Past SQLAlchemy, which takes longer over a row than the database."""
        if self._database.kind == "sqlite":
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of ours
            await self._connection.exec_driver_sql(statement, records)
            return
        # The transaction has begun: who adds has looked at the job before.
        raw = await self._connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.copy_records_to_table(table, records=records, columns=columns)

    async def change(self, batch: ImportBatch) -> None:
        if not batch.changed:
            return
        ids = [before.lead_id for before, _ in batch.changed]
        query = select(LeadRow.lead_id, LeadRow.job_id).where(
            LeadRow.tenant == self._tenant, among(self._database, "leads.lead_id", ids)
        )
        jobs = {row.lead_id: row.job_id for row in await self._connection.execute(query)}
        kept = [
            {
                "tenant": self._tenant,
                "job_id": batch.job_id,
                "lead_id": before.lead_id,
                "before": msgspec.json.encode({**said(before), "job_id": jobs[before.lead_id]}).decode(),
            }
            for before, _ in batch.changed
            if before.lead_id in jobs and jobs[before.lead_id] != batch.job_id
        ]
        if kept:
            await self._connection.execute(insert_into(self._database, ImportChangeRow).on_conflict_do_nothing(), kept)
        rows = [{"of": after.lead_id, **said(after), "job_id": batch.job_id} for _, after in batch.changed]
        await self._rewrite(rows)
        old = {before.lead_id: number_keys(before) for before, _ in batch.changed}
        await self._renumber(old, {after.lead_id: number_keys(after) for _, after in batch.changed})
        await self._zones({(after.list_id, after.zone) for _, after in batch.changed})

    async def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        to: dict[str, Any] = {name: bindparam(name) for name in (*SAID, "job_id")}
        await self._connection.execute(
            update(LeadRow.__table__)  # type: ignore[arg-type]
            .where(LeadRow.tenant == self._tenant, LeadRow.lead_id == bindparam("of"))
            .values(to),
            rows,
        )

    async def _renumber(self, old: dict[str, list[int]], new: dict[str, list[int]]) -> None:
        gone = [(key, lead_id) for lead_id, keys in old.items() for key in keys if key not in new[lead_id]]
        fresh = [
            {"tenant": self._tenant, "number": key, "lead_id": lead_id}
            for lead_id, keys in new.items()
            for key in keys
            if key not in old[lead_id]
        ]
        for key, lead_id in gone:
            row = LeadNumberRow
            where = (row.tenant == self._tenant, row.number == key, row.lead_id == lead_id)
            await self._connection.execute(delete(row).where(*where))
        if fresh:
            await self._connection.execute(insert_into(self._database, LeadNumberRow).on_conflict_do_nothing(), fresh)

    async def delete(self, mine: tuple[Any, ...], most: int) -> int:
        found = await self._connection.execute(select(LeadRow.lead_id, LeadRow.numbers).where(*mine).limit(most))
        rows = found.all()
        if not rows:
            return 0
        ids = [row.lead_id for row in rows]
        keys = {each[0][1:] for row in rows for each in msgspec.json.decode(row.numbers)}
        numbers = [int(key) for key in keys if key.isdecimal()]
        number = LeadNumberRow
        await self._connection.execute(
            delete(number).where(
                number.tenant == self._tenant,
                among(self._database, "lead_numbers.number", numbers, "numbers_"),
                among(self._database, "lead_numbers.lead_id", ids, "leads_"),
            )
        )
        await self._connection.execute(
            delete(LeadRow).where(LeadRow.tenant == self._tenant, among(self._database, "leads.lead_id", ids))
        )
        return len(rows)

    async def restore(self, job_id: str, most: int) -> int:
        change = ImportChangeRow
        mine = (change.tenant == self._tenant, change.job_id == job_id)
        found = (await self._connection.execute(select(change.lead_id, change.before).where(*mine).limit(most))).all()
        if not found:
            return 0
        ids = [row.lead_id for row in found]
        current = await self._connection.execute(
            select(LeadRow.__table__).where(
                LeadRow.tenant == self._tenant, LeadRow.job_id == job_id, among(self._database, "leads.lead_id", ids)
            )
        )
        now = {row["lead_id"]: lead_of(row) for row in current.mappings()}
        before = {row.lead_id: msgspec.json.decode(row.before) for row in found if row.lead_id in now}
        if before:
            rows = [{"of": lead_id, **columns_of((*SAID, "job_id"), values)} for lead_id, values in before.items()]
            await self._rewrite(rows)
            old = {lead_id: number_keys(now[lead_id]) for lead_id in before}
            new = {
                lead_id: sorted(
                    {int(each[0][1:]) for each in msgspec.json.decode(values["numbers"]) if each[0][1:].isdecimal()}
                )
                for lead_id, values in before.items()
            }
            await self._renumber(old, new)
        await self._connection.execute(
            delete(change).where(*mine, among(self._database, "import_changes.lead_id", ids))
        )
        return len(found)
