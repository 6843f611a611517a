"""What a campaign meets in a day, as the simulation plays it: who answers, when, how long people talk, who is there.

A person answers a quarter of all attempts after 3 s + Gamma(4), 12 s on average; of the others three in ten reach a
machine (20 s of ringing and 2.5 s until it is known), one in eight is busy or fails within seconds, the rest ring out
after 25 s: so it is unless a world says otherwise. Talk and wrap-up are lognormal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

HOUR_S = 3600.0
OfTime = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class ByHour:
    """`values`: one for each hour of the day (24); the simulation begins at `from_s` of the day."""

    values: tuple[float, ...]
    from_s: float = 0.0

    def __call__(self, now_s: float) -> float:
        return self.values[int((self.from_s + now_s) // HOUR_S) % 24]


def always(value: float) -> OfTime:
    return ByHour((value,) * 24)


def wave(low: float, high: float, period_s: float) -> OfTime:
    """Up and down between two values, from the middle."""
    middle, half = (low + high) / 2, (high - low) / 2
    return lambda now_s: middle + half * math.sin(2 * math.pi * now_s / period_s)


def steps(*values: float, every_s: float = HOUR_S) -> OfTime:
    """One value after another, each for so long, over and over."""
    return lambda now_s: values[int(now_s // every_s) % len(values)]


@dataclass(frozen=True)
class World:
    """`answer_rate`: share of attempts a person answers; `machine_share`, `busy_share`: shares of all the others.
    `detector_s`: from answer to verdict, mean seconds (0: known at once), for people and machines; `taken_for_machine`:
    share of people hung up on by mistake; `taken_for_person`: share of machines handed to an agent, who loses
    `detected_late_s`. `talk_cv`, `wrap_cv`: coefficients of variation; `pareto_share` of conversations have a Pareto
    tail. `present`: the share of agents logged in. `leads`: attempts the list holds for each agent. `answer_s`: after
    how long people answered, to draw from; empty: as said above. `recorded`: what became of attempts in the order of
    dialing, (seconds until it stopped ringing, `person`, `machine`, `busy`, `failed` or `none`); the simulation
    replays them, and the list ends with them."""

    name: str
    says: str
    answer_rate: OfTime = always(0.25)
    machine_share: float = 0.30
    busy_share: float = 0.12
    machine_ring_s: float = 20.0
    machine_at_once: float = 0.0
    ring_out_s: float = 25.0
    detector_s: float = 0.0
    machine_known_s: float = 2.5
    taken_for_machine: float = 0.0
    taken_for_person: float = 0.0
    detected_late_s: float = 8.0
    talk_s: OfTime = always(90.0)
    talk_cv: float = 0.9
    pareto_share: float = 0.0
    wrap_s: OfTime = always(20.0)
    wrap_cv: float = 0.7
    present: OfTime = always(1.0)
    leads: float = math.inf
    answer_s: tuple[float, ...] = ()
    recorded: tuple[tuple[float, str], ...] = ()
