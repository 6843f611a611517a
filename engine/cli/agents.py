"""`centralita agents`: who is there, and presence set by an admin's hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from engine.cli.agents_import import import_agents
from engine.cli.client import ask, do
from engine.cli.common import JsonOption, ProjectOption, home_of, out, print_json

app = typer.Typer(help="Agents: who is there, and what they do.", invoke_without_command=True)

AgentArgument = Annotated[str, typer.Argument(help="The agent's id.", metavar="AGENT")]
TenantOption = Annotated[str, typer.Option(help="Whose agent.")]


@app.callback()
def agents(context: typer.Context, project: ProjectOption = None, json: JsonOption = False) -> None:
    """Who is there, and what they do."""
    if context.invoked_subcommand is not None:
        return
    from engine.cli.board_view import agent_table

    snapshot = ask(home_of(project), "GET", "/acd/snapshot")
    if json:
        print_json(snapshot["agents"])
        return
    several = len({agent["tenant"] for agent in snapshot["agents"]}) > 1
    out.print(agent_table(snapshot["agents"], float(snapshot["now_s"]), several))


@app.command("log-in")
def log_in(
    agent: AgentArgument,
    device: Annotated[str, typer.Option(help="At this phone (`main-1001`) instead of her own.")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Log an agent in. She is not ready yet."""
    _act(project, tenant, agent, "log_in", device=device)


@app.command("log-out")
def log_out(agent: AgentArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Log an agent out; during work, when it ends."""
    _act(project, tenant, agent, "log_out")


@app.command("ready")
def ready(agent: AgentArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Let an agent be offered contacts."""
    _act(project, tenant, agent, "ready")


@app.command("not-ready")
def not_ready(
    agent: AgentArgument,
    reason: Annotated[str, typer.Argument(help="A reason of config/not_ready.yaml.")],
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Keep contacts from an agent; during work, when it ends."""
    _act(project, tenant, agent, "not_ready", reason=reason)


@app.command("list")
def list_agents(tenant: TenantOption = "main", project: ProjectOption = None, json: JsonOption = False) -> None:
    """Who is an agent, with what, and where that is said: a file and its line, or over the API."""
    from engine.cli.agents_import import shown

    agents = ask(home_of(project), "GET", f"/acd/agents?tenant={quote(tenant)}")["agents"]
    if json:
        print_json(agents)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("agent", "name", "phone", "code", "queues", "skills", "said in"):
        table.add_column(column, overflow="fold")
    for agent in agents:
        queues = "all" if agent["queues"] == "all" else shown(tuple(agent["queues"]))
        cells = (agent["agent_id"], agent["name"], agent["device"] or "", agent["code"] or "", queues)
        table.add_row(*map(escape, (*cells, shown(agent["skills"]), agent["declared"] or "the API")))
    out.print(table)


app.command("import")(import_agents)


def _act(project: Path | None, tenant: str, agent: str, action: str, **more: Any) -> None:
    home = home_of(project)
    do(home, "AgentActed", {"tenant": tenant, "agent_id": agent, "action": action, "by": "supervisor", **more})
    view = next(
        each
        for each in ask(home, "GET", "/acd/snapshot")["agents"]
        if (each["tenant"], each["agent_id"]) == (tenant, agent)
    )
    pending = f"; {view['pending'].replace('_', ' ')} when her work ends" if view["pending"] else ""
    reason = f" ({view['reason']})" if view["reason"] else ""
    out.print(f"{agent}: {view['presence'].replace('_', ' ')}{reason}{pending}")
