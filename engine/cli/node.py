"""`centralita node`: the site's other Asterisks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json, print_problems

app = typer.Typer(help="The site's other Asterisks.", no_args_is_help=True)


@app.callback()
def node() -> None:
    """The site's other Asterisks."""


@app.command("list")
def nodes(project: ProjectOption = None, json: JsonOption = False) -> None:
    """The site's Asterisks, and what callers and emergency calls get at each while the engine is away.

    Without an engine a node reaches its own phones and trunks alone: `overflow` and `emergency_trunk` of a node in
    config/site.yaml say which. Exit code 2 when the configuration has errors.
    """
    from engine.config.absence import absence_at
    from engine.config.loader import load
    from engine.config.sources import read_sources

    loaded = load(read_sources(home_of(project).project))
    configuration = loaded.configuration
    if configuration is None:
        print_problems(loaded.problems.errors)
        fail("the configuration has errors")
    site, absence = configuration.site, configuration.site.absence
    rows: list[dict[str, Any]] = []
    for name, where in [(site.site, ""), *((remote.node, f"{remote.host}:{remote.port}") for remote in site.nodes)]:
        at = absence_at(configuration, name)
        phones, trunks = (
            sorted(each for each, thing in things.items() if (thing.node or site.site) == name)
            for things in (configuration.devices, configuration.trunks)
        )
        overflow = at.overflow.model_dump(exclude_none=True) if at.overflow else None
        rows.append(
            {
                "node": name,
                "ari": where,
                "phones": phones,
                "trunks": trunks,
                "hold_s": absence.retry_s * absence.tries,
                "apology": absence.apology,
                "overflow": overflow,
                "emergency_trunks": list(at.emergency_trunks),
                "emergency_numbers": list(configuration.emergency.numbers) if at.emergency_trunks else [],
            }
        )
    if json:
        print_json(rows)
        return
    table = Table(title="While the engine is away", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("node", "phones", "trunks", "new callers", "then", "emergency"):
        table.add_column(column, overflow="fold")
    for row in rows:
        to = row["overflow"]
        number = f" {to['number']}" if to and "number" in to else ""
        then = f"apology, then {to['endpoint']}{number}" if to else "apology, then the end"
        numbers = ", ".join(row["emergency_numbers"])
        help_ = f"{numbers} over {', then '.join(row['emergency_trunks'])}" if numbers else "[red]none[/]"
        counts = (str(len(row[kind])) for kind in ("phones", "trunks"))
        table.add_row(row["node"], *counts, f"{row['hold_s']} s music", then, help_)
    out.print(table)
    out.print(f"callers already with the engine leave it for the same after {absence.overflow_after_s:g} s")


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(help="A node of config/site.yaml.", show_default=False)],
    to: Annotated[Path, typer.Option(help="The file to write; its passwords are in it: mode 0600.")],
    project: ProjectOption = None,
) -> None:
    """Write what another node runs on: its phones, trunks, relays and passwords.

    Take the file to that machine and run `python -m telephony.node run FILE` there; after a change export again, and
    send that program a HUP.
    """
    from pydantic import ValidationError

    from engine.config.loader import load
    from engine.config.sources import read_sources
    from engine.home import SecretBox
    from engine.node_settings import remote_node_settings

    home = home_of(project)
    loaded = load(read_sources(home.project))
    if loaded.configuration is None:
        print_problems(loaded.problems.errors)
        fail("the configuration has errors")
    home.prepare()
    try:
        settings = remote_node_settings(loaded.configuration, name, SecretBox(home.state / "secrets.json"))
    except KeyError:
        known = ", ".join(remote.node for remote in loaded.configuration.site.nodes) or "none"
        fail(f"there is no node '{name}' under `nodes` in config/site.yaml (there: {known})")
    except (ValidationError, ValueError) as misfit:
        fail(f"config/site.yaml, node {name}: {misfit}")
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(settings.model_dump_json(indent=1))
    except OSError as failure:
        fail(f"{to} cannot be written: {failure.strerror}")
    if settings.overflow is None or settings.emergency is None:
        out.print("what callers get there while the engine is away: [bold]centralita node list[/]")
    out.print(f"{to}: {len(settings.devices)} phones, {len(settings.trunks)} trunks, {len(settings.relays)} relays")
