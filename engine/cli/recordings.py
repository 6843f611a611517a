"""`centralita recordings list | save`: messages and conversations that were kept, and a log of who took them out."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, fail, home_of, out, print_json
from engine.cli.site import site_of

if TYPE_CHECKING:
    from engine.home import Home
    from store.recordings import Recording, Recordings

app = typer.Typer(help="Kept recordings: messages of callers, and conversations.", no_args_is_help=True)

TenantOption = Annotated[str, typer.Option(help="Whose.")]
_LISTENED = "recording.saved"


@app.command("list")
def list_(
    mailbox: Annotated[str, typer.Option(help="`sales`, or `talk.sales` for a queue's conversations.")] = "",
    queue: Annotated[str, typer.Option(help="Conversations of this queue.")] = "",
    agent: Annotated[str, typer.Option(help="Conversations this agent took part in.")] = "",
    interaction: Annotated[str, typer.Option(help="Of this interaction.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 50,
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """The newest first; times are the site's."""
    home = home_of(project)
    with _opened(home) as kept:
        found = kept.find(tenant, mailbox=mailbox, queue=queue, agent_id=agent, interaction_id=interaction, limit=limit)
    if json:
        print_json([_plain(recording) for recording in found])
        return
    if not found:
        out.print("There is no such recording.")
        return
    out.print(_table(found, ZoneInfo(site_of(home).time_zone)))
    if len(found) == limit:
        out.print(f"[dim]The newest {limit}; --limit shows more.[/dim]")


@app.command("save")
def save(
    names: Annotated[list[str], typer.Argument(help="As `recordings list` names them.", metavar="NAME...")],
    to: Annotated[Path, typer.Option("--to", "-o", help="An existing directory.")] = Path(),
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Write recordings as plain WAV files. Who did so is noted in the desk's audit log first."""
    from store.errors import StoreError

    home = home_of(project)
    if not to.is_dir():
        fail(f"{to} is no directory", 2)
    with _opened(home) as kept:
        wanted = [_found(kept, tenant, name) for name in names]
        _note(home, tenant, wanted)
        for recording in wanted:
            target = to / f"{recording.name}.wav"
            try:
                with target.open("xb") as file:
                    file.writelines(kept.content(recording)[1])
            except FileExistsError:
                fail(f"{target} is there already")
            except (StoreError, OSError) as failure:
                target.unlink(missing_ok=True)
                fail(f"{recording.mailbox}/{recording.name}: {failure}")
    out.print(f"{counted(len(wanted), 'recording')} in {to.resolve()}")


@contextmanager
def _opened(home: Home) -> Iterator[Recordings]:
    from store.cipher import ContactCipher
    from store.errors import StoreError
    from store.recordings import Recordings

    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            yield Recordings(home.voicemail, cipher)
    except StoreError as failure:
        fail(str(failure))


def _found(kept: Recordings, tenant: str, name: str) -> Recording:
    mailbox, _, rest = name.rpartition("/")
    if mailbox and (recording := kept.get(tenant, mailbox, rest)) is not None:
        return recording
    return fail(f"there is no recording {name[:200]} of tenant {tenant}: see `centralita recordings list`")


def _note(home: Home, tenant: str, recordings: list[Recording]) -> None:
    """Nothing is taken out unseen."""
    from sqlalchemy.exc import SQLAlchemyError

    from core.errors import CentralitaError
    from desk.audit import Audit
    from engine.clock import AnchoredClock
    from engine.databases import bring_up_to_date, database_url
    from store.sql.accounts import AuditLog
    from store.sql.database import Database

    async def write() -> None:
        database = Database(database_url(home))
        try:
            await bring_up_to_date(home, database)
            audit = Audit(AuditLog(database), AnchoredClock())
            login = f"{getpass.getuser()} (console)"
            rows = [
                audit.entry(None, "", _LISTENED, f"{each.mailbox}/{each.name}", login=login, tenant=tenant)
                for each in recordings
            ]
            await audit.table.add(rows)
        finally:
            await database.close()

    try:
        asyncio.run(write())
    except CentralitaError as failure:
        fail(str(failure))
    except (SQLAlchemyError, OSError) as failure:
        fail(f"the audit log cannot be written ({type(failure).__name__}), so nothing is taken out: start the database")


def _table(recordings: list[Recording], zone: ZoneInfo) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for column in ("when", "what", "caller"):
        table.add_column(column, overflow="fold")
    for each in recordings:
        caller = "[dim]forgotten[/dim]" if each.forgotten else escape(each.labels.get("caller", ""))
        when = datetime.fromtimestamp(each.at_s, zone).strftime("%b %d %H:%M %Z")
        what = " ".join(filter(None, (each.queue, ", ".join(each.agents)))) or each.kind
        what += "" if each.sound is not None or each.forgotten else ", no sound"
        table.add_row(f"{each.mailbox}/{each.name}", when, what, caller)
    return table


def _plain(recording: Recording) -> dict[str, Any]:
    return {
        "name": f"{recording.mailbox}/{recording.name}",
        "at_s": recording.at_s,
        "kind": recording.kind,
        "interaction_id": recording.interaction_id,
        "queue": recording.queue,
        "agents": list(recording.agents),
        "labels": dict(recording.labels),
        "forgotten": recording.forgotten,
        "sound": recording.sound is not None,
    }
