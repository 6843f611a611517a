"""Contacts that a campaign dialed: for one agent in person, and what the dialer is told of the wrap-up."""

from __future__ import annotations

from core.dialing import AttemptDisposed
from core.events import QueueLeft
from core.routing import OfferAccepted, OfferFailed, OfferMade, QueueJoined, TalkEnded, WrapUpActed
from tests.unit.acd.shift import Shift, agent, queue, setup
from tests.unit.acd.test_wrap_up import TREE


def floor() -> Shift:
    shift = Shift(setup([agent("ana"), agent("eva")], [queue(wrap_up_s=30.0, dispositions=TREE)]))
    shift.logs_in("ana")
    shift.logs_in("eva")
    return shift


def dialed(**more: str) -> QueueJoined:
    return QueueJoined("c1", "s1", "main", queue="sales", attempt_id="at-1", **more)  # type: ignore[arg-type]


def test_the_end_of_the_wrap_up_is_told_once_with_what_was_promised() -> None:
    shift = floor()
    (offer,) = [fact for fact in shift.do(dialed()).facts if isinstance(fact, OfferMade)]
    shift.do(OfferAccepted("c1", offer.offer_id))
    who = offer.agent_id
    assert shift.do(TalkEnded("c1", who)).facts == []
    at_s = shift.now_s + 3600
    done = WrapUpActed("c1", "main", who, disposition="sold/new", callback_at_s=at_s, finish=True)
    assert shift.do(done).facts == [AttemptDisposed("c1", "at-1", who, "sold/new", at_s)]


def test_a_wrap_up_that_ends_by_itself_has_no_disposition() -> None:
    shift = floor()
    (offer,) = [fact for fact in shift.do(dialed()).facts if isinstance(fact, OfferMade)]
    shift.do(OfferAccepted("c1", offer.offer_id))
    shift.do(TalkEnded("c1", offer.agent_id))
    shift.passes(31.0)
    assert AttemptDisposed("c1", "at-1", offer.agent_id, "not_given") in shift.log[-1].facts


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
