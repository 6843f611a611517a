"""`centralita demo`: a real call you can watch, and a page to look at afterwards."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from engine.cli.common import CANNOT_START, ProjectOption, fail, home_of, out

_STYLES = {
    "node": "bold cyan",
    "hears": "green",
    "presses": "bold yellow",
    "engine": "bold red",
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
    "records": "recording",
    "why": "because",
    "phone": "caller says",
    "ends": "call ends",
}


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    project: ProjectOption = None,
    page: Annotated[Path, typer.Option(help="Where the page goes.")] = Path("demo.html"),
) -> None:
    """Call the shipped reception with a real SIP phone, and kill the engine halfway. Takes about two minutes.

    Everything runs on this machine, on ports nobody uses, and is gone afterwards; the page stays.
    """
    try:
        from engine.demo import call, stage
        from engine.demo import page as pages
    except ImportError as failure:
        fail(f"the demo needs the softphone: pip install 'centralita[phone]' ({failure})", CANNOT_START)
    from engine.demo.watch import Beat
    from telephony.node.errors import NodeError

    home = stage.build(home_of(project).project, home_of(project).state / "demo")
    began_s = time.time()

    def tell(beat: Beat) -> None:
        if not beat.text:
            return
        line = Text(f"{beat.at_s - began_s:6.1f} s  ", style="dim")
        line.append(f"{_WORDS[beat.kind]:>14}  ", style=_STYLES[beat.kind])
        line.append(beat.text, style=_STYLES[beat.kind] if beat.kind == "engine" else "default")
        out.print(line)

    def step(text: str) -> None:
        out.print(Text(f"{time.time() - began_s:6.1f} s  {text}", style="dim"))

    try:
        shown = asyncio.run(call.play(home, tell, step))
    except (NodeError, OSError, TimeoutError) as failure:
        fail(f"{failure}\nlogs: {home.logs}", CANNOT_START)
    with out.status("recognising what the caller heard"):
        text = pages.recognised(shown.wav)
    out.print(Text("recognised: ", style="bold").append(text, style="italic"))
    pages.write(shown, text, page)
    out.print(f"the engine was away for [bold]{shown.away_s:.1f} s[/]; the caller went on")
    out.print(f"see and hear it: [bold]{page.resolve()}[/]")
