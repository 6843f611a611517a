"""`centralita dnc`: numbers that nobody calls; ours, and those of national registers."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, err, fail, home_of, out, print_json
from engine.cli.tenants import check_tenant

if TYPE_CHECKING:
    from core.dialing import NumberListed
    from desk.lists.numbers_file import NumbersRead
    from engine.cli.lists_open import Place

app = typer.Typer(help="Numbers that nobody calls: our own, and national registers.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option(help="Whose list.")]
CampaignOption = Annotated[str, typer.Option(help="Of this campaign alone; of all unless told.")]
NumbersArgument = Annotated[list[str], typer.Argument(help="As `+34612345678`, or as written in the site's country.")]
_AT_ONCE = 1_000


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A number a row: text, CSV or a spreadsheet.")],
    register: Annotated[
        str, typer.Option(help="A national register, as rule packs call it: `es-robinson`. It is replaced whole.")
    ] = "",
    own: Annotated[
        bool, typer.Option("--own", help="The register is one that no rule pack asks for: `lists import` may.")
    ] = False,
    as_of: Annotated[str, typer.Option(help="The day the register is of, 2026-11-20: rules ask how old it is.")] = "",
    campaign: CampaignOption = "",
    column: Annotated[str, typer.Option(help="Which column has the numbers; found out unless told.")] = "",
    country: Annotated[str, typer.Option(help="Of numbers without a country code; the site's unless told.")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Replace a national register by a file; without --register, add the file's numbers to our own list.

    It is in force at once, in the running system too.
    """
    if register and not as_of:
        fail("--as-of DATE is missing: a register counts only for so many days", 2)
    from engine.cli.dnc_registers import check_asked_for
    from engine.cli.lists_open import carried_out

    home = home_of(project)
    check_tenant(home, tenant)
    if register and not own:
        check_asked_for(home, register)

    async def work(place: Place) -> dict[str, Any]:
        read = await _read(file, country or place.country, column)
        if register:
            return await _take_over(place, register, _day(as_of, place), read, file.name)
        return await _add_all(place, tenant, campaign, read, file.name)

    done = carried_out(home, work)
    if json:
        print_json(done)
        return
    out.print(done["said"])
    for line in done["refused"]:
        err.print(f"[yellow]{line}[/]", highlight=False)


