"""`centralita report`: what a law wants counted, from the journal; what callers think, from the SQL tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, day_of, fail, home_of, out, print_json
from engine.cli.journal_open import reading
from engine.cli.report_survey import survey
from engine.cli.tenants import EveryTenantOption, check_tenant

if TYPE_CHECKING:
    from acd.report import Attended, Key
    from core.decisions import StayEnded
    from store.journal_reader import JournalReader

app = typer.Typer(help="What a law wants counted, and what callers answered to surveys.", no_args_is_help=True)
PACK, RULE = "es-clientela", "answered_within"
_PAGE = 2_000


@app.callback()
def report() -> None:
    """What a law wants counted, and what callers answered to surveys."""


@app.command("clientela")
def clientela(
    first: Annotated[str, typer.Option("--from", help="First day, like 2026-01-01; this year's unless told.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; today unless told.")] = "",
    tenant: EveryTenantOption = "",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """How many calls a person attended in time (Ley 10/2025: 95% within three minutes), by queue.

    Counted once a call, from joining a queue to talking. `virtual`: callers who hung up, kept their places and were to
    be called, with the mean time they waited so, which counts like any other. The law asks each company for itself:
    with several tenants each has its own total. Exit code 1 when one of them has fewer than the law asks.
    """
    from acd.report import attended, total
    from engine.config.loader import load
    from engine.config.sources import read_sources

    home = home_of(project)
    if tenant:
        check_tenant(home, tenant)
    configuration = load(read_sources(home.project)).configuration
    if configuration is None:
        fail("the configuration has errors: see `centralita check`")
    if PACK not in configuration.packs or RULE not in configuration.packs[PACK][1].rules:
        fail(f"config/compliance/{PACK}.yaml has no rule {RULE}: it says how many, and how soon")
    rule = configuration.packs[PACK][1].rules[RULE]
    percent, within_s = rule.percent or 0.0, rule.within_s or 0.0
    zone = ZoneInfo(configuration.site.time_zone)
    until = day_of(last) if last else datetime.now(UTC).astimezone(zone).date()
    since = day_of(first) if first else until.replace(month=1, day=1)
    with reading(project) as reader:
        rows = attended(ends(reader, moment_of(since, zone), moment_of(until + timedelta(days=1), zone)), within_s)
    rows = {key: row for key, row in rows.items() if tenant in ("", key[0])}
    whole = total(rows.values())
    owners = sorted({owner for owner, _ in rows})
    totals = {each: total(row for (owner, _), row in rows.items() if owner == each) for each in owners}
    met = all(each.percent is None or each.percent >= percent for each in totals.values())
    if json:
        print_json(
            {
                "from": since.isoformat(),
                "to": until.isoformat(),
                "percent_asked": percent,
                "within_s": within_s,
                "queues": [{"tenant": tenant, "queue": queue, **_plain(row)} for (tenant, queue), row in rows.items()],
                "tenants": {each: _plain(row) for each, row in totals.items()},
                "total": _plain(whole),
                "met": met,
            }
        )
    else:
        out.print(_table(rows, totals, whole, since, until, within_s))
        if whole.mean_virtual_s is not None:
            out.print(f"virtual: {counted(whole.virtual, 'call')}, mean {whole.mean_virtual_s:.0f} s")
        for name, each in sorted(totals.items()) if len(totals) > 1 else [("", whole)]:
            out.print((f"{name}: " if name else "") + _verdict(each, percent, within_s))
    if not met:
        raise typer.Exit(1)


app.command("survey")(survey)


def ends(reader: JournalReader, since_s: float, until_s: float) -> Iterator[StayEnded]:
    """Every stay that ended in that time, in order."""
    from core.decisions import StayEnded

    seq = reader.seq_before(since_s)
    while entries := reader.tail(seq, _PAGE):
        for entry in entries:
            if entry.at_s >= until_s:
                return
            yield from (decision for decision in entry.decisions if isinstance(decision, StayEnded))
        seq = entries[-1].seq


def moment_of(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _plain(row: Attended) -> dict[str, Any]:
    return {
        "received": row.received,
        "answered": row.answered,
        "in_time": row.in_time,
        "percent": None if row.percent is None else round(row.percent, 2),
        "mean_wait_s": None if row.mean_wait_s is None else round(row.mean_wait_s, 1),
        "virtual": row.virtual,
        "mean_virtual_s": None if row.mean_virtual_s is None else round(row.mean_virtual_s, 1),
        "ends": dict(sorted(row.ends.items())),
    }


def _table(
    rows: dict[Key, Attended],
    totals: dict[str, Attended],
    whole: Attended,
    since: date,
    until: date,
    within_s: float,
) -> Any:
    from rich.table import Table

    table = Table(title=f"{since} to {until}", box=None, title_justify="left")
    table.add_column("queue")
    for name in ("received", "answered", f"in {within_s:.0f} s", "percent", "mean wait", "hung up", "at once"):
        table.add_column(name, justify="right")
    several = len(totals) > 1
    for (tenant, queue), row in rows.items():
        table.add_row(f"{tenant}/{queue}" if several else queue, *_cells(row))
    for tenant, row in totals.items() if several else ():
        table.add_row(f"all of {tenant}", *_cells(row), style="bold")
    table.add_row("all", *_cells(whole), style="bold")
    return table


def _cells(row: Attended) -> tuple[str, ...]:
    return (
        str(row.received),
        str(row.answered),
        str(row.in_time),
        "" if row.percent is None else f"{row.percent:.1f}%",
        "" if row.mean_wait_s is None else f"{row.mean_wait_s:.0f} s",
        str(row.ends["abandoned"]),
        str(row.ends["short_abandoned"]),
    )


def _verdict(whole: Attended, percent: float, within_s: float) -> str:
    if whole.percent is None:
        return "nobody waited in a queue in this time"
    asked = f"{percent:.0f}% within {within_s:.0f} s are asked for"
    return f"[green]{asked}: reached[/]" if whole.percent >= percent else f"[red]{asked}: not reached[/]"
