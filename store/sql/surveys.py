"""What is read of surveys: one contact's, and how many gave which answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, func, literal_column, select

from store.sql.database import Database
from store.sql.models import ProjectionStateRow, SurveyAnswerRow

_FOR_EVER_US = 2**62
_QUARTER_US = 900_000_000

Group = Literal["queue", "agent", "flow", "quarter"]
"""`quarter`: of an hour, as a number since 1970: days of every time zone are made of them."""
_BY: Mapping[Group, Any] = {
    "queue": SurveyAnswerRow.queue,
    "agent": SurveyAnswerRow.agent_id,
    "flow": SurveyAnswerRow.flow,
    "quarter": SurveyAnswerRow.at_us // literal_column(str(_QUARTER_US), BigInteger),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """So many rows are alike. `asked` 0: the journal says only what was answered; `answer` empty: there is none."""

    tenant: str
    survey: str
    question: str
    kind: str
    group: str | int
    asked: int
    score: int | None
    answer: str
    count: int


class SurveyAnswers:
    """Every method may raise SQLAlchemy's `OperationalError` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[SurveyAnswerRow]:
        """In the order in which the questions were asked."""
        row = SurveyAnswerRow
        query = (
            select(row)
            .where(row.tenant == tenant, row.interaction_id == interaction_id)
            .order_by(row.at_us, row.visit, row.question)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def counts(
        self,
        by: Group,
        from_us: int = 0,
        to_us: int = _FOR_EVER_US,
        *,
        tenant: str | None = None,
        queue: str = "",
        agent_id: str = "",
    ) -> list[Counted]:
        """Of questions asked in [from_us, to_us); `tenant` None: of all."""
        row = SurveyAnswerRow
        columns = (row.tenant, row.survey, row.question, row.kind, _BY[by], row.asked, row.score, row.answer)
        query = select(*columns, func.count()).where(row.at_us >= from_us, row.at_us < to_us)
        if tenant is not None:
            query = query.where(row.tenant == tenant)
        if queue:
            query = query.where(row.queue == queue)
        if agent_id:
            query = query.where(row.agent_id == agent_id)
        async with self._database.session() as session:
            found = await session.execute(query.group_by(*columns).order_by(*columns))
            return [Counted(*each) for each in found]

    async def reached(self, name: str = "reports") -> int:
        """The last journal number in the tables; 0 for none."""
        query = select(ProjectionStateRow.seq).where(ProjectionStateRow.name == name)
        async with self._database.session() as session:
            return (await session.execute(query)).scalar_one_or_none() or 0
