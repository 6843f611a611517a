"""`centralita campaign compare`: which number shown, list or try reaches more people, in like circumstances; and which
script of a test serves better."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json

if TYPE_CHECKING:
    from core.lead_record import AttemptRecord
    from dialer.compare import Compared, Dialed
    from engine.home import Home

By = Literal["caller_id", "list", "try", "script"]
_MANY = 4
"""A lead's tries from this one on are alike."""
_AREA_DIGITS = 5
_NOT_THERE = ("no_answer", "machine", "message_left", "busy")
"""Other ends say nothing about whether people answer."""


def compare(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.", metavar="CAMPAIGN")],
    by: Annotated[
        By, typer.Option("--by", help="The number people saw, the list, which try it was, or the script of a test.")
    ] = "caller_id",
    since: Annotated[str, typer.Option(help="Attempts of this day on (2026-11-22, UTC).")] = "",
    tenant: Annotated[str, typer.Option(help="Whose campaign.")] = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Which number shown, list or try reaches more people: beside the others in the same area, at the same hour, after
    as many tries. Chance is told apart; but nobody drew lots, so a difference may still have other reasons.

    --by script: which of the scripts under `script_test` leads more of those who heard it to the goal. Here lots were
    drawn. Look as often as you like and stop when you like: the ranges hold at all looks together.
    """
    from core.errors import StoreUnavailable
    from engine.cli.campaign_results import seconds_of

    if by == "script":
        from engine.cli.campaign_scripts import compare_scripts

        compare_scripts(home_of(project), tenant, campaign, since, json)
        return
    try:
        found = asyncio.run(_compared(home_of(project), tenant, campaign, by, seconds_of(since)))
    except StoreUnavailable as failure:
        fail(str(failure))
    if not found:
        fail(f"campaign {campaign} has dialed nobody" + (f" since {since}" if since else ""))
    if json:
        print_json([asdict(one) | {"share": one.share, "differs": one.differs} for one in found])
    else:
        out.print(comparison(found, by))


def comparison(found: Sequence[Compared], by: By) -> Table:
    shown = Table(title="People reached of those dialed (95 % ranges)")
    shown.add_column(by.replace("_", " "))
    for name in ("dialed", "reached", "share", "more than the others, in points"):
        shown.add_column(name, justify="right")
    shown.add_column("")
    for one in found:
        share = f"{one.share:.1%} ({one.least:.1%}–{one.most:.1%})"
        more, said = "–", "nothing like it to compare with"
        if one.more is not None:
            more = f"{one.more * 100:+.1f} ({one.more_least * 100:+.1f} to {one.more_most * 100:+.1f})"
            said = ("more" if one.more > 0 else "fewer") if one.differs else "no difference seen"
        shown.add_row(one.group, f"{one.dialed:,}", f"{one.live:,}", share, more, said)
    return shown


async def _compared(home: Home, tenant: str, campaign: str, by: By, since_s: float) -> list[Compared]:
    from dialer.compare import compare
    from engine.cli.campaign_results import database_of
    from store.sql.lead_exports import attempts_of

    database = database_of(home)
    try:
        every = attempts_of(database, tenant, campaign, "", 0.0)
        return compare([one async for one in _dialed(every, by, since_s)])
    finally:
        await database.close()


async def _dialed(attempts: AsyncIterator[AttemptRecord], by: By, since_s: float) -> AsyncIterator[Dialed]:
    """Those since then that say whether somebody was there. `attempts`: in order of dialing, from the campaign's first
    on, so that tries can be counted."""
    from core.attempt import AttemptState
    from dialer.best_hour import slot_of
    from dialer.compare import Dialed
    from dialer.compliance.local_time import zones_of

    tries: Counter[str] = Counter()
    async for attempt in attempts:
        tries[attempt.lead_id] += 1
        live = AttemptState(attempt.state).is_live
        if attempt.dialed_s < since_s or not (live or attempt.state in _NOT_THERE):
            continue
        tried = min(tries[attempt.lead_id], _MANY)
        zone = next(iter(zones_of(attempt.number)), "UTC")
        like = (attempt.number[:_AREA_DIGITS], slot_of(attempt.dialed_s, zone), 0 if by == "try" else tried)
        yield Dialed(_group(attempt, by, tried), like, live)


def _group(attempt: AttemptRecord, by: By, tried: int) -> str:
    if by == "try":
        return f"{tried}" if tried < _MANY else f"{_MANY} and more"
    return (attempt.identity if by == "caller_id" else attempt.list_id) or "none"
