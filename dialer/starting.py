"""A lead's turn: it is dialed, shown to an agent, or goes back with the rule that says no."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import AttemptEvent, AttemptState
from core.decisions import LeadBlocked
from core.dialing import CALLED, DIALED_PREFIX, AttemptWanted
from core.lead import LeadEvent
from core.lead_record import BY_RULE, LeadNumber
from dialer import her_phone, identities, script_test, variables
from dialer.compliance.check import Allowed
from dialer.compliance.rules import Mode
from dialer.compliance.strictest import Terms
from dialer.keeping import again, release
from dialer.law import Chosen, Not, choose, verdict
from dialer.records import Attempt, Lead
from dialer.setup import CampaignSetup
from dialer.state import State
from dialer.turn import Turn

RING_BEYOND_S = 5.0
"""A phone that must ring for so long is given this much more to begin."""


def dial(
    state: State, turn: Turn, setup: CampaignSetup, lead: Lead, mode: Mode, agent_id: str = ""
) -> tuple[bool, str]:
    """(whether it is being dialed, why no other lead of the campaign could be either). For one agent alone, her phone
    is rung before."""
    chosen = choose(state, setup, lead, mode, turn.now_s)
    if isinstance(chosen, Not):
        return False, refuse(state, turn, setup, lead, chosen)
    attempt = new_attempt(state, turn, setup, lead, chosen, mode, agent_id)
    agent = her_phone.agent_of(state, setup, agent_id, turn.now_s) if agent_id else None
    if agent is not None and agent.device and not agent.line:
        her_phone.ring(state, turn, setup, lead, attempt, agent.device)
        return True, ""
    ring(state, turn, setup, lead, attempt, chosen.terms)
    return True, ""


def show(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, agent_id: str) -> tuple[bool, str]:
    """The same, for an agent who looks at the lead first."""
    chosen = choose(state, setup, lead, Mode.PREVIEW, turn.now_s)
    if isinstance(chosen, Not):
        return False, refuse(state, turn, setup, lead, chosen)
    attempt = new_attempt(state, turn, setup, lead, chosen, Mode.PREVIEW, agent_id)
    attempt.agent_id = agent_id
    attempt.preview_ends_s = turn.now_s + setup.preview_s
    turn.lead(lead)
    lead.attempt_id = attempt.attempt_id
    state.index_lead(lead)
    return True, ""


def ring(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt, terms: Terms) -> None:
    """The attempt is dialed: from here on it counts, whatever becomes of it."""
    now_s, record = turn.now_s, lead.record
    campaign = turn.campaign(setup.key)
    screen = setup.screen and not attempt.mode.guarantees_agent
    no_message = _no_message(state, turn, setup, lead, attempt) if screen else ""
    turn.attempt(attempt)
    turn.move_attempt(attempt, AttemptEvent.DIAL)
    attempt.dialed_s = now_s
    attempt.screened = screen and not setup.bridge_first
    attempt.least_ring_s = terms.ring.value
    attempt.ring_s = max(setup.ring_s, terms.ring.value + RING_BEYOND_S if terms.ring.value else 0.0)
    turn.lead(lead)
    numbers = tuple(
        replace(one, attempts=one.attempts + 1) if one.number == attempt.number else one for one in record.numbers
    )
    lead.record = replace(record, numbers=numbers)
    turn.move_lead(lead, LeadEvent.DIAL, record.reason, record.not_before_s)
    lead.attempt_id = attempt.attempt_id
    state.index_lead(lead)
    state.index_attempt(attempt)
    remember(state, turn, attempt)
    identities.used(turn, setup, attempt.number, attempt.identity)
    campaign.today.dialed += 1
    agentless = attempt.mode is Mode.AGENTLESS
    limits = [rule.within_s for rule in terms.agent_within]
    of_answer = [rule.within_s for rule in terms.agent_within if rule.since == "answer"]
    turn.outcome.facts.append(
        AttemptWanted(
            interaction_id=attempt.interaction_id,
            leg_id=f"{attempt.attempt_id}{CALLED}",
            attempt_id=attempt.attempt_id,
            tenant=setup.tenant,
            campaign=setup.campaign,
            lead_id=record.lead_id,
            called=attempt.number,
            mode=attempt.mode.value,
            purpose=setup.purpose.value,
            queue="" if agentless else setup.queue,
            skills="" if agentless else setup.skills,
            agent_id=attempt.for_agent,
            flow=setup.flow if agentless else "",
            language=record.language or setup.language,
            identity=attempt.identity,
            ring_s=attempt.ring_s,
            least_ring_s=attempt.least_ring_s,
            within_s=0.0 if agentless else min([setup.within_s, *limits]),
            after_answer_s=0.0 if agentless else min(of_answer, default=0.0),
            drop_action=setup.drop_action,
            drop_flow=setup.drop_flow,
            screen=screen,
            bridge_first=screen and setup.bridge_first,
            on_machine="hang_up" if no_message else setup.on_machine,
            machine_flow=setup.machine_flow,
            machine_why=no_message,
            beep_within_s=setup.beep_within_s,
            no_beep=setup.no_beep,
            priority=setup.queue_priority,
            variables=variables.known(setup, lead.record, attempt, now_s),
            script=attempt.script,
        )
    )


def _no_message(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt) -> str:
    """Why a machine of hers may not be left the campaign's message: what speaks there is a recording, and the law of
    calls without an agent holds. Empty: it may, or the campaign has none."""
    if setup.on_machine != "message":
        return ""
    number = next((one for one in lead.record.numbers if one.number == attempt.number), LeadNumber(attempt.number))
    found = verdict(state, setup, lead, number, Mode.AGENTLESS, attempt.identity, turn.now_s)
    return "" if isinstance(found, Allowed) else f"{found.rule}: {_masked(found.why, attempt.number)}"


def remember(state: State, turn: Turn, attempt: Attempt) -> None:
    """In the history of every lead in hand that the law asks about it: its own, and those at the same number."""
    rows = {attempt.lead_row, *state.leads_at.get((attempt.tenant, attempt.number), ())}
    tried = attempt.tried()
    for row in sorted(rows):
        other = state.leads.get(row)
        if other is None:
            continue
        turn.lead(other)
        other.history = [one for one in other.history if one.attempt_id != tried.attempt_id]
        other.history.append(tried)


def new_attempt(
    state: State, turn: Turn, setup: CampaignSetup, lead: Lead, chosen: Chosen, mode: Mode, agent_id: str
) -> Attempt:
    """An attempt that nobody has dialed yet."""
    campaign = turn.campaign(setup.key)
    campaign.made += 1
    attempt_id = f"{setup.tenant}-{setup.campaign}-{int(campaign.created_s):x}-{campaign.made:x}"
    attempt = Attempt(
        attempt_id=attempt_id,
        interaction_id=f"{DIALED_PREFIX}{attempt_id}",
        tenant=setup.tenant,
        campaign=setup.campaign,
        list_id=lead.record.list_id,
        lead_id=lead.record.lead_id,
        number=chosen.number,
        identity=chosen.identity,
        mode=mode,
        state=AttemptState.STAGED,
        dialed_s=0.0,
        for_agent=agent_id,
        script=script_test.drawn(setup, lead.record, lead.history),
    )
    turn.attempt(attempt, new=True)
    state.attempts[attempt_id] = attempt
    state.index_attempt(attempt)
    turn.lead(lead)
    lead.record = replace(lead.record, next_number=chosen.index)
    return attempt


def refuse(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, no: Not) -> str:
    """The lead goes back, or stays where it is when it could not be helped by any other lead's turn."""
    if no.campaign_wide:
        return no.why
    record = lead.record
    turn.campaign(setup.key).today.blocked += 1
    shown = f"…{no.number[-3:]}" if no.number else ""
    why = _masked(no.why, no.number)
    turn.decide(LeadBlocked(setup.tenant, setup.campaign, record.lead_id, shown, no.rule, why, no.not_before_s or 0.0))
    reason = f"{BY_RULE}{no.rule}"
    if no.not_before_s is not None:
        release(state, turn, lead, again(lead), reason, max(no.not_before_s, turn.now_s + 1.0))
    else:
        release(state, turn, lead, LeadEvent.EXHAUSTED if no.ended else LeadEvent.BLOCK, reason)
    return ""


def _masked(why: str, number: str) -> str:
    """Reasons are journaled; numbers are not."""
    return why.replace(number, f"…{number[-3:]}") if number else why
