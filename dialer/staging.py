"""How leads come into the hopper: asked for in time, taken in when they come, put back when nobody wants them."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from core.campaign import CampaignState
from core.dialing import LeadsSaved, LeadsStaged, ListsChanged
from core.lead import LeadState
from core.lead_record import StagedLead
from core.lead_store import Staging
from dialer.call_hours import clock, why_closed, zones_open
from dialer.compliance.rules import Cap, Mode, Rest
from dialer.keeping import put_back
from dialer.records import NOT_ASKED, Lead, Tried, lead_row, tried_before
from dialer.setup import CampaignSetup
from dialer.shares import Share
from dialer.state import State
from dialer.turn import Turn

LEAST, MOST = 40, 2_000
"""Leads in a hopper that is full."""
AT_ONCE = 200
LEAVING = "its list is being taken out"
LEAVES_WITHIN_S = 10.0
"""So long nobody of a list that is being taken out is staged again."""
"""So many leads come or go in one event: calls go on beside it."""
PER_LINE = 8
"""So many for each agent and line."""
ASKED_AGAIN_S = 30.0
"""Who was asked for leads and said nothing is asked again."""
EVER_S = 3650 * 86_400.0
LONGEST_CALL_S = 86_400.0
"""A rest begins with a call's conversation or its end, and calls are remembered by when they were dialed."""
LOOK_AGAIN_S = 60.0
"""A list that had nothing is looked at again."""


# -- asking ------------------------------------------------------------------------------------------
def ask(state: State, turn: Turn, setup: CampaignSetup, share: Share | None) -> None:
    """Leads are asked for when the hopper is half empty; whose promised call is due, however full it is."""
    campaign, key, now_s = state.campaigns[setup.key], setup.key, turn.now_s
    if setup.mode is Mode.MANUAL or not setup.lists or now_s - state.asked_s.get(key, -inf) < ASKED_AGAIN_S:
        return
    hopper = state.hopper(key)
    wanted, have = _wanted(state, setup, share), hopper.size - hopper.for_one
    promised = now_s < campaign.stage_after_s or have > wanted // 2
    if promised and not 0 < campaign.promised_s <= now_s:
        return
    count = AT_ONCE if promised else min(wanted - have, AT_ONCE)
    open_zones = zones_open(setup, campaign.zones, now_s) if campaign.zones else None
    state.asked_s = {**state.asked_s, key: now_s}
    anew = setup.law_id if setup.law_id != campaign.law_id and not promised else ""
    turn.outcome.wanted.append(Staging(*key, setup.lists, count, now_s, open_zones, history_s(setup), anew, promised))


def why_empty(state: State, setup: CampaignSetup, now_s: float) -> str:
    """Why there was no lead to dial."""
    closed = why_closed(state, setup, now_s)
    if closed:
        return closed
    campaign = state.campaigns[setup.key]
    if now_s >= campaign.stage_after_s:
        return "leads are on their way"
    if campaign.next_s == NOT_ASKED or state.open_attempts(setup.key):
        return "no lead may be dialed now"
    asleep = set(campaign.zones) - set(zones_open(setup, campaign.zones, now_s))
    promised_s = 0.0 if asleep else campaign.promised_s  # else it may be but the next look at those who sleep
    due_s = min((at_s for at_s in (campaign.next_s, promised_s) if at_s), default=0.0)
    if due_s:
        return f"the next lead is due at {clock(state, due_s)}"
    return "no lead may be dialed now" if asleep else "its lists have no more leads"


def history_s(setup: CampaignSetup) -> float:
    """How far back any rule of the campaign looks, in seconds; 0 where none does, ten years for `ever`."""
    found = [0.0]
    for mode in (setup.mode, Mode.CALLBACK, Mode.MANUAL):
        for rule in setup.law(mode).overall.rules:
            if isinstance(rule, Cap):
                found.append(rule.within_s)
            elif isinstance(rule, Rest):
                found.append(rule.for_s + LONGEST_CALL_S)
    return min(max(found), EVER_S)


def _wanted(state: State, setup: CampaignSetup, share: Share | None) -> int:
    if setup.mode is Mode.AGENTLESS:
        lines = max(setup.max_lines, int(setup.calls_per_second * 10))
    else:
        lines = (len(share.able) if share is not None else 0) * 2 + len(state.open_attempts(setup.key))
    return max(LEAST, min(MOST, lines * PER_LINE))


