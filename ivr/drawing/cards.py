"""What stands on a card: the node's name and type, the first words of what it says, and its smaller ways out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.drawing.look import KIND_OF, width_of, wrap
from ivr.graph import Edge
from ivr.node import NodeModel
from ivr.prompts import Prompt

NAME_SIZE, TYPE_SIZE, GIST_SIZE, LABEL_SIZE = 14.0, 10.5, 12.0, 11.0
SIDE, LEAST_WIDTH, MOST_WIDTH = 14.0, 228.0, 420.0
FOOT = 9.0
"""Room at the bottom of a card for the labels of its lines, half of which stand on it."""
ICON_ROOM = 40.0
LINE = 16.0
PILL_HEIGHT = 19.0
TROUBLES = ("no_input", "no_match", "error")


@dataclass(frozen=True, slots=True)
class Pill:
    """A small label. `target`: the node it leads to, when no line is drawn; `style`: key, trouble or plain."""

    text: str
    style: str = ""
    target: str = ""

    @property
    def width(self) -> float:
        return max(PILL_HEIGHT, width_of(self.text, LABEL_SIZE, bold=self.style == "key") + 15)


@dataclass(frozen=True, slots=True)
class Card:
    """`chips`: rows of ways out that have no line; `tip`: everything, for whoever points at it."""

    name: str
    type: str
    kind: str
    gist: tuple[str, ...]
    chips: tuple[tuple[Pill, ...], ...]
    tip: str
    width: float
    height: float


def card(name: str, node: NodeModel, chips: Sequence[Pill], ports_room: float, language: str) -> Card:
    """`ports_room`: how wide the labels of its lines are, side by side."""
    words = gist(node, language)
    heading = ICON_ROOM + max(width_of(name, NAME_SIZE, bold=True), width_of(node.type, TYPE_SIZE)) + SIDE
    width = min(max(LEAST_WIDTH, heading, ports_room + 2 * SIDE), max(MOST_WIDTH, ports_room + 2 * SIDE))
    lines = wrap(words, GIST_SIZE, width - 2 * SIDE, 2)
    rows = _rows(chips, width - 2 * SIDE)
    height = 54 + len(lines) * LINE + len(rows) * (PILL_HEIGHT + 5) + (3 if rows else 0)
    height += (6 if rows else 0) + (FOOT if ports_room > 16 else 0)
    tip = f"{name} ({node.type})" + (f"\n{node.note}" if node.note else "") + (f"\n{words}" if words else "")
    return Card(name, node.type, KIND_OF.get(node.type, "other"), tuple(lines), rows, tip, width, height)


def _rows(chips: Sequence[Pill], width: float) -> tuple[tuple[Pill, ...], ...]:
    rows: list[list[Pill]] = []
    used = width + 1
    for chip in chips:
        if used + chip.width > width:
            rows.append([])
            used = 0.0
        rows[-1].append(chip)
        used += chip.width + 6
    return tuple(tuple(row) for row in rows)


def gist(node: NodeModel, language: str) -> str:
    """What the node is about, in one line of words."""
    found = "  ".join(filter(None, _about(node)))
    prompt = getattr(node, "prompt", None)
    said = prompt.gist(language) if isinstance(prompt, Prompt) else ""
    return _INNER.sub(r"\1", _SIMPLE.sub(r"‹\1›", " — ".join(filter(None, (found, said)))))


_SIMPLE = re.compile(r"\{\{-?\s*([a-z_0-9]+)\s*(?:\|[^{}]*)?\}\}")
"""`{{ company | upper }}` is shown as ‹company›; anything longer (`_INNER`) without its braces."""
_INNER = re.compile(r"\{\{-?\s*([^{}]*?)\s*-?\}\}")


def _about(node: Any) -> Iterator[str]:
    match node.type:
        case "hours":
            yield node.calendar if isinstance(node.calendar, str) else "hours of its own"
        case "branch":
            yield " · ".join(choice.when.source for choice in node.branches)
        case "set":
            yield " · ".join(f"{name} = {value.source}" for name, value in node.values.items())
        case "toggle":
            yield node.toggle if node.mode == "check" else f"{node.mode} {node.toggle}"
        case "http":
            yield f"{node.method} {node.url.source}"
        case "lookup":
            yield f"{node.table}.{node.column} = {node.value.source}"
        case "queue":
            yield f"queue {node.queue}" + (f", priority {node.priority}" if node.priority else "")
        case "transfer":
            yield f"to {node.to.source}"
        case "subflow":
            yield f"↳ {node.flow}"
        case "return":
            yield "" if node.branch == "next" else f"as {node.branch}"
        case "record":
            yield f"to {node.mailbox}"
        case "collect":
            least, most = node.digits
            yield f"{least} digits" if least == most else f"{least} to {most} digits"
        case "wait":
            yield f"{node.seconds:g} s"
        case "language":
            yield node.language.source
        case _:
            return


def own_chips(node: Any) -> Iterator[Pill]:
    """Keys of a menu that lead nowhere else."""
    if node.type != "menu":
        return
    for key, does in node.keys.items():
        if does.repeat:
            yield Pill(f"{key}  again", "key")
        elif does.next is None and does.language:
            yield Pill(f"{key}  {does.language}", "key")


def label(edges: Sequence[Edge], node: NodeModel) -> list[Pill]:
    """The labels of everything that leads from a node to the same target; the only way on needs none."""
    found = []
    for edge in edges:
        if edge.branch == "next" and len({other.target for other in edges}) == 1 and len(edges) == 1:
            continue
        style = "trouble" if edge.branch in TROUBLES else "key" if edge.path[:1] == ("keys",) else ""
        found.append(Pill(_words(edge.branch), style))
    return found


def _words(branch: str) -> str:
    text = branch.replace("_", " ")
    return text if len(text) <= 28 else f"{text[:27]}…"


def troubles(node: NodeModel, defaults: Mapping[str, str]) -> Iterator[Pill]:
    """Where silence, wrong keys and errors lead, where this differs from the flow's defaults."""
    by_target: dict[str, list[str]] = {}
    for edge in node.exits():
        if edge.branch in TROUBLES and defaults.get(edge.branch) != edge.target:
            by_target.setdefault(edge.target, []).append(_words(edge.branch))
    for target, branches in by_target.items():
        yield Pill(f"{', '.join(branches)} → {target}", "trouble", target)
