"""Why a contact waits: who could have it and why she does not, its score, its relaxation step, and what would have
happened some seconds later if only time had passed.

Nothing is changed here; it may look at everybody, so it is for people who ask, not for events.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from acd import capacity, order, virtual
from acd.floor import Floor
from acd.masks import bits
from acd.queues import position
from acd.records import Agent, Stay
from acd.strategies import strategy_of
from acd.strategies.strategy import Sought
from core.assignment import AssignmentState
from core.decisions import Considered
from core.stay import StayState


@dataclass(frozen=True, slots=True)
class Explanation:
    """At `at_s`. `agents`: who could have it first, then everybody else of its tenant with the reason why not.
    `agent_id`: who has it offered, or would; empty for nobody. `next_s`: when its requirement is next relaxed, 0 never.
    `ahead`: stays that would be served before it by an agent it could have."""

    stay_id: str
    interaction_id: str
    queue: str
    at_s: float
    waited_s: float
    position: int
    waiting: int
    strategy: str
    step: int
    requirement: str
    score: float
    parts: dict[str, float]
    agents: tuple[Considered, ...]
    agent_id: str = ""
    next_s: float = 0.0
    ahead: tuple[str, ...] = ()

    def paragraph(self) -> str:
        """For a person."""
        asks = f"asks for {self.requirement}" if self.requirement else "asks for nothing in particular"
        step = f" (relaxation step {self.step})" if self.step else ""
        score = " + ".join(f"{name} {value:.1f}" for name, value in self.parts.items())
        words = [
            f"It has waited {self.waited_s:.0f} s and is number {self.position} of {self.waiting} in {self.queue}; "
            f"it {asks}{step}. Its score is {self.score:.1f} = {score}."
        ]
        if self.agent_id:
            words.append(f"{self.agent_id} gets it ({self.strategy}).")
        else:
            counts: dict[str, int] = {}
            for considered in self.agents:
                why = considered.excluded.partition(":")[0]
                counts[why or "taken by who is ahead"] = counts.get(why or "taken by who is ahead", 0) + 1
            told = ", ".join(f"{count} {why}" for why, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
            words.append(f"Nobody can take it: {told or 'there are no agents'}.")
        if self.next_s:
            words.append(f"Its requirement is relaxed in {self.next_s - self.at_s:.0f} s.")
        return " ".join(words)


def explain(floor: Floor, stay: Stay, now_s: float) -> Explanation:
    offered = next(iter(stay.offers.values()), "")
    return _explain(floor, stay, now_s, floor.roster, offered, ())


def counterfactual(floor: Floor, stay: Stay, now_s: float, later_s: float) -> Explanation:
    """As if until `now_s + later_s` nobody came, left, answered or hung up: wrap-ups and rests end, requirements are
    relaxed, and those ahead are served first."""
    at_s = now_s + later_s
    roster = [_later(floor, number, at_s) for number in range(len(floor.roster))]
    if stay.state is not StayState.WAITING:
        return _explain(floor, stay, at_s, roster, next(iter(stay.offers.values()), ""), ())
    winner, ahead = _play_out(floor, stay, at_s, roster)
    return _explain(floor, stay, at_s, roster, winner, ahead)


def why_not(floor: Floor, stay: Stay, agent: Agent, at_s: float) -> str:
    """What keeps an agent from being offered this stay; empty when nothing does."""
    person, who = floor.person(agent.key), agent.agent_id
    if virtual.is_called_first(stay) or not virtual.seeks(floor, stay, at_s):
        return "callback"
    if stay.in_person:
        return "" if who == stay.agent_id else "in_person"
    if not floor.members.get(stay.queue_key, 0) >> floor.numbers[agent.key] & 1:
        return "other_queue"
    requirement = floor.requirement(stay, order.step_at(stay, floor.queue_setup(stay), at_s))
    if missing := requirement.missing(person.skills):
        return f"skill:{', '.join(missing)}"
    if who in stay.excluded:
        return "excluded"
    if stay.interaction_id in agent.assignments:
        return "works_on_it"
    if stay.refused.get(who, 0.0) > at_s:
        return "refused_before"
    if at_s < stay.patience_ends_s and who != stay.preferred_agent:
        return f"preferred:{stay.preferred_agent}"
    return capacity.hindrance(agent, person, stay.channel, floor.setup, at_s)


def _explain(
    floor: Floor, stay: Stay, at_s: float, roster: list[Agent], agent_id: str, ahead: tuple[str, ...]
) -> Explanation:
    queue = floor.queue_setup(stay)
    step = order.step_at(stay, queue, at_s)
    requirement = floor.requirement(stay, step) if stay.queue else floor.requirement(stay, 0)
    sought = Sought(stay, queue, requirement, at_s, floor.seed)
    key = strategy_of(queue.strategy).key
    considered = [
        Considered(agent.agent_id, why_not(floor, stay, agent, at_s), key(agent, floor.person(agent.key), sought))
        for agent in roster
        if agent.tenant == stay.tenant
    ]
    considered.sort(key=lambda c: (c.agent_id != agent_id, bool(c.excluded), c.excluded == "other_queue", c.score))
    score_parts = order.parts(stay, queue, step, at_s)
    place = position(floor, stay, at_s)
    next_s = order.step_changes_at(stay, queue, at_s)
    return Explanation(
        stay_id=stay.stay_id,
        interaction_id=stay.interaction_id,
        queue=stay.queue,
        at_s=at_s,
        waited_s=at_s - stay.began_s,
        position=place.position,
        waiting=place.waiting,
        strategy=queue.strategy,
        step=step,
        requirement=requirement.text,
        score=round(sum(score_parts.values()), 3),
        parts={name: round(value, 3) for name, value in score_parts.items()},
        agents=tuple(considered),
        agent_id=agent_id,
        next_s=next_s if next_s != float("inf") else 0.0,
        ahead=ahead,
    )


def _later(floor: Floor, number: int, at_s: float) -> Agent:
    """An agent as she will be when only time passes."""
    agent = floor.roster[number]
    kept, rest_until_s, idle_since_s = {}, agent.rest_until_s, agent.idle_since_s
    own = floor.people[number].rest_s
    for interaction_id, work in agent.assignments.items():
        if work.state is AssignmentState.WRAP_UP and 0.0 < work.ends_s <= at_s:
            idle_since_s = max(idle_since_s, work.ends_s)
            rest_until_s = idle_since_s + (own if own is not None else floor.setup.rest_s)
        else:
            kept[interaction_id] = work
    return msgspec.structs.replace(agent, assignments=kept, rest_until_s=rest_until_s, idle_since_s=idle_since_s)


def _play_out(floor: Floor, stay: Stay, at_s: float, roster: list[Agent]) -> tuple[str, tuple[str, ...]]:
    """Serves everybody in order at `at_s` until it is this stay's turn: who gets it, and who was before it."""

    def rank(other: Stay) -> tuple[float, float, int]:
        queue = floor.queue_setup(other)
        parts = order.parts(other, queue, order.step_at(other, queue, at_s), at_s)
        return (-sum(parts.values()), other.began_s, other.number)

    free = {
        channel: sum(
            1 << n
            for n, agent in enumerate(roster)
            if not capacity.hindrance(agent, floor.people[n], channel, floor.setup, at_s)
        )
        for channel in floor.free
    }
    waiting = [other for other in floor.stays.values() if other.state is StayState.WAITING and other.queue]
    ahead: list[str] = []
    for other in sorted(waiting, key=rank):
        queue = floor.queue_setup(other)
        step = order.step_at(other, queue, at_s)
        able = floor.may_serve(other, step) & free.get(other.channel, 0) & ~floor.barred(other, at_s)
        if at_s < other.patience_ends_s:
            able &= floor.mask(other.tenant, (other.preferred_agent,))
        sought = Sought(other, queue, floor.requirement(other, step), at_s, floor.seed)
        key = strategy_of(queue.strategy).key
        winner = min(bits(able), key=lambda n: (key(roster[n], floor.people[n], sought), n), default=None)
        if other is stay:
            return (roster[winner].agent_id if winner is not None else ""), tuple(ahead)
        if winner is not None:
            ahead.append(other.stay_id)
            for channel in free:
                free[channel] &= ~(1 << winner)
    return "", tuple(ahead)
