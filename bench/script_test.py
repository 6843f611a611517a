"""A test of scripts that is looked at after every ten people: how often it finds what is not there, and how many people
it takes to find what is. Virtual people: each one hears one of two scripts, by lot, and reaches the goal or does not.

    python -m bench.script_test
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from dialer.compare_scripts import LEAST, multiple

TESTS = 1_000
EVERY = 10
SEED = 20_261_122
ONE_LOOK = 1.96
"""What a 95 % range multiplies its standard error with, when it is looked at once, at a size set beforehand."""


@dataclass(frozen=True, slots=True)
class World:
    """`rate`: of the goal with the first script; `more`: so much more with the second; `people`: met in all."""

    rate: float
    more: float
    people: int


def runs(world: World, times: NDArray[np.float64], looks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each test, after how many people a difference was said; inf: it never was."""
    dice, said = np.random.default_rng(SEED), []
    for _ in range(TESTS):
        second = dice.random(world.people) < 0.5
        goal = dice.random(world.people) < np.where(second, world.rate + world.more, world.rate)
        met, reached = np.cumsum(second)[looks - 1], np.cumsum(second & goal)[looks - 1]
        others, theirs = looks - met, np.cumsum(~second & goal)[looks - 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q = reached / met, theirs / others
            errors = np.abs(p - q) / np.sqrt(p * (1 - p) / met + q * (1 - q) / others)
        enough = np.minimum.reduce([reached, met - reached, theirs, others - theirs]) >= LEAST
        found = np.flatnonzero(enough & (errors > times))
        said.append(float(looks[found[0]]) if len(found) else np.inf)
    return np.array(said)


def main() -> None:
    shown = Table(title=f"{TESTS:,} tests of two scripts, looked at after every {EVERY} people")
    for name in (
        "goal",
        "other script",
        "people",
        "said at 1.96",
        "said by compare",
        "half of them by",
        "nine of ten by",
    ):
        shown.add_column(name, justify="right")
    nothing = [World(rate, 0.0, 10_000) for rate in (0.03, 0.1, 0.5)]
    something = [World(0.1, more, 40_000) for more in (0.02, 0.03, 0.05, 0.1)]
    for world in (*nothing, *something):
        looks = np.arange(EVERY, world.people + 1, EVERY)
        wide = np.array([multiple(int(look)) for look in looks])
        plain, ours = (runs(world, times, looks) for times in (np.full(len(looks), ONE_LOOK), wide))
        by = [f"{np.quantile(ours, part):,.0f}" if world.more else "–" for part in (0.5, 0.9)]
        told = (f"{np.isfinite(plain).mean():.1%}", f"{np.isfinite(ours).mean():.1%}")
        shown.add_row(f"{world.rate:.0%}", f"{world.rate + world.more:.0%}", f"{world.people:,}", *told, *by)
    Console().print(shown)


if __name__ == "__main__":
    main()
