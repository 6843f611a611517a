"""The rows as a page: one chart of occupancy for each world, drawn as SVG, with the share abandoned beside each bar."""

from __future__ import annotations

from html import escape

from bench.pacing.runs import CAP, Row
from bench.pacing.worlds import WORLDS

_BAR, _GAP, _LEFT, _WIDE = 16, 4, 190, 520


def page(rows: list[Row]) -> str:
    worlds = list(dict.fromkeys(row.cell.world for row in rows))
    charts = "\n".join(_world(world, [row for row in rows if row.cell.world == world]) for world in worlds)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pacing methods</title>'
        "<style>body{font:14px system-ui;margin:2rem;max-width:60rem}svg{font:12px system-ui}"
        ".ours{fill:#0b6e4f}.other{fill:#9aa5b1}.over{fill:#c0392b}</style>"
        f"<h1>Occupancy by pacing method</h1><p>Red: a seed ended above {CAP:.0%} abandoned.</p>{charts}</html>\n"
    )


def _world(world: str, rows: list[Row]) -> str:
    parts = [f"<h2>{escape(world)}</h2><p>{escape(WORLDS[world].says)}</p>"]
    for agents in dict.fromkeys(row.cell.agents for row in rows):
        parts.append(f"<h3>{agents} agents</h3>" + _bars([row for row in rows if row.cell.agents == agents]))
    return "".join(parts)


def _bars(rows: list[Row]) -> str:
    high = (_BAR + _GAP) * len(rows)
    out = [f'<svg width="{_LEFT + _WIDE + 200}" height="{high}" role="img" aria-label="occupancy by method">']
    for place, row in enumerate(sorted(rows, key=lambda row: -row.occupancy)):
        y = place * (_BAR + _GAP)
        kind = "over" if row.over_cap else "ours" if row.cell.entrant in ("predictive", "adaptive_ratio") else "other"
        wide = _WIDE * row.occupancy
        out.append(
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(row.cell.entrant)}</text>'
            f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{wide:.1f}" height="{_BAR}"/>'
            f'<text x="{_LEFT + wide + 6:.1f}" y="{y + 12}">{row.occupancy:.1%}, abandoned {row.abandoned:.2%}, '
            f"worst {row.worst:.2%}</text>"
        )
    return "".join(out) + "</svg>"
