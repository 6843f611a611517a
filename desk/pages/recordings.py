"""Recordings that were kept, to be heard. Who listens is in the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from desk.api.recordings import view
from desk.pages.common import language_of, page_router, render, tenant_of, who_of
from desk.pages.times import local_time
from desk.roles import EVERY_TENANT
from desk.web import services_of

router = page_router()

Word = Annotated[str, Query(max_length=200)]
_PAGE = 50


@router.get("/recordings")
async def page(request: Request, queue: Word = "", agent_id: Word = "", before: Word = "") -> Response:
    tenant, services = tenant_of(request), services_of(request)
    found = await services.listening.find(tenant, queue=queue, agent_id=agent_id, before=before, limit=_PAGE)
    queues, agents = services.hub.board.queues(tenant), services.hub.board.agents(tenant)
    return render(
        request,
        "recordings.html",
        recordings=[view(each) for each in found],
        more=found[-1].name if len(found) == _PAGE else "",
        queue=queue,
        agent_id=agent_id,
        queues=queues,
        agents=agents,
        titles={each["queue"]: each.get("title") or each["queue"] for each in queues},
        names={each["agent_id"]: each.get("name") or each["agent_id"] for each in agents},
        tenant=tenant,
        tenants=services.tenants() if who_of(request).tenant == EVERY_TENANT else [tenant],
        local_time=local_time(services.settings.time_zone, language_of(request)),
    )
