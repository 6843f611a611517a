"""A flow as a picture one likes to look at (SVG).

    draw(flow)                                             the flow
    draw(flow, visited={"welcome": 12, "main": 12})        what tests reached, and what they did not
    draw(flow, path=["welcome", ("main", "1"), "sales"])   one call, step by step

Lines are the ways on; keys and branches stand where they leave a card. Silence, wrong keys and errors are said on the
card, and only where they differ from the flow's defaults, which stand in the heading. A target that many nodes lead to
is named on their cards instead of being joined by a tangle of lines; a click there jumps to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from ivr.drawing.cards import LABEL_SIZE, PILL_HEIGHT, SIDE, TROUBLES, Card, Pill, card, label, own_chips, troubles
from ivr.drawing.layers import Box, Layout, Link, Route, lay_out, spans
from ivr.drawing.look import DEFAULT_ICON, ICONS, KINDS, PHONE, style, width_of
from ivr.graph import Edge, edges
from ivr.model import Flow

Step = str | tuple[str, str]
"""A node of a call's path, with the branch it was left by when that is known."""

POPULAR = 4
"""A target with more lines than this is named instead."""
FAR = 4
"""A line over more layers than this is one too many, where another leads to the same card."""
MARGIN = 36.0
HEADING = 122.0
BEGIN = 46.0
"""From the sign of a call coming in to the first card."""
LEGEND = 58.0


def draw(
    flow: Flow,
    *,
    visited: Mapping[str, int] | None = None,
    path: Sequence[Step] | None = None,
    language: str = "",
) -> str:
    """The whole picture as an SVG document. `language`: whose texts are shown; the flow's first unless told."""
    return _Picture(flow, visited, path, language or flow.languages[0]).svg()


