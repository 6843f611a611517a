"""`centralita simulate fit`: a scenario from what happened. It reads the journal: the reports' tables know neither who
was ready when, nor what a caller's flow asked for, nor when she began to wait away from the phone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, day_of, err, fail, home_of, print_json
from engine.cli.journal_open import reading
from engine.cli.report import moment_of
from engine.cli.tenants import MAIN, check_tenant

if TYPE_CHECKING:
    from acd.simulation.fitted import Fitted, FittedQueue
    from acd.simulation.observed import Observed
    from store.journal_reader import JournalReader

_PAGE = 2_000
_AFTER_S = 86_400.0
"""So long is read on for the end of what began in time."""
_STEPS = (15, 30, 60)


def fit(
    since: Annotated[
        str, typer.Option(help="First day, like 2026-11-01; the 28 days before `--until` unless told.")
    ] = "",
    until: Annotated[str, typer.Option(help="Last day; yesterday unless told: today is not over.")] = "",
    weekdays: Annotated[str, typer.Option(help="Only these, as mon-fri or sat,sun; all unless told.")] = "",
    queue: Annotated[
        list[str] | None, typer.Option(help="Only this queue's callers. Repeat it for several; all unless told.")
    ] = None,
    step: Annotated[int, typer.Option(help="Minutes between changes of arrivals and staff: 15, 30 or 60.")] = 30,
    name: Annotated[str, typer.Option(help="The scenario's name.")] = "fitted",
    tenant: Annotated[str, typer.Option(help="Whose floor.")] = MAIN,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Learn a scenario from the journal: who calls when, talks and waits how long, and who is there.

    Prints it for `simulate acd --scenario`: `centralita simulate fit --weekdays mon > monday.yaml`. What it comes from
    stands in its comments, with how the queues did, to compare the simulated day with. Agents have the skills and
    queues that config/ gives them now; nobody's name is in it. Exit code 1 when there is too little to learn from.
    """
    from acd.simulation.days_seen import DaysSeen
    from acd.simulation.fitted import fit as fitted
    from acd.simulation.observed import Observed
    from engine.config.loader import load
    from engine.config.sources import read_sources

    if step not in _STEPS:
        fail(f"--step {step}: choose 15, 30 or 60 minutes", 2)
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name) is None:
        fail(f"--name '{name[:40]}': use a-z, 0-9, _ and -, at most 40 characters", 2)
    on = _weekdays(weekdays)
    home = home_of(project)
    check_tenant(home, tenant)
    configuration = load(read_sources(home.project)).configuration
    if configuration is None:
        fail("the configuration has errors: `centralita check` says which")
    zone, setup = ZoneInfo(configuration.site.time_zone), configuration.routing
    unknown = [each for each in queue or () if (tenant, each) not in setup.queues]
    if unknown:
        known = ", ".join(sorted(each for owner, each in setup.queues if owner == tenant))
        fail(f"there is no queue {', '.join(unknown)}: choose from {known}", 2)
    now = datetime.now(UTC)
    last = day_of(until) if until else now.astimezone(zone).date() - timedelta(days=1)
    first = day_of(since) if since else last - timedelta(days=27)
    if first > last:
        fail(f"--since {first} is after --until {last}", 2)
    from_s = moment_of(first, zone)
    until_s = min(moment_of(last + timedelta(days=1), zone), now.timestamp())
    with reading(project) as reader:
        began_s = _began_s(reader)
        seen = Observed(max(from_s, began_s), until_s, tenant=tenant)
        days = DaysSeen(seen.from_s, until_s, zone, step * 60.0, on)
        _read(reader, seen)
    found = fitted(name, seen, days, setup, queue or ())
    if not found.queues:
        for each, why in found.refused.items():
            err.print(f"{each}: {why}", markup=False, soft_wrap=True)
        fail(f"from {first} to {last} there is too little to learn from" + ("" if found.refused else ": nobody called"))
    if json:
        print_json(_plain(found))
    else:
        typer.echo(_yaml(found))
    _say(found)


def _weekdays(text: str) -> tuple[int, ...]:
    from definitions.fields import read_weekdays

    if not text:
        return tuple(range(7))
    try:
        return tuple(read_weekdays(text))
    except ValueError as failure:
        fail(f"--weekdays '{text[:40]}': {failure}", 2)


