"""Import jobs as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.list_store import ImportJob, ImportState, ImportTally
from store.sql.lead_models import ImportJobRow, LeadListRow
from store.sql.lead_rows import to_s_or_none, to_us, to_us_or_none


def job_of(row: RowMapping) -> ImportJob:
    return ImportJob(
        job_id=row["job_id"],
        tenant=row["tenant"],
        list_id=row["list_id"],
        source=row["source"],
        fingerprint=row["fingerprint"],
        settings=row["settings"],
        worker=row["worker"],
        state=ImportState(row["state"]),
        rows=row["row_count"],
        position=row["position"],
        size=row["size"],
        rejects_bytes=row["rejects_bytes"],
        released=row["released"],
        tally=msgspec.json.decode(row["tally"], type=ImportTally),
        started_s=row["started_us"] / 1e6,
        touched_s=row["touched_us"] / 1e6,
        finished_s=to_s_or_none(row["finished_us"]),
        why=row["why"],
    )


async def begin_job(insert_list: Any, connection: AsyncConnection, job: ImportJob, campaign: str) -> None:
    """Makes the list, unless it is there, and the job. `insert_list`: the insert of this kind of database."""
    row = LeadListRow
    made = {"tenant": job.tenant, "list_id": job.list_id, "created_us": to_us(job.started_s)}
    values = {**made, "campaign": campaign, "changed_us": to_us(job.started_s)}
    await connection.execute(insert_list.on_conflict_do_nothing(), [values])
    if campaign:
        here = (row.tenant == job.tenant, row.list_id == job.list_id)
        await connection.execute(update(row).where(*here).values(campaign=campaign))
    await connection.execute(ImportJobRow.__table__.insert(), [_row(job)])  # type: ignore[attr-defined]


async def find_job(connection: AsyncConnection, tenant: str, job_id: str, lock: bool = False) -> ImportJob | None:
    """`lock`: nobody else moves it before this transaction ends."""
    table = ImportJobRow.__table__
    query = select(table).where(table.c.tenant == tenant, table.c.job_id == job_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else job_of(row)


async def set_job(connection: AsyncConnection, tenant: str, job_id: str, values: Mapping[str, Any]) -> ImportJob:
    row = ImportJobRow
    await connection.execute(update(row).where(row.tenant == tenant, row.job_id == job_id).values(dict(values)))
    job = await find_job(connection, tenant, job_id)
    assert job is not None
    return job


def _row(job: ImportJob) -> dict[str, Any]:
    return {
        "tenant": job.tenant,
        "job_id": job.job_id,
        "list_id": job.list_id,
        "source": job.source,
        "fingerprint": job.fingerprint,
        "settings": job.settings,
        "worker": job.worker,
        "state": job.state.value,
        "row_count": job.rows,
        "position": job.position,
        "size": job.size,
        "rejects_bytes": job.rejects_bytes,
        "released": job.released,
        "released_to": "",
        "tally": msgspec.json.encode(job.tally).decode(),
        "started_us": to_us(job.started_s),
        "touched_us": to_us(job.started_s),
        "finished_us": to_us_or_none(job.finished_s),
        "why": job.why,
    }
