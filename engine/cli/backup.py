"""`centralita backup` and `centralita restore`: a copy of all that cannot be made again, and back."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from engine.cli.common import JsonOption, ProjectOption, err, fail, home_of, out, print_json

if TYPE_CHECKING:
    from engine.backup import Manifest
    from engine.home import Home

_PARTS = {
    "database": "journal, keys, accounts, leads",
    "secret": "master key and passwords",
    "recording": "recordings",
    "configuration": "configuration and flows",
}


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[
        Path | None, typer.Argument(help="The archive to write; else `centralita-<UTC>.tar` here.", show_default=False)
    ] = None,
    recordings: Annotated[bool, typer.Option(help="Kept messages and conversations, which may be most of it.")] = True,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Copy all that cannot be made again into one file, while calls go on.

    The journal and its keys, accounts and audit log, lists and leads, secrets, recordings, configuration and flows. Who
    has the file can read everything in it: keep it as you keep the keys of the house. A PostgreSQL database is not in
    it; its own tools copy that.
    """
    from engine.backup import BackupFailed, take

    home = home_of(project)
    to = (file or Path(f"centralita-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar")).absolute()
    elsewhere = _elsewhere(home)
    try:
        with _bar("copying") as told:
            made = take(home, to, elsewhere, recordings, told)
    except BackupFailed as failure:
        fail(str(failure))
    if json:
        print_json({"file": str(to), **_told(made)})
        return
    out.print(_table(made))
    out.print(f"{decimal(made.size)} in {to}. Who has it can read everything in it.", soft_wrap=True)
    for database in made.elsewhere:
        out.print(f"Not in it: {database}. Copy that with pg_dump.", style="yellow", soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(help="What `centralita backup` wrote.", show_default=False)],
    configuration: Annotated[
        bool,
        typer.Option(
            "--configuration",
            help="Put `config/`, `flows/` and `tenants/` back too; those that are there stay as `config.before-...`. "
            "It may also fill an empty directory, given by --project.",
        ),
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Put a backup into an empty state directory. Everything is checked first; nothing that is there is overwritten.

    Where: in a project, such as a fresh clone, whose `config/` says where everything is; or, on a new machine,
    `centralita restore FILE --configuration --project DIR` with a directory that is empty or not there yet.

    What happened since the backup is gone, do-not-call requests and dialed leads included: look at running campaigns
    before you start them again.
    """
    from engine.backup import BackupFailed
    from engine.restore import put_back

    home = _to_fill(project, configuration)
    try:
        with _bar("checking and restoring") as told:
            made = put_back(file, home, configuration, told)
    except BackupFailed as failure:
        fail(str(failure))
    if json:
        print_json({"state": str(home.state), **_told(made)})
        return
    out.print(_table(made))
    told_at = datetime.strptime(made.made_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    was = f"{home.state} is as it was on {told_at:%Y-%m-%d at %H:%M:%S} UTC"
    out.print(f"{was}. Start it: {_up(project)}", soft_wrap=True, markup=False)
    for database in made.elsewhere:
        out.print(f"Not in it: {database}. Restore that with its own tools.", style="yellow", soft_wrap=True)


def _to_fill(project: Path | None, configuration: bool) -> Home:
    """The project to restore; an empty directory becomes one when its configuration is to come back too."""
    from engine.home import Home

    try:
        return Home.find(project)
    except FileNotFoundError as failure:
        if project is None:
            fail(f"{failure}; or fill an empty directory: --configuration --project DIR", 2)
        # A state directory in it, left by a try that failed, is looked at on its own.
        if project.is_dir() and any(each.name != "var" for each in project.iterdir()):
            fail(str(failure), 2)
        if not configuration:
            fail(f"{failure}: add --configuration to put that back too", 2)
        try:
            project.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"{project}: {error.strerror}", 2)
        return Home.at(project)


def _up(project: Path | None) -> str:
    """The command that starts what was restored, from here."""
    state, where = os.environ.get("CENTRALITA_STATE"), ["--project", str(project)] if project else []
    prefix = f"CENTRALITA_STATE={shlex.quote(state)} " if state else ""
    return prefix + shlex.join(["centralita", "up", *where])


def _elsewhere(home: Home) -> tuple[str, ...]:
    """Databases that are not in the state directory, without their passwords."""
    from sqlalchemy.engine import make_url

    from engine.databases import DatabaseUnknown, database_url, leads_url

    try:
        urls = sorted({database_url(home), leads_url(home)} - {home.database_url, home.leads_url})
    except DatabaseUnknown as failure:
        fail(str(failure))
    return tuple(make_url(url).render_as_string(hide_password=True) for url in urls)


@contextmanager
def _bar(words: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn(words), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _table(made: Manifest) -> Table:
    table = Table("what", "files", "size")
    for part, words in _PARTS.items():
        sizes = [file.bytes for file in made.files if file.part == part]
        table.add_row(words, str(len(sizes)), decimal(sum(sizes)))
    return table


def _told(made: Manifest) -> dict[str, object]:
    return {
        "made_at": made.made_at,
        "bytes": made.size,
        "files": dict(Counter(file.part for file in made.files)),
        "elsewhere": list(made.elsewhere),
    }
