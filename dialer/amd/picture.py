"""A trace as one page: the wave, who spoke, what sounded, how sure it became, phrases recognised, verdicts told."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from dialer.amd.trace import Trace

_WIDTH, _LEFT = 1000, 70
_STYLE = (
    ":root{color-scheme:light dark}body{font:15px system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "svg{width:100%;height:auto}text{fill:currentColor;font-size:12px}"
)
_COLOURS = {"human": "#1a7f37", "machine": "#d1570f", "not_sure": "#888", "silence": "#888"}


def page(title: str, found: Trace) -> str:
    told = "".join(
        f"<li><b>{at_s:.2f} s: {escape(v.label)}</b> ({v.confidence:.0%}) {escape(v.evidence)}"
        f"{'' if v.final else ', goes on listening'}</li>"
        for at_s, v in found.verdicts
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{_svg(found)}<ul>{told}</ul></html>"
    )


def _svg(found: Trace) -> str:
    scale = (_WIDTH - _LEFT) / max(found.seconds, 0.1)
    parts = [
        _wave(found.samples),
        _bands(found.speech, 150, "#1f6feb", "speech"),
        _bands(found.tones, 172, "#8250df", "tones"),
    ]
    parts.append(_line(found.person, 194, 60))
    if found.words:
        parts.append('<text x="0" y="296">words</text>')
    for n, (at_s, phrase) in enumerate(found.words):
        x, anchor = _LEFT + at_s * scale, "end" if at_s > found.seconds / 2 else "start"
        y = 296 + 14 * n
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">\u201c{escape(phrase)}\u201d</text>')
    for second in range(int(found.seconds) + 1):
        x = _LEFT + second * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="10" y2="258" stroke="#8883"/>')
        parts.append(f'<text x="{x:.1f}" y="274" text-anchor="middle">{second}</text>')
    for at_s, verdict in found.verdicts:
        x, colour = _LEFT + at_s * scale, _COLOURS.get(verdict.label, "#cf222e")
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="10" y2="258" stroke="{colour}" stroke-width="3"/>')
        anchor = "end" if at_s > found.seconds / 2 else "start"
        shift = -6 if anchor == "end" else 6
        parts.append(
            f'<text x="{x + shift:.1f}" y="22" text-anchor="{anchor}" style="fill:{colour};font-weight:bold">'
            f"{escape(verdict.label)}</text>"
        )
    height = 280 + 14 * len(found.words) + (8 if found.words else 0)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="verdict over time">{"".join(parts)}</svg>'


def _wave(samples: NDArray[np.int16]) -> str:
    chunks = np.array_split(samples / 32768.0, _WIDTH - _LEFT)
    most = max(0.05, float(np.max(np.abs(samples / 32768.0))) if len(samples) else 0.05)
    points = "".join(
        f"M{_LEFT + n} {80 - float(chunk.max()) / most * 58:.1f}V{80 - float(chunk.min()) / most * 58 + 0.5:.1f}"
        for n, chunk in enumerate(chunks)
        if len(chunk)
    )
    return f'<text x="0" y="84">sound</text><path d="{points}" stroke="currentColor" stroke-width="1" opacity=".7"/>'


def _bands(flags: NDArray[np.bool_], y: int, colour: str, name: str) -> str:
    each = (_WIDTH - _LEFT) / max(1, len(flags))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    bars = "".join(
        f'<rect x="{_LEFT + since * each:.1f}" y="{y}" width="{(until - since) * each:.1f}" height="14" '
        f'fill="{colour}"/>'
        for since, until in zip(edges[::2], edges[1::2], strict=True)
    )
    return f'<text x="0" y="{y + 12}">{name}</text>{bars}'


def _line(values: NDArray[np.float64], y: int, height: int) -> str:
    each = (_WIDTH - _LEFT) / max(1, len(values))
    points = " ".join(
        f"{_LEFT + n * each:.1f},{y + height - value * height:.1f}" for n, value in enumerate(values) if value == value
    )
    axis = f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y + height}" y2="{y + height}" stroke="#8886"/>'
    line = f'<polyline points="{points}" fill="none" stroke="#1a7f37" stroke-width="2"/>'
    return f'<text x="0" y="{y + 34}">person?</text>{axis}{line}'
