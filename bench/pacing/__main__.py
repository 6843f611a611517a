"""Pacing methods against each other, in virtual time.

    python -m bench.pacing [--quick] [--agents 5,10,25] [--worlds base,drift] [--methods predictive,progressive]
                           [--seeds 20] [--hours 8] [--processes 1] [--json FILE] [--html FILE]

Every cell is one method in one world with one team: days of eight hours, each from a seed of its own, the same for all
methods. Columns: occupancy (talk and wrap-up of the time logged in); seconds an agent waits for the next person, median
and 90th percentile; people reached per agent-hour; attempts per person reached; abandoned answers, mean of the seeds
and the worst; seeds that end above 3%; the highest share at any moment after the hundredth answer. A method whose name
ends in _tuned has one number, chosen in hindsight for each world and team with the very seeds it is judged by.

`--quick`: base and drift, teams of 5 and 10, two seeds, our methods and VICIdial's default; under a minute.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.pacing.chart import page
from bench.pacing.methods import ENTRANTS
from bench.pacing.runs import Cell, Row, run_all
from bench.pacing.worlds import WORLDS

QUICK = ("predictive", "adaptive_ratio", "progressive", "vici_tapered")


def main() -> None:
    asked = _arguments()
    console = Console(width=132)
    cells = [Cell(m, w, n) for w in asked.worlds for n in asked.agents for m in asked.methods]
    rows: list[Row] = []
    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*looks, console=Console(stderr=True)) as progress:
        task = progress.add_task("days", total=len(cells))
        for row in run_all(cells, asked.seeds, asked.hours, asked.processes):
            rows.append(row)
            if asked.json:  # after every row, so that a long run can be watched and none is lost
                asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
            progress.update(task, advance=1, description=f"{row.cell.world} {row.cell.agents} {row.cell.entrant}")
    for world in asked.worlds:
        console.print(table(world, [row for row in rows if row.cell.world == world]))
    console.print(f"{asked.seeds} seeds of {asked.hours:g} h; Python {platform.python_version()}, {platform.machine()}")
    if asked.html:
        asked.html.write_text(page(rows))


def table(world: str, rows: list[Row]) -> Table:
    out = Table(title=f"{world}: {WORLDS[world].says}", title_justify="left")
    for name in ("agents", "method", "occupancy", "wait p50/p90 s", "reached/h", "leads each", "abandoned", "worst"):
        out.add_column(name, justify="left" if name == "method" else "right")
    for name in ("over 3%", "peak", "number"):
        out.add_column(name, justify="right")
    last = None
    for row in rows:
        if last not in (None, row.cell.agents):
            out.add_section()
        last = row.cell.agents
        out.add_row(
            str(row.cell.agents),
            row.cell.entrant,
            f"{row.occupancy:.1%}",
            f"{row.wait_p50_s:.0f}/{row.wait_p90_s:.0f}",
            f"{row.connects_per_hour:.1f}",
            f"{row.leads_per_connect:.1f}",
            f"{row.abandoned:.2%}",
            f"{row.worst:.2%}",
            str(row.over_cap),
            f"{row.peak:.2%}",
            "" if row.number is None else f"{row.number:.2f}",
        )
    return out


def _arguments() -> argparse.Namespace:
    says = argparse.ArgumentParser(prog="python -m bench.pacing", description="Pacing methods against each other.")
    says.add_argument("--quick", action="store_true", help="a small selection, under a minute")
    says.add_argument("--agents", default="", help="teams, such as 5,10,25,50,100")
    says.add_argument("--worlds", default="", help=f"of {', '.join(WORLDS)}; or all")
    says.add_argument("--methods", default="", help=f"of {', '.join(ENTRANTS)}; or all")
    says.add_argument("--seeds", type=int, default=0)
    says.add_argument("--hours", type=float, default=8.0)
    says.add_argument("--processes", type=int, default=1)
    says.add_argument("--json", type=Path)
    says.add_argument("--html", type=Path)
    asked = says.parse_args()
    quick = asked.quick
    asked.agents = [int(n) for n in (asked.agents or ("5,10" if quick else "5,10,25")).split(",")]
    asked.worlds = _named(says, "world", asked.worlds or ("base,drift" if quick else "all"), WORLDS)
    asked.methods = _named(says, "method", asked.methods or (",".join(QUICK) if quick else "all"), ENTRANTS)
    asked.seeds = asked.seeds or (2 if quick else 20)
    return asked


def _named(says: argparse.ArgumentParser, kind: str, names: str, known: Iterable[str]) -> list[str]:
    wanted = list(known) if names == "all" else names.split(",")
    for name in wanted:
        if name not in known:
            says.error(f"there is no {kind} {name}: choose from {', '.join(known)}")
    return wanted


if __name__ == "__main__":
    main()
