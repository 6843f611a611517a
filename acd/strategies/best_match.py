"""The best pairs, when several contacts and agents are free for each other at once.

    worth of a pair = the contact's score (acd/order.py)
                    + skill * (mean of her levels in the skills asked for) / 10
                    + idle  * i / (i + 60)          i: seconds since she handled her last contact

Of all ways to give as many contacts as possible to the agents who are free, the one with the highest sum is taken
(the linear assignment problem; scipy solves it). `skill` and `idle` are points, as priority and waiting are: at ageing
1 a perfect match is worth `skill` seconds of waiting, and a step of priority is worth a minute.

Nobody starves. A pair's fit adds at most F = skill + idle to a score, so with one agent free a contact is passed over
only for one whose score is less than F below its own: at ageing 1, for one that began to wait less than F seconds
later. With k agents free in one instant, only where the k contacts served lose less than k * F of score together.
A score grows with waiting for ever and F does not, so what is said of starvation in acd/order.py holds, with F * k
more for the bound. Serving as many as possible never leaves out the first in order: whoever can be served at all is
part of some largest set that can.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from acd.records import Agent
from acd.setup import AgentSetup, QueueSetup
from acd.skills import MAX_LEVEL
from acd.strategies.strategy import Score, Sought, Strategy

HALF_IDLE_S = 60.0
"""So long idle is worth half of what idling can be worth."""
MOST_AT_ONCE = 500
"""Contacts looked at together; those behind come after them, with the agents that are left."""


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    names = sought.requirement.names
    known = sum(person.skills.get(name, 0) for name in names) / (MAX_LEVEL * len(names)) if names else 0.0
    skill, idle = _weights(sought.queue)
    return (-(skill * known + idle * _rested(agent, sought.now_s)), agent.idle_since_s)


STRATEGY = Strategy("best_match", key, (("skill", 30.0), ("idle", 5.0)))


def reach(queue: QueueSetup) -> float:
    """F: how much score a contact may lack of another's and yet be served before it."""
    return sum(_weights(queue))


def assign(
    wanted: Sequence[tuple[Sought, float, int]], numbers: Sequence[int], roster: Sequence[Agent], people: Any
) -> list[tuple[int, int]]:
    """(index in `wanted`, agent's number) of each pair, by index: as many pairs as can be, of the highest sum.

    `wanted`: contacts with their scores and who could take each, as a mask; `numbers`: the agents who are free;
    `people`: how each of the roster is set up. At least one of both.
    """
    now_s = wanted[0][0].now_s
    if len(numbers) == 1:
        return _for_one(wanted, numbers[0], roster, people)
    levels: dict[str, Any] = {}
    rested = np.array([_rested(roster[n], now_s) for n in numbers])
    worth = np.empty((len(wanted), len(numbers)))
    knows: dict[frozenset[str], Any] = {}
    may: dict[int, Any] = {}
    for row, (sought, score, mask) in enumerate(wanted):
        names = frozenset(sought.requirement.names)
        if names not in knows:
            for name in names - levels.keys():
                levels[name] = np.array([people[n].skills.get(name, 0) for n in numbers], dtype=float)
            total = sum((levels[name] for name in sorted(names)), np.zeros(len(numbers)))
            knows[names] = total / (MAX_LEVEL * max(len(names), 1))
        if mask not in may:
            may[mask] = np.array([mask >> n & 1 for n in numbers], dtype=bool)
        skill, idle = _weights(sought.queue)
        worth[row] = np.where(may[mask], score + skill * knows[names] + idle * rested, -np.inf)
    able = np.isfinite(worth)
    if not able.any():
        return []
    worth -= worth[able].min()
    # More than any sum of pairs: one more pair is always better than better ones.
    more = (worth[able].max() + 1.0) * (min(worth.shape) + 1)
    rows, columns = _solver()(np.where(able, -(worth + more), 0.0))
    return [(int(row), numbers[column]) for row, column in zip(rows, columns, strict=True) if able[row, column]]


def _for_one(
    wanted: Sequence[tuple[Sought, float, int]], number: int, roster: Sequence[Agent], people: Any
) -> list[tuple[int, int]]:
    """With one agent free, as nearly always, no solver is needed: the highest worth, the earliest among equals."""
    agent, person = roster[number], people[number]
    worth = [
        (score - key(agent, person, sought)[0], -row)
        for row, (sought, score, mask) in enumerate(wanted)
        if mask >> number & 1
    ]
    return [(-max(worth)[1], number)] if worth else []


@cache
def _solver() -> Any:
    """Loaded when a queue wants it: scipy's import takes as long as all others together."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


def prepare(queues: Sequence[QueueSetup]) -> None:
    """Loads the solver before the first contact needs it, if one of the queues does."""
    if any(queue.strategy == STRATEGY.name for queue in queues):
        _solver()


def _weights(queue: QueueSetup) -> tuple[float, float]:
    return STRATEGY.option(queue, "skill"), STRATEGY.option(queue, "idle")


def _rested(agent: Agent, now_s: float) -> float:
    """From 0 to 1. Who has handled nothing yet is as rested as can be."""
    if agent.idle_since_s <= 0.0:
        return 1.0
    idle_s = max(now_s - agent.idle_since_s, 0.0)
    return idle_s / (idle_s + HALF_IDLE_S)
