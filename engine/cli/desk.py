"""`centralita desk link`: a way into the desk for whoever may read the state directory."""

from __future__ import annotations

import typer

from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json

app = typer.Typer(help="The desk: pages for agents, supervisors and admins.", no_args_is_help=True)


@app.callback()
def desk() -> None:
    """The desk: pages for agents, supervisors and admins."""


@app.command("link")
def link(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Print a link that makes an admin's account: it works once, for a day, and replaces the one before.

    For when the last admin has forgotten the password, or the first one's link has expired.
    """
    from desk import settings
    from desk.first_admin import HOLDS_S, FirstAdmin
    from engine.clock import AnchoredClock

    state = home_of(project).state
    if not (state / settings.FILE).exists():
        fail("the desk has not been started here yet: `centralita up` starts it and prints the first admin's link")
    try:
        made = FirstAdmin(state, settings.Settings.read(state).address).make(AnchoredClock().now_s())
    except settings.NotSetUp as failure:
        fail(str(failure))
    except OSError as failure:
        fail(f"{failure.filename} cannot be written ({failure.strerror}): run this as the user Centralita runs as")
    if json:
        print_json({"link": made, "holds_s": HOLDS_S})
        return
    # Whole, however narrow the terminal: it is there to be copied.
    out.print(made, soft_wrap=True, markup=False)
