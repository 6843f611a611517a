"""All commands on one tree. Heavy rooms are imported by the command that needs them, so `--help` is instant."""

from __future__ import annotations

import sys

import typer

from engine.cli import (
    agents,
    amd,
    backup,
    campaign,
    check,
    demo,
    desk,
    dnc,
    doctor,
    flow,
    journal,
    lists_show,
    move_data,
    node,
    recordings,
    replay,
    report,
    service,
    simulate,
    watch,
    welcome,
)
from engine.cli.common import WRONG, err
from engine.cli.lazy import phone_app

app = typer.Typer(
    name="centralita",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="An open contact center on Asterisk.\n\n"
    "Start with `centralita doctor`, then `centralita up`; write flows under `flows/`, try them with "
    "`centralita flow try NAME`, and load them into the running system with `centralita reload`.",
    epilog="Exit codes: 0 done, 1 something is wrong with what was asked about, 2 wrong usage, 3 nothing runs here, "
    "4 it runs already, 5 it could not start.",
    pretty_exceptions_enable=False,
)
service.register(app)
welcome.register(app)
check.register(app)
journal.register(app)
backup.register(app)
move_data.register(app)
replay.register(app)
watch.register(app)
doctor.register(app)
demo.register(app)
campaign.register(app)
app.add_typer(agents.app, name="agents")
app.add_typer(amd.app, name="amd")
app.add_typer(desk.app, name="desk")
app.add_typer(dnc.app, name="dnc")
app.add_typer(flow.app, name="flow")
app.add_typer(lists_show.app, name="lists")
app.add_typer(node.app, name="node")
app.add_typer(recordings.app, name="recordings")
app.add_typer(simulate.app, name="simulate")
app.add_typer(report.app, name="report")
app.add_typer(phone_app(), name="phone")


def main() -> None:
    try:
        app()
    except PermissionError as failure:
        from engine.cli.belongings import whose

        err.print(whose(failure), style="bold red", markup=False, soft_wrap=not err.is_terminal)
        sys.exit(WRONG)
