"""A flow as a graph: who leads where, what is reached, which loops there are. Plain values; nothing recurses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.node import NodeModel, Path


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a node. `path`: where in the node's YAML the target is written."""

    source: str
    target: str
    branch: str
    path: Path = ()

    @property
    def is_error(self) -> bool:
        """Taken only when something failed."""
        return self.branch == "error"


def edges(nodes: Mapping[str, NodeModel]) -> tuple[Edge, ...]:
    """Every exit of every node, dangling ones too, in the order they are written."""
    return tuple(
        Edge(name, exit_.target, exit_.branch, tuple(exit_.path))
        for name, node in nodes.items()
        for exit_ in node.exits()
    )


def reached(ways: Iterable[Edge], starts: Iterable[str]) -> frozenset[str]:
    """Everything that can be reached from `starts`, themselves included."""
    onward = _targets(ways)
    found = set(starts)
    waiting = list(found)
    while waiting:
        for target in onward.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return frozenset(found)


def loops(names: Iterable[str], ways: Iterable[Edge]) -> tuple[tuple[str, ...], ...]:
    """The groups of nodes that all reach one another (a node that leads to itself is one), in the order of `names`."""
    order = {name: place for place, name in enumerate(names)}
    onward = {
        name: [target for target in targets if target in order]
        for name, targets in _targets(ways).items()
        if name in order
    }
    groups = (sorted(group, key=order.__getitem__) for group in _components(order, onward))
    found = (tuple(group) for group in groups if len(group) > 1 or group[0] in onward.get(group[0], ()))
    return tuple(sorted(found, key=lambda group: order[group[0]]))


def cycle_through(start: str, members: Iterable[str], ways: Iterable[Edge]) -> tuple[str, ...]:
    """The shortest way from `start` back to it inside `members`, `start` at both ends; empty when there is none."""
    inside = set(members)
    onward = _targets(edge for edge in ways if edge.source in inside and edge.target in inside)
    came_from: dict[str, str] = {}
    waiting = [start]
    for name in waiting:
        for target in onward.get(name, ()):
            if target == start:
                way = [start, name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way)) if name != start else (start, start)
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return ()


def _targets(ways: Iterable[Edge]) -> dict[str, list[str]]:
    onward: dict[str, list[str]] = {}
    for edge in ways:
        onward.setdefault(edge.source, []).append(edge.target)
    return onward


def _components(names: Iterable[str], onward: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Tarjan's strongly connected components, with a stack of our own instead of recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    for root in names:
        if root in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, iter(onward.get(root, ())))]
        index[root] = low[root] = len(index)
        open_.append(root)
        while work:
            name, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    cut = open_.index(name)
                    yield open_[cut:]
                    del open_[cut:]
            elif target not in index:
                index[target] = low[target] = len(index)
                open_.append(target)
                work.append((target, iter(onward.get(target, ()))))
            elif target in open_:
                low[name] = min(low[name], index[target])
