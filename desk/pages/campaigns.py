"""The campaign manager's pages: all campaigns, and one with its lines, its law, its leads; started and stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Form, Request, Response

from desk import dial_acts, list_acts
from desk.api.models_campaigns import CampaignAsked, LeadAsked, NumberAsked
from desk.engine_client import EngineAway, NotKnown
from desk.live.trail import KEPT_S, tightest
from desk.pages import chart
from desk.pages.common import checked, language_of, page_router, render, speaking, tenant_of, who_of
from desk.pages.plain import Plain
from desk.pages.setup import SetupCache
from desk.pages.times import local_time
from desk.problems import Forbidden, NotFound
from desk.roles import EVERY_TENANT, Permission
from desk.services import Services
from desk.web import address_of, services_of

router = page_router()

Field = Annotated[str, Form(max_length=300)]
_DECISIONS_SHOWN = 12
LEAD_STATES = ("done", "exhausted", "blocked", "callback", "waiting", "dialing", "staged", "new")
"""As a bar shows them: what is over first."""
_OVER = ("done", "exhausted", "blocked")
_TO_DIAL = ("new", "waiting", "callback", "staged", "dialing")
OUTCOMES = ("connected", "abandoned", "machine", "message_left", "no_answer", "busy", "failed", "invalid", "blocked")
_MAY_DO: Mapping[str, Sequence[str]] = {
    "stopped": ("start",),
    "running": ("pause", "drain", "stop"),
    "paused": ("start", "drain", "stop"),
    "draining": ("start", "pause", "stop"),
}
"""What is offered in a state; the engine decides."""


@router.get("/campaigns")
async def page(request: Request) -> Response:
    return render(request, "campaigns.html", **_all(request))


@router.get("/campaigns/panel")
async def panel(request: Request) -> Response:
    return render(request, "campaigns_panel.html", **_all(request))


@router.get("/campaign/{campaign}")
async def one(campaign: str, request: Request) -> Response:
    return render(request, "campaign.html", **await shown(request, campaign))


@router.get("/campaign/{campaign}/panel")
async def one_panel(campaign: str, request: Request) -> Response:
    return render(request, "campaign_panel.html", **await shown(request, campaign))


@router.post("/campaign/{campaign}/action")
async def act(campaign: str, request: Request, action: Field) -> Response:
    asked = checked(CampaignAsked, action=action)
    with speaking(request):
        await dial_acts.campaign(
            services_of(request), who_of(request), address_of(request), tenant_of(request), campaign, asked.action
        )
    return await one_panel(campaign, request)


@router.get("/campaign/{campaign}/why")
async def why(campaign: str, request: Request, lead_id: str = "") -> Response:
    """Why a lead was or was not dialed: by its id, or by a number of it."""
    services, tenant, asked = services_of(request), tenant_of(request), lead_id.strip()
    found = await dial_acts.leads_of(services, tenant, campaign, asked)
    if len(found) > 1:
        return render(request, "why_which.html", leads=found, campaign=campaign, tenant=tenant)
    lead = found[0] if found else None
    with speaking(request):
        told = await dial_acts.why(services, tenant, lead.lead_id if lead else asked)
    clock = local_time(services.settings.time_zone, language_of(request))
    return render(request, "why_lead.html", told=told, lead=lead, campaign=campaign, tenant=tenant, local_time=clock)


@router.post("/campaign/{campaign}/promise")
async def promise(campaign: str, request: Request, lead_id: Field, action: Field) -> Response:
    """What came of what a lead promised."""
    services, who, tenant = services_of(request), who_of(request), tenant_of(request)
    asked = checked(LeadAsked, campaign=campaign, action=action)
    with speaking(request):
        await dial_acts.lead(services, who, address_of(request), tenant, campaign, lead_id, asked.action)
    return await why(campaign, request, lead_id)


@router.post("/campaign/{campaign}/do-not-call")
async def do_not_call(
    campaign: str, request: Request, number: Field = "", scope: Field = "", action: Field = ""
) -> Response:
    """A number is put on a do-not-call list, or taken off it."""
    who = who_of(request)
    tenant, services = tenant_of(request), services_of(request)
    if action == "check":
        with speaking(request):
            plain, lists = await list_acts.checked(services, tenant, number, campaign)
        return render(request, "number_checked.html", number=plain, lists=lists)
    if action == "remove" and not who.may(Permission.MANAGE_LISTS):
        raise Forbidden("this role may put numbers on the list, not take them off")
    asked = checked(NumberAsked, number=number, campaign=campaign if scope == "campaign" else "")
    with speaking(request):
        await dial_acts.list_number(
            services,
            who,
            address_of(request),
            tenant,
            asked.number,
            campaign=asked.campaign,
            listed=action != "remove",
        )
    return render(request, "number_listed.html", number=asked.number, listed=action != "remove", scope=asked.campaign)


def _all(request: Request) -> dict[str, Any]:
    services, who, tenant = services_of(request), who_of(request), tenant_of(request)
    return {
        "tenant": tenant,
        "tenants": services.tenants() if who.tenant == EVERY_TENANT else (),
        "campaigns": [_summary(view) for view in services.hub.board.campaigns(tenant)],
    }


def _summary(view: Mapping[str, Any]) -> dict[str, Any]:
    leads = {name: int(view.get("leads", {}).get(name, 0)) for name in LEAD_STATES}
    total = sum(leads.values())
    rule = tightest(dict(view))
    return {
        **view,
        "leads": leads,
        "total": total,
        "penetration": 100.0 * sum(leads[name] for name in _OVER) / total if total else None,
        "nobody": view.get("state") == "running"
        and view.get("mode") != "manual"
        and not any(leads[each] for each in _TO_DIAL),
        "in_flight": sum(view.get("lines", {}).get(name, 0) for name in ("dialing", "ringing")),
        "rule": {**rule, "mood": mood(rule)} if rule else {},
    }


def mood(rule: Mapping[str, Any]) -> str:
    """How near a rule is to its cap: good up to four fifths of it, fair up to it."""
    most, ratio = float(rule.get("most") or 0.0), float(rule.get("ratio") or 0.0)
    if most <= 0:
        return "poor" if rule.get("abandoned") else "good"
    return "good" if ratio <= 0.8 * most else "fair" if ratio <= most else "poor"


async def shown(request: Request, campaign: str) -> dict[str, Any]:
    """What the page of one campaign shows. Raises NotFound."""
    services, tenant = services_of(request), tenant_of(request)
    view = services.hub.board.campaign(tenant, campaign)
    if view is None:
        raise NotFound("there is no such campaign in this tenant")
    detail = await _detail(services, tenant, campaign)
    summary = _summary({**view, "leads": detail.get("leads") or view.get("leads", {})})
    now_s = services.hub.engine_now_s()
    samples = services.hub.trails.of((tenant, campaign), now_s)
    setup: SetupCache = request.app.state.setup_cache
    await setup.fresh()
    plain = Plain(services.hub.board, setup, tenant, language_of(request), services.settings.time_zone)
    rules = [{**rule, "mood": mood(rule)} for rule in view.get("abandonment", ())]
    return {
        "tenant": tenant,
        "campaign": summary,
        "plain": plain,
        "actions": _MAY_DO.get(view.get("state", ""), ("start", "pause", "drain", "stop")),
        "rules": rules,
        "decisions": list(detail.get("decisions", ()))[:_DECISIONS_SHOWN],
        "upload_mb": services.settings.upload_mb,
        "lead_states": LEAD_STATES,
        "outcomes": OUTCOMES,
        "minutes": round(KEPT_S / 60),
        "lines_chart": chart.draw(
            samples,
            now_s,
            KEPT_S,
            [("met", lambda s: s.met), ("calling", lambda s: s.calling), ("ready", lambda s: s.ready)],
        ),
        "share_chart": chart.draw_share(samples, now_s, KEPT_S, lambda s: s.ratio, lambda s: s.most),
        "local_time": local_time(services.settings.time_zone, language_of(request)),
    }


async def _detail(services: Services, tenant: str, campaign: str) -> Mapping[str, Any]:
    """With leads counted now; empty while the engine is away."""
    with contextlib.suppress(EngineAway, NotKnown):
        return await services.engine.campaign(tenant, campaign)
    return {}
