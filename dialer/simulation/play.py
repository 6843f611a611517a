"""Days of one way to run a campaign, gathered into figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dialer.pacing import METHODS, PacingSettings
from dialer.simulation.day import Day
from dialer.simulation.result import Result
from dialer.simulation.world import World


@dataclass(frozen=True, slots=True)
class Way:
    """How a campaign would be run. `most`: the cap of abandoned answers, as a share."""

    world: World
    pacing: PacingSettings
    agents: int
    hours: float
    most: float


@dataclass(frozen=True, slots=True)
class Figure:
    """The mean day, and the least and the greatest."""

    mean: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Played:
    """`occupancy`, `abandoned`: shares. `wait_p50_s`, `wait_p90_s`: of agents for the next person. `conversations`,
    `dials`: a day, of the whole team. `per_hour`: conversations an agent has in an hour logged in. `list_s`: seconds
    until the list had ended, of the days on which it did."""

    method: str
    agents: int
    days: int
    occupancy: Figure
    wait_p50_s: Figure
    wait_p90_s: Figure
    conversations: Figure
    per_hour: Figure
    dials: Figure
    abandoned: Figure
    list_s: Figure | None


def play_day(way: Way, seed: int) -> Result:
    pacer = METHODS[way.pacing.method](way.pacing)
    return Day(way.world, way.agents, seed, pacer, hours=way.hours, most=way.most).run()


def gathered(way: Way, days: Sequence[Result]) -> Played:
    """`days`: at least one."""

    def figure(value: Callable[[Result], float]) -> Figure:
        return _figure([value(day) for day in days])

    ended = [day.last_dial_s for day in days if day.last_dial_s is not None]
    return Played(
        way.pacing.method,
        way.agents,
        len(days),
        figure(lambda day: day.occupancy),
        figure(lambda day: day.wait(0.5)),
        figure(lambda day: day.wait(0.9)),
        figure(lambda day: len(day.waits)),
        figure(lambda day: day.connects_per_hour),
        figure(lambda day: day.dials),
        figure(lambda day: day.share),
        _figure(ended) if ended else None,
    )


def _figure(values: Sequence[float]) -> Figure:
    return Figure(sum(values) / len(values), min(values), max(values))
