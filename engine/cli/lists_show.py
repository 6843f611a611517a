"""`centralita lists show | export | undo | cancel | delete`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, fail, home_of, out, print_json
from engine.cli.lists import TenantOption, app

if TYPE_CHECKING:
    from engine.cli.lists_open import Place

__all__ = ["app"]

ListArgument = Annotated[str, typer.Argument(help="The list's id.", metavar="LIST")]
JobArgument = Annotated[str, typer.Argument(help="The import, as `lists show LIST` names it.", metavar="IMPORT")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_ATTRIBUTES = (
    *("lead_id", "external_id", "name", "state", "reason", "outcome", "disposition", "attempts", "not_before"),
    *("numbers", "time_zone", "region", "language", "basis", "consent", "proof", "priority", "rank"),
)


@app.command("show")
def show(
    list_: Annotated[str, typer.Argument(help="One list; all of them unless told.", metavar="LIST")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Every list; or one: its leads by state, and its imports."""
    from engine.cli.lists_open import carried_out
    from engine.cli.lists_view import job_plain, list_page, lists_table

    home = home_of(project)
    if not list_:
        lists = carried_out(home, lambda place: place.lists.lists(tenant))
        if json:
            print_json([{"list_id": each.list_id, "campaign": each.campaign} for each in lists])
        elif lists:
            out.print(lists_table(lists))
        else:
            out.print("There is no list yet: `centralita lists import FILE --list NAME` makes one.")
        return
    shown = carried_out(home, lambda place: place.lists.show(tenant, list_))
    if shown is None:
        fail(f"there is no list {list_[:40]}: see `centralita lists show`")
    if json:
        leads = {state.value: number for state, number in shown.leads.items()}
        about = {"list_id": list_, "campaign": shown.about.campaign, "leads": leads}
        print_json({**about, "imports": [job_plain(job) for job in shown.jobs]})
    else:
        out.print(list_page(shown))


@app.command("export")
def export(
    list_: ListArgument,
    to: Annotated[Path | None, typer.Option("--to", "-o", help="A CSV file; `-`, or nothing: the terminal.")] = None,
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Every lead of a list as CSV: what the list says, how far she is, and her fields in one JSON column."""
    from desk.list_export import harmless
    from engine.cli.lists_open import carried_out

    to = None if to is not None and str(to) == "-" else to

    async def work(place: Place) -> int:
        if await place.lists.show(tenant, list_) is None:
            fail(f"there is no list {list_[:40]}: see `centralita lists show`")
        number = 0
        target = open(to, "w", encoding="utf-8-sig", newline="") if to else sys.stdout  # noqa: ASYNC230, SIM115
        try:
            writer = csv.writer(target)
            writer.writerow([*_ATTRIBUTES, "fields"])
            async for lead in place.lists.leads(tenant, list_):
                writer.writerow(map(harmless, _row(lead)))
                number += 1
        except BrokenPipeError:  # whoever read it has enough
            sys.stderr.close()
            raise typer.Exit(0) from None
        finally:
            if to:
                target.close()
        return number

    number = carried_out(home_of(project), work)
    if to:
        out.print(f"{counted(number, 'lead')} in {to}", soft_wrap=True)


@app.command("cancel")
def cancel(job: JobArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Stop an import, wherever it runs. Nobody of it is dialed until it is resumed and done."""
    from engine.cli.lists_open import carried_out

    carried_out(home_of(project), lambda place: place.lists.cancel(tenant, job))
    out.print(f"cancelled; `centralita lists resume {job}` goes on, `centralita lists undo {job}` takes it back")


@app.command("undo")
def undo(
    job: JobArgument, yes: YesOption = False, tenant: TenantOption = "main", project: ProjectOption = None
) -> None:
    """Take an import back: who it added goes, who it changed is as before. Who was dialed since stays."""
    from engine.cli.lists_open import carried_out

    _sure(yes, f"Take the import {job} back?")
    done = carried_out(home_of(project), lambda place: place.lists.undo(tenant, job))
    out.print(f"{counted(done, 'lead')} gone or as before")


@app.command("delete")
def delete(
    list_: ListArgument, yes: YesOption = False, tenant: TenantOption = "main", project: ProjectOption = None
) -> None:
    """Delete a list with its leads. Attempts stay on record; who is being dialed now stays until she is done."""
    from engine.cli.lists_open import carried_out

    _sure(yes, f"Delete the list {list_} and all its leads?")
    deleted, gone = carried_out(home_of(project), lambda place: place.lists.delete(tenant, list_))
    out.print(f"{counted(deleted, 'lead')} deleted")
    if not gone:
        fail(f"somebody of {list_} is being dialed: delete it again when she is done")


def _sure(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        fail("nobody can be asked here: add --yes", 2)
    typer.confirm(question, abort=True)


def _row(lead: Any) -> Sequence[Any]:
    import json
    from datetime import UTC, datetime

    def when(at_s: float | None) -> str:
        return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds") if at_s else ""

    return [
        *(lead.lead_id, lead.external_id, lead.name, lead.state.value, lead.reason, lead.outcome, lead.disposition),
        *(lead.attempts, when(lead.not_before_s), " ".join(each.number for each in lead.numbers), lead.zone),
        *(lead.region, lead.language, lead.basis, when(lead.consent_s), lead.proof, lead.priority, lead.rank),
        json.dumps(dict(lead.fields), ensure_ascii=False),
    ]
