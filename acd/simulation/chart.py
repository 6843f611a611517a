"""Outcomes as pictures and as one page: plain SVG and HTML, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, isnan

from acd.setup import Key
from acd.simulation.outcome import Figure, Outcome

STEP_S = 1800.0
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BOTTOM = 760, 220, 46, 24, 24
_COLOURS = ("#1f6feb", "#d1570f", "#1a7f37", "#8250df")
_STYLE = """
:root{color-scheme:light dark}body{font:15px system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{white-space:nowrap;padding:.25rem .8rem;text-align:right;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}text{fill:currentColor;font-size:11px}
"""


def shown(figure: Figure, digits: int = 1) -> str:
    """`88.3 ± 0.7`, or a dash."""
    if isnan(figure.mean):
        return "–"
    return f"{figure.mean:.{digits}f}" + ("" if isnan(figure.half) else f" ± {figure.half:.{digits}f}")


def course_chart(outcomes: Sequence[Outcome], queue: Key, measure: str, title: str, unit: str) -> str:
    """One line an outcome, by half hours."""
    courses = [[point for point in each.course(queue, measure, STEP_S) if not isnan(point[1])] for each in outcomes]
    points = [point for course in courses for point in course]
    if not points:
        return ""
    from_s, until_s = min(at for at, _ in points), max(at for at, _ in points) + STEP_S
    most = max(max(value for _, value in points), 1.0)
    most = 100.0 if unit == "%" else ceil(most / 5) * 5

    def x(at_s: float) -> float:
        return _LEFT + (at_s - from_s) / (until_s - from_s) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - value / most * (_HEIGHT - _BOTTOM - 24)

    parts = [f'<text x="{_LEFT}" y="12" font-weight="bold">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        at = y(most * share)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#8886"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{most * share:g}{unit}</text>')
    hours = range(ceil(from_s / 3600), int(until_s // 3600) + 1)
    parts += [f'<text x="{x(h * 3600.0):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{h}:00</text>' for h in hours]
    for n, (outcome, course) in enumerate(zip(outcomes, courses, strict=True)):
        colour = _COLOURS[n % len(_COLOURS)]
        line = " ".join(f"{x(at + STEP_S / 2):.1f},{y(value):.1f}" for at, value in course)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{12 + 13 * n}" text-anchor="end" style="fill:{colour}">'
            f"{escape(outcome.name)}</text>"
        )
    body = "".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{body}</svg>'


def page(title: str, columns: Sequence[tuple[str, str, str]], outcomes: Sequence[Outcome]) -> str:
    """`columns`: (measure, heading, unit). A table of every outcome and queue, and the course of the day."""
    heads = "".join(f"<th>{escape(head)}</th>" for _, head, _ in columns)
    rows, charts = [], []
    keys = outcomes[0].keys
    for key in keys:
        for outcome in outcomes:
            cells = "".join(f"<td>{shown(outcome.figure(measure, key))}{unit}</td>" for measure, _, unit in columns)
            rows.append(f"<tr><td>{escape(key[1] or 'all')} · {escape(outcome.name)}</td>{cells}</tr>")
        name = key[1] or "all queues"
        charts.append(course_chart(outcomes, key, "service_level", f"{name}: service level", "%"))
        charts.append(course_chart(outcomes[:1], key, "offered", f"{name}: calls in half an hour", ""))
    busy = "".join(f"<p>{escape(o.name)}: occupancy {shown(o.occupancy)} %</p>" for o in outcomes)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><table><tr><th>queue</th>{heads}</tr>{''.join(rows)}</table>{busy}"
        f"{''.join(charts)}</html>"
    )
