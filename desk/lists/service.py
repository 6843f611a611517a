"""Lists of a tenant, for whoever works with them: begin, watch, cancel, resume and undo imports; show, export, delete.

    lists = Lists(store, state_directory, clock.now_s, tell)
    shown = await lists.preview(path, "main", "spring", country="ES")      # what would happen
    job = await lists.begin(path, shown.plan, shown.table)                 # makes the job
    job = await lists.run(job, on_progress)                                # carries it out; `resume` after a crash

The file of rejected rows is `imports/<job>.csv` in the state directory.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import string
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadRecord
from core.lead_store import LeadStore
from core.list_store import ImportJob, ImportState, ImportStopped, LeadList, ListStore
from desk.lists.importing import Importing
from desk.lists.preview import Preview, preview
from desk.lists.reading import open_again
from desk.lists.registers import registers_directory, usable_registers
from desk.lists.tables import FileUnusable, Table
from dialer.importing.plan import ImportPlan

_DIGITS = string.digits + string.ascii_lowercase
_AT_ONCE = 2_000
_BREATH_S = 0.002

_GIVEN_BACK_S = 0.3
_LOOKS = 10
"""So long, and so often, campaigns are waited for that have staged leads which are to go."""

Tell = Callable[[str, str, str], Awaitable[None]]
"""Tells the engine that lists of (tenant, campaign) have changed, and which of them is about to go, empty for none; it
may be away."""


class Store(LeadStore, ListStore, Protocol):
    """Both ports over the same tables."""


@dataclass(frozen=True, slots=True)
class ShownList:
    """`leads`: how many in each state. `jobs`: its imports, the newest first."""

    about: LeadList
    leads: Mapping[LeadState, int]
    jobs: Sequence[ImportJob]


async def nobody(_tenant: str, _campaign: str, _leaving: str) -> None:
    """Tells nobody."""


class Lists:
    """`now_s`: UTC seconds. Everything may raise StoreUnavailable."""

    def __init__(self, store: Store, state: Path, now_s: Callable[[], float], tell: Tell = nobody) -> None:
        self._store, self._now_s, self._tell = store, now_s, tell
        self._imports = state / "imports"
        self._registers = registers_directory(state)

    def rejects_of(self, job_id: str) -> Path:
        """The file of rejected rows; it is there when there are any."""
        return self._imports / f"{job_id}.csv"

    async def preview(self, path: Path, tenant: str, list_id: str, **how: Any) -> Preview:
        """See `desk.lists.preview.preview`, also for what it raises."""
        return await asyncio.to_thread(preview, path, tenant, list_id, self._now_s(), **how)

    async def begin(self, path: Path, plan: ImportPlan, table: Table) -> ImportJob:
        """Makes the job. `path`: absolute, for a resume. Raises ListBusy: another import fills that list."""
        now_s = self._now_s()
        settings = json.dumps({"path": str(path), "plan": plan.plain()}, ensure_ascii=False)
        job = ImportJob(
            job_id=new_job_id(now_s),
            tenant=plan.tenant,
            list_id=plan.list_id,
            source=path.name,
            fingerprint=table.fingerprint,
            settings=settings,
            worker=secrets.token_hex(8),
            size=table.size,
            started_s=now_s,
            touched_s=now_s,
        )
        return await self._store.open_job(job, plan.campaign)

    async def run(
        self, job: ImportJob, on_progress: Callable[[ImportJob], None] = lambda job: None, table: Table | None = None
    ) -> ImportJob:
        """Carries a job out, from wherever it is. See `Importing.run` for what it raises."""
        body = json.loads(job.settings)
        plan = ImportPlan.of_plain(body["plan"])
        if table is None:
            try:
                table = await asyncio.to_thread(open_again, Path(body["path"]), plan.reading)
            except FileUnusable as failure:
                await self._store.end_job(job.tenant, job.job_id, ImportState.FAILED, self._now_s(), str(failure))
                raise
        registers, _ = await asyncio.to_thread(usable_registers, self._registers)
        done = await Importing(
            self._store, job, plan, table, self.rejects_of(job.job_id), self._now_s, registers, on_progress
        ).run()
        await self._tell(job.tenant, plan.campaign, "")
        return done

    async def resume(
        self, tenant: str, job_id: str, on_progress: Callable[[ImportJob], None] = lambda job: None
    ) -> ImportJob:
        """Takes a job over that was killed, cancelled or failed. Raises ImportStopped: it cannot go on."""
        job = await self._store.resume_job(tenant, job_id, secrets.token_hex(8), self._now_s())
        return await self.run(job, on_progress)

    async def cancel(self, tenant: str, job_id: str, why: str = "by hand") -> ImportJob:
        """Whoever carries it out stops at its next batch; nobody of it is dialed. Raises ImportStopped."""
        return await self._store.end_job(tenant, job_id, ImportState.CANCELLED, self._now_s(), why)

    async def undo(self, tenant: str, job_id: str, on_progress: Callable[[int], None] = lambda leads: None) -> int:
        """Takes an import back; who was dialed since stays. Returns how many leads went or are as before. Raises
        ImportStopped: there is no such job."""
        await self._store.end_job(tenant, job_id, ImportState.UNDONE, self._now_s(), "undone")
        return await self.finish_undo(tenant, job_id, on_progress)

    async def finish_undo(
        self, tenant: str, job_id: str, on_progress: Callable[[int], None] = lambda leads: None
    ) -> int:
        """What is left of an undo that was cut short. Returns how many leads that were. Raises ImportStopped: that
        import was not undone."""
        job = await self.job(tenant, job_id)
        undo = lambda: self._store.undo(tenant, job_id, _AT_ONCE)  # noqa: E731
        done = await self._let_go(tenant, job.list_id, undo, on_progress)
        if done:
            await self._tell(tenant, "", "")
        return done

    async def job(self, tenant: str, job_id: str) -> ImportJob:
        """Raises ImportStopped: there is none."""
        job = await self._store.job(tenant, job_id)
        if job is None:
            raise ImportStopped(f"there is no import {job_id[:40]}: see `centralita lists show`")
        return job

    async def lists(self, tenant: str) -> Sequence[LeadList]:
        return await self._store.lists(tenant)

    async def show(self, tenant: str, list_id: str) -> ShownList | None:
        """None: there is no such list."""
        about = next((each for each in await self._store.lists(tenant) if each.list_id == list_id), None)
        if about is None:
            return None
        counts = await self._store.counts(tenant, [list_id])
        return ShownList(about, counts, await self._store.jobs(tenant, list_id))

    def leads(self, tenant: str, list_id: str) -> AsyncIterator[LeadRecord]:
        return self._store.leads(tenant, list_id)

    def attempts(
        self, tenant: str, campaign: str = "", list_id: str = "", since_s: float = 0.0
    ) -> AsyncIterator[AttemptRecord]:
        return self._store.attempts(tenant, campaign, list_id, since_s)

    async def delete(
        self, tenant: str, list_id: str, on_progress: Callable[[int], None] = lambda leads: None
    ) -> tuple[int, bool]:
        """(leads deleted, whether the list is gone): who is in hand right now stays, and the list with her."""
        jobs = await self._store.jobs(tenant, list_id)
        for job in jobs:
            if job.state is ImportState.RUNNING:
                await self.cancel(tenant, job.job_id, "the list was deleted")
        delete = lambda: self._store.delete_leads(tenant, list_id, _AT_ONCE)  # noqa: E731
        deleted = await self._let_go(tenant, list_id, delete, on_progress)
        gone = await self._store.delete_list(tenant, list_id)
        for job in jobs if gone else ():
            # What was rejected is about people, too.
            await asyncio.to_thread(self.rejects_of(job.job_id).unlink, missing_ok=True)
        await self._tell(tenant, "", "")
        return deleted, gone

    async def _let_go(
        self, tenant: str, list_id: str, some: Callable[[], Awaitable[int]], on_progress: Callable[[int], None]
    ) -> int:
        """`some` until there are no more, those included that campaigns have staged and not dialed."""
        done = await self._in_bits(some, on_progress)
        for _ in range(_LOOKS):
            counts = await self._store.counts(tenant, [list_id])
            if not counts.get(LeadState.STAGED):
                break
            await self._tell(tenant, "", list_id)
            await asyncio.sleep(_GIVEN_BACK_S)
            done = await self._in_bits(some, on_progress, done)
        return done

    async def _in_bits(
        self, some: Callable[[], Awaitable[int]], on_progress: Callable[[int], None], done: int = 0
    ) -> int:
        number = 1
        while number:
            began = time.monotonic()
            number = await some()
            done += number
            on_progress(done)
            # Half of the time belongs to others who wait for SQLite.
            await asyncio.sleep(max(_BREATH_S, time.monotonic() - began))
        return done


def new_job_id(now_s: float) -> str:
    """Twelve characters, later jobs after earlier ones; see `core.list_store.lead_id_of`."""
    text, rest = "", int(now_s * 1000)
    for _ in range(8):
        rest, digit = divmod(rest, len(_DIGITS))
        text = _DIGITS[digit] + text
    return f"j{text}{''.join(secrets.choice(_DIGITS) for _ in range(3))}"
