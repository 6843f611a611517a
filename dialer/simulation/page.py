"""What was simulated, as one page: bars for each way to run the campaign, and when its people answer. Plain SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from dialer.simulation.history import Observed
from dialer.simulation.play import Figure, Played

_BAR, _GAP, _LEFT, _WIDE, _HIGH = 18, 8, 190, 420, 140
_STYLE = """
:root{color-scheme:light dark}body{font:15px system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
svg{max-width:100%;height:auto;display:block;margin:1rem 0}text{fill:currentColor;font:12px system-ui,sans-serif}
.bar{fill:#1f6feb}.over{fill:#c0392b}.range{stroke:currentColor;opacity:.6}.dim{opacity:.7}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #8884}
th:first-child,td:first-child{text-align:left}
"""


def page(title: str, says: str, rows: Sequence[Played], seen: Observed, cap: float) -> str:
    """`says`: in which world, in a sentence or two."""
    charts = (
        ("Occupancy: the share of their time agents talk or write up", lambda row: row.occupancy, _percent),
        ("Conversations an hour, each agent", lambda row: row.per_hour, _number),
        ("Conversations a day, the team", lambda row: row.conversations, _number),
        (f"Abandoned answers (the cap is {cap:.1%}; red: a day above it)", lambda row: row.abandoned, _percent2),
    )
    parts = [f"<h1>{escape(title)}</h1><p>{escape(says)}</p>"]
    for heading, value, told in charts:
        parts.append(f"<h2>{escape(heading)}</h2>{_bars(rows, value, told, cap)}")
    if seen.hours:
        parts.append(f"<h2>Who answered, by hour of the day</h2>{_hours(seen)}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _bars(rows: Sequence[Played], value: Callable[[Played], Figure], told: Callable[[float], str], cap: float) -> str:
    figures = [value(row) for row in rows]
    top = max([figure.most for figure in figures] + [1e-9])
    out = [f'<svg viewBox="0 0 {_LEFT + _WIDE + 220} {len(rows) * (_BAR + _GAP)}" role="img">']
    for place, (row, figure) in enumerate(zip(rows, figures, strict=True)):
        y, wide = place * (_BAR + _GAP), _WIDE * figure.mean / top
        least, most = (_LEFT + _WIDE * each / top for each in (figure.least, figure.most))
        kind = "over" if row.abandoned.most > cap else "bar"
        name = f"{row.agents} agents, {row.method}"
        out.append(
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{wide:.1f}" height="{_BAR}" rx="2"/>'
            f'<line class="range" x1="{least:.1f}" x2="{most:.1f}" y1="{y + _BAR / 2}" y2="{y + _BAR / 2}"/>'
            f'<text x="{max(most, _LEFT + wide) + 6:.1f}" y="{y + 13}">{told(figure.mean)} '
            f"({told(figure.least)} to {told(figure.most)})</text>"
        )
    return "".join(out) + "</svg>"


def _hours(seen: Observed) -> str:
    rates = {hour: people / dialed for hour, (dialed, people) in seen.hours.items() if dialed}
    top, each = max(*rates.values(), 0.01), (_LEFT + _WIDE) / 24
    out = [f'<svg viewBox="0 0 {_LEFT + _WIDE} {_HIGH + 40}" role="img">']
    for hour in range(24):
        x = hour * each
        out.append(f'<text class="dim" x="{x + each / 2:.1f}" y="{_HIGH + 34}" text-anchor="middle">{hour}</text>')
        if hour in rates:
            high = (_HIGH - 20) * rates[hour] / top
            y, middle = _HIGH + 18 - high, x + each / 2
            out.append(f'<rect class="bar" x="{x + 2:.1f}" y="{y:.1f}" width="{each - 4:.1f}" height="{high:.1f}"/>')
            out.append(f'<text x="{middle:.1f}" y="{y - 6:.1f}" text-anchor="middle">{rates[hour]:.0%}</text>')
    return "".join(out) + "</svg>"


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _percent2(value: float) -> str:
    return f"{value:.2%}"


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
