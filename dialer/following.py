"""What follows for a lead from an attempt that is over: finished, tried again, promised a call, left alone for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.attempt import AttemptState
from core.dialing import NumberListed
from core.lead import LeadEvent, LeadState
from core.lead_record import BY_RULE, LeadNumber
from core.listed_leads import OPTED_OUT
from dialer import her_phone, opting_out, promises, quota, trying_again
from dialer.compliance.rules import Mode
from dialer.keeping import again, put_back, release, save_lead
from dialer.records import Attempt, Lead
from dialer.setup import After, CampaignSetup
from dialer.state import State
from dialer.turn import Turn

_S = AttemptState
_DEAD = {_S.INVALID: "invalid", _S.FAX: "fax"}
_REACHED = frozenset({_S.COMPLETED})
NOT_GIVEN = "not_given"
"""The disposition where an agent gave none."""


def settle(state: State, turn: Turn, attempt: Attempt) -> None:
    """The lead leaves the hand. What somebody decided about it meanwhile stays."""
    lead = state.leads.get(attempt.lead_row)
    if lead is None or not lead.held or lead.attempt_id != attempt.attempt_id:
        return
    setup = state.of(attempt.key)
    turn.lead(lead)
    if not attempt.was_dialed:
        _never_dialed(state, turn, setup, lead, attempt)
        return
    trying_again.learn(turn.campaign(attempt.key), lead, attempt)
    outcome, disposition = attempt.state.value, attempt.disposition
    lead.record = replace(lead.record, outcome=outcome, disposition=disposition or lead.record.disposition)
    campaign = turn.campaign(attempt.key)
    quota.count(campaign, setup, lead.record, (outcome, disposition))
    if disposition:
        campaign.said = {**campaign.said, disposition: campaign.said.get(disposition, 0) + 1}
    if attempt.state is _S.CUSTOMER_HUNG_UP and attempt.mode is Mode.AGENTLESS:
        _finish(state, turn, setup, lead, attempt, After())
    elif attempt.state in _REACHED or (attempt.state is _S.ABANDONED and disposition not in ("", NOT_GIVEN)):
        _finish(state, turn, setup, lead, attempt, setup.after(disposition))
    else:
        _try_again(state, turn, setup, lead, attempt)


def _finish(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt, after: After) -> None:
    """She was reached."""
    why = attempt.disposition or attempt.state.value
    done = attempt.attempt_id
    made = promises.made(setup, state.setup.time_zone, lead.record, attempt, after)
    if made is not None:
        lead.record = replace(lead.record, promise=made)
    if attempt.callback_s or after.then == "callback":
        at_s = attempt.callback_s or turn.now_s + after.after_s
        if lead.record.state is not LeadState.CALLBACK:  # else the agent has said when, and who calls
            whose = attempt.agent_id if attempt.personal else ""
            lead.record = replace(lead.record, agent_id=whose, next_number=_index(lead, attempt.number))
        release(state, turn, lead, LeadEvent.CALLBACK, why, at_s, done)
    elif after.then == "do_not_call":
        said = NumberListed(attempt.tenant, attempt.number, by="agent" if attempt.agent_id else "caller", why=why)
        opting_out.hear(state, turn, said)
        if lead.record.state is not LeadState.DONE:
            turn.move_lead(lead, LeadEvent.OPT_OUT, OPTED_OUT)
        release(state, turn, lead, LeadEvent.FINISHED, why, attempt_id=done)
    elif after.then == "wrong_number":
        _bury(lead, attempt.number, "wrong_person")
        _next_number(state, turn, lead, attempt, why, lambda number: turn.now_s + 60.0)
    elif made is not None and made.not_before_s > turn.now_s:
        lead.record = replace(lead.record, next_number=_index(lead, attempt.number))
        release(state, turn, lead, LeadEvent.RETRY, why, made.not_before_s, done)
    elif after.then == "promise" or (after.then == "appointment" and made is None):
        # Keyed at a phone, or ended by the clock: nobody wrote down when; or the day has passed meanwhile.
        release(state, turn, lead, LeadEvent.RETRY, why, turn.now_s + (after.after_s if made is None else 1.0), done)
    elif after.then == "retry":
        release(state, turn, lead, LeadEvent.RETRY, why, turn.now_s + after.after_s, done)
    else:
        release(state, turn, lead, LeadEvent.FINISHED, why, attempt_id=done)


def _try_again(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt) -> None:
    """She was not."""
    outcome, done = attempt.state.value, attempt.attempt_id
    if attempt.state in _DEAD:
        _bury(lead, attempt.number, _DEAD[attempt.state])
    if (listed := opting_out.barred(state, setup, lead, turn.now_s)) is not None:
        release(state, turn, lead, LeadEvent.BLOCK, f"{BY_RULE}{listed.rule}", attempt_id=done)
        return
    retry = setup.retry(outcome)
    whose = (outcome, lead.record.lead_id, attempt.campaign)
    times = sum((past.state, past.lead_id, past.campaign) == whose for past in lead.history)
    if retry is None or times >= retry.most:
        why = f"{outcome}, {times} times" if times > 1 else outcome
        release(state, turn, lead, LeadEvent.EXHAUSTED, why, attempt_id=done)
        return
    campaign = state.campaigns[attempt.key]

    def due_s(number: LeadNumber) -> float:
        return trying_again.due_s(setup, campaign, lead, attempt, number, retry, turn.now_s)

    if attempt.state in _DEAD or retry.number == "next":
        _next_number(state, turn, lead, attempt, outcome, due_s)
    else:
        same = trying_again.number_of(lead, attempt.number)
        release(state, turn, lead, again(lead), outcome, due_s(same), done)


def _next_number(
    state: State, turn: Turn, lead: Lead, attempt: Attempt, why: str, due_s: Callable[[LeadNumber], float]
) -> None:
    numbers = lead.record.numbers
    here = _index(lead, attempt.number)
    for step in range(1, len(numbers) + 1):
        index = (here + step) % len(numbers)
        if not numbers[index].dead:
            lead.record = replace(lead.record, next_number=index)
            release(state, turn, lead, again(lead), why, due_s(numbers[index]), attempt.attempt_id)
            return
    release(state, turn, lead, LeadEvent.EXHAUSTED, f"{why}: no number of it is left", attempt_id=attempt.attempt_id)


def _never_dialed(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt) -> None:
    """It was shown to an agent, who did not want it or was called away; or her phone was not picked up."""
    if attempt.mode is Mode.MANUAL:
        _as_it_was(state, turn, lead)
    elif her_phone.was_missing(attempt) and attempt.mode is Mode.CALLBACK and lead.record.state is LeadState.STAGED:
        # Her agent is said to be there, and is not: what was promised for now, anybody does.
        lead.record = replace(lead.record, agent_id="")
        release(state, turn, lead, LeadEvent.CALLBACK, attempt.why, turn.now_s, attempt.attempt_id)
    elif (her_phone.was_missing(attempt) or attempt.why == "skipped") and lead.record.state is LeadState.STAGED:
        release(state, turn, lead, again(lead), attempt.why, turn.now_s + setup.skip_after_s, attempt.attempt_id)
    elif lead.record.state is LeadState.STAGED:
        put_back(state, turn, lead, attempt.why)
    else:
        release(state, turn, lead, LeadEvent.FINISHED, attempt.why, attempt_id=attempt.attempt_id)


def _as_it_was(state: State, turn: Turn, lead: Lead) -> None:
    """Somebody meant to call it by hand, and nothing came of it."""
    lead.attempt_id, lead.held = "", False
    state.index_lead(lead)
    save_lead(state, turn, lead)


def _bury(lead: Lead, number: str, why: str) -> None:
    numbers = tuple(replace(one, dead=why) if one.number == number else one for one in lead.record.numbers)
    lead.record = replace(lead.record, numbers=numbers)


def _index(lead: Lead, number: str) -> int:
    return next((index for index, one in enumerate(lead.record.numbers) if one.number == number), 0)
