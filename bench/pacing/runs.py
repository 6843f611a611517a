"""Runs days on one or more processes and gathers them into rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from bench.pacing.methods import ENTRANTS, day
from dialer.simulation.result import Result

CAP = 0.03
_HALVINGS = 7


@dataclass(frozen=True)
class Cell:
    """One entrant in one world with one team."""

    entrant: str
    world: str
    agents: int


@dataclass(frozen=True)
class Row:
    """What a cell came to over its seeds: shares, seconds, counts. `number`: of a tuned entrant."""

    cell: Cell
    seeds: int
    occupancy: float
    wait_p50_s: float
    wait_p90_s: float
    connects_per_hour: float
    leads_per_connect: float
    abandoned: float
    worst: float
    over_cap: int
    peak: float
    number: float | None = None


def run(cell: Cell, seeds: int, hours: float) -> Row:
    """All seeds of a cell. One that is tuned gets the highest number with which its seeds together keep the cap."""
    if not ENTRANTS[cell.entrant].tuned:
        return _row(cell, [day(cell.entrant, cell.world, cell.agents, seed, hours) for seed in range(seeds)])
    low, high = ENTRANTS[cell.entrant].low, ENTRANTS[cell.entrant].high
    best: Row | None = None
    for _ in range(_HALVINGS):
        number = (low * high) ** 0.5
        row = _row(cell, [day(cell.entrant, cell.world, cell.agents, s, hours, number) for s in range(seeds)], number)
        if row.abandoned <= CAP:
            low, best = number, row if best is None or row.occupancy > best.occupancy else best
        else:
            high = number
    return best or row


def _row(cell: Cell, days: list[Result], number: float | None = None) -> Row:
    def mean(value: Callable[[Result], float]) -> float:
        return statistics.fmean(map(value, days))

    return Row(
        cell,
        len(days),
        occupancy=mean(lambda r: r.occupancy),
        wait_p50_s=mean(lambda r: r.wait(0.5)),
        wait_p90_s=mean(lambda r: r.wait(0.9)),
        connects_per_hour=mean(lambda r: r.connects_per_hour),
        leads_per_connect=mean(lambda r: r.burned),
        abandoned=mean(lambda r: r.share),
        worst=max(r.share for r in days),
        over_cap=sum(r.share > CAP for r in days),
        peak=max(r.peak for r in days),
        number=number,
    )


def run_all(cells: Iterable[Cell], seeds: int, hours: float, processes: int) -> Iterator[Row]:
    """Rows in the order of the cells."""
    if processes <= 1:
        for cell in cells:
            yield run(cell, seeds, hours)
        return
    with ProcessPoolExecutor(processes) as pool:
        waiting = [pool.submit(run, cell, seeds, hours) for cell in cells]
        for one in waiting:
            yield one.result()
