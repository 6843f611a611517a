"""Carrying out an import from the command line, with a bar; and what its options must be."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from core.list_store import ImportJob, ImportState, ImportStopped
from engine.cli.common import err, fail

if TYPE_CHECKING:
    from desk.lists.tables import Table
    from engine.cli.lists_open import Place

_LIST_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


async def imported(place: Place, job: ImportJob, table: Table) -> ImportJob:
    """Carries a new job out."""
    return await _watched(place, job.tenant, job, lambda tell: place.lists.run(job, tell, table))


async def resumed(place: Place, tenant: str, job_id: str) -> ImportJob:
    job = await place.lists.job(tenant, job_id)
    return await _watched(place, tenant, job, lambda tell: place.lists.resume(tenant, job_id, tell))


async def _watched(
    place: Place,
    tenant: str,
    job: ImportJob,
    start: Callable[[Callable[[ImportJob], None]], Coroutine[Any, Any, ImportJob]],
) -> ImportJob:
    """With a bar where somebody looks; Ctrl-C cancels the job, so that nobody of it is dialed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:>9,} rows  {task.fields[rate]:>6,}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        bar = bars.add_task(f"{job.source} → {job.list_id}", total=job.size or None, rows=job.rows, rate=0)
        began = asyncio.get_running_loop().time()

        def show(now: ImportJob) -> None:
            elapsed_s = max(asyncio.get_running_loop().time() - began, 0.001)
            rate = int((now.rows - job.rows) / elapsed_s)
            bars.update(bar, completed=now.position, rows=now.rows, rate=rate)

        work = asyncio.ensure_future(start(show))
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, work.cancel)
        try:
            return await work
        except asyncio.CancelledError:
            return await _cancelled(place, tenant, job.job_id)
        finally:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


async def _cancelled(place: Place, tenant: str, job_id: str) -> ImportJob:
    try:
        await place.lists.cancel(tenant, job_id)
    except ImportStopped:
        job = await place.lists.job(tenant, job_id)
        if job.state is ImportState.FINISHED:
            return job
    remedy = f"`centralita lists resume {job_id}` goes on, `centralita lists undo {job_id}` takes back what is in"
    return fail(f"cancelled: nobody of it is dialed. {remedy}")


def read_wishes(wishes: Sequence[str]) -> list[tuple[str, str]]:
    """`phone=Teléfono` -> (phone, Teléfono)."""
    found = []
    for wish in wishes:
        target, sign, header = wish.partition("=")
        if not sign or not target or not header:
            fail(f"--map {wish}: write WHAT=COLUMN, like phone=Teléfono", 2)
        found.append((target.strip(), header))
    return found


def check_list_id(list_id: str) -> None:
    if not _LIST_ID.fullmatch(list_id):
        fail(f"--list {list_id[:40]}: write small letters, digits, - and _, like spring-2026", 2)


def check_choice(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        fail(f"{option} {value[:40]}: choose {', '.join(known)}", 2)
    return value


def check_country(country: str) -> str:
    import phonenumbers

    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        fail(f"--country {country[:40]}: write a country's code, like ES", 2)
    return country.upper()
