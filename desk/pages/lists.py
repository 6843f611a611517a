"""Lists on the page of a campaign: a file is sent, its columns are looked at and corrected, its import is watched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from core.errors import StoreUnavailable
from core.list_store import ImportState
from desk import list_acts
from desk.api.models_lists import PlanAsked, Reading
from desk.dial_acts import countries
from desk.lists.preview import Preview
from desk.pages.common import checked, language_of, page_router, render, speaking, tenant_of, who_of
from desk.pages.times import local_time
from desk.problems import NotFound
from desk.services import Services
from desk.web import address_of, services_of
from dialer.importing.plan import NO_PHONE, TARGETS

router = page_router()

COUNTRIES = ("ES", "US", "GB", "AR", "CO", "MX", "CL", "PE", "EC", "UY", "FR", "PT", "IT", "DE")
BASES = ("none", "consent", "contract", "relationship", "obligation", "request")
_LABELLED = ("phone", "field")
_JOBS_SHOWN = 6
_HERE = {NO_PHONE: "no column is a phone number: choose below which one is"}
"""What the command line mends by an option, the page by a field of its own."""


@router.get("/campaign/{campaign}/lists")
async def panel(campaign: str, request: Request) -> Response:
    """The lists of a campaign and their imports; asks again by itself while one is running."""
    return render(request, "campaign_imports.html", **await shown(request, campaign))


@router.post("/campaigns/uploads")
async def upload(
    request: Request, campaign: Annotated[str, Query(max_length=80)], list_id: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """Takes the file, and shows what an import of it would do."""
    services, tenant = services_of(request), tenant_of(request)
    view = services.hub.board.campaign(tenant, campaign)
    if view is None:
        raise NotFound("there is no such campaign in this tenant")
    with speaking(request):
        made = await services.uploads.take(
            tenant, request.headers.get("content-type", ""), request.stream(), services.clock.now_s()
        )
        lists = [str(share["list_id"]) for share in view.get("lists", ())]
        asked = checked(
            PlanAsked,
            list_id=list_id or next(iter(lists), campaign),
            country=next(iter(countries(services, tenant, campaign)), ""),
            words=language_of(request),
        )
        looked = await list_acts.preview(services, tenant, made.upload_id, asked)
    return render(request, "list_preview.html", **_preview(campaign, tenant, made.upload_id, made.name, asked, looked))


@router.post("/campaign/{campaign}/preview/{upload_id}")
async def preview(campaign: str, upload_id: str, request: Request) -> Response:
    """The same with what was corrected."""
    services, tenant = services_of(request), tenant_of(request)
    with speaking(request):
        file, _ = services.uploads.get(tenant, upload_id)
        asked = await _asked(request)
        looked = await list_acts.preview(services, tenant, upload_id, asked)
    return render(request, "list_preview.html", **_preview(campaign, tenant, upload_id, file.name, asked, looked))


@router.post("/campaign/{campaign}/imports/{upload_id}")
async def start(campaign: str, upload_id: str, request: Request) -> Response:
    with speaking(request):
        asked = await _asked(request)
        await list_acts.start(
            services_of(request), who_of(request), address_of(request), tenant_of(request), upload_id, asked
        )
    return await panel(campaign, request)


@router.post("/campaign/{campaign}/jobs/{job_id}/{action}")
async def act(campaign: str, job_id: str, action: str, request: Request) -> Response:
    """Cancels, resumes or takes back an import."""
    acts = {"cancel": list_acts.cancel, "resume": list_acts.resume, "undo": list_acts.undo}
    if action not in acts:
        raise NotFound("there is no such action")
    with speaking(request):
        await acts[action](services_of(request), who_of(request), address_of(request), tenant_of(request), job_id)
    return await panel(campaign, request)


async def shown(request: Request, campaign: str) -> dict[str, Any]:
    """Raises NotFound."""
    services, tenant = services_of(request), tenant_of(request)
    view = services.hub.board.campaign(tenant, campaign)
    if view is None:
        raise NotFound("there is no such campaign in this tenant")
    lists = [str(share["list_id"]) for share in view.get("lists", ())]
    return {
        "tenant": tenant,
        "campaign": view,
        "lists": await _lists(services, tenant, lists),
        "local_time": local_time(services.settings.time_zone, language_of(request)),
    }


async def _lists(services: Services, tenant: str, ids: list[str]) -> list[dict[str, Any]]:
    found = []
    for list_id in ids:
        try:
            there = await services.lists.show(tenant, list_id)
        except StoreUnavailable:
            return []
        jobs = list(there.jobs)[:_JOBS_SHOWN] if there else []
        found.append(
            {
                "list_id": list_id,
                "total": sum(there.leads.values()) if there else 0,
                "jobs": [list_acts.shown_job(services, job) for job in jobs],
                "busy": any(job.state is ImportState.RUNNING or services.imports.undoing(job.job_id) for job in jobs),
            }
        )
    return found


async def _asked(request: Request) -> PlanAsked:
    """A plan, from the form of the preview. Columns are named by their number; `phone:mobile` keeps its label."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    columns = {}
    for name, value in form.items():
        number = name.removeprefix("column.")
        if number != name and number.isdecimal() and value:
            label = form.get(f"label.{number}", "").strip()
            columns[number] = f"{value}:{label}" if label and value in _LABELLED else value
    reading = checked(
        Reading,
        encoding=form.get("encoding", ""),
        delimiter=form.get("delimiter", ""),
        sheet=form.get("sheet", ""),
    )
    fields = ("list_id", "country", "duplicates", "elsewhere", "listed", "basis", "consent", "proof")
    given = {name: form[name] for name in fields if form.get(name)}
    return checked(PlanAsked, map=columns, reading=reading, words=language_of(request), **given)


def _preview(
    campaign: str, tenant: str, upload_id: str, name: str, asked: PlanAsked, looked: Preview
) -> dict[str, Any]:
    plain = looked.plain()
    return {
        "tenant": tenant,
        "campaign_id": campaign,
        "upload_id": upload_id,
        "file_name": name,
        "asked": asked,
        "looked": {**plain, "problems": [_HERE.get(each, each) for each in plain["problems"]]},
        "targets": TARGETS,
        "labelled": _LABELLED,
        "countries": sorted({*COUNTRIES, asked.country.upper()} - {""}),
        "bases": BASES,
    }
