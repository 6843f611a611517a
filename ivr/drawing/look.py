"""Colours, icons and letters of a drawing.

Written without CSS variables, so that every viewer of SVG shows it; a dark screen gets dark colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Inter, "Helvetica Neue", sans-serif'


@dataclass(frozen=True, slots=True)
class Kind:
    """A family of node types: its words in the legend, its colour on light and on dark."""

    name: str
    light: str
    dark: str


KINDS: Mapping[str, Kind] = {
    "say": Kind("says or records", "#0e8a8a", "#3fc8c4"),
    "ask": Kind("asks the caller", "#4453d6", "#8f9bff"),
    "decide": Kind("decides", "#b56a00", "#f0b255"),
    "reach": Kind("asks a system", "#8a3fc9", "#c794f5"),
    "people": Kind("connects people", "#1d8a43", "#5ecf85"),
    "flow": Kind("another flow", "#2f6f9f", "#79b8e6"),
    "end": Kind("ends", "#c03548", "#ff8a98"),
    "other": Kind("other", "#5d6673", "#aab3c0"),
}

KIND_OF: Mapping[str, str] = {
    "play": "say",
    "record": "say",
    "menu": "ask",
    "collect": "ask",
    "survey": "ask",
    "branch": "decide",
    "hours": "decide",
    "toggle": "decide",
    "lookup": "decide",
    "set": "decide",
    "language": "decide",
    "split": "decide",
    "http": "reach",
    "message": "reach",
    "ticket": "reach",
    "queue": "people",
    "transfer": "people",
    "callback": "people",
    "directory": "people",
    "subflow": "flow",
    "return": "flow",
    "hangup": "end",
}

ICONS: Mapping[str, str] = {
    "play": "M3 8h3.5L11 4v14l-4.5-4H3z M14.5 8a4 4 0 0 1 0 6 M17 5a8 8 0 0 1 0 12",
    "record": "M11 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z M5 11a6 6 0 0 0 12 0 M11 17v3",
    "menu": "M5 5h.01 M11 5h.01 M17 5h.01 M5 11h.01 M11 11h.01 M17 11h.01 M5 17h.01 M11 17h.01 M17 17h.01",
    "collect": "M3 6h16v10H3z M6.5 11h.01 M10 11h.01 M13.5 9v4",
    "branch": "M11 3v5 M11 8L5 14v5 M11 8l6 6v5 M3 17l2 2 2-2 M15 17l2 2 2-2",
    "hours": "M11 3a8 8 0 1 0 0 16 8 8 0 0 0 0-16z M11 7v4.5l3 2",
    "toggle": "M7 6h8a5 5 0 0 1 0 10H7A5 5 0 0 1 7 6z M15 9a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
    "lookup": "M9.5 3.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M14 14l5 5",
    "set": "M4 8h14 M4 14h14",
    "language": "M11 3a8 8 0 1 0 0 16 8 8 0 0 0 0-16z M3 11h16 M11 3c5 5 5 11 0 16 M11 3c-5 5-5 11 0 16",
    "http": "M6.5 17a4 4 0 0 1-.5-8 5.5 5.5 0 0 1 10.6 1A3.5 3.5 0 0 1 16 17z",
    "queue": "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M2.5 18a5.5 5.5 0 0 1 11 0"
    " M15 5.5a3 3 0 0 1 0 5.5 M16.5 13a5.5 5.5 0 0 1 3 5",
    "transfer": "M4 11h13 M12 6l5 5-5 5",
    "subflow": "M4 4h9v9H4z M9 9h9v9H9z",
    "return": "M9 5L4 10l5 5 M4 10h9a5 5 0 0 1 5 5v2",
    "wait": "M6 3h10 M6 19h10 M7 3c0 5 8 6 8 8s-8 3-8 8 M15 3c0 5-8 6-8 8s8 3 8 8",
    "hangup": "M2.5 13c4-5 13-5 17 0l-2.5 3-3.5-1.5v-3a10 10 0 0 0-5 0v3L5 16z",
}
PHONE = (
    "M6.5 3H4.5a1.5 1.5 0 0 0-1.5 1.6C3.7 12.5 9.5 18.3 17.4 19a1.5 1.5 0 0"
    " 0 1.6-1.5v-2.7l-4-1.5-1.8 1.8a10 10 0 0 1-6.3-6.3L8.7 7z"
)
DEFAULT_ICON = "M11 3l8 8-8 8-8-8z"
ICON_SIZE = 22.0

_NARROW, _WIDE = frozenset("iljtf.,:;'|!()[] ·"), frozenset("mwMWQOGDHNU@%—…→×♪")


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is in a sans serif of `size`: measured on average letters, a little generous."""
    units = sum(0.31 if c in _NARROW else 0.83 if c in _WIDE else 0.66 if c.isupper() else 0.555 for c in text)
    return units * size * (1.06 if bold else 1.0)


def cut(text: str, size: float, width: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, size: float, width: float, lines: int) -> list[str]:
    """The text broken at spaces into at most so many lines; the last ends with an ellipsis when it does not fit."""
    found: list[str] = []
    words = text.split()
    while words and len(found) < lines:
        line = [words.pop(0)]
        while words and width_of(" ".join([*line, words[0]]), size) <= width:
            line.append(words.pop(0))
        found.append(" ".join(line))
    if words:
        found[-1] = cut(f"{found[-1]} {' '.join(words)}", size, width)
    return [cut(line, size, width) for line in found]


