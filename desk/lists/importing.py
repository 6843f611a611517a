"""Carries out one import: rows of the file become leads, a batch and the job's progress in one transaction.

Memory holds one batch. Whoever asks (a command, the desk) runs it in its own process, and the engine goes on staging.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import stamina

from core.errors import StoreUnavailable
from core.list_store import ImportBatch, ImportJob, ImportState, ImportStopped, ImportTally, ListStore
from desk.lists.rejects import Rejects
from desk.lists.tables import FileUnusable, RawRow, Table
from dialer.dnc import DoNotCall
from dialer.importing.duplicates import Settled, Settling
from dialer.importing.listed import screen
from dialer.importing.plan import ImportPlan
from dialer.importing.rows import ReadRow, RowReader

BATCH = 500
"""Rows in one transaction: it holds the database for some ten milliseconds."""
_RELEASE = 2_000
_BREATH_S = 0.002
"""Between two transactions, at least: others that wait for SQLite get their turn."""
_PATIENCE_S = 60.0
"""So long a database may be away before the import gives up; it can be resumed."""
_LAST_ROW = 99_999_999
T = TypeVar("T")


@dataclass(slots=True)
class _Read:
    """One batch of the file. `cells`: of each row, for the file of rejected rows."""

    rows: list[ReadRow] = field(default_factory=list)
    cells: dict[int, Sequence[str]] = field(default_factory=dict)
    last: int = 0
    position: int = 0


class Importing:
    """`on_progress` is told after each batch. `now_s`: UTC seconds."""

    def __init__(
        self,
        store: ListStore,
        job: ImportJob,
        plan: ImportPlan,
        table: Table,
        rejects: Path,
        now_s: Callable[[], float],
        registers: Mapping[str, DoNotCall] | None = None,
        on_progress: Callable[[ImportJob], None] = lambda job: None,
    ) -> None:
        self._store, self._plan, self._table = store, plan, table
        self._job = job
        self._now_s = now_s
        self._registers = registers or {}
        self._on_progress = on_progress
        self._rejects_path = rejects
        self._settling = Settling(plan)
        self._free_until = 0.0
        self._reader = RowReader(plan, job.job_id, job.started_s)

    async def run(self) -> ImportJob:
        """Until every row is taken and released; returns the job, finished.

        Raises:
            ImportStopped: it was cancelled, undone, or taken over meanwhile.
            FileUnusable: the file is not what it was; the job has failed, and says why.
            StoreUnavailable: the database was away too long; the job can be resumed.
        """
        if self._table.fingerprint != self._job.fingerprint:
            await self._fail("the file has changed since this import began: undo it, and import the new one")
        rejects = await asyncio.to_thread(Rejects, self._rejects_path, self._plan, self._job.rejects_bytes)
        try:
            await self._take_all(rejects)
        finally:
            rejects.close()
        job = self._job
        more = True
        while more:
            more = await self._in_turn(
                lambda: self._store.release(job.tenant, job.job_id, job.worker, _RELEASE, self._now_s())
            )
        self._job = await self._patiently(
            lambda: self._store.end_job(job.tenant, job.job_id, ImportState.FINISHED, self._now_s())
        )
        self._on_progress(self._job)
        return self._job

    async def _take_all(self, rejects: Rejects) -> None:
        rows = self._table.rows(after=self._job.rows)
        while True:
            try:
                read = await asyncio.to_thread(self._read, rows)
            except (OSError, ValueError, KeyError, EOFError) as failure:
                await self._fail(f"the file could not be read after row {self._job.rows}: {failure}")
                raise
            if not read.last:
                return
            await self._take(read, rejects)
            self._on_progress(self._job)

    def _read(self, rows: Iterator[RawRow]) -> _Read:
        read = _Read()
        for raw in islice(rows, BATCH):
            if raw.number > _LAST_ROW:
                raise ValueError(f"no list has more than {_LAST_ROW} rows: cut the file")
            row = ReadRow(raw.number, None, (raw.fault,)) if raw.fault else self._reader.read(raw.number, raw.cells)
            read.rows.append(row)
            read.last, read.position = raw.number, raw.position
            read.cells[raw.number] = raw.cells
        return read

    async def _take(self, read: _Read, rejects: Rejects) -> None:
        settled = await self._settle(read.rows)
        numbers = [each.number for _, lead in settled.added for each in lead.numbers]
        own = await self._patiently(lambda: self._store.listed_among(self._job.tenant, numbers, self._plan.campaign))
        national = {name: list_.numbers.among(numbers) for name, list_ in self._registers.items()}
        screened = screen(settled.added, own, national, self._plan)
        rejected = left_out = 0
        for row in read.rows:
            for why in row.refusals:
                rejects.add(row.row, why, "left_out" if row.record else "rejected", read.cells[row.row])
            rejected += row.record is None
            left_out += len(row.refusals) if row.record else 0
        for number, why in settled.refused:
            rejects.add(number, why, "duplicate", read.cells[number])
        for number, why in screened.refused:
            rejects.add(number, why, "rejected", read.cells[number])
        tally = ImportTally(
            added=len(screened.kept),
            updated=settled.updated,
            unchanged=settled.unchanged,
            duplicates=len(settled.refused),
            rejected=rejected + len(screened.refused),
            blocked=screened.blocked,
            national=screened.national,
            left_out=left_out,
        )
        batch = ImportBatch(
            job_id=self._job.job_id,
            worker=self._job.worker,
            rows_before=self._job.rows,
            rows=read.last,
            position=read.position,
            rejects_bytes=await asyncio.to_thread(rejects.flush),
            tally=tally,
            now_s=self._now_s(),
            added=tuple(screened.kept),
            changed=tuple(settled.changed),
        )
        self._job = await self._in_turn(lambda: self._keep(batch))

    async def _keep(self, batch: ImportBatch) -> ImportJob:
        """A batch whose answer was lost is there already: then the job stands at its last row."""
        try:
            return await self._store.take(batch)
        except ImportStopped:
            job = await self._store.job(self._job.tenant, self._job.job_id)
            if job is None or (job.state, job.worker, job.rows) != (ImportState.RUNNING, batch.worker, batch.rows):
                raise
            return job

    async def _settle(self, rows: Sequence[ReadRow]) -> Settled:
        numbers: list[str] = []
        ids: list[str] = []
        if self._settling.asks:
            for row in rows:
                if row.record is not None:
                    of_row = self._settling.keys(row.record)
                    numbers += of_row[0]
                    ids += of_row[1]
        within = self._plan.list_id if self._plan.elsewhere == "allow" else ""
        known = await self._patiently(lambda: self._store.known(self._plan.tenant, numbers, ids, within))
        return await asyncio.to_thread(self._settling.settle, rows, known)

    async def _in_turn(self, ask: Callable[[], Awaitable[T]]) -> T:
        """A transaction, not sooner after the last one than that one took: half of the time belongs to others, who only
        look now and then whether SQLite is free."""
        await asyncio.sleep(max(_BREATH_S, self._free_until - time.monotonic()))
        began = time.monotonic()
        done = await self._patiently(ask)
        ended = time.monotonic()
        self._free_until = ended + (ended - began)
        return done

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Again while the database is away."""
        async for attempt in stamina.retry_context(
            StoreUnavailable, attempts=None, timeout=_PATIENCE_S, wait_initial=0.1, wait_max=2.0
        ):
            with attempt:
                return await ask()
        raise AssertionError  # unreachable: the last attempt raises

    async def _fail(self, why: str) -> None:
        """Raises FileUnusable."""
        self._job = await self._store.end_job(
            self._job.tenant, self._job.job_id, ImportState.FAILED, self._now_s(), why
        )
        raise FileUnusable(why)
