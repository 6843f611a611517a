"""Lists of leads: files sent, what an import would do, imports watched and taken back, lists and results exported."""

from __future__ import annotations

import re
from typing import Any

from fastapi import Query, Request
from fastapi.responses import FileResponse, StreamingResponse

from desk import dial_acts, list_acts
from desk.api.common import Desk, Tenant, Who, problems
from desk.api.models_campaigns import NumberChecked, OnList
from desk.api.models_lists import (
    Deleted,
    ImportAsked,
    Imports,
    ImportView,
    ListsView,
    ListView,
    PlanAsked,
    PreviewView,
    UploadView,
)
from desk.list_export import attempts_csv, leads_csv
from desk.problems import NotFound
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1", tags=["lists"])

_CSV: dict[str, Any] = {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV"}
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("/uploads", status_code=201, responses=problems(404), openapi_extra=_FORM)
async def upload(tenant: Tenant, request: Request, desk: Desk) -> UploadView:
    """A list as CSV or XLSX, as `multipart/form-data`; it goes to the disk as it comes. Nothing is imported yet."""
    kind = request.headers.get("content-type", "")
    made = await desk.uploads.take(tenant, kind, request.stream(), desk.clock.now_s())
    return UploadView.model_validate(made, from_attributes=True)


@router.post("/uploads/{upload_id}/preview", responses=problems(404))
async def preview(upload_id: str, asked: PlanAsked, tenant: Tenant, desk: Desk) -> PreviewView:
    """What an import would do: columns as they are understood, the first leads, rows that would be refused."""
    return PreviewView.model_validate((await list_acts.preview(desk, tenant, upload_id, asked)).plain())


@router.get("/lists", responses=problems(404))
async def lists(tenant: Tenant, desk: Desk) -> ListsView:
    found = [await list_acts.list_of(desk, tenant, each.list_id) for each in await desk.lists.lists(tenant)]
    return ListsView(lists=found)


@router.get("/lists/{list_id}", responses=problems(404))
async def one_list(list_id: str, tenant: Tenant, desk: Desk) -> ListView:
    return await list_acts.list_of(desk, tenant, list_id)


@router.delete("/lists/{list_id}", responses=problems(404, 409))
async def delete(list_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> Deleted:
    """Its leads, and the list itself; attempts stay, they are evidence."""
    leads, gone = await list_acts.delete(desk, who, address_of(request), tenant, list_id)
    return Deleted(leads=leads, gone=gone)


@router.get("/lists/{list_id}/export", responses={**problems(404), 200: _CSV}, response_class=StreamingResponse)
async def export(list_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> StreamingResponse:
    """Every lead with its state, last outcome and disposition, as CSV."""
    await list_acts.list_of(desk, tenant, list_id)
    list_acts.exported(desk, who, address_of(request), tenant, "leads", list_id)
    return _csv(leads_csv(desk.lists.leads(tenant, list_id)), f"{list_id}.csv")


@router.get("/campaigns/{campaign}/attempts", responses={**problems(404), 200: _CSV}, response_class=StreamingResponse)
async def attempts(
    campaign: str,
    tenant: Tenant,
    who: Who,
    request: Request,
    desk: Desk,
    since_s: float = Query(0.0, ge=0, le=1e11),
) -> StreamingResponse:
    """Every attempt of a campaign with its times and what came of it, as CSV, by the time it was dialed."""
    dial_acts.known(desk, tenant, campaign)
    list_acts.exported(desk, who, address_of(request), tenant, "attempts", campaign)
    return _csv(attempts_csv(desk.lists.attempts(tenant, campaign, since_s=since_s)), f"{campaign}-attempts.csv")


@router.post("/imports", status_code=202, responses=problems(404, 409))
async def start(asked: ImportAsked, tenant: Tenant, who: Who, request: Request, desk: Desk) -> ImportView:
    """Begins an import; nobody of it is dialed before it has finished. A list takes one at a time."""
    job = await list_acts.start(desk, who, address_of(request), tenant, asked.upload_id, asked)
    return list_acts.shown_job(desk, job)


@router.get("/imports", responses=problems(404))
async def imports(tenant: Tenant, desk: Desk, list_id: str = "") -> Imports:
    found = await desk.list_store.jobs(tenant, list_id)
    return Imports(imports=[list_acts.shown_job(desk, job) for job in found])


@router.get("/imports/{job_id}", responses=problems(404))
async def one_import(job_id: str, tenant: Tenant, desk: Desk) -> ImportView:
    return list_acts.shown_job(desk, await list_acts.find(desk, tenant, job_id))


@router.post("/imports/{job_id}/cancel", responses=problems(404, 409))
async def cancel(job_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> ImportView:
    """Stops it; what it took is not dialed. It can be resumed, or undone."""
    return list_acts.shown_job(desk, await list_acts.cancel(desk, who, address_of(request), tenant, job_id))


@router.post("/imports/{job_id}/resume", responses=problems(404, 409))
async def resume(job_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> ImportView:
    """Goes on with one that was cancelled, failed, or lost its process."""
    return list_acts.shown_job(desk, await list_acts.resume(desk, who, address_of(request), tenant, job_id))


@router.post("/imports/{job_id}/undo", responses=problems(404, 409))
async def undo(job_id: str, tenant: Tenant, who: Who, request: Request, desk: Desk) -> ImportView:
    """Takes it back: what it added and nobody has dialed goes, what it changed is as before."""
    return list_acts.shown_job(desk, await list_acts.undo(desk, who, address_of(request), tenant, job_id))


@router.get("/imports/{job_id}/rejected", responses={**problems(404), 200: _CSV}, response_class=FileResponse)
async def rejected(job_id: str, tenant: Tenant, desk: Desk) -> FileResponse:
    """The rows that were not taken, each with its reason, as CSV: mend it and import it again."""
    job = await list_acts.find(desk, tenant, job_id)
    path = desk.lists.rejects_of(job_id)
    if not path.exists():
        raise NotFound("this import has refused no row")
    name = f"{job.list_id}-rejected.csv"
    return FileResponse(path, media_type="text/csv; charset=utf-8", filename=name)


@router.get("/do-not-call", responses=problems(404))
async def check(tenant: Tenant, desk: Desk, number: str = Query(max_length=40), campaign: str = "") -> NumberChecked:
    """Which do-not-call lists a number is on: the tenant's, a campaign's, national registers."""
    plain, found = await list_acts.checked(desk, tenant, number, campaign)
    return NumberChecked(number=plain, listed=bool(found), lists=[OnList(**each) for each in found])


def _csv(text: Any, name: str) -> StreamingResponse:
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    headers = {"content-disposition": f'attachment; filename="{plain}"'}
    return StreamingResponse(text, media_type="text/csv; charset=utf-8", headers=headers)
