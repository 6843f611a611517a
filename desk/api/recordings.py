"""Recordings that were kept: messages of callers and conversations."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from desk.api.common import Desk, Tenant, Who, problems
from desk.api.models_contacts import RecordingsView, RecordingView
from desk.problems import Unprocessable
from desk.web import address_of, guarded_router
from store.recordings import Recording

router = guarded_router(prefix="/v1", tags=["recordings"])

Word = Annotated[str, Query(max_length=200)]
_SOUND: dict[str, Any] = {
    "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
    "description": "WAV",
}
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


@router.get("/recordings", responses=problems(404))
async def recordings(
    tenant: Tenant,
    desk: Desk,
    queue: Word = "",
    agent_id: Word = "",
    before: Word = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RecordingsView:
    """The newest first."""
    found = await desk.listening.find(tenant, queue=queue, agent_id=agent_id, before=before, limit=limit)
    return RecordingsView(recordings=[view(each) for each in found], next=found[-1].name if len(found) == limit else "")


@router.get(
    "/recordings/{mailbox}/{name}/sound",
    responses={**problems(404), 200: _SOUND, 206: _SOUND},
    response_class=StreamingResponse,
)
async def sound(
    mailbox: str,
    name: str,
    tenant: Tenant,
    who: Who,
    request: Request,
    desk: Desk,
    range_: Annotated[str, Header(alias="range", max_length=100)] = "",
) -> StreamingResponse:
    """Its sound, or the asked range of it. Who asks is noted in the audit log."""
    part = _RANGE.fullmatch(range_)
    start = int(part[1]) if part else 0
    end = int(part[2]) + 1 if part and part[2] else None
    if end is not None and end <= start:
        raise Unprocessable("the range ends before it begins")
    size, pieces = await desk.listening.sound(who, address_of(request), tenant, mailbox, name, start, end)
    if start and start >= size:
        raise Unprocessable(f"the sound has {size} bytes")
    end = min(end or size, size)
    headers = {"accept-ranges": "bytes", "content-length": str(max(0, end - start))}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(pieces, 206 if part else 200, headers, media_type="audio/wav")


def view(recording: Recording) -> RecordingView:
    labels = dict(recording.labels)
    return RecordingView(
        mailbox=recording.mailbox,
        name=recording.name,
        at_s=recording.at_s,
        kind=recording.kind,
        interaction_id=recording.interaction_id,
        queue=recording.queue,
        agents=list(recording.agents),
        caller=labels.pop("caller", ""),
        called=labels.pop("called", ""),
        labels=labels,
        forgotten=recording.forgotten,
        sound=recording.sound is not None,
    )
