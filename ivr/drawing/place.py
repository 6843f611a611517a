"""Where the cells of every layer lie from left to right: near what they are joined to, never on top of one another.

Each sweep moves a layer to the least squares solution for its neighbours' places under the order and the gaps
(isotonic regression, solved by pooling adjacent violators).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

CARD_GAP, LINE_GAP = 34.0, 16.0
_SWEEPS, _SETTLING = 44, 24

DUMMY_WIDTH = 10.0
"""Of a line that runs through a layer."""

Step = tuple[str, float, str, float, float]
"""(upper cell, its port, lower cell, its port, weight); ports are distances from the cell's centre."""


def place(
    rows: Sequence[Sequence[str]], widths: Mapping[str, float], steps: Sequence[Step], lines: Sequence[Sequence[str]]
) -> dict[str, float]:
    """The centre of every cell. `lines`: the cells that long edges run through, each to be as straight as can be."""
    up: dict[str, list[tuple[str, float, float]]] = {}
    down: dict[str, list[tuple[str, float, float]]] = {}
    for upper, out, lower, into, weight in steps:
        up.setdefault(lower, []).append((upper, out - into, weight))
        down.setdefault(upper, []).append((lower, into - out, weight))
    centres = _packed(rows, widths)
    for sweep in range(_SWEEPS):
        last = sweep >= _SWEEPS - _SETTLING
        downward = sweep % 2 == 0
        for row in rows if downward else reversed(rows):
            wanted, weights = [], []
            for cell in row:
                one_side = (up if downward else down).get(cell, [])
                joined = [*up.get(cell, ()), *down.get(cell, ())] if last else one_side
                weight = sum(w for _, _, w in joined)
                pull = sum((centres[other] + shift) * w for other, shift, w in joined)
                wanted.append(pull / weight if weight else centres[cell])
                weights.append(weight or 0.05)
            _settle(row, wanted, weights, widths, centres)
    for _ in range(3):
        for line in lines:
            _straighten(line, rows, widths, centres)
    return centres


def _straighten(
    line: Sequence[str], rows: Sequence[Sequence[str]], widths: Mapping[str, float], centres: dict[str, float]
) -> None:
    """Moves the cells of one line to a common place, as far as their neighbours let them."""
    if len(line) < 2:
        return
    common = sorted(centres[cell] for cell in line)[len(line) // 2]
    row_of = {cell: row for row in rows for cell in row}
    for cell in line:
        row = row_of[cell]
        index = row.index(cell)
        least, most = float("-inf"), float("inf")
        if index:
            least = centres[row[index - 1]] + _distance(row[index - 1], cell, widths)
        if index + 1 < len(row):
            most = centres[row[index + 1]] - _distance(cell, row[index + 1], widths)
        centres[cell] = max(least, min(most, common))


def _distance(left: str, right: str, widths: Mapping[str, float]) -> float:
    """The least between the centres of two neighbours."""
    gap = LINE_GAP if min(widths[left], widths[right]) <= DUMMY_WIDTH else CARD_GAP
    return (widths[left] + widths[right]) / 2 + gap


def _packed(rows: Sequence[Sequence[str]], widths: Mapping[str, float]) -> dict[str, float]:
    centres: dict[str, float] = {}
    for row in rows:
        x = -sum(widths[cell] + CARD_GAP for cell in row) / 2
        for cell in row:
            centres[cell] = x + (widths[cell] + CARD_GAP) / 2
            x += widths[cell] + CARD_GAP
    return centres


def _settle(
    row: Sequence[str],
    wanted: Sequence[float],
    weights: Sequence[float],
    widths: Mapping[str, float],
    centres: dict[str, float],
) -> None:
    """Least squares under the gaps: shift every gap away, make the places rise, shift back."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + _distance(left, right, widths))
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many cells
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, heavy, more = blocks.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + more
        blocks.append((mean, weight, count))
    places = [mean for mean, _, count in blocks for _ in range(count)]
    for cell, offset, shifted in zip(row, offsets, places, strict=True):
        centres[cell] = shifted + offset
