"""Why a contact waits: who could have it and why she does not, its score, its relaxation step, and what would have
happened some seconds later if only time had passed.

Nothing is changed here; it may look at everybody, so it is for people who ask, not for events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_

import msgspec

from acd import capacity, order, virtual
from acd.batch import together
from acd.floor import Floor
from acd.masks import bits
from acd.queues import position
from acd.records import Agent, Stay
from acd.strategies import best_match, strategy_of
from acd.strategies.strategy import Sought
from acd.words import why_not as why_not_in_words
from core.assignment import AssignmentState
from core.decisions import Considered
from core.stay import StayState


@dataclass(frozen=True, slots=True)
class Explanation:
    """At `at_s`. `agents`: who could have it first, then everybody else of its tenant with the reason why not.
    `agent_id`: who has it offered, or would; empty for nobody. `next_s`: when its requirement is next relaxed, 0 never.
    `called_from_s`: when a customer who is away is called at the earliest, 0 for who is not to be called.
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
    called_from_s: float = 0.0
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
                kind = considered.excluded.partition(":")[0]
                why = why_not_in_words(kind) if kind else "taken by who is ahead"
                counts[why] = counts.get(why, 0) + 1
            told = ", ".join(f"{count} {why}" for why, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
            words.append(f"Nobody can take it: {told or 'there are no agents'}.")
        if self.called_from_s > self.at_s:
            words.append(f"She is called in {self.called_from_s - self.at_s:.0f} s at the earliest.")
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
    if not_yet := virtual.not_yet(floor, stay, at_s):
        return not_yet
    if stay.in_person:
        return "" if who == stay.agent_id else "in_person"
    if not floor.members.get(stay.queue_key, 0) >> floor.numbers[agent.key] & 1:
        return "other_queue"
    requirement = floor.fit.requirement(stay, order.step_at(stay, floor.queue_setup(stay), at_s))
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
    requirement = floor.fit.requirement(stay, step) if stay.queue else floor.fit.requirement(stay, 0)
    sought = _sought(floor, stay, at_s)
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
        called_from_s=virtual.called_from_s(floor, stay, at_s),
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
    """Serves everybody in order at `at_s` until it is this stay's turn: who gets it, and who was before it. Those of
    `best_match` queues that follow one another have their turn together, as in acd/batch.py."""

    def score(other: Stay) -> float:
        queue = floor.queue_setup(other)
        return sum(order.parts(other, queue, order.step_at(other, queue, at_s), at_s).values())

    free = {
        channel: sum(
            1 << n
            for n, agent in enumerate(roster)
            if not capacity.hindrance(agent, floor.people[n], channel, floor.setup, at_s)
        )
        for channel in floor.free
    }
    waiting = [other for other in floor.stays.values() if other.state is StayState.WAITING and other.queue]
    waiting.sort(key=lambda other: (-score(other), other.began_s, other.number))
    ahead: list[str] = []
    for turn in _turns(floor, waiting):
        sought = [_sought(floor, other, at_s) for other in turn]
        may = [_able(floor, other, at_s) & free.get(other.channel, 0) for other in turn]
        if len(turn) > 1:
            pairs = _together(
                floor, [(each, score(each.stay), who) for each, who in zip(sought, may, strict=True)], roster
            )
        else:
            key = strategy_of(sought[0].queue.strategy).key
            best = min(bits(may[0]), key=lambda n: (key(roster[n], floor.people[n], sought[0]), n), default=None)
            pairs = {} if best is None else {0: best}
        if stay in turn:
            mine = turn.index(stay)
            served = [n for n in pairs if n < mine or (n > mine and mine not in pairs)]
            ahead += [turn[n].stay_id for n in served]
            return (roster[pairs[mine]].agent_id if mine in pairs else ""), tuple(ahead)
        for row, number in pairs.items():
            ahead.append(turn[row].stay_id)
            for channel in free:
                free[channel] &= ~(1 << number)
    return "", tuple(ahead)


def _turns(floor: Floor, waiting: list[Stay]) -> Iterator[list[Stay]]:
    """Who is given agents at once, in order."""
    for at_once, run in groupby(waiting, lambda other: together(floor, other)):
        size = best_match.MOST_AT_ONCE if at_once else 1
        members = list(run)
        yield from (members[n : n + size] for n in range(0, len(members), size))


def _together(floor: Floor, wanted: list[tuple[Sought, float, int]], roster: list[Agent]) -> dict[int, int]:
    """Index in `wanted` -> agent's number."""
    everybody = reduce(or_, (who for _, _, who in wanted), 0)
    return dict(best_match.assign(wanted, list(bits(everybody)), roster, floor.people)) if everybody else {}


def _sought(floor: Floor, stay: Stay, at_s: float) -> Sought:
    queue = floor.queue_setup(stay)
    return Sought(stay, queue, floor.fit.requirement(stay, order.step_at(stay, queue, at_s)), at_s, floor.seed)


def _able(floor: Floor, stay: Stay, at_s: float) -> int:
    """Who may be offered it, free or not."""
    step = order.step_at(stay, floor.queue_setup(stay), at_s)
    able = floor.fit.may_serve(stay, step) & ~floor.barred(stay, at_s)
    return able & floor.mask(stay.tenant, (stay.preferred_agent,)) if at_s < stay.patience_ends_s else able
