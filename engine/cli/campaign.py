"""`centralita campaign` and `centralita why LEAD`: start and stop campaigns, see how they go, take results out."""

from __future__ import annotations

import contextlib
import json as jsons
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from engine.cli.campaign_compare import compare
from engine.cli.campaign_create import create
from engine.cli.campaign_demo import demo
from engine.cli.campaign_simulate import simulate
from engine.cli.client import ask, do, refusal, stream
from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json

if TYPE_CHECKING:
    from engine.home import Home

app = typer.Typer(help="Campaigns: start and stop them, see how they go, take results out.", no_args_is_help=True)

CampaignArgument = Annotated[str, typer.Argument(help="The campaign's id.", metavar="CAMPAIGN")]
LeadsArgument = Annotated[
    list[str], typer.Argument(help="Their ids, or numbers, as people write them.", metavar="LEAD...")
]
TenantOption = Annotated[str, typer.Option(help="Whose campaign.")]
_AGAIN_S = 1.0
_NO_LEAD = "there is no lead"  # how the engine begins to say that it knows no such id
_FIRST_DECISION_S, _LOOK_S = 2.0, 0.2
"""How long it waits for the first pacing decision, and how often it looks."""


def register(parent: typer.Typer) -> None:
    app.command("compare")(compare)
    app.command("create")(create)
    app.command("demo")(demo)
    app.command("simulate")(simulate)
    parent.add_typer(app, name="campaign")
    parent.command("why")(why)


