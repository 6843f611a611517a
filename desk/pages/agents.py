"""Who is an agent: found, added, changed and removed. Who stands in a file is shown with its line, and changed there.

A SIP account that is made here is shown once and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response

from desk import agent_acts
from desk.engine_client import EngineAway, EngineRefused
from desk.pages.agent_form import Values, asked, changes, filled, typed
from desk.pages.common import language_of, page_router, render, speaking, tenant_of, who_of
from desk.problems import Refused, Unprocessable
from desk.roles import EVERY_TENANT, Permission
from desk.web import address_of, services_of
from desk.words import translated

router = page_router()

Json = dict[str, Any]
Word = Annotated[str, Query(max_length=100)]
_MOST = 500
_SOUGHT = ("agent_id", "name", "code", "device", "queues", "skills", "languages", "declared")


@router.get("/agents")
async def page(request: Request, q: Word = "") -> Response:
    return render(request, "agents.html", **await _shown(request, q))


@router.get("/agents/list")
async def found(request: Request, q: Word = "") -> Response:
    return render(request, "agents_list.html", **await _shown(request, q))


@router.get("/agents/{agent_id}/form")
async def form(agent_id: str, request: Request, q: Word = "") -> Response:
    with speaking(request):
        definition = await agent_acts.definition(services_of(request), tenant_of(request), agent_id)
    return render(request, "agents_panel.html", **await _shown(request, q, filled(definition)))


@router.post("/agents")
async def add(request: Request) -> Response:
    values, q = typed(await request.form())
    return await _written(request, "add", values["agent_id"], {**filled({}), **values}, asked(values), q)


@router.post("/agents/{agent_id}")
async def change(agent_id: str, request: Request) -> Response:
    values, q = typed(await request.form())
    with speaking(request):
        before = await agent_acts.definition(services_of(request), tenant_of(request), agent_id)
    told = {**filled(before), **values, "agent_id": agent_id, "known": before}
    return await _written(request, "change", agent_id, told, changes(before, values), q)


@router.post("/agents/{agent_id}/phone")
async def new_phone(agent_id: str, request: Request) -> Response:
    """Makes one for her, and shows its account; the one she has is hers no more."""
    _, q = typed(await request.form())
    return await _written(request, "new_phone", agent_id, None, {}, q)


@router.post("/agents/{agent_id}/remove")
async def remove(agent_id: str, request: Request) -> Response:
    _, q = typed(await request.form())
    return await _written(request, "remove", agent_id, None, {}, q)


async def _written(
    request: Request, change: str, agent_id: str, values: Values | None, fields: Mapping[str, Any], q: str
) -> Response:
    """What was typed stays where it is as long as something is wrong with it. `values` None: nothing was typed."""
    who, services, tenant, language = who_of(request), services_of(request), tenant_of(request), language_of(request)
    done: Json = {"change": change, "agent_id": agent_id}
    try:
        warnings, account = await agent_acts.enrol(
            services, who, address_of(request), change, tenant, agent_id, dict(fields)
        )
    except (EngineRefused, Unprocessable, Refused) as refused:
        if values is None:
            with speaking(request):
                raise
        faults = _faults(refused, language)
        return render(request, "agents_panel.html", **await _shown(request, q, values, faults))
    done |= {"sip": account, "warnings": [_in_words(each, language) for each in warnings]}
    return render(request, "agents_panel.html", **await _shown(request, q, done=done))


def _faults(refused: EngineRefused | Unprocessable | Refused, language: str) -> dict[str, list[str]]:
    """By field; what is about all of it, or about what the form does not show, under an empty name."""
    more = refused.more.get("faults") if isinstance(refused, Unprocessable) else None
    told: dict[str, list[str]] = {}
    for each in more or [{"what": str(refused)}]:
        field = str(each.get("field") or "")
        name = {"device": "phone"}.get(field, field)
        told.setdefault(name if name in _FIELDS else "", []).append(_in_words(each, language))
    return told


_FIELDS = frozenset({"name", "phone", "code", "pin", "skills", "queues", "languages", "capacity"})


def _in_words(fault: Mapping[str, Any], language: str) -> str:
    said = (translated(str(fault.get(key) or ""), language) for key in ("what", "hint"))
    return ": ".join(filter(None, said))


async def _shown(
    request: Request,
    q: str,
    values: Values | None = None,
    faults: Mapping[str, list[str]] | None = None,
    done: Json | None = None,
) -> Json:
    who, services, tenant = who_of(request), services_of(request), tenant_of(request)
    try:
        roster = await services.engine.roster(tenant)
    except EngineAway:
        roster = {"agents": [], "queues": [], "skills": [], "devices": [], "away": True}
    matching = [each for each in roster["agents"] if _matches(each, q)]
    taken = {each["device"] for each in roster["agents"] if each.get("device")}
    values = values if values is not None else filled({})
    known = values["known"]
    return {
        "agents": matching[:_MOST],
        "more": len(matching) - _MOST,
        "total": len(roster["agents"]),
        "roster": roster,
        "free": [each for each in roster["devices"] if each not in taken or each == known.get("device")],
        "q": q,
        "values": values,
        "faults": faults or {},
        "done": done,
        "locked": bool(known.get("supervises")) and not who.may(Permission.GRANT_SUPERVISION),
        "spoken": services.settings.languages,
        "tenant": tenant,
        "tenants": services.tenants() if who.tenant == EVERY_TENANT else [tenant],
    }


def _matches(agent: Mapping[str, Any], q: str) -> bool:
    """Every word is somewhere in what is said of her."""
    said = " ".join(str(agent.get(key) or "") for key in _SOUGHT).casefold()
    return all(word in said for word in q.casefold().split())
