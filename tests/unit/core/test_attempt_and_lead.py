"""The lives of an attempt and of a lead: every event in every state, and the paths people know."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.attempt import ATTEMPT_TABLE, OPEN_ATTEMPTS, AttemptEvent, AttemptState
from core.errors import EventRefused
from core.lead import LEAD_TABLE, Lead, LeadEvent, LeadState, advance_lead
from core.table import StateTable

A, AE = AttemptState, AttemptEvent
L, LE = LeadState, LeadEvent

UNANSWERED = {AE.DIAL, AE.SCREEN, AE.CONNECT, AE.NO_AGENT, AE.BLOCKED, AE.MAILBOX, AE.MESSAGE_LEFT, AE.HARBOURED}
ATTEMPT_REFUSALS = {
    A.STAGED: {AE.RINGING, AE.ANSWERED, AE.SCREEN, AE.CONNECT, AE.NO_AGENT, AE.MACHINE, AE.FAX, AE.NO_ANSWER}
    | {AE.BUSY, AE.FAILED, AE.NOT_SENT, AE.MAILBOX, AE.MESSAGE_LEFT, AE.HARBOURED},
    A.DIALING: UNANSWERED,
    A.RINGING: UNANSWERED | {AE.NOT_SENT},
    A.ANSWERED: {AE.DIAL, AE.INVALID, AE.NOT_SENT, AE.BLOCKED, AE.MESSAGE_LEFT},
    A.SCREENING: {AE.DIAL, AE.SCREEN, AE.INVALID, AE.NOT_SENT, AE.BLOCKED, AE.MESSAGE_LEFT},
    A.CONNECTED: {AE.DIAL, AE.SCREEN, AE.CONNECT, AE.INVALID, AE.NOT_SENT, AE.BLOCKED, AE.MESSAGE_LEFT},
    A.LEAVING_MESSAGE: {AE.DIAL, AE.SCREEN, AE.INVALID, AE.NOT_SENT, AE.BLOCKED, AE.MAILBOX, AE.HARBOURED},
    A.ABANDONED: {AE.DIAL, AE.SCREEN, AE.BLOCKED},
    A.CUSTOMER_HUNG_UP: {AE.DIAL, AE.BLOCKED},
}
OUR_DECISIONS = {AE.DIAL, AE.SCREEN, AE.CONNECT, AE.BLOCKED}

LEAD_REFUSALS = {
    L.NEW: {LE.DIAL, LE.RETRY, LE.FINISHED, LE.EXHAUSTED, LE.REOPEN},
    L.STAGED: {LE.STAGE, LE.FINISHED, LE.REOPEN},
    L.DIALING: {LE.STAGE, LE.UNSTAGE, LE.DIAL, LE.REOPEN},
    L.WAITING: {LE.DIAL, LE.RETRY, LE.FINISHED, LE.REOPEN},
    L.CALLBACK: {LE.DIAL, LE.REOPEN},
    L.BLOCKED: {LE.STAGE, LE.DIAL, LE.CALLBACK},
    L.EXHAUSTED: {LE.STAGE, LE.DIAL},
    L.DONE: {LE.STAGE, LE.DIAL},
}


def refused(table: StateTable[Any, Any], state: Enum, events: type[Enum]) -> set[Enum]:
    found = set()
    for event in events:
        try:
            table.advance("x", state, event)
        except EventRefused:
            found.add(event)
    return found


@pytest.mark.parametrize("state", A)
def test_every_event_in_every_state_of_an_attempt(state: AttemptState) -> None:
    assert refused(ATTEMPT_TABLE, state, AE) == ATTEMPT_REFUSALS.get(state, OUR_DECISIONS)


@pytest.mark.parametrize("state", L)
def test_every_event_in_every_state_of_a_lead(state: LeadState) -> None:
    assert refused(LEAD_TABLE, state, LE) == LEAD_REFUSALS[state]


def walk(*events: AttemptEvent) -> AttemptState:
    state = A.STAGED
    for event in events:
        state, _ = ATTEMPT_TABLE.advance("a1", state, event)
    return state


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((AE.DIAL, AE.RINGING, AE.ANSWERED, AE.SCREEN, AE.CONNECT, AE.HUNG_UP), A.COMPLETED),
        ((AE.DIAL, AE.ANSWERED, AE.CONNECT), A.CONNECTED),
        ((AE.DIAL, AE.RINGING, AE.NO_ANSWER), A.NO_ANSWER),
        ((AE.DIAL, AE.BUSY, AE.HUNG_UP), A.BUSY),
        ((AE.DIAL, AE.RINGING, AE.ANSWERED, AE.NO_AGENT, AE.HUNG_UP), A.ABANDONED),
        ((AE.DIAL, AE.RINGING, AE.ANSWERED, AE.SCREEN, AE.MACHINE), A.MACHINE),
        ((AE.DIAL, AE.RINGING, AE.MACHINE), A.MACHINE),
        ((AE.DIAL, AE.ANSWERED, AE.HUNG_UP, AE.CONNECT), A.CUSTOMER_HUNG_UP),
        ((AE.BLOCKED,), A.BLOCKED),
    ],
)
def test_what_becomes_of_attempts(events: tuple[AttemptEvent, ...], end: AttemptState) -> None:
    assert walk(*events) is end


@pytest.mark.parametrize("ours", [AE.CANCEL, AE.NO_ANSWER])
def test_who_answers_while_we_hang_up_was_abandoned(ours: AttemptEvent) -> None:
    assert walk(AE.DIAL, AE.RINGING, ours, AE.ANSWERED) is A.ABANDONED
    assert walk(AE.DIAL, AE.RINGING, AE.ANSWERED, AE.CANCEL) is A.ABANDONED


def test_what_nobody_watched() -> None:
    assert walk(AE.LOST) is A.CANCELLED
    assert walk(AE.DIAL, AE.RINGING, AE.LOST) is A.FAILED
    assert walk(AE.DIAL, AE.ANSWERED, AE.LOST) is A.ABANDONED
    assert walk(AE.DIAL, AE.ANSWERED, AE.CONNECT, AE.LOST) is A.COMPLETED


@given(st.lists(st.sampled_from(AE), max_size=30))
def test_a_person_who_answered_stays_counted(events: list[AttemptEvent]) -> None:
    """Once over, an attempt stays over; once live, it stays live, unless an agent hears a machine first."""
    state, over, live = A.STAGED, False, False
    for event in events:
        before = state
        try:
            state, _ = ATTEMPT_TABLE.advance("a1", state, event)
        except EventRefused:
            continue
        assert not (over and state in OPEN_ATTEMPTS)
        taken_away = before is A.CONNECTED and event in (AE.MACHINE, AE.FAX, AE.MAILBOX)
        assert not live or state.is_live or taken_away
        over, live = state.is_over, state.is_live


def test_hangup_is_legal_in_every_state() -> None:
    for state in A:
        ATTEMPT_TABLE.advance("a1", state, AE.HUNG_UP)


def test_a_lead_is_dialed_from_the_hopper_alone() -> None:
    lead, _ = advance_lead(Lead("7"), LE.STAGE)
    lead, said = advance_lead(lead, LE.DIAL)
    assert str(said) == "lead 7 staged -> dialing (dial)"
    assert lead.attempts == 1
    with pytest.raises(EventRefused, match="lead 7: dial while dialing"):
        advance_lead(lead, LE.DIAL)


def test_a_lead_waits_with_its_reason_and_time() -> None:
    lead = Lead("7", L.DIALING, attempts=1)
    lead, _ = advance_lead(lead, LE.RETRY, "busy", 900.0)
    assert (lead.state, lead.reason, lead.not_before_s, lead.attempts) == (L.WAITING, "busy", 900.0, 1)


def test_an_opt_out_holds_at_once_and_what_comes_after_changes_nothing() -> None:
    lead, _ = advance_lead(Lead("7", L.DIALING), LE.OPT_OUT, "do_not_call")
    for event in (LE.RETRY, LE.FINISHED, LE.EXHAUSTED, LE.BLOCK):
        same, said = advance_lead(lead, event, "no_answer", 5.0)
        assert same is lead
        assert said is None
    assert lead.is_accounted_for


def test_a_promised_callback_survives_the_end_of_its_own_attempt() -> None:
    lead, _ = advance_lead(Lead("7", L.DIALING, attempts=1), LE.CALLBACK, "asked", 5000.0)
    after, _ = advance_lead(lead, LE.FINISHED, "sold")
    assert after is lead
    moved, said = advance_lead(lead, LE.CALLBACK, "asked again", 7000.0)
    assert moved.not_before_s == 7000.0
    assert said is None


@given(st.lists(st.sampled_from(LE), max_size=40))
def test_every_dial_comes_from_the_hopper(events: list[LeadEvent]) -> None:
    lead = Lead("7")
    for event in events:
        before = lead
        try:
            lead, _ = advance_lead(lead, event)
        except EventRefused:
            continue
        if event is LE.DIAL:
            assert before.state is L.STAGED
        if before.state is L.BLOCKED:
            assert lead.state in (L.BLOCKED, L.WAITING, L.NEW, L.DONE)
