"""The order of cells within their layers: few crossings, by sweeps of medians and swaps of neighbours."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

_SWEEPS = 24


def arrange(rows: Sequence[Sequence[str]], steps: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The rows with their cells in a good order. `steps`: (cell of a row, cell of the next)."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in steps:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    order = [list(row) for row in rows]
    _seed(order, below)
    best, fewest = [list(row) for row in order], crossings(order, below)
    idle = 0
    for sweep in range(_SWEEPS):
        if not fewest or idle > 6:
            break
        downward = sweep % 2 == 0
        numbers = range(1, len(order)) if downward else range(len(order) - 2, -1, -1)
        for number in numbers:
            fixed = order[number - 1 if downward else number + 1]
            _by_median(order[number], fixed, above if downward else below)
        _swap_neighbours(order, above, below)
        now = crossings(order, below)
        idle += 1
        if now < fewest:
            best, fewest, idle = [list(row) for row in order], now, 0
    return best


def crossings(rows: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    """How many pairs of steps cross, over all layers."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {cell: index for index, cell in enumerate(lower)}
        seen: list[int] = []
        for cell in upper:
            ends = sorted(place[target] for target in below.get(cell, ()))
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _seed(rows: list[list[str]], below: Mapping[str, Sequence[str]]) -> None:
    """Begin with the order in which a walk from the top meets the cells: trees come out without a crossing."""
    met: dict[str, int] = {}
    for root in [cell for row in rows for cell in row]:
        waiting = [root]
        while waiting:
            cell = waiting.pop()
            if cell not in met:
                met[cell] = len(met)
                waiting.extend(reversed(below.get(cell, ())))
    for row in rows:
        row.sort(key=met.__getitem__)


def _by_median(row: list[str], fixed: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> None:
    place = {cell: index for index, cell in enumerate(fixed)}
    medians: dict[str, float] = {}
    for index, cell in enumerate(row):
        ends = sorted(place[other] for other in neighbours.get(cell, ()))
        medians[cell] = _median(ends) if ends else index * len(fixed) / max(1, len(row))
    row.sort(key=medians.__getitem__)


def _median(ends: Sequence[int]) -> float:
    """The weighted median of Gansner and others: leans to the side where the ends lie closer together."""
    middle = len(ends) // 2
    if len(ends) % 2:
        return float(ends[middle])
    if len(ends) == 2:
        return (ends[0] + ends[1]) / 2
    left, right = ends[middle - 1] - ends[0], ends[-1] - ends[middle]
    if not left + right:
        return (ends[middle - 1] + ends[middle]) / 2
    return (ends[middle - 1] * right + ends[middle] * left) / (left + right)


def _swap_neighbours(
    rows: list[list[str]], above: Mapping[str, Sequence[str]], below: Mapping[str, Sequence[str]]
) -> None:
    improved = True
    rounds = 0
    while improved and rounds < 8:
        improved = False
        rounds += 1
        for number, row in enumerate(rows):
            up = {cell: index for index, cell in enumerate(rows[number - 1])} if number else {}
            down = {cell: index for index, cell in enumerate(rows[number + 1])} if number + 1 < len(rows) else {}
            for index in range(len(row) - 1):
                left, right = row[index], row[index + 1]
                before = _pair(left, right, above, up) + _pair(left, right, below, down)
                after = _pair(right, left, above, up) + _pair(right, left, below, down)
                if after < before:
                    row[index], row[index + 1] = right, left
                    improved = True


def _pair(left: str, right: str, neighbours: Mapping[str, Sequence[str]], place: Mapping[str, int]) -> int:
    """Crossings between the steps of two cells that lie side by side."""
    ends = sorted(place[other] for other in neighbours.get(right, ()))
    return sum(bisect_left(ends, place[other]) for other in neighbours.get(left, ()))
