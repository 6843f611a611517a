"""What is known of one contact: from the engine while it lives, from SQL when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from desk.engine_client import NotKnown
from desk.problems import NotFound
from desk.services import Services
from store.sql.models import AgentWorkRow, InteractionRow
from store.sql.repositories import Interactions, NodeVisits

_HISTORY = 10


async def contact(services: Services, tenant: str, interaction_id: str) -> dict[str, Any]:
    """Raises NotFound (also: of another tenant), EngineAway."""
    try:
        found = await services.engine.contact(interaction_id)
    except NotKnown:
        return await _past(services, tenant, interaction_id)
    if found.get("tenant") != tenant:
        raise NotFound("there is no such interaction")
    return {**found, "interaction_id": interaction_id}


async def explained(services: Services, tenant: str, interaction_id: str) -> dict[str, Any]:
    """Raises NotFound (also: of another tenant), EngineAway."""
    if services.hub.board.tenants_of(interaction_id) != {tenant}:
        await contact(services, tenant, interaction_id)
    try:
        return {**await services.engine.explain(interaction_id), "interaction_id": interaction_id}
    except NotKnown:
        raise NotFound("nothing is known of how this interaction was routed") from None


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier contact of the same person. `agent_id`, `queue`, `disposition`: of the last agent who talked; else
    empty."""

    row: InteractionRow
    agent_id: str = ""
    disposition: str = ""
    queue: str = ""


async def history(services: Services, tenant: str, interaction_id: str) -> list[Past]:
    """Earlier contacts of the same person in this tenant, the newest first; empty while SQL has not heard of this one.

    Raises SQLAlchemyError: the database is away."""
    async with services.database.session() as session:
        this = await session.get(InteractionRow, interaction_id)
        if this is None or this.tenant != tenant or not this.contact_key_id:
            return []
        query = (
            select(InteractionRow)
            .where(
                InteractionRow.contact_key_id == this.contact_key_id,
                InteractionRow.tenant == tenant,
                InteractionRow.interaction_id != interaction_id,
                InteractionRow.direction != "internal",  # an agent at her phone, which rang with this number
                InteractionRow.opened_us <= this.opened_us,
            )
            .order_by(InteractionRow.opened_us.desc())
            .limit(_HISTORY)
        )
        rows = (await session.scalars(query)).all()
        talked = (
            select(AgentWorkRow)
            .where(AgentWorkRow.interaction_id.in_([row.interaction_id for row in rows]), AgentWorkRow.talk_us > 0)
            .order_by(AgentWorkRow.ended_us)
        )
        last = {work.interaction_id: work for work in (await session.scalars(talked)).all()}
    return [
        Past(row, work.agent_id, work.disposition, work.queue or "")
        if (work := last.get(row.interaction_id))
        else Past(row)
        for row in rows
    ]


async def _past(services: Services, tenant: str, interaction_id: str) -> dict[str, Any]:
    row = await Interactions(services.database).get(tenant, interaction_id)
    if row is None:
        raise NotFound("there is no such interaction")
    path = [visit.node for visit in await NodeVisits(services.database).of(tenant, interaction_id)]
    return {
        "interaction_id": interaction_id,
        "tenant": tenant,
        "caller": row.caller,
        "called": row.called,
        "language": row.language,
        "path": path,
    }
