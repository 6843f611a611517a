"""Contacts that a campaign dialed for one agent in person, by the rules of its queue."""

from __future__ import annotations

from core.events import QueueLeft
from core.offer_facts import OfferFailed, OfferMade
from core.queue_facts import QueueJoined
from tests.unit.acd.shift import Shift, agent, queue, setup
from tests.unit.acd.test_wrap_up import TREE


def floor() -> Shift:
    shift = Shift(setup([agent("ana"), agent("eva")], [queue(wrap_up_s=30.0, dispositions=TREE)]))
    shift.logs_in("ana")
    shift.logs_in("eva")
    return shift


def dialed(**more: str) -> QueueJoined:
    return QueueJoined("c1", "s1", "main", queue="sales", **more)  # type: ignore[arg-type]


def test_one_agent_in_person_is_rung_by_the_rules_of_the_campaigns_queue() -> None:
    shift = floor()
    (offer,) = [fact for fact in shift.do(dialed(agent_id="eva")).facts if isinstance(fact, OfferMade)]
    assert (offer.agent_id, offer.queue) == ("eva", "sales")
    (left,) = [
        fact for fact in shift.do(OfferFailed("c1", offer.offer_id, "rejected")).facts if isinstance(fact, QueueLeft)
    ]
    assert left.outcome == "overflowed", "nobody else is asked"


def test_who_is_not_free_is_not_waited_for() -> None:
    shift = floor()
    shift.do(QueueJoined("c0", "s0", "main", queue="sales", preferred_agent="ana"))
    busy = next(iter(shift.ringing().values()))
    (left,) = [fact for fact in shift.do(dialed(agent_id=busy)).facts if isinstance(fact, QueueLeft)]
    assert left.outcome == "no_agents"
