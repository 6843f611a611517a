"""What came of a campaign, from the store of leads: every attempt as CSV, and the evidence that the law was kept.

No engine is needed: it reads the database, and for the evidence the configuration on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from core.attempt import AttemptState
from core.errors import StoreUnavailable
from core.lead_record import AttemptRecord, LeadRecord
from dialer.compliance.evidence import Attempted, Evidence, attempts_csv, evidence, inert, iso, report_html, summary_csv
from dialer.setup import CampaignSetup
from engine.cli.common import fail
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.databases import DatabaseUnknown, leads_url
from engine.home import Home
from store.sql.database import LEADS, Database
from store.sql.lead_exports import answered_fields, attempts_of
from store.sql.leads import SqlLeadStore

HEAD = (
    *("attempt_id", "interaction_id", "campaign", "list_id", "lead_id", "external_id", "name", "number", "identity"),
    *("mode", "result", "disposition", "agent_id", "cause", "why", "verdict", "evidence"),
    *("dialed", "ringing", "answered", "connected", "ended", "ring_s", "wait_s", "talk_s"),
    *("lead_state", "lead_reason", "next", "script"),
)
FIELD = "form."
"""How the column of a form's field begins."""
_NAMES = 200
"""Leads whose names are asked for at once."""


@dataclass(frozen=True, slots=True)
class Report:
    """`lines`: of the evidence; the rest is text for files."""

    lines: list[Evidence]
    html: str
    csv: str
    attempts: str


def seconds_of(day: str) -> float:
    """The beginning of a day in UTC; 0 for none. Ends the command when it is no day."""
    if not day:
        return 0.0
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    except ValueError:
        fail(f"'{day}' is no day: write it like 2026-11-22", 2)


def export_csv(home: Home, tenant: str, campaign: str, to: Path, since_s: float) -> int:
    """Writes one line an attempt; `-` is the terminal. Returns how many. Ends the command when the store is away."""
    with _opened(to) as file:
        try:
            return asyncio.run(_export(home, tenant, campaign, file, since_s))
        except StoreUnavailable as failure:
            fail(str(failure))


def setup_of(home: Home, tenant: str, campaign: str) -> tuple[CampaignSetup, str]:
    """The campaign by the files on disk, and the site's time zone. Ends the command when they are wrong, or there is no
    such campaign."""
    loaded = load(read_sources(home.project)).configuration
    if loaded is None:
        fail("the configuration has errors: `centralita check` says which")
    setup = loaded.campaigns.campaigns.get((tenant, campaign))
    if setup is None:
        fail(f"there is no campaign '{campaign}': it needs config/campaigns/{campaign}.yaml")
    return setup, loaded.site.time_zone


def evidence_of(home: Home, tenant: str, campaign: str, since_s: float) -> Report:
    """Ends the command when there is no such campaign, or the store is away."""
    setup, _ = setup_of(home, tenant, campaign)
    try:
        found = asyncio.run(_attempts(home, setup, since_s))
    except StoreUnavailable as failure:
        fail(str(failure))
    # Successive windows are counted from the first attempt on: no window of the report is longer than the law's.
    lines = evidence(setup.law(), found, min((one.dialed_s or 0.0 for one in found), default=0.0), setup.reviewed)
    title = f"{setup.title or campaign}: how the rules were kept"
    return Report(lines, report_html(title, lines, time.time()), summary_csv(lines), attempts_csv(found))


async def _attempts(home: Home, setup: CampaignSetup, since_s: float) -> list[Attempted]:
    database = database_of(home)
    try:
        found = attempts_of(database, setup.tenant, setup.campaign, "", since_s)
        return [_attempted(each, setup) async for each in found]
    finally:
        await database.close()


