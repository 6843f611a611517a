"""Which agents each campaign may count on: nobody is promised to two of them.

Lines that must not find nobody (of a method that dials one for each agent, of a campaign that dials no more) have their
agents first. The others go to the campaigns that have leads: the highest priority takes all of them; among equals, each
goes to who is most behind its weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.attempt import AttemptState
from core.campaign import CampaignState
from dialer.compliance.abandonment import NO_LIMIT
from dialer.compliance.rules import Mode
from dialer.floor import FloorAgent, FloorPool
from dialer.pacing import BusyAgent, Pool
from dialer.records import Attempt
from dialer.setup import CampaignSetup, Key
from dialer.state import State

SHARING = frozenset({Mode.PREVIEW, Mode.PROGRESSIVE, Mode.POWER, Mode.PREDICTIVE})
_ONE_EACH = frozenset({Mode.PREVIEW, Mode.PROGRESSIVE})
CALLING = (AttemptState.DIALING, AttemptState.RINGING)


@dataclass(slots=True)
class Share:
    """What one campaign has. `waiting`: its people whom nobody was offered to yet; `others`: contacts of the queue that
    wait beside them."""

    setup: CampaignSetup
    lines: list[Attempt]
    pool: FloorPool
    able: dict[str, FloorAgent] = field(default_factory=dict)
    """Everybody who could serve it, with a held line where one is needed."""
    ready: list[FloorAgent] = field(default_factory=list)
    at_phones: frozenset[str] = frozenset()
    """Who is ready without the held line that is needed, and nobody's: her own promised calls ring her phone first. She
    may stand in several campaigns until one of them calls."""
    busy: list[FloorAgent] = field(default_factory=list)
    waiting: list[Attempt] = field(default_factory=list)
    others: int = 0

    @property
    def asking(self) -> list[Attempt]:
        """Attempts that may still ask for any agent, or do."""
        return [one for one in self.lines if not one.for_agent and (one.state in CALLING or listened_to(one))]


def share_out(state: State, tenant: str, now_s: float, absent: Collection[Key] = ()) -> dict[Key, Share]:
    """Every campaign of the tenant that has agents: those that run, and those with lines that are not over. `absent`:
    (tenant, agent_id) of who seems ready, and is not there."""
    shares = _shares(state, tenant, now_s)
    reserved = {one.for_agent for one in _open(state, tenant) if one.for_agent}
    reserved |= {agent_id for whose, agent_id in absent if whose == tenant}
    free: dict[str, FloorAgent] = {}
    for share in shares.values():
        for agent in share.pool.agents:
            if agent.state == "ready" and agent.agent_id not in reserved:
                free.setdefault(agent.agent_id, agent)
    for share in shares.values():
        if _must_be_served(state, share):
            wanted = len(share.asking) + len(share.waiting)
            mine = [name for name in free if name in share.able][:wanted]
            share.ready = [free.pop(name) for name in mine]
    hungry = [share for share in shares.values() if _is_hungry(state, share)]
    _deal(state, free, hungry, "ready")
    nobodys = free.keys() - {agent.agent_id for share in hungry for agent in share.ready}
    for share in shares.values():
        share.at_phones = frozenset(
            agent.agent_id
            for agent in share.pool.agents
            if agent.agent_id in nobodys and agent.agent_id not in share.able and agent.device
        )
    busy: dict[str, FloorAgent] = {}
    for share in shares.values():
        for agent in share.pool.agents:
            if agent.state != "ready":
                busy.setdefault(agent.agent_id, agent)
    for share in shares.values():
        own = {one.interaction_id for one in share.lines}
        for name in [name for name, agent in busy.items() if agent.interaction_id in own]:
            agent = busy.pop(name)
            if name in share.able:
                share.busy.append(agent)
    _deal(state, busy, hungry, "busy")
    return shares


def is_reserved(state: State, tenant: str, agent_id: str) -> bool:
    """A line is for her alone."""
    return any(one.for_agent == agent_id for one in _open(state, tenant))


def pool_of(state: State, share: Share, now_s: float) -> Pool:
    """What the campaign's pacer sees."""
    found = state.standing(state.campaigns[share.setup.key], now_s)
    standing, spare = found if found is not None else (None, NO_LIMIT)
    return Pool(
        ready=len(share.ready),
        busy=tuple(
            BusyAgent(agent.state, max(0.0, now_s - agent.since_s)) for agent in share.busy if agent.state != "ready"
        ),
        ringing_s=tuple(
            max(0.0, now_s - one.dialed_s) for one in share.lines if one.state in CALLING and not one.for_agent
        ),
        screening=sum(listened_to(one) for one in share.lines),
        waiting=len(share.waiting) + share.others,
        live=standing.counts.live if standing else 0,
        abandoned=standing.counts.abandoned if standing else 0,
        spare=spare,
        most=float(standing.limit.most) if standing else 1.0,
        window_left_s=max(0.0, standing.until_s - now_s) if standing else 0.0,
    )


