"""`centralita report survey`: what callers answered to surveys, from the SQL tables."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, day_of, fail, home_of, out, print_json
from engine.cli.journal_open import reading
from engine.cli.tenants import EveryTenantOption, check_tenant

if TYPE_CHECKING:
    from rich.table import Table

    from acd.opinions import Opinions
    from desk.surveys import Question, Wanted
    from engine.config.loader import Configuration
    from engine.home import Home

By = Literal["queue", "agent", "flow", "day"]
_SCALES = {"csat": "CSAT, 1 to 5", "nps": "NPS, 0 to 10", "yes_no": "yes or no"}
_NOBODY = {"queue": "(no queue)", "agent": "(nobody)", "flow": "(none)", "day": ""}


def survey(
    first: Annotated[str, typer.Option("--from", help="First day, like 2026-01-01; this year's unless told.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; today unless told.")] = "",
    days: Annotated[int | None, typer.Option(help="Instead of --from: so many days, the last included.", min=1)] = None,
    queue: Annotated[str, typer.Option(help="Only callers whom this queue had served.")] = "",
    agent: Annotated[str, typer.Option(help="Only callers whom this agent had served last.")] = "",
    by: Annotated[By, typer.Option("--by", help="A row for each.")] = "queue",
    tenant: EveryTenantOption = "",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """What callers answered to surveys: CSAT, NPS, yes or no.

    One table for each question. `asked`: the question began to be said to so many callers; `rate`: how many of them
    answered. `satisfied`: 4 and 5 of 5. NPS: percent of 9 and 10 less percent of 0 to 6, from -100 to 100. `95%`: where
    it lies for all callers, 95 times in 100, if those who answered are like the rest; wide when they are few (Wilson's
    interval for shares, Rocks's adjusted Wald for the NPS). Queue and agent: who had served the caller by then.
    """
    from desk.surveys import Wanted, plain_question
    from engine.config.loader import load
    from engine.config.sources import read_sources

    home = home_of(project)
    if tenant:
        check_tenant(home, tenant)
    configuration = load(read_sources(home.project)).configuration
    if configuration is None:
        fail("the configuration has errors: see `centralita check`")
    zone = ZoneInfo(configuration.site.time_zone)
    if days and first:
        fail("--days and --from both say where to begin: give one of them", 2)
    until = day_of(last) if last else datetime.now(UTC).astimezone(zone).date()
    wanted = Wanted(_begin(first, days, until), until, zone, by, tenant or None, queue, agent)
    if wanted.fault:
        fail(wanted.fault, 2)
    found, behind = _found(home, project, wanted)
    if not found:
        _check_names(configuration, tenant, queue, agent)
    if json:
        asked = {"from": wanted.since.isoformat(), "to": until.isoformat(), "by": by, "queue": queue, "agent": agent}
        print_json(
            {**asked, "tenant": tenant, "behind_events": behind, "questions": [plain_question(each) for each in found]}
        )
        return
    several = len({question.tenant for question in found}) > 1
    out.print(f"{wanted.since} to {until}")
    for question in found:
        out.print()
        out.print(_table(question, by, several))
        if question.kind == "nps" and question.total.answers:
            out.print(_given(question.total))
    for line in _notes(found, behind):
        out.print(line, soft_wrap=True)


def _begin(first: str, days: int | None, until: date) -> date:
    if first:
        return day_of(first)
    try:
        return until - timedelta(days=days - 1) if days else until.replace(month=1, day=1)
    except OverflowError:
        fail(f"--days {days} is more than there are: give --from", 2)


def _found(home: Home, project: Path | None, wanted: Wanted) -> tuple[list[Question], int]:
    """And how many entries of the journal are not in the tables yet."""
    from sqlalchemy.exc import SQLAlchemyError

    from core.errors import CentralitaError
    from desk.surveys import questions
    from engine.databases import bring_up_to_date, database_url
    from store.sql.database import Database
    from store.sql.surveys import SurveyAnswers

    async def read() -> tuple[list[Question], int]:
        database = Database(database_url(home))
        try:
            await bring_up_to_date(home, database)
            reached = await SurveyAnswers(database).reached()
            return await questions(database, wanted), reached
        finally:
            await database.close()

    with reading(project) as reader:
        try:
            found, reached = asyncio.run(read())
        except CentralitaError as failure:
            fail(str(failure))
        except (SQLAlchemyError, OSError, TimeoutError) as failure:
            fail(f"the SQL database does not answer ({type(failure).__name__}): start it; no answer is lost")
        return found, max(0, reader.last_seq() - reached)


def _check_names(configuration: Configuration, tenant: str, queue: str, agent: str) -> None:
    """Nothing was found: perhaps nobody is called so."""
    routing = configuration.routing
    for kind, name, known in (("queue", queue, routing.queues), ("agent", agent, routing.agents)):
        names = sorted({known_name for owner, known_name in known if tenant in ("", owner)})
        if name and name not in names:
            shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
            fail(f"no {kind} '{name[:40]}' is configured, and no survey of that time names it; there are: {shown}", 2)


def _table(question: Question, by: By, several: bool) -> Table:
    from rich.markup import escape
    from rich.table import Table

    scores = range(1, 6) if question.kind == "csat" else ()
    tenant = f"{question.tenant}/" if several else ""
    title = f"{tenant}{question.survey}: {question.question} ({_SCALES.get(question.kind, question.kind)})"
    table = Table(title=escape(title), box=None, title_justify="left", pad_edge=False)
    table.add_column(by)
    for name in ("asked", "rate", "answers", *_heads(question.kind), "95%", *map(str, scores)):
        table.add_column(name, justify="right", no_wrap=True)
    for name, opinions in question.groups.items():
        table.add_row(escape(name or _NOBODY[by]), *_cells(opinions, scores))
    table.add_row("all", *_cells(question.total, scores), style="bold")
    return table


def _heads(kind: str) -> tuple[str, ...]:
    if kind == "nps":
        return "9-10", "7-8", "0-6", "NPS"
    return ("yes",) if kind == "yes_no" else ("mean", "satisfied")


def _cells(opinions: Opinions, scores: Sequence[int]) -> tuple[str, ...]:
    rate, value, interval = opinions.response_percent, opinions.value, opinions.interval
    cells = [str(opinions.asked), "" if rate is None else f"{rate:.0f}%", str(opinions.answers)]
    if opinions.kind == "nps":
        middle = opinions.answers - opinions.promoters - opinions.detractors
        cells += [str(opinions.promoters), str(middle), str(opinions.detractors)]
        cells.append("" if value is None else f"{value:+.0f}")
        cells.append("" if interval is None else f"{interval[0]:+.0f} to {interval[1]:+.0f}")
    else:
        if opinions.kind != "yes_no":
            cells.append("" if opinions.mean is None else f"{opinions.mean:.2f}")
        cells.append("" if value is None else f"{value:.0f}%")
        cells.append("" if interval is None else f"{interval[0]:.0f} to {interval[1]:.0f}%")
    return (*cells, *(str(opinions.scores[score]) for score in scores))


def _given(total: Opinions) -> str:
    """Every score from 0 to 10 would be too many columns."""
    return "answers: " + "  ".join(f"{score}: {times}" for score, times in sorted(total.scores.items()))


def _notes(found: Sequence[Question], behind: int) -> list[str]:
    notes = [] if found else ["nobody was asked in this time"]
    if unasked := sum(question.total.unasked for question in found):
        before = "from before the journal said who was asked: in every figure but asked and rate"
        notes.append(f"{counted(unasked, 'answer')} {before}")
    if behind:
        late = f"the tables are {counted(behind, 'event')} behind the journal: they catch up while the center runs"
        notes.append(f"[yellow]{late}[/]")
    return notes
