"""Leads, attempts and do-not-call lists in SQL: what the dialer asks for. See `core.lead_store.LeadStore`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialing import LeadsSaved, LeadsStaged, NumberListed
from core.lead import LeadState
from core.lead_record import StagedLead
from core.lead_store import Save, Staging
from core.list_mix import ListMix
from store.sql.database import Database
from store.sql.lead_history import with_history
from store.sql.lead_listed import settle_listed
from store.sql.lead_models import AttemptRow, LeadNumberRow, LeadRow, ListedNumberRow, ListZoneRow
from store.sql.lead_rows import (
    AWAY,
    HELD,
    among,
    answering,
    attempt_row,
    columns_of,
    insert_into,
    lead_of,
    lead_row,
    number_keys,
    unavailable,
)
from store.sql.lead_staging import free_some, take_first
from store.sql.lead_writer import add_zones

_IN_HAND = text("state IN ('staged', 'dialing')")
_PAGE = 5_000
_E164 = re.compile(r"\+[1-9][0-9]{0,14}")


class SqlLeadStore:
    """`database` has the tables `store.sql.database.LEADS`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mix = ListMix()

    async def close(self) -> None:
        await self._database.close()

    @answering
    async def stage(self, wanted: Staging) -> LeadsStaged:
        while wanted.law_id and await self._freed(wanted):
            pass  # a transaction for each: others write meanwhile
        async with self._database.write() as connection:
            taken = await take_first(self._database, connection, self._mix, wanted)
            staged = await self._records(connection, wanted.tenant, taken.lead_ids)
            leads = await with_history(
                self._database, connection, wanted.tenant, staged, wanted.now_s - wanted.history_s
            )
        return LeadsStaged(
            wanted.tenant,
            wanted.campaign,
            leads,
            taken.more,
            taken.next_s,
            law_id=wanted.law_id,
            callback_s=taken.callback_s,
            promised=wanted.promised,
            asked_s=wanted.now_s,
        )

    async def _freed(self, wanted: Staging) -> bool:
        async with self._database.write() as connection:
            return await free_some(connection, wanted)

    @answering
    async def unstage(self, tenant: str, lead_ids: Collection[str]) -> None:
        async with self._database.write() as connection:
            await self._unstage(connection, tenant, lead_ids)

    @answering
    async def unstage_unknown(self, known: Collection[tuple[str, str]]) -> int:
        ours = set(known)
        async with self._database.write() as connection:
            found = await connection.execute(select(LeadRow.tenant, LeadRow.lead_id).where(_IN_HAND))
            lost = [(tenant, lead_id) for tenant, lead_id in found if (tenant, lead_id) not in ours]
            for tenant in sorted({tenant for tenant, _ in lost}):
                await self._unstage(connection, tenant, [lead_id for owner, lead_id in lost if owner == tenant])
        return len(lost)

    @answering
    async def save(self, saves: Sequence[Save]) -> LeadsSaved:
        async with self._database.write() as connection:
            await self._save_leads(connection, saves)
            await self._save_attempts(connection, saves)
            await self._save_listed(connection, saves)
        return LeadsSaved(tuple((each.id, each.serial) for each in saves))

    @answering
    async def lead(self, tenant: str, lead_id: str, since_s: float) -> StagedLead | None:
        async with self._database.begin() as connection:
            found = await self._records(connection, tenant, [lead_id])
            leads = await with_history(self._database, connection, tenant, found, since_s)
        return leads[0] if leads else None

    @answering
    async def by_number(self, tenant: str, number: str, since_s: float) -> Sequence[StagedLead]:
        if not _E164.fullmatch(number):
            return ()
        of_number = select(LeadNumberRow.lead_id).where(
            LeadNumberRow.tenant == tenant, LeadNumberRow.number == int(number[1:])
        )
        async with self._database.begin() as connection:
            ids = list(await connection.scalars(of_number))
            found = await self._records(connection, tenant, ids)
            return await with_history(self._database, connection, tenant, found, since_s)

    @answering
    async def counts(self, tenant: str, list_ids: Collection[str]) -> Mapping[LeadState, int]:
        query = (
            select(LeadRow.state, func.count())
            .where(LeadRow.tenant == tenant, LeadRow.list_id.in_(sorted(list_ids)))
            .group_by(LeadRow.state)
        )
        async with self._database.begin() as connection:
            return {LeadState(state): number for state, number in await connection.execute(query)}

    @answering
    async def zones(self, tenant: str, list_ids: Collection[str]) -> Sequence[str]:
        query = select(ListZoneRow.zone).where(ListZoneRow.tenant == tenant, ListZoneRow.list_id.in_(sorted(list_ids)))
        async with self._database.begin() as connection:
            keys = list(await connection.scalars(query))
        return sorted({zone for key in keys for zone in key.split("|") if zone})

    async def listed(self) -> AsyncIterator[NumberListed]:
        row = ListedNumberRow
        after: tuple[str, str, str] = ("", "", "")
        while True:
            query = (
                select(row.tenant, row.campaign, row.number, row.listed, row.by, row.why)
                .where(
                    (row.tenant > after[0])
                    | and_(row.tenant == after[0], row.campaign > after[1])
                    | and_(row.tenant == after[0], row.campaign == after[1], row.number > after[2])
                )
                .order_by(row.tenant, row.campaign, row.number)
                .limit(_PAGE)
            )
            try:
                async with self._database.begin() as connection:
                    found = (await connection.execute(query)).all()
            except AWAY as failure:
                raise unavailable(failure) from failure
            for tenant, campaign, number, listed, by, why in found:
                if listed:
                    yield NumberListed(tenant, number, campaign, True, by, why)
            if len(found) < _PAGE:
                return
            after = (found[-1][0], found[-1][1], found[-1][2])

    async def _records(self, connection: AsyncConnection, tenant: str, lead_ids: Sequence[str]) -> list[Any]:
        """In the order of `lead_ids`."""
        if not lead_ids:
            return []
        query = select(LeadRow.__table__).where(
            LeadRow.tenant == tenant, among(self._database, "leads.lead_id", lead_ids)
        )
        rows = {row["lead_id"]: lead_of(row) for row in (await connection.execute(query)).mappings()}
        return [rows[lead_id] for lead_id in lead_ids if lead_id in rows]

    async def _unstage(self, connection: AsyncConnection, tenant: str, lead_ids: Collection[str]) -> None:
        """A callback that was staged is one again."""
        if not lead_ids:
            return
        promised = LeadRow.staged_from == LeadState.CALLBACK.value
        await connection.execute(
            update(LeadRow)
            .where(LeadRow.tenant == tenant, among(self._database, "leads.lead_id", lead_ids), _IN_HAND)
            .values(
                state=case((promised, LeadState.CALLBACK.value), else_=LeadState.WAITING.value),
                ready=case((promised, 0), else_=1),
                staged_from="",
            )
        )

    async def _save_leads(self, connection: AsyncConnection, saves: Sequence[Save]) -> None:
        wanted = {(s.lead.tenant, s.lead.lead_id): (s.serial, s.lead) for s in saves if s.lead is not None}
        for tenant in sorted({tenant for tenant, _ in wanted}):
            ids = [lead_id for owner, lead_id in wanted if owner == tenant]
            query = select(LeadRow.lead_id, LeadRow.serial).where(
                LeadRow.tenant == tenant, among(self._database, "leads.lead_id", ids)
            )
            kept = {row.lead_id: row.serial for row in await connection.execute(query)}
            changed, fresh, numbers, zones = [], [], [], set()
            for lead_id in ids:
                serial, record = wanted[tenant, lead_id]
                row = lead_row(record, serial)
                if lead_id not in kept:
                    fresh.append(row)
                    numbers += [{"tenant": tenant, "number": key, "lead_id": lead_id} for key in number_keys(record)]
                    zones.add((record.list_id, record.zone))
                elif serial > kept[lead_id]:
                    changed.append({"of": lead_id, "serial": serial, **columns_of(HELD, row)})
            if changed:
                to: dict[str, Any] = {name: bindparam(name) for name in (*HELD, "serial")}
                await connection.execute(
                    update(LeadRow.__table__)  # type: ignore[arg-type]
                    .where(LeadRow.tenant == tenant, LeadRow.lead_id == bindparam("of"))
                    .values(to),
                    changed,
                )
            if fresh:
                await connection.execute(insert(LeadRow), fresh)
                await connection.execute(insert(LeadNumberRow), numbers) if numbers else None
                await add_zones(self._database, connection, tenant, zones)

    async def _save_attempts(self, connection: AsyncConnection, saves: Sequence[Save]) -> None:
        rows = [attempt_row(each.attempt, each.serial) for each in saves if each.attempt is not None]
        await self._newest(connection, AttemptRow, rows)

    async def _save_listed(self, connection: AsyncConnection, saves: Sequence[Save]) -> None:
        rows = [
            {
                "tenant": each.listed.tenant,
                "campaign": each.listed.campaign,
                "number": each.listed.called,
                "listed": int(each.listed.listed),
                "by": each.listed.by,
                "why": each.listed.why,
                "changed_us": each.serial * 1000,
                "serial": each.serial,
            }
            for each in saves
            if each.listed is not None
        ]
        if rows:
            fresh = await self._fresh(connection, [each for each in saves if each.listed is not None])
            await self._newest(connection, ListedNumberRow, rows)
            await settle_listed(self._database, connection, fresh)

    async def _fresh(self, connection: AsyncConnection, words: Sequence[Save]) -> list[NumberListed]:
        """Words that are not known yet: who was reopened since an older one is left as she is."""
        row, said = ListedNumberRow, [each.listed for each in words if each.listed is not None]
        query = select(row.tenant, row.campaign, row.number, row.serial).where(
            row.tenant.in_({each.tenant for each in said}),
            row.campaign.in_({each.campaign for each in said}),
            among(self._database, "listed_numbers.number", [each.called for each in said]),
        )
        kept = {tuple(found[:3]): found.serial for found in await connection.execute(query)}
        return [
            each.listed
            for each in words
            if each.listed is not None
            and each.serial > kept.get((each.listed.tenant, each.listed.campaign, each.listed.called), -1)
        ]

    async def _newest(self, connection: AsyncConnection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Inserts rows, or replaces older ones."""
        if not rows:
            return
        keys = [column.name for column in table.__table__.primary_key]
        statement = insert_into(self._database, table)
        newer = statement.excluded.serial > table.serial
        to = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=to, where=newer), rows)
