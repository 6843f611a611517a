"""`centralita campaign demo`: forty simulated people dialed for real, told live, and a table that accounts for all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from engine.cli.campaign_view import detector_words
from engine.cli.common import CANNOT_START, ProjectOption, fail, grid, home_of, out

if TYPE_CHECKING:
    from engine.demo.campaign import Line, Shown, Tell
    from engine.demo.campaign_stage import Somebody
    from engine.demo.people import People
    from engine.home import Home

    Play = Callable[[Home, list[Somebody], People, Tell], Awaitable[Shown]]

_RESULTS = {
    "invalid": "no such number",
    "machine": "answering machine",
    "message_left": "message left",
    "fax": "fax machine",
}
_THEN = {"done": "done", "exhausted": "given up", "waiting": "tried again", "callback": "called back"}
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
    from engine import fork_server

    fork_server.warm_up()
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
    out.print(demo_table(shown.lines))
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
    from engine.demo.campaign_stage import people
    from engine.demo.voices import voices

    return people(voices())


def demo_table(lines: Sequence[Line]) -> Table:
    """One line a lead, whole in eighty columns; what the detector heard is counted below it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("lead", "who"):
        table.add_column(name, no_wrap=True)
    table.add_column("what they do", min_width=12)
    table.add_column("result", min_width=14)
    table.add_column("agent", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("and then", no_wrap=True)
    for line in lines:
        row = (line.who.lead_id, line.who.name, line.who.does, Text(result(line), style=_style(line)))
        table.add_row(*row, *_served(line), _then(line))
    return table


def results(lines: Sequence[Line]) -> str:
    """Every lead, once: `26 talked with: 9 sold/new, 17 not interested; 14 others: 4 answering machine, 3 busy …`."""
    met = [line for line in lines if _talked(line)]
    parts = []
    for what, those in (("talked with", met), ("others", [line for line in lines if not _talked(line)])):
        ranked = ", ".join(f"{count} {name}" for name, count in Counter(map(result, those)).most_common())
        parts += [f"{len(those)} {what}: {ranked}"] if those else []
    return "; ".join(parts)


def result(line: Line) -> str:
    """What came of it, in a campaign manager's words."""
    if line.wrong:
        return line.wrong
    attempt, lead = line.attempt, line.lead
    if attempt is None:
        return f"never dialed: {lead.reason}" if lead is not None else "never dialed"
    if attempt.disposition:
        return attempt.disposition.replace("_", " ")
    return _RESULTS.get(attempt.state, attempt.state.replace("_", " "))


def _talked(line: Line) -> bool:
    return line.attempt is not None and line.attempt.connected_s is not None


def _style(line: Line) -> str:
    if line.wrong:
        return "bold red"
    return "green" if _talked(line) else "cyan" if line.attempt is not None and line.attempt.verdict else "dim"


def _served(line: Line) -> tuple[str, str]:
    """Who had her, and how long after she answered."""
    attempt = line.attempt
    if attempt is None or attempt.connected_s is None or attempt.answered_s is None:
        return "", ""
    return attempt.agent_id, f"{attempt.connected_s - attempt.answered_s:.1f} s"


def _then(line: Line) -> str:
    """What is done with the lead."""
    return "" if line.lead is None else _THEN.get(line.lead.state.value, line.lead.state.value)


def _after(shown: Shown) -> str:
    """How long after the end of what she said."""
    waits_s = sorted(shown.greeted_waits_s)
    if not waits_s:
        return "nobody was heard"
    return f"half within {waits_s[len(waits_s) // 2]:.1f} s, all within {waits_s[-1]:.1f} s"


def _verdicts(lines: list[Line]) -> str:
    """What answered, by the detector's word."""
    found = Counter(line.attempt.verdict for line in lines if line.attempt is not None)
    quiet = found.pop("", 0)
    told = ", ".join(f"{count} {verdict}" for verdict, count in found.most_common())
    return f"The detector heard: {told}; on {quiet} lines there was nothing to hear."


def _summary(shown: Shown, page: Path) -> None:
    today, waits_s = shown.view["today"], shown.waits_s
    fine = len(shown.lines) - len(shown.wrong)
    style = "bold green" if not shown.wrong else "bold red"
    out.print(Text(f"{fine} of {len(shown.lines)} leads are accounted for.", style=style))
    out.print(Text(f"{results(shown.lines)}."))
    for limit in shown.view["abandonment"]:
        held = limit["ratio"] <= limit["most"]
        counted = f"{limit['abandoned']} of {limit['live']} live answers abandoned, {limit['ratio']:.1%}"
        out.print(
            Text(f"{limit['rule']}: {counted}; at most {limit['most']:.0%}.", style="green" if held else "bold red")
        )
    out.print(_verdicts(shown.lines))
    if shown.view["detector"]["told"]:
        out.print(detector_words(shown.view["detector"]))
    if waits_s:
        p50, p95 = waits_s[len(waits_s) // 2], waits_s[int(0.95 * (len(waits_s) - 1))]
        took = f"half within {p50:.1f} s, 95% within {p95:.1f} s; "
        out.print(
            f"From an answer until an agent had her, her greeting included: {took}from its end on: {_after(shown)}."
        )
    out.print(f"{today['dialed']} dialed, {today['connected']} conversations.")
    out.print(Text.assemble("How each rule was kept: ", (str(page.resolve()), "bold")), soft_wrap=True)
