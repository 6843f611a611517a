"""What time does: previews end, lines that nobody can take are hung up, news that never came is given up."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import AttemptEvent, AttemptState
from core.campaign import CampaignEvent, CampaignState
from core.dialing import AttemptCancelled, LineCame
from core.lead import LeadState
from dialer import her_phone, law, staging, uncovered
from dialer.compliance.rules import Mode
from dialer.floor import FloorPool
from dialer.following import NOT_GIVEN
from dialer.keeping import save_attempt
from dialer.progress import CROSSING, finish, moved
from dialer.records import Attempt, Today
from dialer.setup import Key
from dialer.starting import ring
from dialer.state import State
from dialer.turn import Turn

DAY_S = 86_400.0
SILENT_S = 60.0
"""So long after it should have stopped ringing, an attempt of which nothing was heard is asked to end."""
LOST_S = 30.0
"""So long after that, it is lost."""
CROSSING_S = 30.0
"""So long an answer may be on the wire after we gave up."""
UNDISPOSED_S = 1800.0
"""So long an agent may take to say what came of it, after the conversation."""

REMEMBERED_S = 60.0
"""So long an attempt is remembered after the store has it: who reads a lead there takes no longer."""

_S = AttemptState
_CALLING = (_S.DIALING, _S.RINGING)


def look(state: State, turn: Turn, tenant: str) -> None:
    """Twice a second, for everything in hand."""
    uncovered.mark(state, turn, tenant)
    for key in sorted(key for key in state.campaigns if key[0] == tenant):
        new_day(state, turn, key)
        for attempt in sorted(state.attempts_of.get(key, {}).values(), key=lambda one: one.attempt_id):
            _look_at(state, turn, attempt)
        _nobody_there(state, turn, key)
        cancel_due(state, turn, key)
        _drained(state, turn, key)
    for _, attempt in sorted(state.kept.get(tenant, {}).items()):
        if turn.now_s - attempt.kept_s > REMEMBERED_S:
            turn.attempt(attempt)
            state.forget_attempt(attempt)


def cancel_due(state: State, turn: Turn, key: Key) -> None:
    """Attempts that nobody wants any more are hung up, each as soon as it has rung as long as it must."""
    for attempt in state.open_attempts(key):
        if (
            attempt.cancel
            and not attempt.cancelled_s
            and attempt.state in _CALLING
            and uncovered.has_rung(attempt, turn.now_s)
        ):
            _cancel(turn, attempt)


def withdraw(state: State, turn: Turn, attempt: Attempt, why: str) -> None:
    """A lead that was shown is shown no more, and waits for its next turn."""
    moved(state, turn, attempt, AttemptEvent.CANCEL, why=why)


def withdraw_previews(state: State, turn: Turn, key: Key, why: str) -> None:
    for attempt in state.open_attempts(key):
        if attempt.state is _S.STAGED:
            withdraw(state, turn, attempt, why)


def dial_preview(state: State, turn: Turn, attempt: Attempt, line_up: bool = False) -> str:
    """Dials what was shown, or what was asked for while her phone rang. Why it cannot be, in words; then it goes back.
    `line_up`: she has picked up already; else her phone is rung first, unless she has a held line."""
    setup, lead = state.of(attempt.key), state.leads.get(attempt.lead_row)
    mine = lead is not None and lead.attempt_id == attempt.attempt_id
    if lead is None or not mine or not (attempt.mode is Mode.MANUAL or lead.record.state is LeadState.STAGED):
        return "this lead is in other hands"
    found = law.choose(state, setup, lead, attempt.mode, turn.now_s, only=attempt.number)
    if isinstance(found, law.Not):
        return found.why
    agent = her_phone.agent_of(state, setup, attempt.for_agent, turn.now_s)
    if not line_up and agent is not None and agent.device and not agent.line:
        her_phone.ring(state, turn, setup, lead, attempt, agent.device)
        return ""
    turn.attempt(attempt)
    attempt.identity, attempt.preview_ends_s, attempt.line_ends_s = found.identity, 0.0, 0.0
    turn.lead(lead)
    lead.record = replace(lead.record, state=LeadState.STAGED)
    ring(state, turn, setup, lead, attempt, found.terms)
    return ""


def line_came(state: State, turn: Turn, fact: LineCame) -> None:
    """Her phone is up: the lead is dialed, if the law still lets us. It is gone: nobody is dialed for her, and who
    rings is hung up as soon as may be."""
    attempt = state.attempts.get(fact.attempt_id)
    if attempt is None or attempt.state.is_over or not attempt.own_line:
        return
    if attempt.state is _S.STAGED:
        refused = state.halted if fact.up else her_phone.why_not_up(fact.why)
        if refused == her_phone.NOT_PICKED_UP:
            her_phone.not_there(turn, attempt)
        if not refused:
            refused = dial_preview(state, turn, attempt, line_up=True)
        if refused:
            withdraw(state, turn, attempt, refused)
    elif not fact.up and attempt.state in _CALLING and not attempt.cancel:
        turn.attempt(attempt)
        attempt.cancel = "the agent hung up"
        cancel_due(state, turn, attempt.key)


def _look_at(state: State, turn: Turn, attempt: Attempt) -> None:
    now_s = turn.now_s
    if attempt.state is _S.STAGED:
        _look_at_preview(state, turn, attempt)
    elif attempt.state in _CALLING:
        if attempt.cancelled_s:
            if now_s - attempt.cancelled_s > LOST_S:
                moved(state, turn, attempt, AttemptEvent.LOST, why="nothing was heard of it")
        elif not attempt.cancel and now_s - attempt.dialed_s > attempt.ring_s + SILENT_S:
            turn.attempt(attempt)
            attempt.cancel = "it should have ended by itself"
    elif attempt.state.is_over and not attempt.disposed:
        ended_s = now_s if attempt.ended_s is None else attempt.ended_s
        if attempt.state in CROSSING:
            if now_s - ended_s > CROSSING_S:
                turn.attempt(attempt)
                attempt.disposed = True
                state.index_attempt(attempt)
                save_attempt(turn, attempt)
        elif now_s - ended_s > UNDISPOSED_S:
            finish(state, turn, attempt, NOT_GIVEN)


def _look_at_preview(state: State, turn: Turn, attempt: Attempt) -> None:
    setup = state.of(attempt.key)
    hers = her_phone.agent_of(state, setup, attempt.for_agent, turn.now_s)
    if not her_phone.is_ready_for(attempt, hers):
        withdraw(state, turn, attempt, "the agent is not ready any more")
        return
    if attempt.own_line:
        if turn.now_s > attempt.line_ends_s:
            her_phone.not_there(turn, attempt)
            withdraw(state, turn, attempt, her_phone.NOT_PICKED_UP)
        return
    if turn.now_s < attempt.preview_ends_s or state.halted:
        return
    skip = setup.preview_then == "skip"
    if skip:
        her_phone.not_there(turn, attempt)
    if skip or dial_preview(state, turn, attempt):
        moved(state, turn, attempt, AttemptEvent.CANCEL, why="skipped")


def _nobody_there(state: State, turn: Turn, key: Key) -> None:
    """All agents are gone: what rings would find nobody."""
    setup = state.of(key)
    lines = [one for one in state.open_attempts(key) if one.state in _CALLING and one.mode is not Mode.AGENTLESS]
    if not lines or not setup.queue:
        return
    pool: FloorPool = state.floor.pool(key[0], setup.queue, setup.skills, turn.now_s)
    if pool.agents:
        return
    for attempt in lines:
        if not attempt.cancel:
            turn.attempt(attempt)
            attempt.cancel = "every agent is gone"


def _cancel(turn: Turn, attempt: Attempt) -> None:
    turn.attempt(attempt)
    attempt.cancelled_s = turn.now_s
    turn.outcome.facts.append(AttemptCancelled(attempt.interaction_id, attempt.attempt_id, attempt.cancel))


def _drained(state: State, turn: Turn, key: Key) -> None:
    campaign = state.campaigns[key]
    if campaign.state in (CampaignState.DRAINING, CampaignState.STOPPED):
        if state.hopper(key).size:
            staging.empty(state, turn, key, "the campaign dials no more")
        elif campaign.state is CampaignState.DRAINING and not state.attempts_of.get(key):
            turn.move_campaign(turn.campaign(key), CampaignEvent.DRAINED, campaign.why, campaign.by)


def new_day(state: State, turn: Turn, key: Key) -> None:
    campaign = state.campaigns[key]
    if turn.now_s < campaign.day_ends_s or not campaign.created_s:
        return
    campaign = turn.campaign(key)
    days = state.setup.days
    campaign.today, campaign.said = Today(), {}
    campaign.day_ends_s = days.ends_at(turn.now_s) if days is not None else (turn.now_s // DAY_S + 1) * DAY_S
