"""Chooses the thresholds of the judge on held-out calls: simulated annealing from the same dice in every run.

Aimed at is what the law and campaigns want (people lost, machines passed); what is left is the time of a "hello?" and
how many nobody is sure of. A threshold is the sum of one for how much was said and one for how long the pause is, which
never rises with the pause: a few numbers, so that they do not learn the calls by heart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from dialer.amd.model import MACHINE_SPOKEN_S, RESTS_S, SPOKEN_S
from training.amd.policy import Figures, Thresholds, Verdicts

PEOPLE_LOST, MACHINES_PASSED, PEOPLE_UNSURE = 0.008, 0.08, 0.09
"""What is aimed at on held-out clips: what is wanted of the test set is 1 % and 8 %. Who is not sure goes to a person,
but late."""
ROUNDS, STARTS = 1500, 4
WORDS_REST_S, WORDS_SPOKEN_S = 0.16, 0.9
"""Who has said more is asked for words in a shorter pause (dialer/amd/word_asks.py), and is not told before."""
_PENALTIES = 200.0, 30.0, 30.0
_UNSURE_WEIGHS = 1.5
_COOL, _WIDE, _LEAST_WIDE = 0.05, 0.6, 0.08


@dataclass(frozen=True)
class Choice:
    """Logarithms of odds; chances."""

    said: tuple[float, ...] = (2.0, 2.4, 2.8, 3.0, 3.0)
    rested: tuple[float, ...] = (1.4, 1.0, 0.6, 0.4, 0.2, 0.0, 0.0, -0.3, -1.8)
    machine: tuple[float, ...] = (0.015, 0.02, 0.03)
    limit: float = 0.06
    late_s: float = 3.0

    def thresholds(self) -> Thresholds:
        odds = np.clip(np.array(self.said), 0, 6)[None] + np.array(self.rested)[:, None]
        chances = 1.0 / (1.0 + np.exp(-odds))
        early = np.array(RESTS_S)[:, None] < WORDS_REST_S
        chances[early & (np.array(SPOKEN_S) >= WORDS_SPOKEN_S)] = 2.0
        return Thresholds(
            tuple(tuple(round(float(one), 4) for one in row) for row in chances),
            tuple(round(one, 4) for one in self.machine),
            round(self.limit, 4),
            round(self.late_s, 2),
        )


assert len(Choice.said) == len(SPOKEN_S)
assert len(Choice.rested) == len(RESTS_S)
assert len(Choice.machine) == len(MACHINE_SPOKEN_S)


def cost(found: Figures, passed: float = MACHINES_PASSED) -> float:
    over = (found.people_lost - PEOPLE_LOST, found.machines_passed - passed, found.people_unsure - PEOPLE_UNSURE)
    return (
        sum(max(0.0, one) * penalty for one, penalty in zip(over, _PENALTIES, strict=True))
        + found.hello_p50_s
        + 0.3 * found.hello_p95_s
        + 0.5 * found.hello_mean_s
        + _UNSURE_WEIGHS * found.machines_unsure
    )


def chosen(verdicts: Verdicts, passed: float = MACHINES_PASSED) -> tuple[Thresholds, Figures]:
    """The quickest for people among those that lose few people and pass few machines."""
    found = [_annealed(verdicts, np.random.default_rng(start), passed) for start in range(STARTS)]
    best = min(found, key=lambda one: one[0])[1].thresholds()
    return best, verdicts.figures(best)


def _annealed(verdicts: Verdicts, dice: Generator, passed: float) -> tuple[float, Choice]:
    here = Choice()
    price = cost(verdicts.figures(here.thresholds()), passed)
    best = price, here
    for turn in range(ROUNDS):
        left = 1 - turn / ROUNDS
        other = _other(here, dice, _WIDE * left + _LEAST_WIDE)
        asked = cost(verdicts.figures(other.thresholds()), passed)
        if asked < price or dice.random() < np.exp(-(asked - price) / max(_COOL * left**2, 1e-6)):
            here, price = other, asked
            best = min(best, (price, here), key=lambda one: one[0])
    return best


def _other(choice: Choice, dice: Generator, wide: float) -> Choice:
    lot = dice.random()
    if lot < 0.4:
        said = np.array(choice.said)
        said[dice.integers(len(said))] += dice.normal() * wide
        return replace(choice, said=tuple(said))
    if lot < 0.75:
        rested = np.array(choice.rested)
        rested[dice.integers(len(rested))] += dice.normal() * wide
        return replace(choice, rested=tuple(np.minimum.accumulate(rested)))
    if lot < 0.9:
        machine = np.array(choice.machine)
        at = dice.integers(len(machine))
        machine[at] = np.clip(machine[at] * np.exp(dice.normal() * wide), 0.002, 0.12)
        return replace(choice, machine=tuple(machine))
    if lot < 0.95:
        return replace(choice, limit=float(np.clip(choice.limit * np.exp(dice.normal() * 0.4), 0.02, 0.4)))
    return replace(choice, late_s=float(np.clip(choice.late_s + dice.normal() * 0.5, 1.5, 4.5)))