# -- taking in ----------------------------------------------------------------------------------------
def staged(state: State, turn: Turn, fact: LeadsStaged) -> None:
    """Leads come in hand. One that is in it already is in one hand only: it is passed over."""
    key = (fact.tenant, fact.campaign)
    campaign = turn.campaign(key)
    # What was promised since the store was asked, it may not have known.
    since = campaign.promised_s if campaign.promised_s > fact.asked_s else 0.0
    campaign.promised_s = min((at_s for at_s in (since, fact.callback_s) if at_s), default=0.0)
    state.asked_s = {asked: at_s for asked, at_s in state.asked_s.items() if asked != key}
    elsewhere = bool(campaign.zones) and not set(fact.zones) <= set(campaign.zones)
    campaign.zones = fact.zones or campaign.zones
    if fact.law_id:
        campaign.law_id, campaign.held = fact.law_id, ""
    if not fact.promised and not (fact.leads and fact.more):
        later_s = max(turn.now_s + 2.0, fact.next_s) if fact.next_s else inf
        campaign.stage_after_s = min(turn.now_s + LOOK_AGAIN_S, later_s)
    if elsewhere and not fact.leads and not fact.promised:  # it was asked for those in the zones that were known
        campaign.stage_after_s = turn.now_s
    if not fact.promised:
        campaign.next_s = NOT_ASKED if fact.leads or fact.more else fact.next_s
    wanted = campaign.state in (CampaignState.RUNNING, CampaignState.PAUSED) and key in state.setup.campaigns
    for one in fact.leads:
        held = state.leads.get(lead_row(one.record.tenant, one.record.lead_id))
        if held is not None and held.held:
            continue
        lead = take_in(state, turn, one, fact.campaign)
        if not wanted:
            put_back(state, turn, lead, "the campaign dials no more")
    turn.paced.add(key)


def take_in(state: State, turn: Turn, one: StagedLead, campaign: str) -> Lead:
    """The lead in hand, staged, with what is known here about its numbers beside what the store knew."""
    record = one.record
    row = lead_row(record.tenant, record.lead_id)
    before = state.leads.get(row)
    if before is not None:
        turn.lead(before)
        state.forget_lead(before)
    history = {past.attempt_id: tried_before(past) for past in one.history}
    numbers = {number.number for number in record.numbers}
    for attempt in _here(state, record.tenant, record.lead_id, numbers):
        history[attempt.attempt_id] = attempt
    lead = Lead(
        record=replace(record, state=LeadState.STAGED),
        campaign=campaign,
        staged_s=turn.now_s,
        serial=before.serial if before is not None else 0,
        history=sorted(history.values(), key=lambda tried: (tried.dialed_s, tried.attempt_id)),
    )
    if before is None:
        turn.lead(lead, new=True)
    state.leads[row] = lead
    state.index_lead(lead)
    return lead


def _here(state: State, tenant: str, lead_id: str, numbers: set[str]) -> list[Tried]:
    """Attempts of this lead, or at these numbers, that the store may not know yet."""
    ids = set(state.attempts_by_lead.get(lead_row(tenant, lead_id), ()))
    for number in numbers:
        ids |= state.attempts_at.get((tenant, number), set())
    return [state.attempts[id_].tried() for id_ in sorted(ids) if state.attempts[id_].was_dialed]


def saved(state: State, turn: Turn, fact: LeadsSaved) -> None:
    """What the store has, and nobody needs any more, is forgotten."""
    for id_, serial in fact.saved:
        kind, _, row = id_.partition(":")
        if kind == "lead":
            lead = state.leads.get(row)
            if lead is not None and lead.serial == serial and not lead.held:
                turn.lead(lead)
                state.forget_lead(lead)
        elif kind == "attempt":
            attempt = state.attempts.get(row)
            if attempt is not None and attempt.serial == serial and attempt.state.is_over and attempt.disposed:
                turn.attempt(attempt)
                attempt.kept_s = turn.now_s
                state.index_attempt(attempt)
        elif kind == "dnc":
            word = state.words.get(row)
            if word is not None and word.serial == serial:
                turn.word(row)
                state.words.pop(row)


def changed(state: State, turn: Turn, fact: ListsChanged) -> None:
    """Look again, at once; whoever is looking now may have been too early."""
    for key in sorted(state.campaigns):
        if fact.tenant in ("", key[0]) and fact.campaign in ("", key[1]):
            turn.campaign(key).stage_after_s = 0.0
            state.asked_s = {asked: at_s for asked, at_s in state.asked_s.items() if asked != key}
            turn.paced.add(key)
            if fact.leaving:
                _let_go(state, turn, key, fact.leaving)


def _let_go(state: State, turn: Turn, key: tuple[str, str], list_id: str) -> None:
    """Leads of a list that are in the hopper go back, and are not staged again at once: somebody waits to take them out
    of the store."""
    leads = [state.leads[row] for row in state.hopper(key).rows()]
    for lead in [one for one in leads if one.record.list_id == list_id][:AT_ONCE]:
        put_back(state, turn, lead, LEAVING, max(lead.record.not_before_s, turn.now_s + LEAVES_WITHIN_S))


# -- putting back ---------------------------------------------------------------------------------------
def empty(state: State, turn: Turn, key: tuple[str, str], why: str) -> None:
    """What is in the hopper goes back to the store, some now, the others at the next looks."""
    for row in state.hopper(key).rows()[:AT_ONCE]:
        put_back(state, turn, state.leads[row], why)


def give_up_agent(state: State, turn: Turn, lead: Lead) -> None:
    """A personal callback becomes anybody's."""
    turn.lead(lead)
    state.hopper(lead.key).remove(lead.row_id)
    lead.record = replace(lead.record, agent_id="")
    state.index_lead(lead)


def in_hand(state: State) -> frozenset[tuple[str, str]]:
    """(tenant, lead_id) of every lead somebody here works with."""
    return frozenset((lead.record.tenant, lead.record.lead_id) for lead in state.leads.values() if lead.held)
