"""One contact: who it is, how it got here, what an agent does with it."""

from __future__ import annotations

from fastapi import Request

from desk import acts, contacts, dial_acts
from desk.api.common import Desk, Tenant, Who, problems
from desk.api.models import Done
from desk.api.models_contacts import (
    Contact,
    Explanation,
    History,
    Note,
    PastContact,
    SupervisionAsked,
    TalkAsked,
    WrapUpAsked,
)
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["interactions"])


@router.get("/interactions/{interaction_id}", responses=problems(404))
async def interaction(interaction_id: str, tenant: Tenant, desk: Desk) -> Contact:
    """Who calls, and the way through the flow so far: for the agent who has it, and who may read contacts."""
    return Contact.model_validate(await contacts.contact(desk, tenant, interaction_id))


@router.get("/interactions/{interaction_id}/history", responses=problems(404))
async def history(interaction_id: str, tenant: Tenant, desk: Desk) -> History:
    found = await contacts.history(desk, tenant, interaction_id)
    notes = await desk.past_notes.of(tenant, [past.row.interaction_id for past in found if past.agent_id])
    return History(
        contacts=[
            PastContact(
                interaction_id=past.row.interaction_id,
                channel=past.row.channel,
                direction=past.row.direction,
                flow=past.row.flow,
                opened_s=past.row.opened_us / 1e6,
                closed_s=past.row.closed_us / 1e6 if past.row.closed_us is not None else None,
                outcome=past.row.outcome,
                agent_id=past.agent_id,
                disposition=past.disposition,
                notes=[Note.model_validate(each) for each in notes.get(past.row.interaction_id, ())],
            )
            for past in found
        ]
    )


@router.get("/interactions/{interaction_id}/explain", responses=problems(404))
async def explain(interaction_id: str, tenant: Tenant, desk: Desk) -> Explanation:
    """Why this agent, why this wait."""
    return Explanation.model_validate(await contacts.explained(desk, tenant, interaction_id))


@router.post("/interactions/{interaction_id}/actions", responses=problems(404, 409))
async def act(interaction_id: str, asked: TalkAsked, who: Who, request: Request, desk: Desk) -> Done:
    """Hold, mute, transfer, consult and so on, in a conversation of one's own."""
    await acts.talk(desk, who, address_of(request), interaction_id, asked.action, asked.target, asked.values)
    return Done()


@router.post("/interactions/{interaction_id}/supervision", responses=problems(404, 409))
async def supervise(
    interaction_id: str, asked: SupervisionAsked, tenant: Tenant, who: Who, request: Request, desk: Desk
) -> Done:
    """Follow a conversation of others from one's own phone, switch between the ways, take it over, stop."""
    await acts.supervise(desk, who, address_of(request), tenant, interaction_id, asked.action, asked.device)
    return Done()


@router.post("/interactions/{interaction_id}/wrap-up", responses=problems(404, 409))
async def wrap_up(interaction_id: str, asked: WrapUpAsked, who: Who, request: Request, desk: Desk) -> Done:
    """Disposition, note, more time, callback date, end; during the conversation or after it."""
    await dial_acts.wrap_up(desk, who, address_of(request), interaction_id, asked)
    return Done()


@router.post("/offers/{offer_id}/refuse", responses=problems(404, 409))
async def refuse(offer_id: str, who: Who, request: Request, desk: Desk) -> Done:
    """Says no to an offer: the caller keeps their place and goes to somebody else."""
    await acts.refuse_offer(desk, who, address_of(request), offer_id)
    return Done()