def style() -> str:
    """The style sheet. Everything is under `.flow`, so that drawings can stand in a page."""
    accents = "\n".join(
        f".flow .k-{name} .icon {{ stroke: {kind.light} }} .flow .k-{name} .disc {{ fill: {kind.light}; }}"
        f" .flow .k-{name} .bar {{ fill: {kind.light} }}"
        for name, kind in KINDS.items()
    )
    dark = "\n".join(
        f".flow .k-{name} .icon {{ stroke: {kind.dark} }} .flow .k-{name} .disc {{ fill: {kind.dark}; }}"
        f" .flow .k-{name} .bar {{ fill: {kind.dark} }}"
        for name, kind in KINDS.items()
    )
    return f"{_LIGHT}\n{accents}\n@media (prefers-color-scheme: dark) {{\n{_DARK}\n{dark}\n}}\n"


_LIGHT = f"""
.flow {{ font-family: {FONT}; }}
.flow .paper {{ fill: #f6f7f9 }}
.flow .card {{ fill: #ffffff; stroke: #d9dde3; stroke-width: 1.2 }}
.flow .shadow {{ fill: #1b2430; opacity: .07 }}
.flow .disc {{ opacity: .13 }}
.flow .icon {{ fill: none; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }}
.flow text {{ fill: #1d2430 }}
.flow .begin {{ fill: #1d2430 }}
.flow .begin-icon {{ fill: none; stroke: #ffffff; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }}
.flow .name {{ font-size: 14px; font-weight: 650 }}
.flow .type {{ font-size: 10.5px; fill: #77808d; letter-spacing: .2px }}
.flow .gist {{ font-size: 12px; fill: #505a68 }}
.flow .title {{ font-size: 22px; font-weight: 700 }}
.flow .subtitle {{ font-size: 12.5px; fill: #697281 }}
.flow .edge {{ fill: none; stroke: #a3acb9; stroke-width: 1.6 }}
.flow .edge.back {{ stroke-dasharray: 6 4 }}
.flow .edge.trouble {{ stroke: #c98a94; stroke-dasharray: 2 4; stroke-linecap: round }}
.flow .head {{ fill: #8b95a4 }}
.flow .pill {{ fill: #eef0f4; stroke: #cfd5dd; stroke-width: 1 }}
.flow .pill.key {{ fill: #26304a; stroke: #26304a }}
.flow .pill.trouble {{ fill: #fdf0f1; stroke: #f0ccd1 }}
.flow .label {{ font-size: 11px; fill: #3b4453 }}
.flow .label.key {{ fill: #ffffff; font-weight: 650 }}
.flow .label.trouble {{ fill: #99404d }}
.flow .unvisited .card {{ stroke: #e08a94; stroke-dasharray: 5 4; fill: #fff8f8 }}
.flow .visited .card {{ stroke: #4caf72; stroke-width: 1.8 }}
.flow .count {{ fill: #2c9a58 }}
.flow .count.zero {{ fill: #cf5f6d }}
.flow .step {{ fill: #2463eb }}
.flow .badge {{ font-size: 11px; font-weight: 700; fill: #ffffff }}
.flow .walked .card {{ stroke: #2463eb; stroke-width: 2.2 }}
.flow .edge.walked {{ stroke: #2463eb; stroke-width: 3; stroke-dasharray: none }}
.flow .head.walked {{ fill: #2463eb }}
.flow .aside {{ opacity: .38 }}
.flow a:hover .pill {{ stroke: #2463eb }}
.flow .node:target .card {{ stroke: #2463eb; stroke-width: 3 }}
"""

_DARK = """
.flow .paper { fill: #12161c }
.flow .card { fill: #1d232c; stroke: #333c49 }
.flow .shadow { fill: #000000; opacity: .35 }
.flow .disc { opacity: .2 }
.flow text { fill: #e8ecf2 }
.flow .begin { fill: #e8ecf2 }
.flow .begin-icon { stroke: #1d2430 }
.flow .type { fill: #8d97a5 }
.flow .gist { fill: #b3bcc8 }
.flow .subtitle { fill: #97a1af }
.flow .edge { stroke: #5c6776 }
.flow .edge.trouble { stroke: #8f5a63 }
.flow .head { fill: #77828f }
.flow .pill { fill: #29313c; stroke: #3d4754 }
.flow .pill.key { fill: #cdd6e6; stroke: #cdd6e6 }
.flow .pill.trouble { fill: #38232a; stroke: #5c3740 }
.flow .label { fill: #c6ced9 }
.flow .label.key { fill: #141a24 }
.flow .label.trouble { fill: #f1a3ae }
.flow .unvisited .card { stroke: #a8525e; fill: #261c21 }
.flow .visited .card { stroke: #3f9a62 }
.flow .badge { fill: #ffffff }
.flow .walked .card { stroke: #6a9bff }
.flow .edge.walked { stroke: #6a9bff }
.flow .head.walked { fill: #6a9bff }
"""