def _began_s(reader: JournalReader) -> float:
    entries = reader.tail(0, 1)
    if not entries:
        fail("the journal is empty: nobody has called yet")
    return entries[0].at_s


def _read(reader: JournalReader, seen: Observed) -> None:
    """All of the time it is about, and what began in it to its end."""
    from rich.progress import Progress

    seq, at_s = reader.seq_before(seen.from_s), seen.from_s
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        bar = progress.add_task("journal", total=seen.until_s - seen.from_s)
        while entries := reader.tail(seq, _PAGE):
            for entry in entries:
                at_s = entry.at_s
                if at_s >= seen.until_s and (not seen.is_open or at_s >= seen.until_s + _AFTER_S):
                    seen.close(at_s)
                    return
                seen.take(at_s, entry.event, entry.decisions)
            seq = entries[-1].seq
            progress.update(bar, completed=at_s - seen.from_s)
    seen.close(seen.until_s)


# -- what comes out --------------------------------------------------------------------------------------
def _yaml(found: Fitted) -> str:
    import yaml

    def written(body: Any) -> str:
        return str(yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=116))

    lines = [f"# {line}" for line in _head(found)]
    scenario = {key: value for key, value in found.scenario.items() if key != "queues"}
    lines += [written(scenario).rstrip(), "queues:"]
    for queue in found.queues:
        lines += [f"  # {line}" for line in _about(queue)]
        lines += [f"  {line}" for line in written({queue.queue: queue.calls}).rstrip().splitlines()]
    return "\n".join(lines)


def _head(found: Fitted) -> list[str]:
    calls = sum(queue.stays for queue in found.queues)
    talks = sum(queue.talks for queue in found.queues)
    head = [
        f"Fitted from {calls:,} calls and {talks:,} conversations on {_days(found.days)}. "
        "`answer_s`: how long phones rang, on average.",
    ]
    head += [f"{queue} is left out: {why}" for queue, why in found.refused.items()]
    return [*head, *found.notes]


def _about(queue: FittedQueue) -> list[str]:
    told = [
        f"{queue.stays:,} calls: service level {queue.service_level:.1f} %, abandoned {queue.abandoned:.1f} %, "
        f"mean wait {queue.wait_s:.1f} s. {queue.talks:,} conversations."
    ]
    if queue.patience is not None and "patience_s" in queue.calls:
        told.append(
            f"{queue.patience.gave_up:,} gave up: mean patience between {queue.patience.low_s:.0f} and "
            f"{queue.patience.high_s:.0f} s, 19 times of 20."
        )
    return [*told, *queue.notes]


def _days(days: tuple[date, ...]) -> str:
    first, last = days[0].isoformat(), days[-1].isoformat()
    return first if len(days) == 1 else f"{len(days)} days from {first} to {last}"


def _say(found: Fitted) -> None:
    """Beside the scenario, for whoever sent that into a file."""
    for line in _head(found):
        err.print(line, markup=False, soft_wrap=True)
    for queue in found.queues:
        for note in queue.notes:
            err.print(f"{queue.queue}: {note}", markup=False, soft_wrap=True)


def _plain(found: Fitted) -> dict[str, Any]:
    def patience(queue: FittedQueue) -> dict[str, Any] | None:
        each = queue.patience
        if each is None:
            return None
        figures = {"mean_s": each.mean_s, "low_s": each.low_s, "high_s": each.high_s, "at_s": each.at_s}
        return {
            "gave_up": each.gave_up,
            **{key: round(value, 1) for key, value in figures.items()},
            "left": round(each.left, 4),
            "fitted": round(each.fitted, 4),
        }

    return {
        "scenario": found.scenario,
        "days": [day.isoformat() for day in found.days],
        "queues": {
            queue.queue: {
                "calls": queue.stays,
                "conversations": queue.talks,
                "service_level": round(queue.service_level, 2),
                "abandoned": round(queue.abandoned, 2),
                "wait_s": round(queue.wait_s, 2),
                "patience": patience(queue),
                "notes": list(queue.notes),
            }
            for queue in found.queues
        },
        "left_out": found.refused,
        "notes": list(found.notes),
    }
