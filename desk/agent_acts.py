"""Who is an agent, changed by people: asked of the engine, written down in the audit log, waited for.

Every function may raise EngineAway and EngineRefused (whose message is for the person).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.acts import SHOWN_WITHIN_S, audited
from desk.engine_client import FieldsWrong, NotKnown
from desk.problems import Forbidden, NotFound, Unprocessable
from desk.roles import Permission, Principal
from desk.services import Services

Json = dict[str, Any]
_GONE = "there is no such agent in this tenant"
_NOT_YOURS = "who supervises by phone, and how she logs in there, is for admins to say"
_SENSITIVE = frozenset({"supervises", "code", "pin", "device", "phone"})


async def definition(services: Services, tenant: str, agent_id: str) -> Json:
    """Raises NotFound."""
    found = next((each for each in await services.engine.agents(tenant) if each["agent_id"] == agent_id), None)
    if found is None:
        raise NotFound(_GONE)
    return found


async def enrol(
    services: Services, who: Principal, address: str, change: str, tenant: str, agent_id: str, fields: Mapping[str, Any]
) -> tuple[list[Json], Json | None]:
    """`change`: add, change, new_phone or remove. Returns warnings, and the SIP account of a phone that was made for
    her: it is shown to who asked and kept nowhere. What was said of her stays out of the audit log: only which fields.
    Raises Forbidden, NotFound, Unprocessable."""
    before, told = services.hub.board.seq, {"change": change, "fields": sorted(fields)}
    if not who.may(Permission.GRANT_SUPERVISION) and await _is_granting(services, change, tenant, agent_id, fields):
        refused = services.audit.entry(
            who, address, "AgentEnrolled", f"agent {agent_id}", told, "refused", tenant=tenant
        )
        services.audit.later(refused)
        raise Forbidden(_NOT_YOURS)
    try:
        with audited(services, who, address, "AgentEnrolled", f"agent {agent_id}", told, tenant):
            warnings, account = await services.engine.enrol(change, tenant, agent_id, fields)
    except NotKnown:
        raise NotFound(_GONE) from None
    except FieldsWrong as wrong:
        raise Unprocessable(str(wrong), kind="agent_wrong", faults=wrong.faults) from None
    await services.hub.settle(lambda board: board.seq > before, SHOWN_WITHIN_S)
    return warnings, account


async def _is_granting(services: Services, change: str, tenant: str, agent_id: str, fields: Mapping[str, Any]) -> bool:
    """Whether this makes somebody able to follow conversations by phone, or no longer, or gives who is able another way
    to log in: a phone or a PIN that somebody else knows would be as good as the leave itself."""
    if change == "add":
        return bool(fields.get("supervises"))
    if change == "remove" or not (change == "new_phone" or _SENSITIVE & fields.keys()):
        return False
    known = next((each for each in await services.engine.agents(tenant) if each["agent_id"] == agent_id), {})
    supervises = bool(known.get("supervises"))
    return supervises or bool(fields.get("supervises", supervises)) != supervises
