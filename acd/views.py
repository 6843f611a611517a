"""What boards show: plain dictionaries, without callers' numbers or names. Their keys are the API's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from acd import counters, presence, queues
from acd.floor import Floor
from acd.records import Agent, Stay
from acd.setup import Key
from core.agent import Presence
from core.assignment import AssignmentState

View = dict[str, Any]

_LOOKS = (
    (AssignmentState.ACTIVE, "talking"),
    (AssignmentState.CONSULTING, "consulting"),
    (AssignmentState.HELD, "hold"),
    (AssignmentState.OFFERED, "reserved"),
    (AssignmentState.WRAP_UP, "wrap_up"),
)


@dataclass(frozen=True, slots=True)
class Board:
    agents: list[View]
    queues: list[View]
    stays: list[View]


def board(floor: Floor, now_s: float, tenant: str | None = None) -> Board:
    """Everything, or one tenant's."""
    agents = [agent for agent in floor.roster if not agent.gone and tenant in (None, agent.tenant)]
    keys = sorted(key for key in floor.setup.queues if tenant in (None, key[0]))
    found: dict[str, int] = {}
    for key in keys:
        found |= places(floor, key, now_s)
    return Board(
        [view_agent(floor, agent, now_s) for agent in agents],
        [view_queue(floor, key, now_s) for key in keys],
        [
            view_stay(floor, stay, now_s, found.get(stay.stay_id, 0))
            for stay in floor.stays.values()
            if tenant in (None, stay.tenant)
        ],
    )


def looks(agent: Agent) -> str:
    """What an agent looks like on a board: her work, else her presence."""
    works = agent.assignments.values()
    for state, word in _LOOKS:
        found = [work for work in works if work.state is state]
        if found:
            return "ringing" if word == "reserved" and any(work.ringing for work in found) else word
    return "reserved" if agent.kept_for else agent.presence.value


def view_agent(floor: Floor, agent: Agent, now_s: float) -> View:
    person = floor.person(agent.key)
    since_s = max((work.since_s for work in agent.assignments.values()), default=_free_since_s(agent))
    if person.queues is None:
        serves = [queue for tenant, queue in floor.setup.queues if tenant == agent.tenant]
    else:
        serves = list(person.queues)
    return {
        "tenant": agent.tenant,
        "agent_id": agent.agent_id,
        "name": person.name or agent.agent_id,
        "presence": agent.presence.value,
        "reason": agent.reason,
        "since_s": agent.since_s,
        "looks": looks(agent),
        "looks_since_s": since_s,
        "pending": agent.pending,
        "pending_reason": agent.pending_reason,
        "device": agent.device or person.device,
        "line": bool(agent.line_leg_id),
        "reachable": agent.reachable if agent.device else person.device not in floor.down,
        "skills": dict(person.skills),
        "queues": sorted(serves),
        "assignments": [
            {
                "interaction_id": work.interaction_id,
                "stay_id": work.stay_id,
                "queue": work.queue,
                "state": work.state.value,
                "since_s": work.since_s,
                "offer_id": work.offer_id,
                "channel": work.channel,
                "purpose": work.purpose,
                "waited_s": work.waited_s,
                "disposition": work.disposition,
                "wrap_up_ends_s": work.ends_s if work.state is AssignmentState.WRAP_UP else 0.0,
                "extended_s": work.extended_s,
            }
            for work in agent.assignments.values()
        ],
        "handled": agent.handled if now_s < agent.day_ends_s else 0,
        "over_limit": agent.limit_told and agent.presence is Presence.NOT_READY,
        "breaks_at_s": presence.breaks_at_s(floor, agent, now_s),
        "breaks_due_s": presence.breaks_due_s(floor, agent, now_s),
    }


def _free_since_s(agent: Agent) -> float:
    """Ready: since she chose to be, or since her last contact was over. Else since her presence began: how long a break
    may last goes by that."""
    return max(agent.since_s, agent.idle_since_s) if agent.presence is Presence.READY else agent.since_s


def view_queue(floor: Floor, key: Key, now_s: float) -> View:
    setup, record, status = floor.setup.queues[key], floor.queues.get(key), queues.status(floor, key, now_s)
    day = counters.day_of(record, now_s) if record is not None else counters.NOTHING
    today = {name: count for name, count in msgspec.structs.asdict(day).items() if name != "late_abandoned"}
    return {
        "tenant": setup.tenant,
        "queue": setup.queue,
        "title": setup.title or setup.queue,
        "open": status.status != "closed",
        "forced": record.forced if record is not None else "",
        "waiting": status.waiting,
        "virtual": sum(stay.mode == "virtual" for stay in floor.present.get(key, {}).values()),
        "longest_wait_s": status.longest_wait_s,
        "waits_since_s": status.waits_since_s,
        "ewt_s": status.ewt_s,
        "ewt_low_s": status.ewt_low_s,
        "ewt_high_s": status.ewt_high_s,
        "logged_in": status.logged_in,
        "available": status.available,
        "today": {**today, "service_level": counters.service_level(day, setup.service_level)},
    }


def view_stay(floor: Floor, stay: Stay, now_s: float, place: int | None = None) -> View:
    if place is None:
        place = queues.position(floor, stay, now_s).position if not stay.in_person else 0
    offer_id, agent_id = next(iter(stay.offers.items()), ("", ""))
    return {
        "tenant": stay.tenant,
        "stay_id": stay.stay_id,
        "interaction_id": stay.interaction_id,
        "queue": stay.queue,
        "state": stay.state.value,
        "joined_s": stay.joined_s,
        "waited_before_s": stay.waited_before_s,
        "priority": stay.priority,
        "position": place,
        "counted": stay.counted,
        "step": stay.step,
        "offer_id": offer_id,
        "agent_id": agent_id,
        "channel": stay.channel,
        "purpose": stay.purpose,
        "mode": stay.mode,
        "called": stay.called,
        "again_s": stay.again_s,
    }


def places(floor: Floor, key: Key, now_s: float) -> dict[str, int]:
    """Stay -> its place in the queue, from 1; who is served first comes first."""
    ranked = sorted(floor.present.get(key, {}).values(), key=lambda stay: queues.rank(floor, stay, now_s))
    return {stay.stay_id: place for place, stay in enumerate(ranked, start=1)}
