"""Who is an agent: added, changed and removed while the engine runs. Who stands in a file is changed there."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from desk import agent_acts
from desk.api.common import Desk, Tenant, Who, problems
from desk.api.models import Done
from desk.api.models_agents import AgentAdded, AgentDefinition, AgentFields, AgentWritten
from desk.services import Services
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["agents"])


@router.post("/agents", status_code=201, responses=problems(404, 409))
async def add(asked: AgentAdded, tenant: Tenant, who: Who, request: Request, desk: Desk) -> AgentWritten:
    """A new agent, in force at once and for good. Everything that is wrong is told at once, by field (`faults`)."""
    fields = asked.model_dump(exclude_none=True, exclude={"agent_id"})
    warnings = await agent_acts.enrol(desk, who, address_of(request), "add", tenant, asked.agent_id, fields)
    return await _written(desk, tenant, asked.agent_id, warnings)


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
    fields = asked.model_dump(exclude_unset=True)
    warnings = await agent_acts.enrol(desk, who, address_of(request), "change", tenant, agent_id, fields)
    return await _written(desk, tenant, agent_id, warnings)


@router.delete("/agents/{agent_id}", responses=problems(404, 409))
async def remove(agent_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """She is an agent no more when what she is at is over; what was said of her is deleted."""
    await agent_acts.enrol(desk, who, address_of(request), "remove", tenant, agent_id, {})
    return Done()


async def _written(desk: Services, tenant: str, agent_id: str, warnings: list[dict[str, Any]]) -> AgentWritten:
    found = await agent_acts.definition(desk, tenant, agent_id)
    return AgentWritten.model_validate({"agent": found, "warnings": warnings})
