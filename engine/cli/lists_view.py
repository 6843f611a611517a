"""Lists and imports as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from core.list_store import ImportJob, ImportState, LeadList
from dialer.importing.reasons import Language

if TYPE_CHECKING:
    from desk.lists.preview import Preview
    from desk.lists.service import ShownList

_TALLY = ("added", "updated", "unchanged", "duplicates", "rejected", "blocked", "national", "left_out")
_WORDS = {
    "duplicates": "duplicates left out",
    "blocked": "on our do-not-call lists",
    "national": "on a national register",
    "left_out": "numbers left out",
}
_FOR_ONE = {"duplicates": "duplicate left out", "left_out": "number left out"}


_IN_SPANISH = {
    "sheet {sheet}": "hoja {sheet}",
    "{encoding}, separated by {delimiter}": "{encoding}, separado por {delimiter}",
    "headers in row {row}": "cabeceras en la fila {row}",
    "no row of headers": "sin fila de cabeceras",
    "column": "columna",
    "is": "es",
    "for example": "por ejemplo",
    "The first leads": "Los primeros contactos",
    "name": "nombre",
    "numbers": "números",
    "time zone": "zona horaria",
    "ground": "base",
    "fields": "campos",
    "or": "o",
    "Of the first {rows} rows {taken} would become leads.": "De las primeras {rows} filas, {taken} serían contactos.",
    "row {row}": "fila {row}",
}


def preview_page(shown: Preview, language: Language) -> Group:
    """All of it in one language, but for what `--map` calls columns."""

    def say(phrase: str, **values: object) -> str:
        return (_IN_SPANISH[phrase] if language == "es" else phrase).format(**values)

    shape = shown.table.shape
    separated = "{encoding}, separated by {delimiter}"
    how = (
        say("sheet {sheet}", sheet=shape.sheet)
        if shape.kind == "sheet"
        else say(separated, encoding=shape.encoding, delimiter=repr(shape.delimiter))
    )
    header = say("headers in row {row}", row=shape.header_row) if shape.header_row else say("no row of headers")
    columns = Table(box=None, title=f"{how}; {header}", title_justify="left")
    for name in ("", say("column"), say("is"), say("for example")):
        columns.add_column(name, overflow="fold")
    for column in shown.plain()["columns"]:
        target = column["target"] + (f":{column['label']}" if column["label"] else "")
        style = "dim" if column["target"] == "ignore" else "" if column["target"] == "field" else "bold"
        samples = " · ".join(text for text in column["samples"] if text.strip())[:60]
        columns.add_row(str(column["index"] + 1), Text(column["header"]), Text(target, style), Text(samples, "dim"))
    parts: list[Any] = [columns]
    if shown.leads:
        leads = Table(box=None, title=f"\n{say('The first leads')}", title_justify="left")
        for name in ("name", "numbers", "time zone", "ground", "fields"):
            leads.add_column(say(name), overflow="fold")
        for lead in shown.leads:
            numbers = " ".join(f"{each.number} ({each.label})" for each in lead.numbers)
            fields = " ".join(f"{name}={text}" for name, text in lead.fields.items())[:60]
            zone = lead.zone.replace("|", f" {say('or')} ") or "?"
            leads.add_row(Text(lead.name), numbers, zone, lead.basis, Text(fields))
        parts.append(leads)
    if shown.looked_at:
        told = say("Of the first {rows} rows {taken} would become leads.", rows=shown.looked_at, taken=shown.taken)
        parts.append(Text(f"\n{told}"))
    for row, why in shown.examples[:8]:
        place = say("row {row}", row=row) + (f", {why.column}" if why.column else "")
        parts.append(Text(f"  {place}: {why.say(language)}", "yellow"))
    return Group(*parts)


def tally_line(job: ImportJob) -> Text:
    """`12 added, 3 updated, …`: what is not zero, but added always."""
    took_s = (job.finished_s or job.touched_s) - job.started_s
    return Text(f"{job.source} → {job.list_id}: {_counts(job)} (import {job.job_id}, {took_s:.1f} s)")


def _counts(job: ImportJob) -> str:
    numbers = asdict(job.tally)
    told = (name for name in _TALLY if numbers[name] or name == "added")
    return ", ".join(f"{numbers[name]:,} {_word(name, numbers[name])}" for name in told)


def _word(name: str, number: int) -> str:
    return (number == 1 and _FOR_ONE.get(name)) or _WORDS.get(name, name)


def lists_table(lists: Sequence[LeadList]) -> Table:
    table = Table(box=None)
    for name in ("list", "campaign", "last changed"):
        table.add_column(name)
    for each in lists:
        table.add_row(each.list_id, each.campaign or "-", _when(each.changed_s))
    return table


def list_page(shown: ShownList) -> Group:
    about = shown.about
    states = ", ".join(
        f"{number:,} {state.value}" for state, number in sorted(shown.leads.items(), key=lambda e: e[0].value)
    )
    head = Text(f"{about.list_id} of {about.campaign or 'no campaign'}: {states or 'no leads'}")
    table = Table(box=None, title="\nImports", title_justify="left")
    for name in ("import", "began", "state", "what"):
        table.add_column(name, no_wrap=name != "what", overflow="fold")
    for job in shown.jobs:
        state = Text(job.state.value, "" if job.state is ImportState.FINISHED else "yellow")
        what = f"{job.source}: {_counts(job)}" + (f" ({job.why})" if job.why else "")
        table.add_row(job.job_id, _when(job.started_s), state, Text(what))
    return Group(head, table)


def job_plain(job: ImportJob) -> dict[str, Any]:
    """For `--json`."""
    return {
        "job_id": job.job_id,
        "tenant": job.tenant,
        "list_id": job.list_id,
        "source": job.source,
        "state": job.state.value,
        "why": job.why,
        "rows": job.rows,
        "tally": asdict(job.tally),
        "started_s": job.started_s,
        "finished_s": job.finished_s,
    }


def _when(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC).astimezone():%Y-%m-%d %H:%M}"
