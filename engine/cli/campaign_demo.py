"""`centralita campaign demo`: forty simulated people dialed for real, told live, and a table that accounts for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from engine.cli.common import CANNOT_START, ProjectOption, fail, grid, home_of, out

if TYPE_CHECKING:
    from engine.demo.campaign import Line, Shown, Tell
    from engine.demo.campaign_stage import Somebody
    from engine.demo.people import People
    from engine.home import Home

    Play = Callable[[Home, list[Somebody], People, Tell], Awaitable[Shown]]

_STYLES = {"engine": "bold red", "agent": "bold magenta", "people": "green", "pacing": "cyan"}


def demo(
    project: ProjectOption = None,
    page: Annotated[Path, typer.Option(help="Where the evidence that the rules were kept goes.")] = Path(
        "demo-campaign.html"
    ),
) -> None:
    """Forty simulated people are really dialed through Asterisk, to three agents on held lines. About two minutes.

    Everything runs on this machine, on ports nobody uses, and is gone afterwards. Exit code 1 when a lead is not
    accounted for, or more calls were abandoned than the rules allow.
    """
    try:
        from engine.demo import campaign_stage
        from engine.demo.campaign import play
    except ImportError as failure:
        fail(f"the demo needs the softphone: pip install 'centralita[phone]' ({failure})", CANNOT_START)
    from engine.cli.campaign_results import evidence_of
    from telephony.node.errors import NodeError

    home = home_of(project)
    began_s = time.time()

    def tell(who: str, what: str) -> None:
        line = grid()
        style = _STYLES[who]
        line.add_row(Text(f"{time.time() - began_s:6.1f} s", style="dim"), Text(f"{who:>8}", style=style), Text(what))
        out.print(line)

    try:
        stage, shown = asyncio.run(_played(home, tell, play))
    except (NodeError, OSError, TimeoutError) as failure:
        fail(f"{failure}\nlogs: {home.state / 'demo-campaign'}", CANNOT_START)
    out.print()
    out.print(_table(shown.lines))
    report = evidence_of(stage, "main", campaign_stage.CAMPAIGN, 0.0)
    page.write_text(report.html, encoding="utf-8")
    _summary(shown, page)
    if shown.wrong or not shown.within_cap or any(line.kept is False for line in report.lines):
        raise typer.Exit(1)


async def _played(home: Home, tell: Tell, play: Play) -> tuple[Home, Shown]:
    from engine import log as logs
    from engine.demo import campaign_stage
    from engine.demo.people import People

    everybody = await asyncio.to_thread(_voiced)
    people = People({each.number: each.person for each in everybody})
    await people.open(campaign_stage.CARRIER)
    try:
        place = home.state / "demo-campaign"
        stage = await asyncio.to_thread(campaign_stage.build, home.project, place, people.port)
        await asyncio.to_thread(campaign_stage.load_leads, stage, everybody)
        logs.configure(stage.logs / "supervisor.log")
        return stage, await play(stage, everybody, people, tell)
    finally:
        people.close()


def _voiced() -> list[Somebody]:
    """What they say, as telephones carry it."""
    from engine.demo.campaign_stage import people
    from speech.audio import for_the_phone
    from speech.voices import make_voice

    voice = make_voice("espeak")
    hello = for_the_phone(voice.synthesise("¿Sí, dígame? Ah, sí, cuénteme, le escucho.", "es"))
    machine = for_the_phone(voice.synthesise("Ahora no puedo atenderle. Deje su mensaje después de la señal.", "es"))
    return people(hello, machine)


def _table(lines: list[Line]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("lead", "who", "told to", "calls", "result", "agent", "rang", "agent after", "talked", "in the end"):
        table.add_column(name, justify="right" if name in ("calls", "rang", "agent after", "talked") else "left")
    for line in lines:
        attempt, lead = line.attempt, line.lead
        state = attempt.state.replace("_", " ") if attempt is not None else "never dialed"
        end = f"{lead.state.value}: {lead.reason.replace('_', ' ')}" if lead is not None else ""
        table.add_row(
            line.who.lead_id,
            line.who.name,
            line.who.does,
            str(line.calls),
            state,
            attempt.agent_id if attempt is not None else "",
            *(_lengths(line)),
            Text(line.wrong or end, style="bold red" if line.wrong else ""),
        )
    return table


def _lengths(line: Line) -> tuple[str, str, str]:
    attempt = line.attempt
    if attempt is None:
        return "", "", ""
    answered_s, connected_s, ended_s = attempt.answered_s, attempt.connected_s, attempt.ended_s
    rang_until_s = answered_s or ended_s
    return (
        f"{rang_until_s - attempt.dialed_s:.1f} s" if rang_until_s is not None else "",
        f"{(connected_s - answered_s) * 1000:.0f} ms" if connected_s is not None and answered_s is not None else "",
        f"{ended_s - connected_s:.1f} s" if ended_s is not None and connected_s is not None else "",
    )


def _summary(shown: Shown, page: Path) -> None:
    today, waits_s = shown.view["today"], shown.waits_s
    fine = len(shown.lines) - len(shown.wrong)
    style = "bold green" if not shown.wrong else "bold red"
    out.print(Text(f"{fine} of {len(shown.lines)} leads are accounted for.", style=style))
    for limit in shown.view["abandonment"]:
        held = limit["ratio"] <= limit["most"]
        counted = f"{limit['abandoned']} of {limit['live']} live answers abandoned, {limit['ratio']:.1%}"
        out.print(
            Text(f"{limit['rule']}: {counted}; at most {limit['most']:.0%}.", style="green" if held else "bold red")
        )
    if waits_s:
        p50, p95 = waits_s[len(waits_s) // 2], waits_s[int(0.95 * (len(waits_s) - 1))]
        took = f"half within {p50 * 1000:.0f} ms, 95% within {p95 * 1000:.0f} ms"
        out.print(f"From an answer until an agent had her, as the engine saw it: {took}.")
    out.print(f"{today['dialed']} dialed, {today['connected']} conversations.")
    out.print(Text.assemble("How each rule was kept: ", (str(page.resolve()), "bold")), soft_wrap=True)
