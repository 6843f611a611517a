"""The floor: everybody who answers, everybody who waits, and the indexes that find them without searching.

Indexes are derived from the records and the setup, so they can be built anew at any time (`index`): at start, after a
change of setup, and after a handler raised. Agents are numbered; sets of agents are bit masks (bit n: agent n), so that
"free for calls, serves the queue, has the skills" is two `&`.

Those who wait for the same agents on the same channel, and age at the same rate, form a *group*, sorted by
`order.standing`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from heapq import heappop, heappush
from math import inf

from acd import capacity, order, virtual
from acd.fit import GONE, Fit
from acd.masks import SkillMasks, bits
from acd.records import Agent, Assignment, Queue, Stay
from acd.setup import AgentSetup, Key, QueueSetup, Setup
from acd.strategies import best_match
from core.agent import Presence
from core.stay import StayState

MAX_GROUPS = 4000
"""Beyond this, groups that nobody waits in are forgotten."""

GroupKey = tuple[int, str, float]
"""Agents, channel, ageing."""

Place = tuple[float, float, int, str, "Group"]
"""A sort key, the stay, its group."""


class Group:
    """`agents`: who may serve it, free or not. `waiting`: who is served first comes first; `head` is that one, at hand
    for who looks through all groups of an agent; None while nobody waits."""

    __slots__ = ("ageing", "agents", "channel", "head", "waiting")

    def __init__(self, agents: int, channel: str, ageing: float) -> None:
        self.agents, self.channel, self.ageing = agents, channel, ageing
        self.waiting: list[Place] = []
        self.head: Place | None = None


class Floor:
    def __init__(self, setup: Setup, seed: int) -> None:
        self.setup, self.seed = setup, seed
        self.agents: dict[Key, Agent] = {}
        self.stays: dict[str, Stay] = {}
        self.queues: dict[Key, Queue] = {}
        self.hours: dict[Key, tuple[bool, float, float]] = {}
        """What a queue's hours say, and from when until when."""
        self.down: set[str] = set()
        """Phones that are not reachable."""
        self.in_use: dict[str, tuple[str, ...]] = {}
        """Phone -> the interactions in which it called."""
        self.armed: dict[str, float] = {}
        """Timer id -> when it is due."""
        self.last_number = 0
        self.index(0.0)

    # -- the whole of it ---------------------------------------------------------------------------
    def index(self, now_s: float) -> None:
        """Builds every index from the records and the setup. Agents of the setup without a record get one."""
        for key in self.setup.agents:
            if key not in self.agents:
                self.agents[key] = Agent(*key)
            self.agents[key].removed = False
        for key, agent in tuple(self.agents.items()):
            agent.removed = key not in self.setup.agents
            if agent.gone:
                del self.agents[key]
        keys = sorted(self.agents)
        best_match.prepare(tuple(self.setup.queues.values()))
        self.even = len({queue.ageing for queue in self.setup.queues.values()}) <= 1
        """All queues age their contacts at the same rate."""
        self.numbers: dict[Key, int] = {key: number for number, key in enumerate(keys)}
        self.roster: list[Agent] = [self.agents[key] for key in keys]
        self.people: list[AgentSetup] = [self.person(key) for key in keys]
        self.needs = [capacity.needs(person, self.setup) for person in self.people]
        self.by_name: dict[str, list[int]] = {}
        for (_, agent_id), number in self.numbers.items():
            self.by_name.setdefault(agent_id, []).append(number)
        self.members: dict[Key, int] = {}
        for number, person in enumerate(self.people):
            tenant, bit = person.tenant, 1 << number
            if person.queues is not None:
                for queue in person.queues:
                    self.members[tenant, queue] = self.members.get((tenant, queue), 0) | bit
        for number, person in enumerate(self.people):
            if person.queues is None:
                for key in self.setup.queues:
                    if key[0] == person.tenant:
                        self.members[key] = self.members.get(key, 0) | 1 << number
        self.groups: dict[GroupKey, Group] = {}
        self._known: dict[tuple[str, int, str, str, str, str], Group] = {}
        """The group by what is at hand: queue, step, flow's requirement, channel, preferred agent, tenant."""
        self._most_groups = MAX_GROUPS
        self.reach: list[list[Group]] = [[] for _ in keys]
        """The groups each agent may serve."""
        self.fit = Fit(self.setup, self.members, SkillMasks(self.people))
        self.placed: dict[str, Place] = {}
        self.present: dict[Key, dict[str, Stay]] = {}
        """Who has a place in a queue. Who is meant for one agent has none: it is offered at once or not at all."""
        self._climbs: list[tuple[float, str]] = []
        self.working: dict[str, int] = {}
        """Interaction -> who works on it or is offered it."""
        self.offers: dict[str, tuple[Agent, str]] = {}
        """Offer -> whose it is, and the interaction."""
        self.devices: dict[str, int] = {}
        """Who is logged in where."""
        self.owners: dict[str, int] = {}
        """Whose own a phone is."""
        self.logged_in = self.ready = self.idle = 0
        """Who is logged in, ready, and free for some channel."""
        self.free: dict[str, int] = dict.fromkeys(self.setup.channels, 0)
        for number, agent in enumerate(self.roster):
            self.refresh(number, now_s)
            if agent.device and agent.presence is not Presence.LOGGED_OUT:
                self.devices[agent.device] = number
            if self.people[number].device:
                self.owners.setdefault(self.people[number].device, number)
            for work in agent.assignments.values():
                self.working[work.interaction_id] = self.working.get(work.interaction_id, 0) | 1 << number
                self.offers[work.offer_id] = (agent, work.interaction_id)
        for stay in self.stays.values():
            if not stay.in_person:
                self.present.setdefault(stay.queue_key, {})[stay.stay_id] = stay
            self.last_number = max(self.last_number, stay.number)
            if stay.state is StayState.WAITING and virtual.seeks(self, stay, now_s):
                self.place(stay, now_s)

    # -- who and what ------------------------------------------------------------------------------
    def person(self, key: Key) -> AgentSetup:
        """How an agent is set up; one that configuration knows no more serves no queue."""
        return self.setup.agents.get(key) or AgentSetup(*key, queues=frozenset())

    def queue_setup(self, stay: Stay) -> QueueSetup:
        """How its queue is set up; the plainest when it was removed, or for a stay without a queue."""
        return self.setup.queues.get((stay.tenant, stay.queue), GONE)

    def queue(self, key: Key) -> Queue:
        found = self.queues.get(key)
        if found is None:
            found = self.queues[key] = Queue(*key)
        return found

    # -- agents ------------------------------------------------------------------------------------
    def refresh(self, number: int, now_s: float) -> bool:
        """Files an agent under what she is now. True when she became free for some channel."""
        agent, bit = self.roster[number], 1 << number
        there = agent.presence is not Presence.LOGGED_OUT
        ready = agent.presence is Presence.READY
        self.logged_in = self.logged_in | bit if there else self.logged_in & ~bit
        self.ready = self.ready | bit if ready else self.ready & ~bit
        if not ready and not self.idle & bit:
            return False
        newly, open_to = False, capacity.open_to(agent, self.needs[number], now_s)
        for channel, free in self.free.items():
            if channel in open_to:
                if not free & bit:
                    self.free[channel] = free | bit
                    newly = True
            elif free & bit:
                self.free[channel] = free & ~bit
        self.idle = self.idle | bit if open_to else self.idle & ~bit
        return newly

    # -- who waits ---------------------------------------------------------------------------------
    def could_ever(self, stay: Stay) -> int:
        """Everybody who has what the stay asks for now or later, but for those it must not be offered to."""
        found = self.fit.could_ever(stay)
        return found & ~self.mask(stay.tenant, stay.excluded) if stay.excluded else found

    def mask(self, tenant: str, agent_ids: tuple[str, ...]) -> int:
        found = 0
        for agent_id in agent_ids:
            number = self.numbers.get((tenant, agent_id))
            if number is not None:
                found |= 1 << number
        return found

    def barred(self, stay: Stay, now_s: float) -> int:
        """Who must not be offered this stay though she could serve its group."""
        found = self.working.get(stay.interaction_id, 0)
        if stay.excluded:
            found |= self.mask(stay.tenant, stay.excluded)
        if stay.refused:
            found |= self.mask(stay.tenant, tuple(who for who, until_s in stay.refused.items() if until_s > now_s))
        return found

    def group(self, stay: Stay, now_s: float) -> Group:
        preferred = stay.preferred_agent if now_s < stay.patience_ends_s else ""
        known = (stay.queue, stay.step, stay.skills, stay.channel, preferred, stay.tenant)
        found = self._known.get(known)
        if found is None:
            agents = self.fit.may_serve(stay, stay.step)
            if preferred:
                agents &= self.mask(stay.tenant, (preferred,))
            key = (agents, stay.channel, self.queue_setup(stay).ageing)
            found = self.groups.get(key)
            if found is None:
                found = self._new_group(key)
            if len(self._known) >= MAX_GROUPS:
                self._known.clear()
            self._known[known] = found
        return found

    def _new_group(self, key: GroupKey) -> Group:
        if len(self.groups) >= self._most_groups:
            self._forget_groups()
        group = self.groups[key] = Group(*key)
        for number in bits(group.agents):
            self.reach[number].append(group)
        return group

    def place(self, stay: Stay, now_s: float) -> Group:
        """Takes its place among those who wait like it."""
        group = self.group(stay, now_s)
        self._file(stay.stay_id, group, order.standing(stay, self.queue_setup(stay), stay.step, now_s))
        return group

    def _file(self, stay_id: str, group: Group, standing: order.Standing) -> None:
        score, began_s, number, climbs_s = standing
        waiting = group.waiting
        self.placed[stay_id] = place = (score, began_s, number, stay_id, group)
        insort(waiting, place)
        group.head = waiting[0]
        if climbs_s < inf:
            heappush(self._climbs, (climbs_s, stay_id))

    def unplace(self, stay_id: str) -> None:
        place = self.placed.pop(stay_id, None)
        if place is not None:
            group, waiting = place[4], place[4].waiting
            del waiting[bisect_left(waiting, place)]
            group.head = waiting[0] if waiting else None

    def climb(self, now_s: float) -> None:
        """Sorts anew whose urgency has climbed since the last event."""
        climbs = self._climbs
        while climbs and climbs[0][0] <= now_s:
            stay_id = heappop(climbs)[1]
            place = self.placed.get(stay_id)
            if place is None:
                continue
            stay, group = self.stays[stay_id], place[4]
            standing = order.standing(stay, self.queue_setup(stay), stay.step, now_s)
            if standing[0] != place[0]:  # else it has climbed already: it took its place anew since
                del group.waiting[bisect_left(group.waiting, place)]
                self._file(stay_id, group, standing)

    def admit(self, stay: Stay) -> None:
        self.stays[stay.stay_id] = stay
        if not stay.in_person:
            self.present.setdefault(stay.queue_key, {})[stay.stay_id] = stay

    def dismiss(self, stay: Stay) -> None:
        self.unplace(stay.stay_id)
        del self.stays[stay.stay_id]
        self.present.get(stay.queue_key, {}).pop(stay.stay_id, None)

    def release(self, agent: Agent, work: Assignment) -> None:
        """Takes an assignment that is done off her."""
        del agent.assignments[work.interaction_id]
        self.offers.pop(work.offer_id, None)
        left = self.working.get(work.interaction_id, 0) & ~(1 << self.numbers[agent.key])
        if left:
            self.working[work.interaction_id] = left
        else:
            self.working.pop(work.interaction_id, None)

    def _forget_groups(self) -> None:
        self.groups = {key: group for key, group in self.groups.items() if group.waiting}
        self._most_groups = max(MAX_GROUPS, 2 * len(self.groups))
        self._known.clear()
        self.reach = [[] for _ in self.roster]
        for group in self.groups.values():
            for number in bits(group.agents):
                self.reach[number].append(group)
