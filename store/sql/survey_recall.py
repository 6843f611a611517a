"""What the tables know of callers who may be asked their opinion, for a projector that does not remember them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.stay import StayEnd
from store.sql.models import NodeVisitRow, QueueStayRow, SurveyAnswerRow
from store.sql.survey_rows import Surveyed


async def recall(connection: AsyncConnection, known: Mapping[str, Surveyed]) -> None:
    """Fills in where each of them is, who served her, and what she has not answered yet."""
    names = list(known)
    stay, visit, row = QueueStayRow, NodeVisitRow, SurveyAnswerRow
    stays = (
        select(stay.interaction_id, stay.how, stay.queue, stay.agent_id)
        .where(stay.interaction_id.in_(names), stay.how == StayEnd.ANSWERED.value)
        .order_by(stay.ended_us, stay.stay_id)
    )
    for name, how, queue, agent_id in await connection.execute(stays):
        known[name].served(how, queue, agent_id)
    visits = (
        select(visit.interaction_id, visit.flow, visit.node, visit.visit)
        .where(visit.interaction_id.in_(names), visit.left_us.is_(None))
        .order_by(visit.visit)
    )
    for name, flow, node, number in await connection.execute(visits):
        known[name].entered(flow, node, number)
    waiting = (
        select(row.interaction_id, row.survey, row.question, row.visit)
        .where(row.interaction_id.in_(names), row.answered_us.is_(None))
        .order_by(row.visit)
    )
    for name, survey, question, number in await connection.execute(waiting):
        known[name].asked[survey, question] = number