async def _export(home: Home, tenant: str, campaign: str, file: IO[str], since_s: float) -> int:
    database, count = database_of(home), 0
    writer = csv.writer(file)
    store = SqlLeadStore(database)
    try:
        answered = await answered_fields(database, tenant, campaign, since_s)
        fields = list(dict.fromkeys([*_form_of(home, tenant, campaign), *answered]))
        writer.writerow([*HEAD, *(f"{FIELD}{name}" for name in fields)])
        async for batch in _batches(attempts_of(database, tenant, campaign, "", since_s)):
            leads = {lead_id: await store.lead(tenant, lead_id, time.time()) for lead_id in {a.lead_id for a in batch}}
            for attempt in batch:
                staged = leads[attempt.lead_id]
                row = _row(attempt, staged.record if staged is not None else None)
                writer.writerow(map(inert, (*row, *(attempt.answers.get(name, "") for name in fields))))
            count += len(batch)
    finally:
        await database.close()
    return count


def _form_of(home: Home, tenant: str, campaign: str) -> tuple[str, ...]:
    """The fields of its form as it is written now; none while the configuration has errors."""
    loaded = load(read_sources(home.project)).configuration
    setup = loaded.campaigns.campaigns.get((tenant, campaign)) if loaded is not None else None
    return tuple(field.name for field in setup.form) if setup is not None else ()


def _row(attempt: AttemptRecord, lead: LeadRecord | None) -> Iterator[str]:
    """`lead` None: it was deleted; what was done stays on record."""
    yield from (attempt.attempt_id, attempt.interaction_id, attempt.campaign, attempt.list_id, attempt.lead_id)
    yield from (lead.external_id, lead.name) if lead is not None else ("", "")
    yield from (attempt.number, attempt.identity, attempt.mode, attempt.state, attempt.disposition, attempt.agent_id)
    yield from (str(attempt.cause or ""), attempt.why, attempt.verdict, attempt.evidence)
    yield from (iso(at_s) for at_s in _times(attempt))
    yield from _lengths(attempt)
    yield from (lead.state.value, lead.reason) if lead is not None else ("deleted", "")
    yield iso(lead.not_before_s) if lead is not None and lead.not_before_s else ""
    yield attempt.script


def _times(attempt: AttemptRecord) -> tuple[float | None, ...]:
    return (attempt.dialed_s, attempt.ringing_s, attempt.answered_s, attempt.connected_s, attempt.ended_s)


def _lengths(attempt: AttemptRecord) -> Iterator[str]:
    """How long it rang, she waited for an agent, they talked; empty for what did not happen."""
    rang_until_s = attempt.answered_s or attempt.ended_s
    for from_s, until_s in (
        (attempt.dialed_s, rang_until_s),
        (attempt.answered_s, attempt.connected_s or attempt.ended_s),
        (attempt.connected_s, attempt.ended_s),
    ):
        yield f"{until_s - from_s:.3f}" if from_s is not None and until_s is not None else ""


def _attempted(record: AttemptRecord, setup: CampaignSetup) -> Attempted:
    state = AttemptState(record.state)
    return Attempted(
        record.attempt_id,
        record.lead_id,
        record.number,
        state,
        dialed_s=record.dialed_s,
        ringing_s=record.ringing_s,
        answered_s=record.answered_s,
        greeted_s=record.greeted_s,
        connected_s=record.connected_s,
        ended_s=record.ended_s,
        rule=record.why if state is AttemptState.BLOCKED else "",
        met_machine=setup.after(record.disposition).means == "machine",
    )


async def _batches(attempts: AsyncIterator[AttemptRecord]) -> AsyncIterator[list[AttemptRecord]]:
    batch: list[AttemptRecord] = []
    async for attempt in attempts:
        batch.append(attempt)
        if len(batch) == _NAMES:
            yield batch
            batch = []
    if batch:
        yield batch


def database_of(home: Home) -> Database:
    """Where the site keeps its leads. Ends the command when nobody knows."""
    try:
        return Database(leads_url(home), LEADS)
    except DatabaseUnknown as unknown:
        fail(str(unknown))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    if str(path) == "-":
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file
