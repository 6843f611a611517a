"""Whether the desk works, what people choose from, and this API's own description."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from desk.api.common import Asking, Desk, problems
from desk.api.models import Health, Setup
from desk.patience import within
from desk.services import Services
from desk.web import guarded_router

router = guarded_router(prefix="/v1", tags=["system"])
ANSWERS_WITHIN_S = 1.0
"""A database that takes longer is said to be away."""


@router.get("/health", responses=problems())
async def health(desk: Desk) -> Health:
    try:
        await within(ANSWERS_WITHIN_S, _answers(desk))
        database = True
    except (SQLAlchemyError, OSError, TimeoutError):
        database = False
    return Health(engine=desk.hub.engine_up, database=database, seq=desk.hub.board.seq)


async def _answers(desk: Services) -> None:
    async with desk.database.begin() as connection:
        await connection.execute(text("SELECT 1"))


@router.get("/setup", responses=problems())
async def setup(asking: Asking, desk: Desk) -> Setup:
    """Reasons not to be ready, queues with their dispositions, flows to send somebody to: of the release in force."""
    found = await desk.engine.setup()
    mine: dict[str, Any] = {
        kind: [each for each in found.get(kind, ()) if asking.tenant in (None, each.get("tenant"))]
        for kind in ("reasons", "queues", "flows")
    }
    return Setup.model_validate(mine)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> dict[str, Any]:
    schema: dict[str, Any] = request.app.openapi()
    return schema
