"""`centralita node`: the site's other Asterisks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.common import ProjectOption, fail, home_of, out, print_problems

app = typer.Typer(help="The site's other Asterisks.", no_args_is_help=True)


@app.callback()
def node() -> None:
    """The site's other Asterisks."""


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
    out.print(f"{to}: {len(settings.devices)} phones, {len(settings.trunks)} trunks, {len(settings.relays)} relays")
