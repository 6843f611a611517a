"""The days that were watched, cut into steps of the clock: 9:00 to 9:30 of every Monday are one and the same step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from acd.simulation.traffic import DAY_S


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of one day, as far as it was watched. UTC seconds."""

    day: date
    step: int
    from_s: float
    until_s: float


class DaysSeen:
    """`from_s`, `until_s`: what was watched, UTC seconds. `step_s`: of the clock. `weekdays`: these, Monday is 0."""

    def __init__(
        self, from_s: float, until_s: float, zone: ZoneInfo, step_s: float, weekdays: Iterable[int] = range(7)
    ) -> None:
        self.step_s = step_s
        self.steps = round(DAY_S / step_s)
        wanted = frozenset(weekdays)
        self._cells = [
            cell for day in _days(from_s, until_s, zone) if day.weekday() in wanted for cell in self._cut(day, zone)
        ]
        self._cells = [
            Cell(cell.day, cell.step, max(cell.from_s, from_s), min(cell.until_s, until_s))
            for cell in self._cells
            if cell.until_s > from_s and cell.from_s < until_s
        ]
        self._starts = [cell.from_s for cell in self._cells]

    def cell(self, at_s: float) -> Cell | None:
        """The step that a moment lies in; None when it was not watched."""
        number = bisect_right(self._starts, at_s) - 1
        return self._cells[number] if number >= 0 and at_s < self._cells[number].until_s else None

    def within(self, from_s: float, until_s: float) -> Iterator[tuple[Cell, float]]:
        """Each step that a stretch of time touches, and for how many seconds."""
        number = max(bisect_right(self._starts, from_s) - 1, 0)
        while number < len(self._cells) and self._cells[number].from_s < until_s:
            cell = self._cells[number]
            if (seconds := min(until_s, cell.until_s) - max(from_s, cell.from_s)) > 0:
                yield cell, seconds
            number += 1

    def watched_s(self, days: Iterable[date]) -> list[float]:
        """How long each step was watched, over these days together."""
        wanted = frozenset(days)
        found = [0.0] * self.steps
        for cell in self._cells:
            if cell.day in wanted:
                found[cell.step] += cell.until_s - cell.from_s
        return found

    def _cut(self, day: date, zone: ZoneInfo) -> Iterator[Cell]:
        """Where clocks change, a step is longer, or is not there."""
        midnight = datetime.combine(day, time(), zone)
        # Wall-clock arithmetic: an aware datetime plus a timedelta stays in its zone's own hours.
        moments = [(midnight + timedelta(seconds=n * self.step_s)).timestamp() for n in range(self.steps + 1)]
        from_s = moments[0]
        for step, until_s in enumerate(moments[1:]):
            if until_s > from_s:
                yield Cell(day, step, from_s, until_s)
                from_s = until_s


def _days(from_s: float, until_s: float, zone: ZoneInfo) -> Iterator[date]:
    day = datetime.fromtimestamp(from_s, zone).date()
    last = datetime.fromtimestamp(until_s, zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