class _Picture:
    def __init__(
        self, flow: Flow, visited: Mapping[str, int] | None, path: Sequence[Step] | None, language: str
    ) -> None:
        self.flow, self.visited, self.language = flow, visited, language
        self.steps = [step if isinstance(step, str) else step[0] for step in path] if path is not None else None
        self.walked = Counter(pairwise(self.steps or []))
        self.defaults = {
            name: handler.then for name in TROUBLES if (handler := getattr(flow.defaults, name)) and handler.then
        }
        ways = [edge for edge in edges(flow.nodes) if edge.target in flow.nodes]
        self.lines = self._lines(ways)
        self._drop_long_lines()
        self.cards = self._cards(ways)
        self.layout = self._lay_out()

    # -- what is drawn -----------------------------------------------------------------------------------
    def _lines(self, ways: Sequence[Edge]) -> dict[tuple[str, str], list[Edge]]:
        """The edges that get a line, by source and target."""
        main: dict[tuple[str, str], list[Edge]] = {}
        for edge in ways:
            if edge.branch not in TROUBLES and edge.source != edge.target:
                main.setdefault((edge.source, edge.target), []).append(edge)
        sources = Counter(target for _, target in main)
        found: dict[tuple[str, str], list[Edge]] = {}
        joined: set[str] = {self.flow.start}
        for pair, same in main.items():
            if sources[pair[1]] <= POPULAR or pair in self.walked or pair[1] not in joined:
                found[pair] = same
                joined.add(pair[1])
        for edge in ways:  # a card that only troubles lead to still hangs on something
            pair = edge.source, edge.target
            if edge.source != edge.target and (pair in self.walked or edge.target not in joined) and pair not in found:
                found[pair] = [other for other in ways if (other.source, other.target) == pair]
                joined.add(edge.target)
        return found

    def _cards(self, ways: Sequence[Edge]) -> dict[str, Card]:
        found = {}
        for name, node in self.flow.nodes.items():
            chips = list(own_chips(node))
            for target in dict.fromkeys(edge.target for edge in ways if edge.source == name):
                pair = name, target
                same = [e for e in ways if (e.source, e.target) == pair and e.branch not in TROUBLES]
                if same and pair not in self.lines:
                    named = label(same, node)
                    words = " ".join(pill.text for pill in named)
                    chips.append(Pill(f"{words} → {target}".strip(), named[0].style and "" if named else "", target))
            shown = [chip for chip in troubles(node, self.defaults) if (name, chip.target) not in self.lines]
            room = sum(self._room(pair) + 8 for pair in self.lines if pair[0] == name)
            found[name] = card(name, node, [*chips, *shown], room, self.language)
        return found

    def _pills(self, pair: tuple[str, str]) -> list[Pill]:
        same = self.lines[pair]
        siblings = {target for source, target in self.lines if source == pair[0]}
        if len(siblings) == 1 and len(same) == 1 and same[0].branch == "next":
            return []
        return label(same, self.flow.nodes[pair[0]]) or [Pill("next")]

    def _room(self, pair: tuple[str, str]) -> float:
        pills = self._pills(pair)
        return sum(pill.width for pill in pills) + 3 * max(0, len(pills) - 1)

    def _lay_out(self) -> Layout:
        boxes = {name: Box(card.width, card.height) for name, card in self.cards.items()}
        return lay_out(boxes, [Link(*pair, self._room(pair)) for pair in self.lines], self.flow.start)

    def _drop_long_lines(self) -> None:
        """Lines across much of the picture, to what is joined to it anyway, become names on their cards."""
        for _ in range(3):
            links = [Link(*pair) for pair in self.lines]
            far = spans(self.flow.nodes, links, self.flow.start)
            incoming = Counter(target for _, target in self.lines)
            for pair in sorted(far, key=lambda pair: -far[pair]):
                if far[pair] > FAR and pair not in self.walked and incoming[pair[1]] > 1:
                    incoming[pair[1]] -= 1
                    del self.lines[pair]

    # -- the document ------------------------------------------------------------------------------------
    def svg(self) -> str:
        heading, legend = self._heading(), self._legend()
        widest = max(max((x + w for _, x, w in legend), default=0.0), *(width for _, width in heading))
        width = max(self.layout.width, widest) + 2 * MARGIN
        top = HEADING + BEGIN
        below = top + self.layout.height + 40
        height = below + LEGEND
        size = f'width="{_n(width)}" height="{_n(height)}"'
        title = escape(self.flow.name(self.language))
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {_n(width)} {_n(height)}" '
                f'{size} role="img" aria-label={quoteattr(title)}>',
                f"<title>{title}</title>",
                f"<style>{style()}</style>",
                f'<rect class="paper" {size} rx="18"/>',
                *(part for part, _ in heading),
                f'<g transform="translate({_n((width - self.layout.width) / 2)} {_n(top)})">',
                *self._begin(),
                *self._edges(),
                *(part for name in self.flow.nodes for part in self._node(name)),
                *self._labels(),
                "</g>",
                f'<g transform="translate({_n(MARGIN)} {_n(below)})">',
                *(part for part, _, _ in legend),
                "</g>",
                "</svg>",
                "",
            ]
        )

    def _heading(self) -> list[tuple[str, float]]:
        """(part, how far it reaches to the right)."""
        nodes = self.flow.nodes
        facts = [self.flow.id, f"{len(nodes)} nodes", ", ".join(self.flow.languages)]
        if self.visited is not None:
            reached = sum(1 for name in nodes if self.visited.get(name))
            facts.append(f"tests reach {reached} of {len(nodes)} ({100 * reached // len(nodes)} %)")
        if self.steps is not None:
            facts.append(f"one call, {len(self.steps)} steps")
        lines = ["  ·  ".join(facts)]
        if self.defaults:
            said = "  ·  ".join(f"{name.replace('_', ' ')} → {target}" for name, target in self.defaults.items())
            lines.append(f"Unless a card says otherwise:  {said}")
        parts = [_text(self.flow.name(self.language), MARGIN, 50, "title")]
        parts += [_text(line, MARGIN, 74 + 19 * place, "subtitle") for place, line in enumerate(lines)]
        reach = [22 * 0.6 * len(self.flow.name(self.language)), *(width_of(line, 12.5) for line in lines)]
        return list(zip(parts, reach, strict=True))

    def _begin(self) -> Iterator[str]:
        """A call comes in."""
        if self.flow.start not in self.layout.boxes:
            return
        x, y = self.layout.boxes[self.flow.start]
        x += self.cards[self.flow.start].width / 2
        classes = " walked" if self.steps is not None else ""
        yield f'<path class="edge{classes}" d="M{_n(x)} {_n(y - BEGIN + 14)} V{_n(y - 7)}"/>'
        yield f'<path class="head{classes}" d="M{_n(x)} {_n(y)} l-5 -9 h10 z"/>'
        yield f'<circle class="begin" cx="{_n(x)}" cy="{_n(y - BEGIN)}" r="15"/>'
        at = f"translate({_n(x - 8.8)} {_n(y - BEGIN - 8.8)}) scale(.8)"
        yield f'<path class="begin-icon" transform="{at}" d="{PHONE}"/>'

    def _edges(self) -> Iterator[str]:
        order = sorted(self.lines, key=lambda pair: pair in self.walked)  # the walked way lies on top
        for pair in order:
            route = self.layout.routes[pair]
            classes = ["edge"]
            classes += ["back"] if route.runs_up else []
            classes += ["trouble"] if all(edge.branch in TROUBLES for edge in self.lines[pair]) else []
            classes += ["walked"] if pair in self.walked else ["aside"] if self.steps is not None else []
            tip = escape(f"{pair[0]} → {pair[1]}: {', '.join(edge.branch for edge in self.lines[pair])}")
            yield f'<path class="{" ".join(classes)}" d="{_curve(route)}"><title>{tip}</title></path>'
            yield _arrow(route, [c for c in classes if c in ("walked", "aside")])

    def _labels(self) -> Iterator[str]:
        for pair in self.lines:
            pills = self._pills(pair)
            if not pills:
                continue
            route = self.layout.routes[pair]
            x, y = route.points[0]
            x -= self._room(pair) / 2
            aside = self.steps is not None and pair not in self.walked
            yield f'<g class="{"aside" if aside else "on"}">'
            for pill in pills:
                yield _pill(pill, x, y - PILL_HEIGHT / 2)
                x += pill.width + 3
            yield "</g>"

    def _node(self, name: str) -> Iterator[str]:
        shown, (x, y) = self.cards[name], self.layout.boxes[name]
        classes = ["node", f"k-{shown.kind}"]
        if self.steps is not None:
            classes.append("walked" if name in self.steps else "aside")
        elif self.visited is not None:
            classes.append("visited" if self.visited.get(name) else "unvisited")
        yield (
            f'<g class="{" ".join(classes)}" id={quoteattr(f"{self.flow.id}.{name}")} '
            f'transform="translate({_n(x)} {_n(y)})">'
        )
        yield f"<title>{escape(shown.tip)}</title>"
        size = f'width="{_n(shown.width)}" height="{_n(shown.height)}" rx="12"'
        yield f'<rect class="shadow" y="3" {size}/><rect class="card" {size}/>'
        yield '<circle class="disc" cx="25" cy="26" r="15"/>'
        yield _icon(shown.type, 14.5, 15.5, 0.95)
        yield _text(shown.name, 48, 24, "name")
        yield _text(shown.type, 48, 39, "type")
        line_y = 62.0
        for line in shown.gist:
            yield _text(line, SIDE, line_y, "gist")
            line_y += 16
        yield from self._chips(shown, line_y - 7 if shown.gist else 54)
        yield from self._badge(name, shown)
        yield "</g>"

    def _chips(self, shown: Card, y: float) -> Iterator[str]:
        for row in shown.chips:
            x = SIDE
            for chip in row:
                part = _pill(chip, x, y)
                target = escape(f"#{self.flow.id}.{chip.target}")
                yield f'<a href="{target}">{part}</a>' if chip.target else part
                x += chip.width + 6
            y += PILL_HEIGHT + 5

    def _badge(self, name: str, shown: Card) -> Iterator[str]:
        """Its steps on a call's way, or how often tests came here."""
        if self.steps is not None:
            numbers = [str(index) for index, step in enumerate(self.steps, 1) if step == name]
            text = ", ".join(numbers[:5]) + ("…" if len(numbers) > 5 else "")
            kind = "step"
        elif self.visited is not None:
            text, kind = f"×{self.visited.get(name, 0)}", "count" if self.visited.get(name) else "count zero"
        else:
            text, kind = "", ""
        if text:
            width = max(22.0, width_of(text, LABEL_SIZE, bold=True) + 14)
            x = shown.width - width + 8
            yield f'<rect class="{kind}" x="{_n(x)}" y="-11" width="{_n(width)}" height="22" rx="11"/>'
            yield _text(text, x + width / 2, 4, "badge", middle=True)

    def _legend(self) -> list[tuple[str, float, float]]:
        """(part, x, width) of every kind of card that there is."""
        found = []
        x = 0.0
        for name, kind in KINDS.items():
            type_ = next((card.type for card in self.cards.values() if card.kind == name), None)
            if type_ is None:
                continue
            icon = (
                f'<path class="icon" transform="translate({_n(x)} 2) scale(.8)" d="{ICONS.get(type_, DEFAULT_ICON)}"/>'
            )
            width = 24 + width_of(kind.name, LABEL_SIZE) + 22
            found.append((f'<g class="k-{name}">{icon}{_text(kind.name, x + 24, 15, "label")}</g>', x, width))
            x += width
        return found


