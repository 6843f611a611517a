"""A YAML file's values with their places: what `definitions.yaml` reads and everybody asks for line and column.

A part that turned out to be wrong can be left out (`without`), so that the rest is looked at all the same. The place
remembers it: `is_lost` says where nothing more is to be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from definitions.problems import Problem

Path = tuple[str | int, ...]
_Branches = dict[str | int, Any]
"""Steps to further steps; one that holds `_WHOLLY` goes itself."""
_WHOLLY = -1


@dataclass(slots=True)
class Node:
    """One value of the file; an aliased value is one `Node` found at several places.

    `keys`: where each key of a mapping stands. `size`: how many values it is with its aliases written out. `lost`:
    keys of a mapping, or entries of a list, that were left out because they are wrong.
    """

    line: int
    column: int
    value: str | dict[str, Node] | list[Node] | None
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    lost: frozenset[str | int] = frozenset()

    def plain(self) -> Any:
        """Dicts, lists, strings and None, without marks."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class Marked:
    """A file that could be read. `problems`: what was wrong all the same (a key given twice, a `#` lost)."""

    file: str
    node: Node
    problems: tuple[Problem, ...] = ()

    @property
    def value(self) -> Any:
        return self.node.plain()

    def child(self, *path: str | int) -> Marked | None:
        """The part at `path`, or None when there is none."""
        node, rest = _walk(self.node, path)
        return None if rest else Marked(self.file, node)

    def only(self, keys: Iterable[str]) -> Marked:
        """The same map with no other keys than these."""
        node = self.node
        wanted = set(keys)
        if not isinstance(node.value, dict):
            return self
        value = {key: child for key, child in node.value.items() if key in wanted}
        marks = {key: mark for key, mark in node.keys.items() if key in wanted}
        return Marked(self.file, Node(node.line, node.column, value, marks, node.size))

    def without(self, paths: Iterable[Path]) -> Marked:
        """The same file without these parts; of a path that leads nowhere, without the last part that is there. The
        root itself stays."""
        wrong: _Branches = {}
        for path in paths:
            branch, steps = wrong, _there(self.node, path)
            for step in steps[:-1]:
                branch = branch.setdefault(step, {})
            if steps:
                branch[steps[-1]] = {_WHOLLY: {}}
        return replace(self, node=_without(self.node, wrong)) if wrong else self

    def put(self, path: Path, node: Node) -> Marked:
        """The same file with another value in an existing place."""
        return replace(self, node=_put(self.node, path, node))

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return not _loses(self.node)

    def is_lost(self, path: Path) -> bool:
        """Whether the value of `path`, what it stands in or a part of it was left out."""
        node = self.node
        for step in path:
            if isinstance(node.value, dict) and step in node.lost:
                return True
            node, rest = _walk(node, (step,))
            if rest:
                break
        return bool(path) and _loses(node) and node is not self.node

    def lost(self, *path: str | int) -> frozenset[str]:
        """The keys of the map at `path` whose values were left out."""
        node, rest = _walk(self.node, path)
        return frozenset() if rest else frozenset(map(str, node.lost))

    def place(self, path: Path = (), *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path` (of its key, when `key`); of the nearest parent when missing."""
        if key and path:
            parent, _ = _walk(self.node, path[:-1])
            if mark := parent.keys.get(str(path[-1])):
                return mark
        node, _ = _walk(self.node, path)
        return node.line, node.column

    def problem(self, path: Path, what: str, hint: str = "", *, key: bool = False, **more: Any) -> Problem:
        """A problem at `path`; `more` goes to `Problem` (severity)."""
        line, column = self.place(path, key=key)
        return Problem(self.file, line, column, what, hint, **more)


def _walk(node: Node, path: Path) -> tuple[Node, Path]:
    """The node at `path`, and the steps that do not exist (validators add some of their own: a union's branch)."""
    missing: list[str | int] = []
    for step in path:
        value = node.value
        if isinstance(value, dict) and str(step) in value:
            node = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            node = value[step]
        else:
            missing.append(step)
    return node, tuple(missing)


def _there(node: Node, path: Path) -> Path:
    """The steps of the path that exist."""
    found: list[str | int] = []
    for step in path:
        node, rest = _walk(node, (step,))
        if not rest:
            found.append(step)
    return tuple(found)


def _without(node: Node, wrong: _Branches) -> Node:
    """Without the steps that end in `wrong`: each part of the file is copied once at most, however much is wrong."""
    value = node.value
    if isinstance(value, dict):
        kept = {key: _pruned(child, wrong.get(key)) for key, child in value.items()}
        lost = frozenset(key for key, child in kept.items() if child is None)
        return replace(node, value={key: child for key, child in kept.items() if child}, lost=node.lost | lost)
    if isinstance(value, list):
        entries = [_pruned(child, wrong.get(index)) for index, child in enumerate(value)]
        gone = frozenset(index for index, child in enumerate(entries) if child is None)
        return replace(node, value=[child for child in entries if child], lost=node.lost | gone)
    return node


def _pruned(child: Node, wrong: _Branches | None) -> Node | None:
    if wrong is None:
        return child
    return None if _WHOLLY in wrong else _without(child, wrong)


def _put(node: Node, path: Path, new: Node) -> Node:
    if not path:
        return new
    value, step = node.value, path[0]
    assert isinstance(value, dict), "values are put into maps"
    return replace(node, value={**value, str(step): _put(value[str(step)], path[1:], new)})


def _loses(node: Node) -> bool:
    """Whether anything in it was left out. No deeper than files may be."""
    if node.lost:
        return True
    value = node.value
    if isinstance(value, dict):
        return any(map(_loses, value.values()))
    return any(map(_loses, value)) if isinstance(value, list) else False
