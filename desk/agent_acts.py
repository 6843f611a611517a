"""Who is an agent, changed by people: asked of the engine, written down in the audit log, waited for.

Every function may raise EngineAway and EngineRefused (whose message is for the person).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.acts import SHOWN_WITHIN_S, audited
from desk.engine_client import FieldsWrong, NotKnown
from desk.problems import NotFound, Unprocessable
from desk.roles import Principal
from desk.services import Services

Json = dict[str, Any]
_GONE = "there is no such agent in this tenant"


async def definition(services: Services, tenant: str, agent_id: str) -> Json:
    """Raises NotFound."""
    found = next((each for each in await services.engine.agents(tenant) if each["agent_id"] == agent_id), None)
    if found is None:
        raise NotFound(_GONE)
    return found


async def enrol(
    services: Services, who: Principal, address: str, change: str, tenant: str, agent_id: str, fields: Mapping[str, Any]
) -> list[Json]:
    """`change`: add, change or remove. Returns warnings. What was said of her stays out of the audit log: only which
    fields. Raises NotFound, Unprocessable."""
    before, told = services.hub.board.seq, {"change": change, "fields": sorted(fields)}
    try:
        with audited(services, who, address, "AgentEnrolled", f"agent {agent_id}", told, tenant):
            warnings = await services.engine.enrol(change, tenant, agent_id, fields)
    except NotKnown:
        raise NotFound(_GONE) from None
    except FieldsWrong as wrong:
        raise Unprocessable(str(wrong), kind="agent_wrong", faults=wrong.faults) from None
    await services.hub.settle(lambda board: board.seq > before, SHOWN_WITHIN_S)
    return warnings
