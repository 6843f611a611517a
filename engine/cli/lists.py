"""`centralita lists`: bring lists of leads in, look at them, take them out."""

from __future__ import annotations

import json as jsons
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from engine.cli.common import JsonOption, ProjectOption, counted, err, fail, home_of, out, print_json
from engine.cli.tenants import check_tenant

if TYPE_CHECKING:
    from core.list_store import ImportJob
    from desk.lists.preview import Preview
    from engine.cli.lists_open import Place
    from engine.home import Home

app = typer.Typer(help="Lists of leads: bring them in, look at them, take them out.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="CSV (any encoding and separator), XLSX, XLS or ODS.")]
TenantOption = Annotated[str, typer.Option(help="Whose list.")]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="WHAT=COLUMN",
        help="What a column is: `phone=Teléfono`, `phone:mobile=Móvil` (several phones), `name`, `first_name`, "
        "`last_name`, `external_id`, `time_zone`, `region`, `country`, `language`, `basis`, `consent`, `proof`, "
        "`priority`, `rank`, `field:balance=Saldo`, `ignore=Notas`. Columns that are not named are guessed; `preview` "
        "shows how.",
    ),
]
CountryOption = Annotated[str, typer.Option(help="Of numbers without a country code; the site's unless told.")]
EncodingOption = Annotated[str, typer.Option(help="`utf-8`, `latin-1`, `utf-16`; found out unless told.")]
DelimiterOption = Annotated[str, typer.Option(help="Between cells; found out unless told.")]
SheetOption = Annotated[str, typer.Option(help="Of a spreadsheet; the first unless told.")]
HeaderOption = Annotated[
    int | None, typer.Option("--header-row", help="The row with the headers; 0: none. Found out unless told.")
]
LanguageOption = Annotated[
    str,
    typer.Option(help="`es` or `en`, unless told: of what is shown, and of the reasons beside refused rows."),
]