@app.command("list")
def list_(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every campaign, and how it stands."""
    from engine.cli.campaign_view import campaign_table

    snapshot = ask(home_of(project), "GET", "/dialer/snapshot")
    if json:
        print_json(snapshot["campaigns"])
        return
    if not snapshot["campaigns"]:
        out.print("There is no campaign yet: `centralita campaign create` makes one.")
        return
    out.print(campaign_table(snapshot["campaigns"], out.width))


@app.command("show")
def show(
    campaign: CampaignArgument, tenant: TenantOption = "main", project: ProjectOption = None, json: JsonOption = False
) -> None:
    """One campaign: lines, agents, leads, abandonment against its caps, and each pacing decision with its reason."""
    from engine.cli.campaign_view import campaign_page

    view = _view(home_of(project), tenant, campaign)
    if json:
        print_json(view)
    else:
        out.print(campaign_page(view, time.time()))


@app.command("start")
def start(campaign: CampaignArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Dial. Refused when it may not, with the reason. Says so when nobody is dialed yet, and why."""
    _act(project, tenant, campaign, "start")


@app.command("pause")
def pause(campaign: CampaignArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Dial nobody more; what rings goes on."""
    _act(project, tenant, campaign, "pause")


@app.command("drain")
def drain(campaign: CampaignArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Dial nobody more, and stop when the last conversation is over."""
    _act(project, tenant, campaign, "drain")


@app.command("stop")
def stop(campaign: CampaignArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """Stop now: what rings is cancelled as soon as its least ring allows; conversations go on."""
    _act(project, tenant, campaign, "stop")


@app.command("watch")
def watch(
    campaign: Annotated[str, typer.Argument(help="Only this one; else all.", metavar="[CAMPAIGN]")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Campaigns as they change; with a name, each pacing decision. Ctrl-C ends it. With --json a line a change."""
    home = home_of(project)
    with contextlib.suppress(KeyboardInterrupt):
        if json:
            _print_changes(home, tenant, campaign)
        else:
            _follow(home, tenant, campaign)


@app.command("export")
def export(
    campaign: CampaignArgument,
    to: Annotated[Path, typer.Option("--to", "-o", help="The file; `-` for the terminal.")] = Path("-"),
    since: Annotated[str, typer.Option(help="Only attempts from this day on (2026-11-22, UTC).")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Every attempt with its lead, its result, and a column for each field of the form, as CSV. Needs no running
    engine."""
    from engine.cli.campaign_results import export_csv, seconds_of

    count = export_csv(home_of(project), tenant, campaign, to, seconds_of(since))
    if str(to) != "-":
        out.print(f"{count} attempts written to {to}")


@app.command("report")
def report(
    campaign: CampaignArgument,
    html: Annotated[Path | None, typer.Option(help="Write the page here.", show_default=False)] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the lines here.", show_default=False)] = None,
    attempts: Annotated[Path | None, typer.Option(help="Write every attempt here.", show_default=False)] = None,
    since: Annotated[str, typer.Option(help="Only attempts from this day on (2026-11-22, UTC).")] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Evidence that the law was kept: each rule, what was counted, whether it held. Exit code 1 when one did not."""
    from engine.cli.campaign_results import evidence_of, seconds_of
    from engine.cli.campaign_view import evidence_table

    found = evidence_of(home_of(project), tenant, campaign, seconds_of(since))
    for path, text in ((html, found.html), (csv, found.csv), (attempts, found.attempts)):
        if path is not None:
            path.write_text(text, encoding="utf-8")
            out.print(f"written: {path}")
    if not any((html, csv, attempts)):
        out.print(evidence_table(found.lines))
    if any(line.kept is False for line in found.lines):
        raise typer.Exit(1)


@app.command("kept")
def kept(leads: LeadsArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """What these leads promised is done: they paid, or came. Nobody dials them about it any more."""
    _tell_promises(project, tenant, leads, "kept")


@app.command("broken")
def broken(leads: LeadsArgument, tenant: TenantOption = "main", project: ProjectOption = None) -> None:
    """These leads did not keep what they promised: they are dialed as soon as they may be."""
    _tell_promises(project, tenant, leads, "broken")


def why(
    lead: Annotated[
        str, typer.Argument(help="The lead's id, your own system's id of her, or one of her numbers.", metavar="LEAD")
    ],
    tenant: Annotated[str, typer.Option(help="Whose lead.")] = "main",
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Why a lead was or was not dialed, and when it next may be. A number that several leads have lists them."""
    from urllib.parse import quote
    from zoneinfo import ZoneInfo

    from engine.cli.campaign_view import why_page
    from engine.cli.site import site_of

    home = home_of(project)
    told = ask(home, "GET", f"/dialer/why/{quote(tenant)}/{quote(lead)}")
    if told.get("ok") is False and str(told["why"]).startswith(_NO_LEAD):
        lead_id = _only_lead_at(home, tenant, lead)
        told = ask(home, "GET", f"/dialer/why/{quote(tenant)}/{quote(lead_id)}")
    if told.get("ok") is False:
        fail(str(told["why"]))
    if json:
        print_json(told)
    else:
        out.print(why_page(told, ZoneInfo(site_of(home).time_zone)))


def _only_lead_at(home: Home, tenant: str, text: str) -> str:
    """The one lead of that number. Ends the command when there is none, or when there are several, with their ids."""
    from engine.cli.campaign_leads import leads_at, nobody_alone

    numbers, leads = leads_at(home, tenant, text)
    if len(leads) > 1:
        for each in leads:
            out.print(f"{each.lead_id}  {each.list_id}  {each.state.value}  {each.name}", markup=False, soft_wrap=True)
    if len(leads) != 1:
        fail(nobody_alone(text, numbers, leads))
    return leads[0].lead_id


def _tell_promises(project: Path | None, tenant: str, leads: list[str], action: str) -> None:
    home, refused = home_of(project), 0
    for lead in leads:
        why_not = _told(home, tenant, lead, action)
        if why_not.startswith(_NO_LEAD):
            why_not = _told_by_number(home, tenant, lead, action)
        refused += bool(why_not)
        out.print(f"{lead}: {why_not or action}", soft_wrap=True, markup=False)
    if refused:
        raise typer.Exit(1)


def _told(home: Home, tenant: str, lead_id: str, action: str) -> str:
    """Why not; empty: it was."""
    fields = {"tenant": tenant, "campaign": "", "lead_id": lead_id, "action": action, "by": "command line"}
    return refusal(home, "LeadActed", fields, "/dialer/do")


def _told_by_number(home: Home, tenant: str, text: str, action: str) -> str:
    """Of the leads who are meant, that one who has promised something is."""
    from engine.cli.campaign_leads import leads_at, nobody_alone

    numbers, leads = leads_at(home, tenant, text)
    promised = [each for each in leads if each.promise is not None and not each.promise.outcome] or leads
    if len(promised) == 1:
        return _told(home, tenant, promised[0].lead_id, action)
    return nobody_alone(text, numbers, promised)


def _view(home: Home, tenant: str, campaign: str) -> dict[str, Any]:
    view = ask(home, "GET", f"/dialer/campaign/{tenant}/{campaign}")
    if view.get("ok") is False:
        fail(str(view["why"]))
    return view


def _act(project: Path | None, tenant: str, campaign: str, action: str) -> None:
    home = home_of(project)
    fields = {"tenant": tenant, "campaign": campaign, "action": action, "by": "command line"}
    before = _decided(_view(home, tenant, campaign)) if action == "start" else None
    told = do(home, "CampaignActed", fields, "/dialer/do").get("told")
    view = _view(home, tenant, campaign)
    if before is not None and not told:
        view, told = _begun(home, tenant, campaign, view, before)
    out.print(f"{campaign}: {view['state']}" + (f" ({view['why']})" if view["why"] else ""))
    if told:
        out.print(Text(str(told), style="yellow"), soft_wrap=True)


def _decided(view: dict[str, Any]) -> dict[str, Any]:
    """The last pacing decision; empty when there is none."""
    return next(iter(view.get("decisions", ())), {})


def _begun(
    home: Home, tenant: str, campaign: str, view: dict[str, Any], before: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """The campaign after its first decision, and why that dials nobody; one that decides as before says nothing new."""
    until_s = time.monotonic() + _FIRST_DECISION_S
    while view["state"] == "running" and _decided(view) == before and time.monotonic() < until_s:
        time.sleep(_LOOK_S)
        view = _view(home, tenant, campaign)
    last = _decided(view)
    idle = view["state"] == "running" and last and not last["count"]
    return view, f"nobody is dialed yet: {last['why']}" if idle and last["why"] else ""


def _print_changes(home: Home, tenant: str, campaign: str) -> None:
    snapshot = ask(home, "GET", "/acd/snapshot")
    for line in stream(home, f"/acd/events?epoch={snapshot['epoch']}&after={snapshot['seq']}"):
        told = jsons.loads(line)
        if told.get("kind") == "campaign" and told["tenant"] == tenant and campaign in ("", told["id"]):
            typer.echo(line)


def _follow(home: Home, tenant: str, campaign: str) -> None:
    from rich.live import Live

    from engine.cli.campaign_view import campaign_page, campaign_table

    if campaign:
        _view(home, tenant, campaign)  # one that is not there is said before the screen is taken
    with Live(console=out, screen=out.is_terminal, auto_refresh=False) as live:
        while True:
            if campaign:
                live.update(campaign_page(_view(home, tenant, campaign), time.time()), refresh=True)
            else:
                campaigns = ask(home, "GET", "/dialer/snapshot")["campaigns"]
                live.update(campaign_table(campaigns, live.console.width), refresh=True)
            time.sleep(_AGAIN_S)
