"""`centralita campaign simulate`: a campaign's day before it happens, played by the pacing that would dial it."""

from __future__ import annotations

import asyncio
import math
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, err, fail, home_of, out, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from dialer.setup import CampaignSetup
    from dialer.simulation.history import Observed
    from dialer.simulation.play import Played, Way
    from engine.home import Home

_MOST_AGENTS, _MOST_CELLS = 300, 24
_LEGEND = (
    "busy: talk and wrap-up. wait: an agent's for the next person, median and 9 of 10. talks/h: of each agent. talks, "
    "dialed: the team's day. abandoned: answers that found nobody, the mean day and the worst one."
)


def simulate(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.", metavar="CAMPAIGN")],
    agents: Annotated[str, typer.Option(help="Teams to try, as 5,10,15.")] = "5,10",
    methods: Annotated[
        str,
        typer.Option(help="Pacing methods to try, as predictive,progressive. Empty: the campaign's and progressive."),
    ] = "",
    hours: Annotated[float, typer.Option(min=0.5, max=24, help="How long a day is.")] = 8.0,
    from_: Annotated[
        str, typer.Option("--from", help="When it begins, at the site: people answer by the hour.")
    ] = "09:00",
    days: Annotated[int, typer.Option(min=1, max=200, help="How many days to play: more show the bad ones.")] = 10,
    since: Annotated[str, typer.Option(help="Learn from attempts of this day on (2026-11-22, UTC).")] = "",
    answer_rate: Annotated[
        float | None, typer.Option(min=0.01, max=0.95, help="Share of attempts that a person answers, instead of seen.")
    ] = None,
    talk_s: Annotated[float | None, typer.Option(min=1, max=7200, help="Mean conversation, instead of seen.")] = None,
    wrap_s: Annotated[float, typer.Option(min=0, max=3600, help="Mean wrap-up.")] = 20.0,
    cap: Annotated[
        float | None, typer.Option(min=0, max=1, help="Abandoned answers at most, as 0.03. Else: what the packs say.")
    ] = None,
    attempts: Annotated[int, typer.Option(min=0, help="Attempts the list holds for the day; 0: it does not end.")] = 0,
    replay: Annotated[
        bool, typer.Option("--replay", help="The attempts seen, one after another, under each method.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts.", show_default=False)] = None,
    tenant: Annotated[str, typer.Option(help="Whose campaign.")] = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """What if: other agents, hours, methods or caps. People answer and talk as they did in this campaign's attempts.

    Needs no running engine. Each day begins with an empty budget of abandoned calls, as a legal window does.
    """
    from msgspec import structs

    from dialer.pacing import METHODS
    from dialer.simulation.history import ENOUGH
    from dialer.simulation.page import page
    from dialer.simulation.play import Way
    from engine.cli.campaign_results import setup_of

    teams = _teams(agents)
    home = home_of(project)
    setup, zone = setup_of(home, tenant, campaign)
    if setup.mode.value == "agentless":
        fail(f"{campaign} dials without agents: nobody waits, so there is nothing to simulate")
    chosen = _methods(methods, setup, tuple(name for name in METHODS if name != "preview"))
    if len(teams) * len(chosen) > _MOST_CELLS:
        fail(f"{len(teams)} teams under {len(chosen)} methods are too many at once: {_MOST_CELLS} at most", 2)
    seen = asyncio.run(_observed(home, tenant, campaign, since, zone))
    if replay and seen.attempts < ENOUGH:
        fail(f"{campaign} has {seen.attempts} attempts to replay: it takes {ENOUGH}")
    most = _cap(setup) if cap is None else cap
    world = seen.world(from_s=_clock(from_), wrap_s=wrap_s, answer_rate=answer_rate, talk_s=talk_s, replay=replay)
    ways = []
    for team in teams:
        here = replace(world, leads=attempts / team) if attempts else world
        for method in chosen:
            ways.append(Way(here, structs.replace(setup.pacing, method=method), team, hours, most))
    rows = _played(ways, days)
    says = _says(seen, world.says, ways[0], from_, days)
    if html is not None:
        html.write_text(page(f"{setup.title or campaign}: what if", says, rows, seen, most), encoding="utf-8")
    if json:
        told = {"campaign": campaign, "world": says, "cap": most, "attempts": seen.attempts}
        print_json({**told, "rows": [asdict(row) for row in rows]})
        return
    out.print(says)
    out.print(_table(rows, most))
    out.print(_LEGEND + (" When the list has ended agents wait for the rest of the day." if attempts or replay else ""))
    if html is not None:
        out.print(f"written: {html}")


def _teams(text: str) -> list[int]:
    if not re.fullmatch(r"\s*\d{1,3}\s*(,\s*\d{1,3}\s*)*", text):
        fail(f"--agents '{text}': write teams like 5,10,15", 2)
    teams = sorted({int(each) for each in text.split(",")})
    if not 1 <= teams[0] <= teams[-1] <= _MOST_AGENTS:
        fail(f"--agents '{text}': teams of 1 to {_MOST_AGENTS}", 2)
    return teams


def _clock(text: str) -> float:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        fail(f"--from '{text}': write a time like 09:00", 2)
    return int(found[1]) * 3600.0 + int(found[2]) * 60.0


def _methods(text: str, setup: CampaignSetup, known: tuple[str, ...]) -> list[str]:
    if not text:
        return list(dict.fromkeys((_own_method(setup), "progressive")))
    chosen = [each.strip() for each in text.split(",") if each.strip()]
    unknown = [each for each in chosen if each not in known]
    if unknown or not chosen:
        fail(f"--methods '{text}': choose from {', '.join(known)}", 2)
    return list(dict.fromkeys(chosen))


def _own_method(setup: CampaignSetup) -> str:
    return {"power": "ratio", "predictive": setup.pacing.method}.get(setup.mode.value, "progressive")


def _cap(setup: CampaignSetup) -> float:
    """The strictest of the packs; 3% where none says anything."""
    limits = setup.law().overall.abandonment
    return float(min(limit.most for limit in limits)) if limits else 0.03


async def _observed(home: Home, tenant: str, campaign: str, since: str, zone: str) -> Observed:
    from zoneinfo import ZoneInfo

    from core.errors import StoreUnavailable
    from dialer.simulation.history import Observed
    from engine.cli.campaign_results import seconds_of
    from engine.cli.lists_open import opened

    seen = Observed(ZoneInfo(zone))
    try:
        async with opened(home) as place:
            async for attempt in place.store.attempts(tenant, campaign, "", seconds_of(since)):
                seen.add(attempt)
    except StoreUnavailable as failure:
        fail(str(failure))
    return seen


def _played(ways: list[Way], days: int) -> list[Played]:
    """Days side by side on all processors; the same seeds for every way."""
    from rich.progress import Progress

    from dialer.simulation.play import gathered, play_day

    rows = []
    with Progress(console=err, transient=True) as progress, ProcessPoolExecutor() as pool:
        waiting = [[pool.submit(play_day, way, seed) for seed in range(days)] for way in ways]
        bar = progress.add_task("days", total=len(ways) * days)
        for way, futures in zip(ways, waiting, strict=True):
            results = []
            for one in futures:
                results.append(one.result())
                progress.advance(bar)
            rows.append(gathered(way, results))
    return rows


def _says(seen: Observed, world: str, way: Way, from_: str, days: int) -> str:
    told = [f"{counted(days, 'day')} of {way.hours:g} {'hour' if way.hours == 1 else 'hours'} from {from_}, {world}."]
    rates = [way.world.answer_rate(hour * 3600.0) for hour in range(math.ceil(way.hours))]
    answered = f"{min(rates):.0%}" if min(rates) == max(rates) else f"{min(rates):.0%} to {max(rates):.0%} by the hour"
    if way.world.recorded:
        told.append("Replayed: each attempt ends as it did, whoever dials it when.")
    else:
        told.append(f"A person answers {answered} of all attempts.")
    told.append(
        f"She talks for {way.world.talk_s(0):.0f} s on average, the agent writes up for {way.world.wrap_s(0):.0f} s."
    )
    told.append(f"At most {way.most:.1%} of those who answer may be abandoned.")
    unknown = "" if seen.talks else " Nobody has talked yet: the length of conversations is assumed."
    return " ".join(told) + unknown


def _table(rows: list[Played], cap: float) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("team", "method", "busy", "wait", "talks/h", "talks", "dialed", "abandoned", "worst"):
        table.add_column(heading, justify="left" if heading == "method" else "right", no_wrap=True)
    if any(row.list_s for row in rows):
        table.add_column("list ends", justify="right", no_wrap=True)
    for row in rows:
        worst = f"{row.abandoned.most:.2%}"
        cells = [
            str(row.agents),
            row.method,
            f"{row.occupancy.mean:.0%}",
            f"{row.wait_p50_s.mean:.0f}/{row.wait_p90_s.mean:.0f} s",
            f"{row.per_hour.mean:.1f}",
            f"{row.conversations.mean:.0f}",
            f"{row.dials.mean:.0f}",
            f"{row.abandoned.mean:.2%}",
            f"[red]{worst}[/]" if row.abandoned.most > cap else worst,
        ]
        if row.list_s is not None:
            cells.append(f"{row.list_s.mean / 3600:.1f} h")
        table.add_row(*cells)
    return table
