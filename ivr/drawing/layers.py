"""A layered drawing of a directed graph (Sugiyama): every edge runs down, those that cannot run up visibly.

    layout = lay_out(boxes, links, start)

Deterministic: the same flow gives the same picture. Lengths are SVG units.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ivr.drawing.order import arrange
from ivr.drawing.place import DUMMY_WIDTH, place

LAYER_GAP = 66.0


@dataclass(frozen=True, slots=True)
class Box:
    """A card to be placed: its size."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be routed. `room`: how wide its label is, where it leaves its source."""

    source: str
    target: str
    room: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge from its source to its target. `runs_up`: it leads back."""

    points: tuple[tuple[float, float], ...]
    runs_up: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """`boxes`: left top corner of each card. `routes`: by (source, target)."""

    boxes: Mapping[str, tuple[float, float]]
    routes: Mapping[tuple[str, str], Route]
    width: float
    height: float


@dataclass(slots=True)
class Chain:
    """One edge cut into steps of one layer: `cells` from the upper card to the lower one, dummies between."""

    link: Link
    runs_up: bool
    cells: list[str] = field(default_factory=list)


def spans(names: Iterable[str], links: Sequence[Link], start: str) -> dict[tuple[str, str], int]:
    """Over how many layers each link would run, upward ones included: a cheap look ahead."""
    names = list(names)
    backward = _backward(names, links, start)
    layer = _layers(names, _downward(links, backward), start)
    return {(link.source, link.target): abs(layer[link.target] - layer[link.source]) for link in links}


def lay_out(boxes: Mapping[str, Box], links: Sequence[Link], start: str) -> Layout:
    """Places every box. `links` have different ends and no duplicates; `start` lies on top,
    unless something that is never reached leads to it."""
    backward = _backward(boxes, links, start)
    layer = _layers(boxes, _downward(links, backward), start)
    chains = [_chain(link, index in backward, layer) for index, link in enumerate(links)]
    rows = _rows(boxes, layer, chains)
    steps = [step for chain in chains for step in pairwise(chain.cells)]
    rows = arrange(rows, steps)
    ports = _Ports(rows, boxes, chains)
    widths = {cell: boxes[cell].width if cell in boxes else DUMMY_WIDTH for row in rows for cell in row}
    centres = place(rows, widths, ports.steps(), [chain.cells[1:-1] for chain in chains])
    return _measured(boxes, rows, centres, chains, ports)


def _backward(boxes: Iterable[str], links: Sequence[Link], start: str) -> frozenset[int]:
    """The links that close a loop, found by walking from the start as a caller would."""
    onward: dict[str, list[int]] = {}
    for index, link in enumerate(links):
        onward.setdefault(link.source, []).append(index)
    found: set[int] = set()
    state: dict[str, int] = {}
    for root in (start, *boxes):
        if root in state:
            continue
        state[root] = 1
        work = [(root, iter(onward.get(root, ())))]
        while work:
            name, rest = work[-1]
            index = next(rest, -1)
            if index < 0:
                state[name] = 2
                work.pop()
            elif (target := links[index].target) not in state:
                state[target] = 1
                work.append((target, iter(onward.get(target, ()))))
            elif state[target] == 1:
                found.add(index)
    return frozenset(found)


def _downward(links: Sequence[Link], backward: frozenset[int]) -> list[tuple[str, str]]:
    """(upper, lower) of every link."""
    return [
        (link.target, link.source) if index in backward else (link.source, link.target)
        for index, link in enumerate(links)
    ]


def _layers(boxes: Iterable[str], down: Sequence[tuple[str, str]], start: str) -> dict[str, int]:
    """The longest way from the top, then every box moved to where its edges are shortest."""
    names = list(boxes)
    above: dict[str, list[str]] = {name: [] for name in names}
    below: dict[str, list[str]] = {name: [] for name in names}
    for upper, lower in down:
        above[lower].append(upper)
        below[upper].append(lower)
    layer: dict[str, int] = {}
    waiting = {name: len(above[name]) for name in names}
    ready = [name for name in names if not waiting[name]]
    for name in ready:
        layer[name] = max((layer[upper] + 1 for upper in above[name]), default=0 if name == start else 1)
        for lower in below[name]:
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    for _ in range(4):
        for name in reversed(ready):
            if name == start or not below[name]:
                continue
            low, high = max((layer[u] + 1 for u in above[name]), default=1), min(layer[b] for b in below[name]) - 1
            if len(below[name]) > len(above[name]) and high >= low:
                layer[name] = high
            elif len(below[name]) == len(above[name]) == 1 and high > low:
                layer[name] = low
    rank = {depth: place for place, depth in enumerate(sorted(set(layer.values())))}
    return {name: rank[depth] for name, depth in layer.items()}


def _chain(link: Link, runs_up: bool, layer: Mapping[str, int]) -> Chain:
    upper, lower = (link.target, link.source) if runs_up else (link.source, link.target)
    dummies = [f"{link.source}→{link.target}#{depth}" for depth in range(layer[upper] + 1, layer[lower])]
    return Chain(link, runs_up, [upper, *dummies, lower])


def _rows(boxes: Iterable[str], layer: Mapping[str, int], chains: Sequence[Chain]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in boxes:
        rows[layer[name]].append(name)
    for chain in chains:
        for depth, cell in enumerate(chain.cells[1:-1], layer[chain.cells[0]] + 1):
            rows[depth].append(cell)
    return rows


class _Ports:
    """Where edges leave and reach a card, as distances from its centre: side by side, in the order of their ends."""

    def __init__(self, rows: Sequence[Sequence[str]], boxes: Mapping[str, Box], chains: Sequence[Chain]) -> None:
        self._chains = chains
        position = {cell: place for row in rows for place, cell in enumerate(row)}
        bottoms: dict[str, list[int]] = {}
        tops: dict[str, list[int]] = {}
        for index, chain in enumerate(chains):
            bottoms.setdefault(chain.cells[0], []).append(index)
            tops.setdefault(chain.cells[-1], []).append(index)
        self.bottom: dict[int, float] = {}
        self.top: dict[int, float] = {}
        for card, found in bottoms.items():
            found.sort(key=lambda index: (position[chains[index].cells[1]], index))
            self._spread(
                self.bottom, found, boxes[card].width, [0 if chains[i].runs_up else chains[i].link.room for i in found]
            )
        for card, found in tops.items():
            found.sort(key=lambda index: (position[chains[index].cells[-2]], index))
            self._spread(
                self.top, found, boxes[card].width, [chains[i].link.room if chains[i].runs_up else 0 for i in found]
            )

    def _spread(self, into: dict[int, float], found: Sequence[int], width: float, rooms: Sequence[float]) -> None:
        needs = [max(room + 8, 16.0) for room in rooms]
        spare = max(0.0, width - 24 - sum(needs)) / max(1, len(found)) if any(rooms) else 0.0
        x = -sum(need + spare for need in needs) / 2
        for index, need in zip(found, needs, strict=True):
            into[index] = x + (need + spare) / 2
            x += need + spare

    def steps(self) -> list[tuple[str, float, str, float, float]]:
        """(upper cell, its port, lower cell, its port, weight) of every step: long edges want to be straight."""
        found = []
        for index, chain in enumerate(self._chains):
            last = len(chain.cells) - 2
            for place_, (upper, lower) in enumerate(pairwise(chain.cells)):
                weight = 1.0 if last == 0 else 2.0 if place_ in (0, last) else 24.0
                out = self.bottom[index] if place_ == 0 else 0.0
                into = self.top[index] if place_ == last else 0.0
                found.append((upper, out, lower, into, weight))
        return found


def _measured(
    boxes: Mapping[str, Box],
    rows: Sequence[Sequence[str]],
    centres: Mapping[str, float],
    chains: Sequence[Chain],
    ports: _Ports,
) -> Layout:
    tops: list[float] = []
    heights = [max((boxes[cell].height for cell in row if cell in boxes), default=0.0) for row in rows]
    y = 0.0
    for height in heights:
        tops.append(y)
        y += height + LAYER_GAP
    depth = {cell: index for index, row in enumerate(rows) for cell in row}
    left = min((centres[name] - box.width / 2 for name, box in boxes.items()), default=0.0)
    left = min([left, *(centres[cell] - 10 for cell in depth if cell not in boxes)])
    right = max((centres[name] + box.width / 2 for name, box in boxes.items()), default=0.0)
    right = max([right, *(centres[cell] + 10 for cell in depth if cell not in boxes)])
    placed = {name: (centres[name] - box.width / 2 - left, tops[depth[name]]) for name, box in boxes.items()}
    routes: dict[tuple[str, str], Route] = {}
    for index, chain in enumerate(chains):
        upper, lower = chain.cells[0], chain.cells[-1]
        x = centres[upper] + ports.bottom[index] - left
        points = [(x, tops[depth[upper]] + boxes[upper].height)]
        if boxes[upper].height < heights[depth[upper]]:
            points.append((x, tops[depth[upper]] + heights[depth[upper]]))
        for cell in chain.cells[1:-1]:
            x = centres[cell] - left
            points += [(x, tops[depth[cell]]), (x, tops[depth[cell]] + heights[depth[cell]])]
        points.append((centres[lower] + ports.top[index] - left, tops[depth[lower]]))
        way = tuple(reversed(points)) if chain.runs_up else tuple(points)
        routes[chain.link.source, chain.link.target] = Route(way, chain.runs_up)
    return Layout(placed, routes, right - left, y - LAYER_GAP)
