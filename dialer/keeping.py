"""What the store of leads is asked to keep, and how a lead leaves the dialer's hand."""

from __future__ import annotations

from dataclasses import replace

from core.decisions import LeadSettled
from core.dialing import NumberListed
from core.lead import LeadEvent, LeadState
from core.lead_store import Save
from dialer.hopper import CALLBACK
from dialer.records import Attempt, Lead, Word
from dialer.state import State
from dialer.turn import Turn

_NAMED_ALIKE = "disposition callback"
"""The reason where a disposition is called like the reason of a promised call, and promises none."""


def save_lead(state: State, turn: Turn, lead: Lead) -> None:
    """A number of nobody's, dialed by hand, is on no list: of it the attempt alone is kept."""
    lead.serial = _serial(turn, lead.key)
    if lead.record.list_id:
        turn.outcome.saves.append(Save(f"lead:{lead.row_id}", lead.serial, lead=lead.record))
    elif not lead.held:
        state.forget_lead(lead)


def save_attempt(turn: Turn, attempt: Attempt) -> None:
    attempt.serial, attempt.kept_s = _serial(turn, attempt.key), 0.0
    turn.outcome.saves.append(Save(f"attempt:{attempt.attempt_id}", attempt.serial, attempt=attempt.record()))


def save_word(state: State, turn: Turn, said: NumberListed) -> None:
    """Raises ValueError when the number is not E.164."""
    state.book = state.book.heard(said, turn.now_s)
    word = Word(said, turn.now_s, turn.next_serial())
    turn.word(word.row_id)
    state.words[word.row_id] = word
    state.heard = {**state.heard, word.row_id: word}
    turn.outcome.saves.append(Save(f"dnc:{word.row_id}", word.serial, listed=said))


def release(
    state: State, turn: Turn, lead: Lead, event: LeadEvent, why: str, not_before_s: float = 0.0, attempt_id: str = ""
) -> None:
    """The lead leaves the hand: it moves by `event`, unless somebody has moved it already, and is saved."""
    turn.lead(lead)
    reason = CALLBACK if event is LeadEvent.CALLBACK else why
    if event is LeadEvent.RETRY and why == CALLBACK:
        reason = _NAMED_ALIKE
    if lead.record.state is not LeadState.DONE and lead.record.state is not LeadState.CALLBACK:
        turn.move_lead(lead, event, reason, not_before_s)
        if event in (LeadEvent.FINISHED, LeadEvent.EXHAUSTED) and lead.record.agent_id:
            lead.record = replace(lead.record, agent_id="")
    lead.attempt_id, lead.held = "", False
    state.index_lead(lead)
    _promised(turn, lead)
    record = lead.record
    turn.decide(
        LeadSettled(
            record.tenant, lead.campaign, record.lead_id, attempt_id, record.state.value, why, record.not_before_s
        )
    )
    save_lead(state, turn, lead)


def put_back(state: State, turn: Turn, lead: Lead, why: str, not_before_s: float = 0.0) -> None:
    """Out of the hopper undialed, as it was before; without a word, for there may be thousands."""
    turn.lead(lead)
    record = lead.record
    if record.reason == CALLBACK:
        turn.move_lead(lead, LeadEvent.CALLBACK, CALLBACK, max(record.not_before_s, not_before_s))
    else:
        turn.move_lead(lead, LeadEvent.UNSTAGE, why, not_before_s)
    lead.attempt_id, lead.held = "", False
    state.index_lead(lead)
    _promised(turn, lead)
    save_lead(state, turn, lead)


def again(lead: Lead) -> LeadEvent:
    """How a lead waits: as a promise, if it was one."""
    return LeadEvent.CALLBACK if lead.record.reason == CALLBACK else LeadEvent.RETRY


def _promised(turn: Turn, lead: Lead) -> None:
    """The store is asked for her when her call is due, however long its lists were to be left alone."""
    if lead.record.state is LeadState.CALLBACK:
        campaign = turn.campaign(lead.key)
        due_s = max(lead.record.not_before_s, turn.now_s)
        campaign.promised_s = min(campaign.promised_s or due_s, due_s)


def _serial(turn: Turn, key: tuple[str, str]) -> int:
    """Kept with the campaign, so that it grows over restarts whatever the clock does."""
    campaign = turn.campaign(key)
    campaign.serial = turn.next_serial()
    return campaign.serial
