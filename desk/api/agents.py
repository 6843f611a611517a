"""Who is an agent: added, changed and removed while the engine runs. Who stands in a file is changed there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from desk import agent_acts
from desk.api.common import Desk, Tenant, Who, problems
from desk.api.models import Done
from desk.api.models_agents import AgentAdded, AgentDefinition, AgentFields, AgentWritten
from desk.roles import Principal
from desk.services import Services
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["agents"])


@router.post("/agents", status_code=201, responses=problems(404, 409))
async def add(asked: AgentAdded, tenant: Tenant, who: Who, request: Request, desk: Desk) -> AgentWritten:
    """A new agent, in force at once and for good. Everything that is wrong is told at once, by field (`faults`). With
    `phone: own` she has a phone at once too: `sip` is its account."""
    fields = asked.model_dump(exclude_none=True, exclude={"agent_id"})
    return await _write(request, desk, who, "add", tenant, asked.agent_id, fields)


@router.get("/agents/{agent_id}/definition", responses=problems(404))
async def definition(agent_id: str, tenant: Tenant, desk: Desk) -> AgentDefinition:
    """As she is declared or was added; what she does now is `GET /v1/agents/{agent_id}`."""
    return AgentDefinition.model_validate(await agent_acts.definition(desk, tenant, agent_id))


@router.patch("/agents/{agent_id}", responses=problems(404, 409))
async def change(
    agent_id: str, asked: AgentFields, tenant: Tenant, who: Who, request: Request, desk: Desk
) -> AgentWritten:
    """Changes the given fields; null takes one back. She keeps her presence and her conversations. Refused for who
    stands in a file, with the file and line."""
    return await _write(request, desk, who, "change", tenant, agent_id, asked.model_dump(exclude_unset=True))


@router.post("/agents/{agent_id}/phone", responses=problems(404, 409))
async def new_phone(agent_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> AgentWritten:
    """A phone of her own in the place of the one she has, with an account that `sip` tells: for who has lost the old
    one's password, or a phone. The old one registers no more; a call on it goes on."""
    return await _write(request, desk, who, "new_phone", tenant, agent_id, {})


@router.delete("/agents/{agent_id}", responses=problems(404, 409))
async def remove(agent_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """She is an agent no more when what she is at is over; what was said of her is deleted, and a phone that was made
    for her registers no more. A call on it goes on."""
    await agent_acts.enrol(desk, who, address_of(request), "remove", tenant, agent_id, {})
    return Done()


async def _write(
    request: Request,
    desk: Services,
    who: Principal,
    change: str,
    tenant: str,
    agent_id: str,
    fields: Mapping[str, Any],
) -> AgentWritten:
    address = address_of(request)
    warnings, account = await agent_acts.enrol(desk, who, address, change, tenant, agent_id, fields)
    found = await agent_acts.definition(desk, tenant, agent_id)
    written = AgentWritten.model_validate({"agent": found, "warnings": warnings, "sip": account})
    if account is not None:
        request.state.kept_answer = written.model_copy(update={"sip": None}).model_dump_json()
    return written
