"""Agents, queues and who waits, as they are now; presence and opening hours by hand."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from desk import acts
from desk.api.common import Asking, Desk, Tenant, Who, problems
from desk.api.models import Done
from desk.api.models_floor import (
    Agents,
    AgentView,
    OpeningAsked,
    PresenceAsked,
    PriorityAsked,
    QueueAsked,
    Queues,
    QueueView,
    Stays,
    StayView,
)
from desk.problems import NotFound
from desk.services import Services
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["board"])


@router.get("/agents", responses=problems())
async def agents(asking: Asking, desk: Desk) -> Agents:
    """Every agent of the tenant. `?tenant=*`: of all tenants, for who may."""
    found = [AgentView.model_validate(view) for view in desk.hub.board.agents(asking.tenant)]
    return Agents(agents=found, **when(desk))


@router.get("/agents/{agent_id}", responses=problems(404))
async def agent(agent_id: str, tenant: Tenant, desk: Desk) -> AgentView:
    view = desk.hub.board.agent(tenant, agent_id)
    if view is None:
        raise NotFound("there is no such agent in this tenant")
    return AgentView.model_validate(view)


@router.post("/agents/{agent_id}/presence", responses=problems(404, 409))
async def presence(agent_id: str, asked: PresenceAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Log in or out, ready or not: one's own, or of anybody for who may. During work it is pending until the end."""
    if desk.hub.engine_up and desk.hub.board.agent(tenant, agent_id) is None:
        raise NotFound("there is no such agent in this tenant")
    await acts.presence(desk, who, address_of(request), tenant, agent_id, asked.action, asked.reason, asked.device)
    return Done()


@router.get("/queues", responses=problems())
async def queues(asking: Asking, desk: Desk) -> Queues:
    told = when(desk)
    found = [_queue(view, told["now_s"]) for view in desk.hub.board.queues(asking.tenant)]
    return Queues(queues=found, **told)


@router.get("/queues/{queue}", responses=problems(404))
async def one_queue(queue: str, tenant: Tenant, desk: Desk) -> QueueView:
    view = desk.hub.board.queue(tenant, queue)
    if view is None:
        raise NotFound("there is no such queue in this tenant")
    return _queue(view, when(desk)["now_s"])


@router.post("/queues/{queue}/opening", responses=problems(404, 409))
async def opening(queue: str, asked: OpeningAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Opens or closes it by hand, or gives the rule back to its hours. Nobody who waits is sent away."""
    if desk.hub.engine_up and desk.hub.board.queue(tenant, queue) is None:
        raise NotFound("there is no such queue in this tenant")
    await acts.opening(desk, who, address_of(request), tenant, queue, asked.action)
    return Done()


@router.get("/stays", responses=problems())
async def stays(asking: Asking, desk: Desk) -> Stays:
    """Who waits, the longest first. No numbers, no names."""
    found = [StayView.model_validate(view) for view in desk.hub.board.stays(asking.tenant)]
    return Stays(stays=found, **when(desk))


@router.post("/stays/{stay_id}/queue", responses=problems(404, 409))
async def move(stay_id: str, asked: QueueAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Sends who waits on to another queue: the stay ends as `overflowed`, and another with all her time begins there.
    What rings for her stops ringing."""
    await acts.move(desk, who, address_of(request), tenant, stay_id, asked.queue)
    return Done()


@router.post("/stays/{stay_id}/priority", responses=problems(404, 409))
async def prioritise(
    stay_id: str, asked: PriorityAsked, tenant: Tenant, who: Who, request: Request, desk: Desk
) -> Done:
    """Gives who waits another priority. What rings for her goes on ringing."""
    await acts.prioritise(desk, who, address_of(request), tenant, stay_id, asked.priority)
    return Done()


def _queue(view: dict[str, Any], now_s: float) -> QueueView:
    """As it is at `now_s`: the engine tells of a queue when somebody comes or goes, and waits grow in between."""
    since_s = view.get("waits_since_s", 0.0)
    return QueueView.model_validate({**view, "longest_wait_s": max(0.0, now_s - since_s) if since_s else 0.0})


def when(desk: Services) -> dict[str, Any]:
    now_s = desk.hub.engine_now_s() if desk.hub.engine_up else desk.hub.board.now_s
    return {"engine_up": desk.hub.engine_up, "now_s": now_s}
