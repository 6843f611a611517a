"""What callers answered to surveys."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query

from desk.api.common import Asking, Desk, problems
from desk.api.models_surveys import QuestionFigures, Surveys
from desk.problems import Unprocessable
from desk.surveys import By, Wanted, plain_question, questions
from desk.web import guarded_router

router = guarded_router(prefix="/v1", tags=["surveys"])

Word = Annotated[str, Query(max_length=200)]


@router.get("/surveys", responses=problems())
async def surveys(
    asking: Asking,
    desk: Desk,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
    by: By = "queue",
    queue: Word = "",
    agent_id: Word = "",
) -> Surveys:
    """CSAT, NPS, yes or no: question by question, in total and by queue, agent, flow or day. This year's unless told.

    `queue` and `agent_id`: who had served the caller when the question was asked. `?tenant=*`: of all tenants, for who
    may."""
    zone = ZoneInfo(desk.settings.time_zone)
    until = last or datetime.fromtimestamp(desk.clock.now_s(), UTC).astimezone(zone).date()
    wanted = Wanted(first or until.replace(month=1, day=1), until, zone, by, asking.tenant, queue, agent_id)
    if wanted.fault:
        raise Unprocessable(wanted.fault)
    found = await questions(desk.database, wanted)
    return Surveys(
        first=wanted.since.isoformat(),
        last=wanted.until.isoformat(),
        by=by,
        questions=[QuestionFigures.model_validate(plain_question(each)) for each in found],
    )
