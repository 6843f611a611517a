"""`centralita status`: what runs right now."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from engine.cli.client import ask
from engine.cli.common import JsonOption, ProjectOption, counted, home_of, out, print_json


def status(project: ProjectOption = None, json: JsonOption = False) -> None:
    """What runs right now: nodes, phones and trunks, journal, and each interaction with the node it is at."""
    from engine.cli.trunk_words import in_short
    from engine.trunk_watch import told

    home = home_of(project)
    body = ask(home, "GET", "/status")
    if json:
        print_json(body)
        return
    ready = "[green]ready[/]" if body["ready"] else "[red]not ready[/]"
    nodes = ", ".join(f"{name} {'up' if is_up else '[red]down[/]'}" for name, is_up in body["nodes"].items())
    out.print(f"{body['site']}: {ready} · nodes: {nodes or 'none'} · release {body['release']}")
    out.print(f"journal: event {body['journal']['last_seq']}, on disk up to {body['journal']['durable_seq']}")
    if seen := body["node"]:
        well = "well" if seen["well"] else f"[red]{seen['problem']}[/]"
        reachable = [f"{name} {status}" for name, status in seen["devices"].items()]
        version = seen["version"].partition("+")[0]  # without the packager's marks
        out.print(
            f"Asterisk {version}: {well}, {counted(seen['calls'], 'call')} · "
            f"{', '.join(reachable) or 'no phone is registered'}"
        )
        if trunks := told(seen):
            out.print(f"trunks: {', '.join(in_short(name, trunk) for name, trunk in trunks.items())}")
        if seen["lost_share"]:
            out.print(f"audio: {seen['lost_share']:.1%} lost, jitter {seen['jitter_s'] * 1000:.0f} ms")
    if agents := body["floor"]["agents"]:
        seen = ", ".join(f"{number} {looks.replace('_', ' ')}" for looks, number in agents.items())
        out.print(f"floor: {counted(body['floor']['waiting'], 'caller')} waiting · agents: {seen}")
    if said := _of_recordings(body.get("recordings") or {"lost": 0, "in_spool": 0}):
        out.print(f"[yellow]recordings: {said}[/]", soft_wrap=True)
    for problem in body["problems"]:
        out.print(f"[yellow]the files on disk are not what serves: {problem}[/]")
    out.print(_interactions(body["interactions"]))


def _of_recordings(seen: dict[str, int]) -> str:
    """Empty while each is where it belongs."""
    said = []
    if seen["lost"]:
        said.append(f"{seen['lost']} lost since the engine started")
    if seen["in_spool"]:
        said.append(f"{seen['in_spool']} in Asterisk's spool, not filed (tried again every minute)")
    return f"{' · '.join(said)}: engine.log says why" if said else ""


def _interactions(rows: list[dict[str, Any]]) -> Table | str:
    if not rows:
        return "no interaction in progress"
    table = Table(title=counted(len(rows), "interaction"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("id", no_wrap=True)
    for column in ("tenant", "state", "where", "language", "age"):
        table.add_column(column, overflow="fold")
    for row in rows:
        where = f"{row['flow']}.{row['node']}" if row["flow"] else ""
        table.add_row(row["id"], row["tenant"], row["state"], where, row["language"], f"{row['age_s']} s")
    return table