@app.command("add")
def add(
    numbers: NumbersArgument,
    campaign: CampaignOption = "",
    why: Annotated[str, typer.Option(help="For the record.")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Nobody calls these numbers any more, from this moment on."""
    _set(project, numbers, tenant, campaign, True, why)


@app.command("remove")
def remove(
    numbers: NumbersArgument,
    campaign: CampaignOption = "",
    why: Annotated[str, typer.Option(help="For the record: what made it lawful.")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """These numbers may be called again: listed by mistake, or somebody consented anew."""
    _set(project, numbers, tenant, campaign, False, why)


@app.command("forget")
def forget(
    register: Annotated[str, typer.Argument(help="A national register.")], project: ProjectOption = None
) -> None:
    """Forget a national register. Campaigns whose rules need it stop."""
    from desk.lists.registers import registers_directory, remove_register
    from engine.cli.lists_open import carried_out, tell

    home = home_of(project)

    async def work(place: Place) -> bool:
        gone = remove_register(registers_directory(home.state), register)
        await tell(home, "", "")
        return gone

    if not carried_out(home, work):
        fail(f"there is no register {register[:40]}: see `centralita dnc show`")
    out.print(f"{register} is forgotten")


@app.command("show")
def show(
    number: Annotated[str, typer.Argument(help="One number: which lists have it.")] = "",
    campaign: CampaignOption = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """The registers at hand and how old they are; or which lists have a number."""
    from desk.lists.registers import registers_directory, usable_registers
    from engine.cli.lists_open import carried_out

    async def work(place: Place) -> dict[str, Any]:
        registers, wrong = usable_registers(registers_directory(place.home.state))
        if number:
            phone = _phone(number, place.country)
            ours = bool(await place.store.listed_among(tenant, [phone], campaign))
            names = [name for name, each in registers.items() if phone in each]
            return {"number": phone, "ours": ours, "registers": names, "wrong": wrong}
        by_campaign: dict[str, int] = {}
        async for listed in place.store.listed():
            if listed.tenant == tenant:
                by_campaign[listed.campaign] = by_campaign.get(listed.campaign, 0) + 1
        about = [
            {"register": n, "numbers": len(r.numbers), "as_of_s": r.as_of_s, "as_of": place.day(r.as_of_s)}
            for n, r in registers.items()
        ]
        return {"registers": about, "ours": by_campaign, "wrong": wrong}

    found = carried_out(home_of(project), work)
    if json:
        print_json(found)
        return
    for line in _shown(found):
        out.print(line, highlight=False)
    for line in found["wrong"]:
        err.print(f"[red]{line}[/]", highlight=False)


def _shown(found: dict[str, Any]) -> list[str]:
    if "number" in found:
        on = (["our own list"] if found["ours"] else []) + list(found["registers"])
        return [f"{found['number']} is on {', '.join(on)}" if on else f"{found['number']} is on no list"]
    lines = [
        f"{each['register']}: {counted(each['numbers'], 'number')}, of {each['as_of']} "
        f"({counted(max(0, round((time.time() - each['as_of_s']) / 86_400)), 'day')} old)"
        for each in found["registers"]
    ]
    for name, number in sorted(found["ours"].items()):
        lines.append(f"{f'campaign {name}' if name else 'our own'}: {counted(number, 'number')}")
    return lines or ["No list yet: `centralita dnc add NUMBER`, or `centralita dnc import FILE --register NAME`."]


def _set(project: Path | None, numbers: list[str], tenant: str, campaign: str, listed: bool, why: str) -> None:
    from core.dialing import NumberListed
    from engine.cli.lists_open import ask_engine, carried_out

    home = home_of(project)
    check_tenant(home, tenant)

    async def work(place: Place) -> list[str]:
        said = [
            NumberListed(tenant, _phone(each, place.country), campaign, listed, "admin", why or "by hand")
            for each in numbers
        ]
        for each in said:
            fields = {"tenant": tenant, "called": each.called, "campaign": campaign, "listed": listed}
            refused = await ask_engine(home, "NumberListed", {**fields, "by": "admin", "why": each.why})
            if refused:
                fail(f"{each.called}: {refused}")
            if refused is None:  # nobody dials now: the next engine reads it
                await place.store.put_listed([each], time.time())
        return [each.called for each in said]

    for each in carried_out(home, work):
        out.print(f"{each} {'is not called any more' if listed else 'may be called again'}")


async def _read(file: Path, country: str, column: str) -> NumbersRead:
    import asyncio

    from rich.progress import Progress

    from desk.lists.numbers_file import read_numbers, why_nothing
    from desk.lists.tables import FileUnusable
    from engine.cli.lists_import import check_country

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bars:
        bar = bars.add_task(file.name)

        def on_progress(_rows: int, at: int, size: int) -> None:
            bars.update(bar, completed=at, total=size or None)

        read = await asyncio.to_thread(read_numbers, file, check_country(country), column, on_progress)
    if not len(read.keys):
        raise FileUnusable(f"{file.name}: {why_nothing(read, 'en')}")
    return read


async def _take_over(place: Place, register: str, as_of_s: float, read: NumbersRead, source: str) -> dict[str, Any]:
    import asyncio

    from desk.lists.registers import registers_directory, write_register
    from engine.cli.lists_open import tell

    directory = registers_directory(place.home.state)
    made = await asyncio.to_thread(write_register, directory, register, read.keys, as_of_s, time.time(), source)
    await tell(place.home, "", "")
    said = f"{register} has {counted(made.numbers, 'number')} now, of {place.day(as_of_s)}"
    return {"register": register, "numbers": made.numbers, "said": said, "refused": _refused(read)}


async def _add_all(place: Place, tenant: str, campaign: str, read: NumbersRead, source: str) -> dict[str, Any]:
    from core.dialing import NumberListed
    from engine.cli.lists_open import tell

    changed = 0
    for start in range(0, len(read.keys), _AT_ONCE):
        keys = read.keys[start : start + _AT_ONCE].tolist()
        said: list[NumberListed] = [NumberListed(tenant, f"+{key}", campaign, True, "admin", source) for key in keys]
        changed += await place.store.put_listed(said, time.time())
    await tell(place.home, tenant, campaign)
    said_so = f"{counted(changed, 'number')} more on our do-not-call list"
    return {"added": changed, "said": said_so, "refused": _refused(read)}


def _refused(read: NumbersRead) -> list[str]:
    total = sum(read.refused.values())
    head = [f"{counted(total, 'row')} left out:"] if total else []
    return head + [f"  row {row}: {why.say('en')}" for row, why in read.examples[:6]]


def _day(text: str, place: Place) -> float:
    """The beginning of that day at the site: a register is never taken for younger than it is."""
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--as-of {text[:40]}: write the day like 2026-11-20", 2)
    at_s = (day if day.tzinfo else day.replace(tzinfo=ZoneInfo(place.time_zone))).timestamp()
    if at_s > time.time():
        fail(f"--as-of {text[:40]} lies in the future", 2)
    return at_s


def _phone(text: str, country: str) -> str:
    from dialer.importing.phones import Phone, PhoneReader

    found = PhoneReader(country).read(text)
    return found.number if isinstance(found, Phone) else fail(found.say("en"), 2)
