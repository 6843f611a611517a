"""How many attempts each campaign starts now, and that it starts them."""

from __future__ import annotations

from core.campaign import CampaignEvent, CampaignState
from core.decisions import LeadBlocked, PacingDecided
from dialer import cannot_dial, quota, staging
from dialer.call_hours import why_closed
from dialer.compliance.rules import Mode
from dialer.pacing import Due, Pool
from dialer.records import Lead
from dialer.setup import CampaignSetup, Key
from dialer.shares import SHARING, Share, is_reserved, pool_of, share_out
from dialer.starting import dial, show
from dialer.state import State
from dialer.turn import Turn
from dialer.watch import new_day

MOST_REFUSED = 200
"""Leads that may not be dialed are put back; no more than so many in one go."""
SAID_EVERY_S = 5.0
"""How often a reason for doing nothing is said anew."""
BURST_S = 0.5
"""Calls a second are kept over this length."""


def pace_all(state: State, turn: Turn, tenants: set[str]) -> None:
    """Every running campaign of these tenants, the highest priority first."""
    for tenant in sorted(tenants):
        keys = [
            key
            for key, campaign in state.campaigns.items()
            if key[0] == tenant and campaign.state is CampaignState.RUNNING and key in state.setup.campaigns
        ]
        if not keys:
            continue
        shares = share_out(state, tenant, turn.now_s, turn.absent)
        for key in sorted(keys, key=lambda key: (-state.of(key).priority, key)):
            _pace(state, turn, key, shares.get(key))


def _pace(state: State, turn: Turn, key: Key, share: Share | None) -> None:
    new_day(state, turn, key)
    setup, campaign = state.of(key), state.campaigns[key]
    reached = quota.full(campaign, setup)
    if reached is not None:
        campaign = turn.campaign(key)
        turn.move_campaign(campaign, CampaignEvent.DRAIN, f"quota {reached.name} of {reached.most} is reached")
        return
    missing = cannot_dial.without_register(state.book.national, setup, turn.now_s)
    if missing:
        turn.move_campaign(turn.campaign(key), CampaignEvent.TROUBLE, missing)
        _say(state, turn, setup, None, Due(0, missing), 0)
        return
    if setup.calendar is not None and not setup.calendar.is_open(turn.now_s):
        _say(state, turn, setup, None, Due(0, why_closed(state, setup, turn.now_s)), 0)
        return
    staging.ask(state, turn, setup, share)
    room, limit = _room(state, setup, turn.now_s)
    trouble = ""
    if share is not None:
        room, trouble = _call_back(state, turn, setup, share, room)
    else:
        for _, row in state.hopper(key).personal(turn.now_s):
            staging.give_up_agent(state, turn, state.leads[row])
    started, due = 0, Due(0, "")
    pool: Pool | None = None
    if trouble:
        pass
    elif setup.mode is Mode.AGENTLESS:
        due = Due(room, limit)
    elif setup.mode in SHARING and share is not None:
        pool = pool_of(state, share, turn.now_s)
        due = turn.pacer(key).dials_due(pool, turn.now_s)
        if due.count > room:
            due = Due(room, f"{due.why}; {limit}")
        if not pool.agents:
            due = Due(0, _idle(state, setup, share, turn.now_s))
    if due.count:
        before = len(turn.outcome.decisions)
        started, trouble = _start(state, turn, setup, share, due.count)
        blocked = [one for one in turn.outcome.decisions[before:] if isinstance(one, LeadBlocked)]
        cannot_dial.put_back(state, turn, setup, blocked, started)
    if trouble:
        campaign = turn.campaign(key)
        if turn.move_campaign(campaign, CampaignEvent.TROUBLE, trouble):
            due = Due(0, trouble)
    elif started < due.count:
        held = "" if started else cannot_dial.held_back(state, setup, turn.now_s)
        parts = (due.why, staging.why_empty(state, setup, turn.now_s), held)
        due = Due(due.count, "; ".join(part for part in parts if part))
    _say(state, turn, setup, pool, due, started)


def _idle(state: State, setup: CampaignSetup, share: Share, now_s: float) -> str:
    """Why nobody is dialed where no agent counts: what keeps agents away, and what would keep leads back all the
    same."""
    nobody = cannot_dial.no_agent(state, setup, share, now_s)
    closed = why_closed(state, setup, now_s)
    parts = (nobody, closed if closed != nobody else "", cannot_dial.held_back(state, setup, now_s))
    return "; ".join(part for part in parts if part)