def _shares(state: State, tenant: str, now_s: float) -> dict[Key, Share]:
    shares: dict[Key, Share] = {}
    pools: dict[tuple[str, str], FloorPool] = {}
    for key in sorted(key for key in state.campaigns if key[0] == tenant):
        setup, campaign = state.of(key), state.campaigns[key]
        lines = state.open_attempts(key)
        if not setup.queue or (campaign.state is not CampaignState.RUNNING and not lines):
            continue
        who = (setup.queue, setup.skills)
        if who not in pools:
            pools[who] = state.floor.pool(tenant, *who, now_s)
        pool = pools[who]
        share = shares[key] = Share(setup, lines, pool)
        share.able = {agent.agent_id: agent for agent in pool.agents if agent.line or not setup.held_lines}
        served = {agent.interaction_id for agent in pool.agents if agent.interaction_id}
        share.waiting = [
            one
            for one in lines
            if one.state is AttemptState.ANSWERED
            and not (one.for_agent or listened_to(one) or one.interaction_id in served)
        ]
    for share in shares.values():
        queue = share.setup.queue
        ours = sum(len(other.waiting) for other in shares.values() if other.setup.queue == queue)
        share.others = max(0, share.pool.waiting - ours)
    return shares


def _deal(state: State, agents: Mapping[str, FloorAgent], shares: list[Share], hand: Literal["ready", "busy"]) -> None:
    """Each agent to the share whose turn it is."""
    dealt: dict[Key, int] = {}
    for name, agent in agents.items():
        able = [share for share in shares if name in share.able]
        if not able:
            continue
        best = min(able, key=lambda share: _turn(state, share, dealt))
        dealt[best.setup.key] = dealt.get(best.setup.key, 0) + 1
        (best.ready if hand == "ready" else best.busy).append(agent)


def _turn(state: State, share: Share, dealt: Mapping[Key, int]) -> tuple[float, float, Key]:
    setup = share.setup
    behind = state.campaigns[setup.key].given + dealt.get(setup.key, 0) / max(1, setup.weight)
    return (-float(setup.priority), behind, setup.key)


def _must_be_served(state: State, share: Share) -> bool:
    running = state.campaigns[share.setup.key].state is CampaignState.RUNNING
    return not running or share.setup.mode in _ONE_EACH


def _is_hungry(state: State, share: Share) -> bool:
    campaign = state.campaigns[share.setup.key]
    if campaign.state is not CampaignState.RUNNING or share.setup.mode not in SHARING:
        return False
    return bool(state.hopper(share.setup.key).size or share.lines)


def _open(state: State, tenant: str) -> list[Attempt]:
    return [one for key in state.attempts_of if key[0] == tenant for one in state.open_attempts(key)]


def listened_to(attempt: Attempt) -> bool:
    """A detector hears who answered."""
    if attempt.state is AttemptState.SCREENING:
        return True
    return attempt.state is AttemptState.ANSWERED and attempt.screened and not attempt.counted
