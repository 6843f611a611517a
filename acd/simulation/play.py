"""Days of a scenario, one after another: each with a seed of its own, the same for every floor."""

from __future__ import annotations

from collections.abc import Callable

from acd.setup import Setup
from acd.simulation.day import Day, DayResult
from acd.simulation.outcome import Outcome
from acd.simulation.traffic import Scenario


def play(
    setup: Setup, scenario: Scenario, name: str = "", on_day: Callable[[DayResult], None] = lambda day: None
) -> Outcome:
    """`on_day` is told of each day that was played."""
    days = []
    for n in range(scenario.replications):
        day = Day(setup, scenario, scenario.seed + n).run()
        days.append(day)
        on_day(day)
    return Outcome(name or scenario.name, tuple(days))
