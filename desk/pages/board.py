"""The supervisor's page: queues, agents and who waits, as they are now; presence and queues by hand, conversations
followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Form, Request, Response

from desk import acts, contacts
from desk.api.models_contacts import SupervisionAsked
from desk.api.models_floor import OpeningAsked, PresenceAsked, PriorityAsked, QueueAsked
from desk.engine_client import EngineRefused
from desk.live.board import TALKING
from desk.pages import supervision
from desk.pages.common import checked, language_of, page_router, render, speaking, tenant_of, who_of
from desk.pages.plain import Plain
from desk.pages.setup import SetupCache
from desk.pages.why import outlook, story
from desk.problems import NotFound, Unprocessable
from desk.roles import EVERY_TENANT, Permission
from desk.web import address_of, services_of

router = page_router()

Field = Annotated[str, Form(max_length=200)]
_ORDER = ("ringing", "reserved", "talking", "consulting", "hold", "wrap_up", "ready", "not_ready", "logged_out")


@router.get("/board")
async def page(request: Request) -> Response:
    return render(request, "board.html", **await _shown(request))


@router.get("/board/panel")
async def panel(request: Request) -> Response:
    return render(request, "board_panel.html", **await _shown(request))


@router.get("/board/why/{interaction_id}")
async def why(interaction_id: str, request: Request) -> Response:
    """Why this agent, why this wait."""
    services, tenant = services_of(request), tenant_of(request)
    told = await contacts.explained(services, tenant, interaction_id)
    setup: SetupCache = request.app.state.setup_cache
    await setup.fresh()
    plain = Plain(services.hub.board, setup, tenant, language_of(request), services.settings.time_zone)
    now = told.get("now") or {}
    return render(
        request,
        "why.html",
        moments=story(told, plain),
        now=outlook(now.get("now"), plain),
        later=outlook(now.get("later"), plain),
        later_s=now.get("later_s", 0),
    )


@router.post("/board/agents/{agent_id}")
async def force(agent_id: str, request: Request, action: Field, reason: Field = "") -> Response:
    asked = checked(PresenceAsked, action=action, reason=reason)
    services, who, tenant, address = services_of(request), who_of(request), tenant_of(request), address_of(request)
    with speaking(request):
        await acts.presence(services, who, address, tenant, agent_id, asked.action, asked.reason)
    return await panel(request)


@router.post("/board/queues/{queue}")
async def opening(queue: str, request: Request, action: Field) -> Response:
    asked = checked(OpeningAsked, action=action)
    services, who, tenant, address = services_of(request), who_of(request), tenant_of(request), address_of(request)
    with speaking(request):
        await acts.opening(services, who, address, tenant, queue, asked.action)
    return await panel(request)


@router.post("/board/stays/{stay_id}")
async def steer(stay_id: str, request: Request, queue: Field = "", priority: Field = "") -> Response:
    """To a queue, or with a priority: one of both is asked for."""
    services, who, tenant, address = services_of(request), who_of(request), tenant_of(request), address_of(request)
    with speaking(request):
        if queue:
            await acts.move(services, who, address, tenant, stay_id, checked(QueueAsked, queue=queue).queue)
        else:
            asked = checked(PriorityAsked, priority=priority)
            await acts.prioritise(services, who, address, tenant, stay_id, asked.priority)
    return await panel(request)


@router.post("/board/talks/{interaction_id}/supervision")
async def supervise(interaction_id: str, request: Request, action: Field, device: Field = "") -> Response:
    services, who, tenant = services_of(request), who_of(request), tenant_of(request)
    asked = checked(SupervisionAsked, action=action, device=device)
    try:
        await acts.supervise(services, who, address_of(request), tenant, interaction_id, asked.action, asked.device)
    except EngineRefused as refused:
        raise EngineRefused(supervision.said(str(refused), language_of(request))) from None
    except (NotFound, Unprocessable) as problem:
        raise type(problem)(supervision.said(problem.detail, language_of(request))) from None
    return await panel(request)


async def _shown(request: Request) -> dict[str, Any]:
    services, who, tenant = services_of(request), who_of(request), tenant_of(request)
    language, board = language_of(request), services.hub.board
    setup: SetupCache = request.app.state.setup_cache
    await setup.fresh()
    sees_stays = who.may(Permission.SEE_STAYS)
    stays, agents = board.stays(tenant) if sees_stays else [], board.people(tenant)
    queues = [_queue(view, setup.queue(tenant, view["queue"])) for view in board.queues(tenant)]
    titles = {each["queue"]: each["title"] or each["queue"] for each in queues}
    return {
        "tenant": tenant,
        "tenants": services.tenants() if who.tenant == EVERY_TENANT else (),
        "queues": queues,
        "titles": titles,
        "names": {each["agent_id"]: each.get("name") or each["agent_id"] for each in agents},
        "agents": sorted(agents, key=lambda each: (_rank(each.get("looks", "")), each.get("name", ""))),
        "stays": [stay for stay in stays if stay.get("queue") and stay.get("counted", True)],
        "sees_stays": sees_stays,
        "followed": supervision.followed(board, tenant, acts.supervisor_id(who)),
        "own_phone": acts.own_phone(services, who, tenant).removeprefix(f"{tenant}-"),
        "totals": _totals(queues, agents),
        "reasons": setup.reasons(tenant, language, forced=True),
        "reason_titles": {
            reason: setup.reason_title(tenant, reason, language)
            for each in agents
            for reason in (each.get("reason", ""), *each.get("breaks_at_s", ()))
        },
    }


def _rank(looks: str) -> int:
    return _ORDER.index(looks) if looks in _ORDER else len(_ORDER)


def _queue(view: Mapping[str, Any], setup: Mapping[str, Any]) -> dict[str, Any]:
    target = float((setup.get("service_level") or {}).get("target", 80.0))
    level = view.get("today", {}).get("service_level")
    mood = "" if level is None else "good" if level >= target else "fair" if level >= target - 15 else "poor"
    return {**view, "target": target, "mood": mood}


def _totals(queues: Sequence[Mapping[str, Any]], agents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    looks = [each.get("looks", "") for each in agents]
    today = [each.get("today", {}) for each in queues]
    since = [each["waits_since_s"] for each in queues if each.get("waits_since_s")]
    return {
        "waiting": sum(each.get("waiting", 0) for each in queues),
        "waits_since_s": min(since, default=0.0),
        "answered": sum(each.get("answered", 0) for each in today),
        "abandoned": sum(each.get("abandoned", 0) for each in today),
        "talking": sum(each in TALKING for each in looks),
        # As the queues count those who are free: a phone that is not there can be put through to nobody.
        "ready": sum(each.get("looks") == "ready" and bool(each.get("reachable", True)) for each in agents),
        "wrap_up": looks.count("wrap_up"),
        "not_ready": looks.count("not_ready"),
        "logged_in": sum(each.get("presence") != "logged_out" for each in agents),
        "agents": sum(not each.get("guest") for each in agents),
    }