def _start(state: State, turn: Turn, setup: CampaignSetup, share: Share | None, count: int) -> tuple[int, str]:
    """(how many were started, why none can be)."""
    started = refused = 0
    while started < count and refused < MOST_REFUSED:
        lead = _next(state, turn, setup)
        if lead is None:
            break
        if setup.mode is Mode.PREVIEW:
            assert share is not None
            if not share.ready:
                break
            done, trouble = show(state, turn, setup, lead, share.ready[0].agent_id)
            if done:
                share.ready.pop(0)
        else:
            done, trouble = dial(state, turn, setup, lead, setup.mode)
            if done:
                _called(turn, setup)
        if trouble:
            return started, trouble
        if done:
            started += 1
            _take(state, turn, setup, lead)
        else:
            refused += 1
    return started, ""


def _call_back(state: State, turn: Turn, setup: CampaignSetup, share: Share, room: int) -> tuple[int, str]:
    """Promised calls of agents who are ready; whose agent stays away too long is anybody's. (room left, trouble)."""
    hopper = state.hopper(setup.key)
    for agent_id, row in hopper.personal(turn.now_s):
        lead = state.leads[row]
        if room <= 0:
            break
        by_line = any(agent.agent_id == agent_id for agent in share.ready)
        at_phone = agent_id in share.at_phones and not is_reserved(state, setup.tenant, agent_id)
        if not (by_line or at_phone):
            waited_s = turn.now_s - max(lead.record.not_before_s, lead.staged_s)
            if setup.mode in SHARING and waited_s > setup.callback_wait_s:
                staging.give_up_agent(state, turn, lead)
            continue
        done, trouble = dial(state, turn, setup, lead, Mode.CALLBACK, agent_id)
        if trouble:
            return room, trouble
        if done:
            room -= 1
            _called(turn, setup)
            share.ready = [agent for agent in share.ready if agent.agent_id != agent_id]
    return room, ""


def _next(state: State, turn: Turn, setup: CampaignSetup) -> Lead | None:
    taken = state.campaigns[setup.key].taken
    row = state.hopper(setup.key).next(setup.lists, taken, turn.now_s)
    return state.leads[row] if row is not None else None


def _take(state: State, turn: Turn, setup: CampaignSetup, lead: Lead) -> None:
    """One more of its list: a list that joins later begins where the others are."""
    campaign = turn.campaign(setup.key)
    weights = {share.list_id: max(1, share.weight) for share in setup.lists}
    known = [campaign.taken[list_id] for list_id in weights if list_id in campaign.taken]
    start = min(known, default=0.0)
    taken = {list_id: campaign.taken.get(list_id, start) for list_id in weights}
    if lead.record.list_id in taken:
        taken[lead.record.list_id] += 1.0 / weights[lead.record.list_id]
    campaign.taken = taken


def _room(state: State, setup: CampaignSetup, now_s: float) -> tuple[int, str]:
    """How many more lines the campaign's own limits leave, and which limit that is."""
    room, why = MOST_REFUSED, "no more in one go"
    if setup.max_lines:
        lines = sum(one.was_dialed for one in state.open_attempts(setup.key))
        room, why = min(room, max(0, setup.max_lines - lines)), f"at most {setup.max_lines} lines"
    if setup.calls_per_second:
        campaign = state.campaigns[setup.key]
        left_s = now_s - max(campaign.call_after_s, now_s - BURST_S)
        calls = int(left_s * setup.calls_per_second + 1.0) if left_s >= 0 else 0
        if calls < room:
            room, why = calls, f"{setup.calls_per_second:g} calls a second"
    return room, why


def _called(turn: Turn, setup: CampaignSetup) -> None:
    if setup.calls_per_second:
        campaign = turn.campaign(setup.key)
        campaign.call_after_s = max(campaign.call_after_s, turn.now_s - BURST_S) + 1.0 / setup.calls_per_second


def _say(state: State, turn: Turn, setup: CampaignSetup, pool: Pool | None, due: Due, started: int) -> None:
    campaign = state.campaigns[setup.key]
    if not started and (due.why == campaign.last_why or turn.now_s - campaign.last_s < SAID_EVERY_S):
        return
    campaign = turn.campaign(setup.key)
    campaign.last_s, campaign.last_count, campaign.last_why = turn.now_s, started, due.why
    turn.decide(
        PacingDecided(
            setup.tenant,
            setup.campaign,
            started,
            due.why,
            pool.ready if pool else 0,
            pool.in_flight if pool else len(state.open_attempts(setup.key)),
            pool.live if pool else 0,
            pool.abandoned if pool else 0,
        )
    )
