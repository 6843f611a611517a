"""Who can answer for a campaign: the router's agents as the dialer sees them, read at the moment of asking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from acd.capacity import VOICE, hindrance
from acd.records import Agent, Assignment
from acd.router import Router
from acd.setup import AgentSetup
from acd.skills import Requirement, RequirementInvalid
from core.agent import Presence
from core.assignment import AssignmentState
from core.stay import StayState
from dialer.floor import Absence, AgentState, FloorAgent, FloorPool

_AT_WORK: dict[AssignmentState, AgentState] = {
    AssignmentState.ACTIVE: "talk",
    AssignmentState.CONSULTING: "talk",
    AssignmentState.HELD: "hold",
    AssignmentState.OFFERED: "reserved",
    AssignmentState.WRAP_UP: "wrap_up",
}
"""Of several contacts the first of these says how busy she is."""


class RouterFloor:
    """`dialer.floor.Floor` over the router."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def pool(self, tenant: str, queue: str, skills: str, now_s: float) -> FloorPool:
        setup = self._router.setup.queues.get((tenant, queue))
        if setup is None:
            return FloorPool()
        wanted = tuple(_requirement(text) for text in (setup.skills, skills) if text)
        found: list[FloorAgent] = []
        absent: Counter[Absence] = Counter()
        for person in self._people(tenant, queue):
            agent = self._router.agent((person.tenant, person.agent_id))
            if agent is None or agent.presence is Presence.LOGGED_OUT:
                continue
            if not all(requirement.met(person.skills) for requirement in wanted):
                absent["skills"] += 1
            elif (seen := self._seen(agent, person, now_s)) is not None:
                found.append(seen)
            elif agent.presence is Presence.READY and not agent.pending:
                absent["on_phone" if self._hindrance(agent, person, now_s) == "on_phone" else "phone"] += 1
            else:
                absent["not_ready"] += 1
        found.sort(key=lambda agent: (agent.state != "ready", agent.since_s, agent.agent_id))
        return FloorPool(tuple(found), self._waiting(tenant, queue), tuple(sorted(absent.items())))

    def queues_of(self, tenant: str, agent_id: str) -> Iterator[tuple[str, str]]:
        """(tenant, queue) of every queue an agent serves."""
        person = self._router.setup.agents.get((tenant, agent_id))
        if person is None:
            return
        for owner, queue in self._router.setup.queues:
            if owner == tenant and (person.queues is None or queue in person.queues):
                yield owner, queue

    def _people(self, tenant: str, queue: str) -> Iterator[AgentSetup]:
        for person in self._router.setup.agents.values():
            if person.tenant == tenant and (person.queues is None or queue in person.queues):
                yield person

    def _seen(self, agent: Agent, person: AgentSetup, now_s: float) -> FloorAgent | None:
        line = bool(agent.line_leg_id)
        hindered = self._hindrance(agent, person, now_s)
        if not hindered:
            return FloorAgent(agent.agent_id, "ready", _ready_since_s(agent), line=line, device=agent.device)
        if hindered == "resting":
            return FloorAgent(agent.agent_id, "wrap_up", agent.idle_since_s, line=line, device=agent.device)
        if hindered == "kept":
            return FloorAgent(
                agent.agent_id, "reserved", _ready_since_s(agent), agent.kept_for[0], line=line, device=agent.device
            )
        work = _busiest(agent)
        if work is None or hindered != "busy":  # on a break, unreachable, or leaving when this is over
            return None
        state = _AT_WORK[work.state]
        return FloorAgent(agent.agent_id, state, work.since_s, work.interaction_id, line, agent.device)

    def _hindrance(self, agent: Agent, person: AgentSetup, now_s: float) -> str:
        return hindrance(agent, person, VOICE, self._router.setup, now_s)

    def _waiting(self, tenant: str, queue: str) -> int:
        return sum(
            stay.tenant == tenant and stay.queue == queue and stay.state is StayState.WAITING and not stay.offers
            for stay in self._router.stays()
        )


def _ready_since_s(agent: Agent) -> float:
    return max(agent.since_s, agent.idle_since_s, agent.rest_until_s)


def _busiest(agent: Agent) -> Assignment | None:
    for state in _AT_WORK:
        for work in agent.assignments.values():
            if work.state is state:
                return work
    return None


def _requirement(text: str) -> Requirement:
    try:
        return Requirement.parse(text)
    except RequirementInvalid:
        return Requirement.parse("")
