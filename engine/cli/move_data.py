"""`centralita move-data`: from the files of the state directory into the database that config/site.yaml names."""

from __future__ import annotations

import asyncio

import typer

from engine.cli.common import RUNS_ALREADY, JsonOption, ProjectOption, fail, home_of, out, print_json


def register(app: typer.Typer) -> None:
    app.command("move-data")(move_data)


def move_data(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Move accounts, audit log, lists, leads and do-not-call into the database that config/site.yaml names.

    For when `database:` was written there after work began: they are in files of the state directory then, which nobody
    reads any more. Nothing may run; all of it is moved or nothing, and only into tables that are empty. The files stay,
    with `.moved` after their names. Reports are made again from the journal, as far back as it goes.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from engine import started
    from engine.databases import DatabaseUnknown, database_url
    from engine.left_data import MOVED, files
    from store.errors import StoreError
    from store.sql.moving import move

    home = home_of(project)
    if started.is_up(home):
        fail(f"Centralita runs on {home.state}: stop it first", RUNS_ALREADY)
    try:
        to = database_url(home)
    except DatabaseUnknown as failure:
        fail(str(failure))
    if to == home.database_url:
        fail("config/site.yaml names no other database: write `database: postgresql://…` there first")
    if not any(file.exists() for file in files(home)):
        fail(f"there is nothing to move: no dialer.db and no centralita.db in {home.state}")
    try:
        moved = asyncio.run(move(home.database_url, home.leads_url, to))
    except StoreError as failure:
        fail(str(failure))
    except (SQLAlchemyError, OSError) as failure:
        fail(f"a database does not answer or refused: {type(failure).__name__}; nothing was moved. Is it there?")
    for file in files(home):
        if file.exists():
            file.replace(file.with_name(file.name + MOVED))
    if json:
        print_json(moved)
        return
    for table, rows in moved.items():
        if rows:
            out.print(f"{table}: {rows}")
    out.print("moved; everybody logs in to the desk again. Start it: centralita up", markup=False)
