"""What is read of queue stays and agents' work. Rows are plain objects, usable after the call.

Every method may raise SQLAlchemy's `OperationalError` while the database is away. Times are UTC microseconds; a stay or
a work counts in the moment it ended, in [from_us, to_us).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from store.sql.database import Database
from store.sql.models import AgentWorkRow, QueueStayRow

_FOR_EVER_US = 2**62


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the stays of one queue ended: `how` -> (how many, microseconds waited altogether). `in_target`: answered
    within the queue's service-level target; `within`: answered within what was asked for. `virtual`: stays that were
    waited away from the phone in part, for a callback; `virtual_us`: that part of all of them."""

    ends: dict[str, tuple[int, int]]
    in_target: int
    within: int
    virtual: int = 0
    virtual_us: int = 0

    @property
    def total(self) -> int:
        return sum(number for number, _ in self.ends.values())


@dataclass(frozen=True, slots=True)
class Worked:
    """An agent's sums in microseconds. `handled`: works with a conversation; `offered`: all of them."""

    offered: int
    handled: int
    ring_us: int
    talk_us: int
    hold_us: int
    consult_us: int
    wrap_up_us: int


class QueueStays:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[QueueStayRow]:
        """In the order in which they ended."""
        query = (
            select(QueueStayRow)
            .where(QueueStayRow.tenant == tenant, QueueStayRow.interaction_id == interaction_id)
            .order_by(QueueStayRow.ended_us, QueueStayRow.stay_id)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def outcomes(
        self, tenant: str, from_us: int = 0, to_us: int = _FOR_EVER_US, within_us: int = 0
    ) -> dict[str, Outcomes]:
        """Queue -> how its stays ended."""
        row = QueueStayRow
        quick = (row.how == "answered") & (row.waited_us <= within_us)
        query = (
            select(
                row.queue,
                row.how,
                func.count(),
                func.sum(row.waited_us),
                func.sum(row.in_target),
                _number_of(quick),
                func.sum(row.virtual),
                func.sum(row.virtual_us),
            )
            .where(row.tenant == tenant, row.ended_us >= from_us, row.ended_us < to_us)
            .group_by(row.queue, row.how)
            .order_by(row.queue, row.how)
        )
        found: dict[str, Outcomes] = {}
        async with self._database.session() as session:
            for queue, how, number, waited_us, in_target, within, virtual, virtual_us in await session.execute(query):
                before = found.get(queue, Outcomes({}, 0, 0))
                found[queue] = Outcomes(
                    {**before.ends, how: (number, int(waited_us or 0))},
                    before.in_target + int(in_target),
                    before.within + int(within),
                    before.virtual + int(virtual),
                    before.virtual_us + int(virtual_us),
                )
        return found


class AgentWork:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[AgentWorkRow]:
        """In the order in which they ended."""
        query = (
            select(AgentWorkRow)
            .where(AgentWorkRow.tenant == tenant, AgentWorkRow.interaction_id == interaction_id)
            .order_by(AgentWorkRow.ended_us, AgentWorkRow.work_id)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def totals(self, tenant: str, from_us: int = 0, to_us: int = _FOR_EVER_US) -> dict[str, Worked]:
        """Agent -> what she did."""
        row = AgentWorkRow
        talked = row.talk_us + row.hold_us + row.consult_us > 0
        sums = (func.sum(part) for part in (row.ring_us, row.talk_us, row.hold_us, row.consult_us, row.wrap_up_us))
        query = (
            select(row.agent_id, func.count(), _number_of(talked), *sums)
            .where(row.tenant == tenant, row.ended_us >= from_us, row.ended_us < to_us)
            .group_by(row.agent_id)
            .order_by(row.agent_id)
        )
        async with self._database.session() as session:
            return {agent_id: Worked(*map(int, numbers)) for agent_id, *numbers in await session.execute(query)}

    async def dispositions(
        self, tenant: str, from_us: int = 0, to_us: int = _FOR_EVER_US
    ) -> dict[tuple[str, str], int]:
        """(queue, disposition) -> how many works ended with it."""
        row = AgentWorkRow
        query = (
            select(row.queue, row.disposition, func.count())
            .where(row.tenant == tenant, row.disposition != "", row.ended_us >= from_us, row.ended_us < to_us)
            .group_by(row.queue, row.disposition)
        )
        async with self._database.session() as session:
            return {(queue, disposition): number for queue, disposition, number in await session.execute(query)}


def _number_of(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)
