"""Lists and what came of them as CSV, row by row: a million leads go out in little memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from core.lead_record import AttemptRecord, LeadRecord

_LEAD = (
    *("lead_id", "external_id", "name", "state", "reason", "outcome", "disposition", "attempts", "not_before"),
    *("numbers", "region", "time_zone", "language", "basis", "consent", "proof", "priority", "agent", "fields"),
)
_ATTEMPT = (
    *("attempt_id", "interaction_id", "campaign", "list_id", "lead_id", "number", "identity", "mode", "state", "why"),
    *("cause", "agent", "disposition", "dialed", "ringing", "answered", "connected", "ended", "answers", "script"),
)
_AT_ONCE = 500
_FORMULA = ("=", "@", "\t", "+", "-")


async def leads_csv(leads: AsyncIterator[LeadRecord]) -> AsyncIterator[str]:
    """`fields`: JSON; `numbers`: separated by blanks; moments: ISO, UTC."""
    async for text in _lines(_LEAD, (_lead(lead) async for lead in leads)):
        yield text


async def attempts_csv(attempts: AsyncIterator[AttemptRecord]) -> AsyncIterator[str]:
    """`answers`: JSON, the campaign's form by field."""
    async for text in _lines(_ATTEMPT, (_attempt(attempt) async for attempt in attempts)):
        yield text


async def _lines(header: Iterable[str], rows: AsyncIterator[list[object]]) -> AsyncIterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")  # or a spreadsheet takes it for Latin-1
    writer.writerow(header)
    waiting = 0
    async for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        waiting += 1
        if waiting == _AT_ONCE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
            waiting = 0
    yield text.getvalue()


def _lead(lead: LeadRecord) -> list[object]:
    return [
        lead.lead_id,
        lead.external_id,
        lead.name,
        lead.state.value,
        lead.reason,
        lead.outcome,
        lead.disposition,
        lead.attempts,
        _moment(lead.not_before_s),
        " ".join(each.number for each in lead.numbers),
        lead.region,
        lead.zone,
        lead.language,
        lead.basis,
        _moment(lead.consent_s),
        lead.proof,
        lead.priority,
        lead.agent_id,
        json.dumps(dict(lead.fields), ensure_ascii=False) if lead.fields else "",
    ]


def _attempt(attempt: AttemptRecord) -> list[object]:
    return [
        attempt.attempt_id,
        attempt.interaction_id,
        attempt.campaign,
        attempt.list_id,
        attempt.lead_id,
        attempt.number,
        attempt.identity,
        attempt.mode,
        attempt.state,
        attempt.why,
        attempt.cause or "",
        attempt.agent_id,
        attempt.disposition,
        *map(
            _moment,
            (attempt.dialed_s, attempt.ringing_s, attempt.answered_s, attempt.connected_s, attempt.ended_s),
        ),
        json.dumps(dict(attempt.answers), ensure_ascii=False) if attempt.answers else "",
        attempt.script,
    ]


def _moment(at_s: float | None) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds") if at_s else ""


def harmless(cell: object) -> object:
    """A spreadsheet must not take what somebody's list says for a formula; numbers (E.164) are numbers."""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not cell[1:].replace(" +", "").isdigit():
        return f"'{cell}"
    return cell
