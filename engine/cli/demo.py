"""`centralita demo`: a real call you can watch, and a page to look at afterwards."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from engine.cli.common import CANNOT_START, ProjectOption, fail, grid, home_of, out

_STYLES = {
    "node": "bold cyan",
    "hears": "green",
    "presses": "bold yellow",
    "engine": "bold red",
    "queue": "bold blue",
    "agent": "bold magenta",
    "records": "magenta",
    "why": "dim",
    "phone": "yellow",
    "ends": "bold",
}
_WORDS = {
    "node": "at",
    "hears": "caller hears",
    "presses": "caller presses",
    "engine": "ENGINE",
    "queue": "queue",
    "agent": "agent",
    "records": "recording",
    "why": "because",
    "phone": "caller says",
    "ends": "leg ends",
}


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    project: ProjectOption = None,
    page: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("demo.html"),
) -> None:
    """A caller, a menu, a queue, an agent, a survey, with two real SIP phones; the engine is killed halfway.

    Takes under two minutes.
    Everything runs on this machine, on ports nobody uses, and is gone afterwards; the page stays. Exit code 1 when what
    was heard, the way the caller was led or what is written down of her is not what it should be; 5 when it cannot be
    played at all.
    """
    from engine import fork_server

    fork_server.warm_up()
    try:
        from engine import log as logs
        from engine.demo import call, check, stage
        from engine.demo import page as pages
    except ImportError as failure:
        fail(f"the demo needs the softphone: pip install 'centralita[phone]' ({failure})", CANNOT_START)
    from engine.demo.watch import Beat
    from telephony.node.errors import NodeError

    home = stage.build(home_of(project).project, home_of(project).state / "demo")
    home.prepare()
    logs.configure(home.logs / "supervisor.log")
    began_s = time.time()

    def tell(beat: Beat) -> None:
        if not beat.text:
            return
        style = _STYLES[beat.kind]
        told = Text(beat.text, style=style if beat.kind in ("engine", "why") else "")
        narrate(beat.at_s, Text(f"{_WORDS[beat.kind]:>14}", style=style), told)

    def step(text: str) -> None:
        narrate(time.time(), Text(" " * 14), Text(text, style="dim"))

    def narrate(at_s: float, who: Text, what: Text) -> None:
        line = grid()
        line.add_row(Text(f"{at_s - began_s:6.1f} s", style="dim"), who, what)
        out.print(line)

    try:
        shown = asyncio.run(call.play(home, tell, step))
    except (NodeError, OSError, TimeoutError) as failure:
        fail(f"{failure}\nlogs: {home.logs}", CANNOT_START)
    with out.status("recognising what they heard"):
        caller, agent = pages.recognised(shown.wav), pages.recognised(shown.agent_wav)
    pages.write(shown, caller, agent, page)
    out.print()
    for who, text in (("the caller", caller), ("the agent", agent)):
        out.print(Text(f"What a machine understood of what {who} heard:", style="bold"))
        out.print(Padding(Text(text if text is not None else pages.NOT_RECOGNISED, style="italic"), (0, 0, 0, 2)))
    out.print(f"The engine was away for [bold]{shown.away_s:.1f} s[/]; the caller kept her place.")
    out.print(Text.assemble("See and hear it: ", (str(page.resolve()), "bold")), soft_wrap=True)
    hears = (*check.CALLER_HEARS, call.AGENT_SAYS)
    if missed := check.misses(caller, agent, hears, (call.CALLER_SAYS,), shown.path, shown.beats):
        fail("\n".join((*missed, f"logs: {home.logs}")))
