"""What people promise in a conversation, and when they are dialed about it.

    promise        by a day    ... the day ends ... grace ... | dialed again, unless somebody said that it was kept
    appointment    at an hour  ... remind before ... | dialed, a reminder | the hour: nobody is dialed about it any more

It stands beside the lead's state and holds her back whatever that is, so that neither an import nor a restart can lead
to an early call. Calls that she asked for, and those an agent makes by hand, are not held back. When her time has come,
everything else is asked as ever: hours, caps, do-not-call.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.dialing import LeadActed
from core.lead import LeadEvent, LeadState
from core.lead_record import LeadRecord, Promise
from dialer.compliance.local_time import zones_of
from dialer.compliance.rules import Mode
from dialer.form import day_of
from dialer.hopper import CALLBACK
from dialer.records import Attempt, Lead
from dialer.setup import After, CampaignSetup
from dialer.turn import Refused, Turn

_OVER = (LeadState.DONE, LeadState.EXHAUSTED, LeadState.BLOCKED)
_KEPT = {"promise": "promise_kept", "appointment": "appointment_kept"}
_BROKEN = {"promise": "promise_broken", "appointment": "appointment_missed"}


def made(setup: CampaignSetup, zone: str, record: LeadRecord, attempt: Attempt, after: After) -> Promise | None:
    """What she promised by what the agent filled in; None: nobody said when. `zone`: the site's, in which forms are
    written; a day is over when it is so there and where she is."""
    answer = attempt.answers.get(after.date, "")
    day = day_of(answer)
    if day is None or after.then not in ("promise", "appointment"):
        return None
    amount = attempt.answers.get(after.amount, "")
    if after.then == "appointment":
        at_s = datetime.fromisoformat(answer).replace(tzinfo=ZoneInfo(zone)).timestamp()
        return Promise("appointment", answer, at_s, at_s - setup.remind_s, amount, attempt.attempt_id)
    tomorrow = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    zones = {zone, *_zones(record, attempt.number)}
    at_s = max(tomorrow.replace(tzinfo=ZoneInfo(each)).timestamp() for each in zones)
    return Promise("promise", answer, at_s, at_s + setup.grace_s, amount, attempt.attempt_id)


def lies_ahead(zone: str, after: After, answer: str, now_s: float) -> bool:
    """Whether the day that an agent is about to write down is still to come, today included."""
    day = day_of(answer)
    if day is None:
        return False
    if after.then == "appointment":
        return datetime.fromisoformat(answer).replace(tzinfo=ZoneInfo(zone)).timestamp() > now_s
    return day >= datetime.fromtimestamp(now_s, ZoneInfo(zone)).date()


def is_open(record: LeadRecord, now_s: float) -> bool:
    """Whether it still matters: nobody said what came of it, and an appointment's hour has not come."""
    promise = record.promise
    if promise is None or promise.outcome:
        return False
    return promise.kind == "promise" or now_s < promise.at_s


def held_until_s(record: LeadRecord, mode: Mode, now_s: float) -> float | None:
    """Until when nobody dials her so; None: nothing holds her back."""
    promise = record.promise
    if promise is None or _is_wanted(record, mode) or not is_open(record, now_s) or now_s >= promise.not_before_s:
        return None
    return promise.not_before_s


def is_past(record: LeadRecord, mode: Mode, now_s: float) -> bool:
    """An appointment whose hour has come: it was all that she was to be dialed for."""
    promise = record.promise
    if promise is None or promise.kind != "appointment" or promise.outcome:
        return False
    return now_s >= promise.at_s and not _is_wanted(record, mode)


def _is_wanted(record: LeadRecord, mode: Mode) -> bool:
    """She asked for this call, or an agent makes it herself."""
    return is_callback(record, mode) or mode is Mode.MANUAL


def is_callback(record: LeadRecord, mode: Mode) -> bool:
    """She was promised this call."""
    return mode is Mode.CALLBACK or record.reason == CALLBACK


def told(turn: Turn, lead: Lead, fact: LeadActed) -> None:
    """Somebody knows whether she kept it. Kept: she is done with, also while she is being dialed. Broken: she is dialed
    as soon as she may be. `lead` is the turn's. Raises Refused."""
    record = lead.record
    promise = record.promise
    if promise is None:
        raise Refused("this lead has promised nothing")
    if fact.action == "kept":
        lead.record = replace(record, promise=replace(promise, outcome="kept"))
        if record.state not in _OVER:
            turn.move_lead(lead, LeadEvent.OPT_OUT, _KEPT[promise.kind])
        return
    if turn.now_s < promise.at_s:
        raise Refused("what she promised still lies ahead: it cannot be broken yet")
    if record.state in _OVER:
        raise Refused(f"this lead is {record.state.value}: reopen it first")
    lead.record = replace(record, promise=replace(promise, outcome="broken"))
    if record.state is LeadState.WAITING:
        lead.record = replace(lead.record, reason=_BROKEN[promise.kind], not_before_s=turn.now_s)
        turn.campaign(lead.key).stage_after_s = 0.0


def plain(promise: Promise | None) -> dict[str, Any] | None:
    return asdict(promise) if promise is not None else None


def variables(record: LeadRecord, now_s: float) -> dict[str, str]:
    """For flows and scripts, while it is open: `promised_for`, `promised_amount`."""
    promise = record.promise
    if promise is None or not is_open(record, now_s):
        return {}
    return {"promised_for": when(promise), "promised_amount": promise.amount}


def when(promise: Promise) -> str:
    """The day, or the hour, as it was agreed."""
    return promise.on.replace("T", " ") if promise.kind == "appointment" else promise.on.partition("T")[0]


def in_words(record: LeadRecord, zone: str, now_s: float) -> str:
    """For `why`; empty: she has promised nothing."""
    promise = record.promise
    if promise is None:
        return ""
    amount = f" {promise.amount}" if promise.amount else ""
    what = f"she promised to pay{amount} by" if promise.kind == "promise" else "she has an appointment on"
    said = f"{what} {when(promise)}"
    if promise.outcome:
        missed = promise.kind == "appointment" and promise.outcome == "broken"
        return f"{said}, and it was {'missed' if missed else promise.outcome}"
    held = held_until_s(record, Mode.PROGRESSIVE, now_s)
    if held is not None:
        until = datetime.fromtimestamp(held, ZoneInfo(zone))
        return f"{said}: she is not dialed about it before {until:%Y-%m-%d %H:%M}"
    if not is_open(record, now_s):
        return f"{said}, which is over"
    due = ", and nobody has said that it was kept" if promise.kind == "promise" else ": it is time to remind her"
    return f"{said}{due}"


def _zones(record: LeadRecord, number: str) -> tuple[str, ...]:
    given = next((one.time_zone for one in record.numbers if one.number == number), "")
    if given:
        return zones_of(number, given)
    return tuple(name for name in record.zone.split("|") if zones_of("", name)) or zones_of(number)
