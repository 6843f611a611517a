"""Imports of lists on their way: each in a process of its own, so that pages and calls do not wait for a million rows.

start: job in the store --> `python -m desk.import_worker STATE TENANT JOB` --> progress in the store
the desk dies: the worker goes on; the worker dies: the job stands still, and is taken up again
an undo is our own work: whatever cut it short, the desk finishes it
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from core.clock import Clock
from core.errors import StoreUnavailable
from core.list_store import ImportJob, ImportState, ListStore
from desk.lists.preview import Preview
from desk.lists.service import Lists

log = logging.getLogger("centralita.desk")

STANDS_STILL_S = 60.0
"""A running job that nobody has touched for so long has lost its worker."""
_LOOK_EVERY_S = 30.0
_AT_ONCE = 2
_MOST_KILLS = 5
"""A job whose worker is killed so often is left for a person to look at."""
_SOON_S = 1.0


class Imports:
    """`state`: the state directory. Everything may raise StoreUnavailable."""

    def __init__(self, lists: Lists, store: ListStore, state: Path, clock: Clock) -> None:
        self._lists, self._store, self._state, self._clock = lists, store, state, clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._kills: Counter[str] = Counter()
        self._gone: set[str] = set()
        """Jobs of which an undo left nothing."""

    @property
    def busy(self) -> bool:
        """Whether anything of ours is at work."""
        return bool(self._tasks)

    def undoing(self, job_id: str) -> bool:
        """Whether we are taking it back right now."""
        return _undo_of(job_id) in self._tasks

    async def start(self, path: Path, shown: Preview) -> ImportJob:
        """Raises ListBusy: another import fills that list."""
        job = await self._lists.begin(path, shown.plan, shown.table)
        self._work(job)
        return job

    async def resume(self, tenant: str, job_id: str) -> ImportJob:
        """Raises ImportStopped: it cannot go on."""
        job = await self._store.resume_job(tenant, job_id, secrets.token_hex(8), self._clock.now_s())
        self._work(job)
        return job

    async def undo(self, tenant: str, job_id: str) -> ImportJob:
        """Begins to take it back; what takes longer goes on by itself. Raises ImportStopped."""
        await self._lists.job(tenant, job_id)
        task = asyncio.create_task(self._undo(tenant, job_id, self._lists.undo))
        self._keep(_undo_of(job_id), task)
        done, _ = await asyncio.wait({task}, timeout=_SOON_S)
        if done:
            task.result()
        return await self._lists.job(tenant, job_id)

    async def watch(self, tenants: Callable[[], Iterable[str]]) -> None:
        """Until cancelled: jobs whose worker is gone are taken up again, and undos that were cut short."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(StoreUnavailable):
                for tenant in tenants():
                    for job in await self._store.jobs(tenant):
                        stands = self._clock.now_s() - job.touched_s > STANDS_STILL_S
                        known = job.job_id in self._tasks or self._kills[job.job_id] >= _MOST_KILLS
                        if job.state is ImportState.RUNNING and stands and not known:
                            log.warning("import %s stood still: it goes on", job.job_id)
                            self._work(job)
                        over = job.job_id in self._gone or self.undoing(job.job_id)
                        if job.state is ImportState.UNDONE and not over:
                            undo = self._undo(tenant, job.job_id, self._lists.finish_undo)
                            self._keep(_undo_of(job.job_id), asyncio.create_task(undo))

    async def close(self) -> None:
        """Workers go on without us."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _work(self, job: ImportJob) -> None:
        if job.job_id not in self._tasks:
            self._keep(job.job_id, asyncio.create_task(self._run(job)))

    def _keep(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks[name] = task
        task.add_done_callback(lambda ended: self._ended(name, ended))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("import %s: %s: %s", name, type(failure).__name__, failure)

    async def _run(self, job: ImportJob) -> None:
        """Its worker, and another one when that was killed."""
        async with self._turns:
            while (status := await self._worker(job)) < 0 and self._kills[job.job_id] < _MOST_KILLS:
                self._kills[job.job_id] += 1
                log.error("the worker of import %s was killed (%s): another one goes on", job.job_id, -status)
        if status:
            log.error("import %s ended with %s: see imports.log", job.job_id, status)

    async def _worker(self, job: ImportJob) -> int:
        command = [sys.executable, "-m", "desk.import_worker", str(self._state), job.tenant, job.job_id]
        folder = self._state / "log"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "imports.log").open("ab") as told:
            worker = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True
            )
        return await worker.wait()

    async def _undo(self, tenant: str, job_id: str, undo: Callable[[str, str], Awaitable[int]]) -> None:
        if done := await undo(tenant, job_id):
            log.info("import %s: %d leads gone or as before", job_id, done)
        self._gone.add(job_id)


def _undo_of(job_id: str) -> str:
    """Its name among tasks."""
    return f"undo {job_id}"