@app.command("preview")
def preview(
    file: FileArgument,
    map_: MapOption = None,
    country: CountryOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    sheet: SheetOption = "",
    header_row: HeaderOption = None,
    language: LanguageOption = "",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an import would make of a file: its columns, its first leads, what it would refuse. Changes nothing."""
    from engine.cli.lists_open import carried_out

    home = home_of(project)
    how = _reading(encoding, delimiter, sheet, header_row)
    shown = carried_out(home, lambda place: _previewed(place, file, "main", "preview", map_, country, language, how))
    _show(shown, json, language)
    if shown.problems:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: FileArgument,
    list_: Annotated[str, typer.Option("--list", help="The list's id; a new one is made.")],
    campaign: Annotated[str, typer.Option(help="Whose list; that of config/campaigns/ unless told.")] = "",
    map_: MapOption = None,
    country: CountryOption = "",
    duplicates: Annotated[
        str, typer.Option(help="Who is in this list already: `update` her fields, `skip`, or `allow` her twice.")
    ] = "update",
    elsewhere: Annotated[str, typer.Option(help="Who is in another list: `allow`, `skip` or `update`.")] = "allow",
    same: Annotated[
        str, typer.Option(help="By what two are the same: `number`, `id`, or `number,id`; the id, if there is one.")
    ] = "",
    listed: Annotated[
        str,
        typer.Option(help="Who is on our do-not-call lists: `block`, `reject` or `keep` (never dialed either way)."),
    ] = "block",
    register: Annotated[
        list[str] | None, typer.Option(help="A national register that counts as such a list; others are only counted.")
    ] = None,
    basis: Annotated[str, typer.Option(help="On what ground people are called, where no column says so.")] = "none",
    consent: Annotated[str, typer.Option(help="When they consented, where no column says so: 2026-11-22.")] = "",
    proof: Annotated[str, typer.Option(help="The record of that consent.")] = "",
    priority: Annotated[int, typer.Option(help="Higher goes first, where no column says so.")] = 0,
    time_zone: Annotated[str, typer.Option(help="Of all of them; by their numbers unless told.")] = "",
    only_mapped: Annotated[
        bool, typer.Option("--only-mapped", help="Leave columns out that are no known thing.")
    ] = False,
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    sheet: SheetOption = "",
    header_row: HeaderOption = None,
    language: LanguageOption = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Bring a file into a list. The same file again changes nothing; a newer one updates what it says.

    Nobody of it is dialed before all of it is in. Ctrl-C cancels; a killed import goes on with `lists resume`, a wrong
    one goes back with `lists undo`. Rows that are not taken are in a file, each with its reason.
    """
    from engine.cli.lists_import import check_choice, check_list_id, imported

    check_list_id(list_)
    more: dict[str, Any] = {
        "campaign": campaign,
        "duplicates": check_choice("--duplicates", duplicates, ("update", "skip", "allow")),
        "elsewhere": check_choice("--elsewhere", elsewhere, ("allow", "skip", "update")),
        "listed": check_choice("--listed", listed, ("block", "reject", "keep")),
        "registers": tuple(register or ()),
        "basis": basis,
        "consent": consent,
        "proof": proof,
        "priority": priority,
        "time_zone": time_zone,
        "only_mapped": only_mapped,
    }
    if same:
        parts = {check_choice("--same", part.strip(), ("number", "id")) for part in same.split(",")}
        more |= {"same_number": "number" in parts, "same_id": "id" in parts}
    home = home_of(project)
    check_tenant(home, tenant)
    if not campaign:
        more["campaign"] = _campaign_of(home, tenant, list_)
    if not yes and (json or not sys.stdin.isatty()):
        fail("nobody can be asked here: look with `centralita lists preview`, then add --yes", 2)
    how = _reading(encoding, delimiter, sheet, header_row)

    async def work(place: Place) -> ImportJob | None:
        shown = await _previewed(place, file, tenant, list_, map_, country, language, how, **more)
        if shown.problems:
            _show(shown, json, language)
            raise typer.Exit(1)
        if not yes:
            _show(shown, False, language)
            if not typer.confirm(f"\nImport it into the list {list_}?"):
                return None
        job = await place.lists.begin(file.absolute(), shown.plan, shown.table)
        return await imported(place, job, shown.table)

    from engine.cli.lists_open import carried_out

    job = carried_out(home, work)
    if job is not None:
        _finished(home, job, json)


@app.command("resume")
def resume(
    job: Annotated[str, typer.Argument(help="The import, as `lists show` names it.")],
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Go on with an import that was killed, cancelled, or lost its database, from the row it stopped at."""
    from engine.cli.lists_import import resumed
    from engine.cli.lists_open import carried_out

    home = home_of(project)
    _finished(home, carried_out(home, lambda place: resumed(place, tenant, job)), json)


async def _previewed(
    place: Place,
    file: Path,
    tenant: str,
    list_id: str,
    wishes: list[str] | None,
    country: str,
    language: str,
    reading: dict[str, Any],
    **more: Any,
) -> Preview:
    from engine.cli.lists_import import check_choice, check_country, read_wishes

    return await place.lists.preview(
        file,
        tenant,
        list_id,
        wishes=read_wishes(wishes or []),
        country=check_country(country or place.country),
        words=check_choice("--language", language or "en", ("es", "en")),
        reading=reading,
        **more,
    )


def _reading(encoding: str, delimiter: str, sheet: str, header_row: int | None) -> dict[str, Any]:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(delimiter) > 1:
        fail("--delimiter is one character, or `tab`", 2)
    return {"encoding": encoding, "delimiter": delimiter, "sheet": sheet, "header_row": header_row}


def _campaign_of(home: Home, tenant: str, list_id: str) -> str:
    """The campaign that names this list; empty when none does, or the configuration has errors."""
    from engine.config.loader import load
    from engine.config.sources import read_sources

    configuration = load(read_sources(home.project)).configuration
    return configuration.campaigns.of_list.get((tenant, list_id), "") if configuration else ""


def _show(shown: Preview, json: bool, language: str) -> None:
    """`language`: empty for that of the commands."""
    from desk.words import translated
    from engine.cli.lists_view import preview_page

    if json:
        print_json(shown.plain())
    else:
        out.print(preview_page(shown, "es" if language == "es" else "en"))
        for problem in shown.problems:
            err.print(Text(translated(problem, language) if language else problem, style="bold red"))


def _finished(home: Home, job: ImportJob, json: bool) -> None:
    from engine.cli.lists_view import job_plain, tally_line

    rejects = home.state / "imports" / f"{job.job_id}.csv"
    if json:
        print_json({**job_plain(job), "rejects": str(rejects)})
    else:
        out.print(tally_line(job))
        if job.tally.rejected or job.tally.duplicates or job.tally.left_out:
            lines = job.tally.rejected + job.tally.duplicates
            out.print(f"What was not taken, and why ({counted(lines, 'row')}): {rejects}", soft_wrap=True)
        if not job.tally.added + job.tally.updated + job.tally.unchanged:
            campaign = jsons.loads(job.settings)["plan"]["campaign"]
            out.print(f"Nobody of this file can be called{f' by {campaign}' if campaign else ''}.")
    if not job.tally.added + job.tally.updated + job.tally.unchanged:
        raise typer.Exit(1)