def _curve(route: Route) -> str:
    """Straight through layers, curved between them; the end stays short of the card for the arrow's head."""
    points = list(route.points)
    sign = -1 if route.runs_up else 1
    points[-1] = (points[-1][0], points[-1][1] - 7 * sign)
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if abs(x1 - x2) < 0.6:
            parts.append(f"L{_n(x2)} {_n(y2)}")
        else:
            bend = (y2 - y1) * 0.5
            parts.append(f"C{_n(x1)} {_n(y1 + bend)} {_n(x2)} {_n(y2 - bend)} {_n(x2)} {_n(y2)}")
    return " ".join(parts)


def _arrow(route: Route, classes: Iterable[str]) -> str:
    x, y = route.points[-1]
    back = 9 if route.runs_up else -9
    shape = f"M{_n(x)} {_n(y)} l-5 {back} h10 z"
    return f'<path class="{" ".join(["head", *classes])}" d="{shape}"/>'


def _icon(type_: str, x: float, y: float, scale: float) -> str:
    shape = ICONS.get(type_, DEFAULT_ICON)
    return f'<path class="icon" transform="translate({_n(x)} {_n(y)}) scale({scale})" d="{shape}"/>'


def _pill(pill: Pill, x: float, y: float) -> str:
    classes = f"pill {pill.style}".strip()
    box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(pill.width)}" height="{_n(PILL_HEIGHT)}"'
    radius = 5 if pill.style == "key" else PILL_HEIGHT / 2
    text = _text(pill.text, x + pill.width / 2, y + 13.5, f"label {pill.style}".strip(), middle=True)
    return f'<rect class="{classes}" {box} rx="{_n(radius)}"/>{text}'


def _text(text: str, x: float, y: float, classes: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    clean = "".join(c for c in text if c.isprintable())
    return f'<text class="{classes}" x="{_n(x)}" y="{_n(y)}"{anchor}>{escape(clean)}</text>'


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
