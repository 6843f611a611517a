"""What people do with lists, for the API and the pages alike: previews, imports, exports, do-not-call looked up.

Every function may raise StoreUnavailable. What changes something is in the audit log, without anybody's name or number.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from core.list_store import ImportJob, ImportState
from desk.api.models_lists import ImportView, ListView, PlanAsked, TallyView
from desk.dial_acts import public
from desk.lists.preview import Preview
from desk.lists.registers import registers_directory, usable_registers
from desk.problems import NotFound, Unprocessable
from desk.roles import Principal
from desk.services import Services

_E164 = re.compile(r"\+[1-9][0-9]{3,14}")


async def preview(services: Services, tenant: str, upload_id: str, asked: PlanAsked) -> Preview:
    """What an import would do. Raises NotFound, FileUnusable, Unprocessable: a column is nothing it could be."""
    _, path = services.uploads.get(tenant, upload_id)
    reading = {name: value for name, value in asked.reading.model_dump().items() if value not in ("", None)}
    try:
        return await services.lists.preview(
            path,
            tenant,
            asked.list_id,
            wishes=[(target, header) for header, target in asked.map.items()],
            reading=reading,
            campaign=campaign_of(services, tenant, asked.list_id),
            country=asked.country.upper(),
            duplicates=asked.duplicates,
            elsewhere=asked.elsewhere,
            listed=asked.listed,
            registers=tuple(asked.registers),
            basis=asked.basis,
            consent=asked.consent,
            proof=asked.proof,
            priority=asked.priority,
            language=asked.language.lower(),
            time_zone=asked.time_zone,
            region=asked.region,
            words=asked.words,
        )
    except ValueError as wrong:
        raise Unprocessable(str(wrong)) from None


async def start(
    services: Services, who: Principal, address: str, tenant: str, upload_id: str, asked: PlanAsked
) -> ImportJob:
    """Raises NotFound, FileUnusable, ListBusy, Unprocessable: it cannot be imported like this."""
    upload, path = services.uploads.get(tenant, upload_id)
    shown = await preview(services, tenant, upload_id, asked)
    if shown.problems:
        raise Unprocessable("; ".join(shown.problems))
    job = await services.imports.start(path, shown)
    told = {"job": job.job_id, "file": upload.name, "duplicates": asked.duplicates, "basis": asked.basis}
    _write(services, who, address, tenant, "import", job.list_id, told)
    return job


async def cancel(services: Services, who: Principal, address: str, tenant: str, job_id: str) -> ImportJob:
    """Raises NotFound, ImportStopped: it is over."""
    await find(services, tenant, job_id)
    job = await services.lists.cancel(tenant, job_id, f"cancelled by {who.login}")
    _write(services, who, address, tenant, "import cancelled", job.list_id, {"job": job_id})
    return job


async def resume(services: Services, who: Principal, address: str, tenant: str, job_id: str) -> ImportJob:
    """Raises NotFound, ImportStopped: it cannot go on."""
    await find(services, tenant, job_id)
    job = await services.imports.resume(tenant, job_id)
    _write(services, who, address, tenant, "import resumed", job.list_id, {"job": job_id})
    return job


async def undo(services: Services, who: Principal, address: str, tenant: str, job_id: str) -> ImportJob:
    """Raises NotFound, ImportStopped."""
    await find(services, tenant, job_id)
    job = await services.imports.undo(tenant, job_id)
    _write(services, who, address, tenant, "import undone", job.list_id, {"job": job_id})
    return job


async def find(services: Services, tenant: str, job_id: str) -> ImportJob:
    """Raises NotFound."""
    job = await services.list_store.job(tenant, job_id)
    if job is None:
        raise NotFound("there is no such import in this tenant")
    return job


async def delete(services: Services, who: Principal, address: str, tenant: str, list_id: str) -> tuple[int, bool]:
    """(leads deleted, whether the list is gone). Raises NotFound."""
    await list_of(services, tenant, list_id)
    leads, gone = await services.lists.delete(tenant, list_id)
    _write(services, who, address, tenant, "list deleted", list_id, {"leads": leads, "gone": gone})
    return leads, gone


def exported(services: Services, who: Principal, address: str, tenant: str, what: str, list_id: str) -> None:
    """Personal data goes out: written down."""
    _write(services, who, address, tenant, f"{what} exported", list_id, {})


async def list_of(services: Services, tenant: str, list_id: str) -> ListView:
    """Raises NotFound."""
    shown = await services.lists.show(tenant, list_id)
    if shown is None:
        raise NotFound("there is no such list in this tenant")
    return ListView(
        list_id=list_id,
        campaign=shown.about.campaign or campaign_of(services, tenant, list_id),
        created_s=shown.about.created_s,
        changed_s=shown.about.changed_s,
        leads={state.value: number for state, number in shown.leads.items()},
    )


async def checked(services: Services, tenant: str, number: str, campaign: str = "") -> tuple[str, list[dict[str, str]]]:
    """The number as it is kept, and the do-not-call lists it is on. Raises Unprocessable."""
    plain = public(services, tenant, campaign, number)
    if not _E164.fullmatch(plain):
        raise Unprocessable(f"'{number[:40]}' is not E.164: write it like +34911234567")
    found: list[dict[str, str]] = []
    for level, of in (("tenant", ""), ("campaign", campaign)):
        if level == "tenant" or of:
            on = await services.list_store.listed_among(tenant, [plain], of)
            if plain in on and not (level == "campaign" and found):
                found.append({"level": level, "name": of})
    registers, _ = await asyncio.to_thread(usable_registers, registers_directory(services.settings.state))
    found += [{"level": "national", "name": name} for name, register in registers.items() if plain in register]
    return plain, found


def campaign_of(services: Services, tenant: str, list_id: str) -> str:
    """Whose list it is by the configuration; empty: nobody's, or not known while the engine is away."""
    for view in services.hub.board.campaigns(tenant):
        if any(share.get("list_id") == list_id for share in view.get("lists", ())):
            return str(view["campaign"])
    return ""


def shown_job(services: Services, job: ImportJob) -> ImportView:
    done = job.state is ImportState.FINISHED
    share = 1.0 if done else min(1.0, job.position / job.size) if job.size else 0.0
    return ImportView(
        job_id=job.job_id,
        list_id=job.list_id,
        source=job.source,
        state=job.state.value,
        share=share,
        rows=job.rows,
        tally=TallyView.model_validate(job.tally, from_attributes=True),
        started_s=job.started_s,
        finished_s=job.finished_s,
        why=job.why,
        rejects=bool(job.tally.rejected or job.tally.duplicates) and services.lists.rejects_of(job.job_id).exists(),
    )


def _write(
    services: Services,
    who: Principal,
    address: str,
    tenant: str,
    action: str,
    list_id: str,
    told: Mapping[str, Any],
) -> None:
    services.audit.later(services.audit.entry(who, address, action, f"list {list_id}", told, tenant=tenant))
