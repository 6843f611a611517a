"""Campaigns as they are now, started and stopped; leads explained; numbers that are not to be called."""

from __future__ import annotations

import asyncio

from fastapi import Request

from desk import dial_acts
from desk.api.boards import when
from desk.api.common import Asking, Desk, Tenant, Who, problems
from desk.api.models import Done
from desk.api.models_campaigns import (
    Acted,
    CampaignAsked,
    CampaignDetail,
    Campaigns,
    CampaignText,
    CampaignView,
    CampaignWritten,
    Dialing,
    Fault,
    InPerson,
    LeadAsked,
    ManualAsked,
    NumberAsked,
    PreviewAsked,
    Validated,
    WhyLead,
    Written,
)
from desk.campaign_check import look_at, name_of
from desk.engine_client import NotKnown
from desk.problems import NotFound
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["campaigns"])


@router.get("/campaigns", responses=problems())
async def campaigns(asking: Asking, desk: Desk) -> Campaigns:
    """Every campaign of the tenant, with its lines, agents and abandonment as they are now."""
    found = [CampaignView.model_validate(view) for view in desk.hub.board.campaigns(asking.tenant)]
    return Campaigns(campaigns=found, **when(desk))


@router.post("/campaigns", responses=problems(404, 409))
async def write(asked: CampaignWritten, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Written:
    """Looks at a campaign's YAML, and with `write` puts it under `config/campaigns/` and in force, if it and everything
    else beside it are right; else nothing changes. A new campaign is stopped until it is started."""
    looked = await validate(asked, tenant, desk)
    name = name_of(asked.text)
    if not (looked.ok and asked.write):
        return Written(ok=looked.ok, faults=looked.faults, campaign=name)
    told = await dial_acts.write_campaign(desk, who, address_of(request), tenant, name, asked.text, asked.replace)
    return Written(ok=True, faults=looked.faults, campaign=name, file=told["file"], problems=told.get("problems", []))


@router.post("/campaigns/validate", responses=problems(404))
async def validate(asked: CampaignText, tenant: Tenant, desk: Desk) -> Validated:
    """What is wrong with a campaign's YAML, everything at once, before it is put under `config/campaigns/`."""
    queues = {view["queue"] for view in desk.hub.board.queues(tenant)} if desk.hub.engine_up else None
    found = await asyncio.to_thread(look_at, asked.text, tenant, queues)
    faults = [Fault.model_validate(each, from_attributes=True) for each in found]
    return Validated(ok=all(each.warning for each in faults), faults=faults)


@router.get("/campaigns/{campaign}", responses=problems(404))
async def campaign(campaign: str, tenant: Tenant, desk: Desk) -> CampaignDetail:
    """With the last pacing decisions, each with its reason, and leads by state."""
    try:
        return CampaignDetail.model_validate(await desk.engine.campaign(tenant, campaign))
    except NotKnown:
        raise NotFound("there is no such campaign in this tenant") from None


@router.post("/campaigns/{campaign}/action", responses=problems(404, 409))
async def act(campaign: str, asked: CampaignAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Acted:
    """Start, pause, drain or stop it; refused with the reason. Started without anybody to dial, it tells so."""
    return Acted(told=await dial_acts.campaign(desk, who, address_of(request), tenant, campaign, asked.action))


@router.post("/campaigns/{campaign}/manual", responses=problems(404, 409))
async def manual(campaign: str, asked: ManualAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Dials a number for the agent who asks, under the same rules; refused with the reason. Without a held line her
    phone rings first. What becomes of it: `GET /v1/agents/{agent_id}/dialing`, and the live stream."""
    await dial_acts.manual(desk, who, address_of(request), tenant, campaign, asked.number, asked.lead_id)
    return Done()


@router.get("/agents/{agent_id}/dialing", responses=problems())
async def dialing(agent_id: str, tenant: Tenant, desk: Desk) -> Dialing:
    """What is dialed for one agent in person, by hand or after a look: how far it is, and in words why the last came to
    nothing, for five minutes."""
    found = [InPerson.model_validate(each) for each in desk.hub.board.in_person(tenant, agent_id)]
    return Dialing(attempts=found, **when(desk))


@router.post("/previews/{attempt_id}", responses=problems(404, 409))
async def preview(attempt_id: str, asked: PreviewAsked, who: Who, request: Request, desk: Desk) -> Done:
    """Dials or skips the lead one is shown."""
    await dial_acts.preview(desk, who, address_of(request), attempt_id, asked.action)
    return Done()


@router.get("/leads/{lead_id}/why", responses=problems(404))
async def why(lead_id: str, tenant: Tenant, desk: Desk) -> WhyLead:
    """Why it was or was not dialed, and when it next may be."""
    return WhyLead.model_validate(await dial_acts.why(desk, tenant, lead_id))


@router.post("/leads/{lead_id}/actions", responses=problems(404, 409))
async def act_on_lead(lead_id: str, asked: LeadAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    dial_acts.known(desk, tenant, asked.campaign)
    await dial_acts.lead(desk, who, address_of(request), tenant, asked.campaign, lead_id, asked.action)
    return Done()


@router.post("/interactions/{interaction_id}/do-not-call", responses=problems(404, 409))
async def do_not_call(interaction_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Who one talks with asks not to be called again: effective at once."""
    await dial_acts.do_not_call(desk, who, address_of(request), tenant, interaction_id)
    return Done()


@router.post("/do-not-call", responses=problems(404, 409))
async def list_number(asked: NumberAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Puts a number (E.164) on the tenant's or a campaign's list: effective at once."""
    address = address_of(request)
    await dial_acts.list_number(
        desk, who, address, tenant, asked.number, campaign=asked.campaign, why=asked.why, by="api"
    )
    return Done()


@router.post("/do-not-call/remove", responses=problems(404, 409))
async def unlist_number(asked: NumberAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Done:
    """Takes a number off the tenant's or a campaign's list. National registers are renewed, not edited."""
    address = address_of(request)
    await dial_acts.list_number(
        desk, who, address, tenant, asked.number, campaign=asked.campaign, listed=False, why=asked.why, by="api"
    )
    return Done()
