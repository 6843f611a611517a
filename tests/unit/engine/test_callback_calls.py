"""She is called back: her phone rings, she answers or does not, and what happens to the agent meanwhile."""

from __future__ import annotations

from dataclasses import replace

from core.agent_facts import AgentActed
from core.commands import StartTimer
from core.decisions import REQUEST_REFUSED, Noted
from core.events import (
    CommandRejected,
    LegAdopted,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    TimerFired,
)
from core.leg import EndReason, LegRole, LegState
from core.leg_commands import HangUpLeg, OriginateLeg
from core.line_facts import LineChanged
from core.talk_facts import SupervisionActed
from engine import callbacks
from engine.routing_recovery import mend
from tests.unit.engine.callback_stage import CALLED_FIRST, HERS, LATER, ROUTED, Together, away, house
from tests.unit.engine.talk_case import ID

__all__ = ["away"]


def test_agent_first_the_agent_hears_it_ring_and_then_they_talk(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.comes("ana")
    assert away.calls_to_her() == []
    away.agent_answers()
    (leg_id,) = away.calls_to_her()
    assert (away.callback, away.work()) == ("calling", "offered")
    dialed = next(c for c in away.case.commands if isinstance(c, OriginateLeg) and c.leg_id == leg_id)
    assert (dialed.endpoint, dialed.caller) == (f"trunk:main-carrier/{HERS}", "+34900")
    away.answers()
    assert (away.callback, away.work(), away.case.state) == ("reached", "active", "connected")
    assert leg_id in away.case.inside()
    assert away.router.stay(stay_id) is None
    away.hangs_up()
    for leg in away.interaction.legs:
        if leg.state is not LegState.ENDED:
            away.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP_BY_US))
    away.case.nothing_is_left()
    assert away.interaction.outcome == "caller_hung_up"


def test_what_cannot_be_while_it_rings_is_refused_and_written_down_as_that(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    assert "is being called" in away.case.act("transfer", "queue:support")
    (noted,) = (each for each in away.case.last.decisions if isinstance(each, Noted))
    assert (noted.what, noted.why.partition(":")[0]) == (REQUEST_REFUSED, "transfer by ana")
    assert "is being called" in away.case.tell(SupervisionActed(ID, "marta", "listen", "main-1003")).refused
    (noted,) = (each for each in away.case.last.decisions if isinstance(each, Noted))
    assert (noted.what, noted.why.partition(":")[0]) == (REQUEST_REFUSED, "listen by marta")


def test_over_a_held_line_the_same(away: Together) -> None:
    away.route(AgentActed("main", "ana", "log_in"))
    away.route(LineChanged("i-l1", "main", "ana", "l1", up=True, node="n1"))
    away.route(AgentActed("main", "ana", "ready"))
    assert len(away.calls_to_her()) == 1
    away.answers()
    assert away.case.inside() == {"l1", away.interaction.customer.leg_id}


def test_who_is_not_reached_keeps_her_place_and_the_agent_is_free(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.comes("ana")
    away.agent_answers()
    agent_leg = next(leg.leg_id for leg in away.interaction.legs if leg.role is LegRole.AGENT)
    away.does_not_answer()
    assert HangUpLeg(agent_leg) in away.case.commands
    away.tell(LegEnded(agent_leg, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.work(), away.stay().stay_id) == ("waiting", "", stay_id)
    assert away.router.agent(("main", "ana")).presence.value == "ready"
    away.passes(290.0)
    assert away.work() == ""
    away.passes(20.0)
    assert away.work() == "offered"
    away.agent_answers()
    assert len(away.calls_to_her()) == 2
    away.does_not_answer(EndReason.BUSY)
    assert (away.callback, away.interaction.outcome) == ("given_up", "callback_given_up")
    assert away.router.stays() == ()


def test_the_agent_leaves_while_it_rings_and_that_call_does_not_count(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    agent_leg = away.interaction.talk.lead.leg_id
    (hers,) = away.calls_to_her()
    away.tell(LegEnded(agent_leg, EndReason.HUNG_UP))
    assert HangUpLeg(hers) in away.case.commands
    assert away.callback == "calling"
    away.tell(LegUp(hers))  # it crosses our hang-up
    away.tell(LegEnded(hers, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.interaction.callback.attempts) == ("waiting", 0)
    away.comes("eva")
    away.passes(10.0)
    assert away.work("eva") == "offered"


def test_who_rings_back_while_we_call_her_meets_the_agent_and_the_other_call_ends(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    (ours,) = away.calls_to_her()
    away.rings_back()
    assert HangUpLeg(ours) in away.case.commands
    away.tell(LegEnded(ours, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.work(), away.case.state) == ("reached", "active", "connected")
    assert away.case.inside() >= {"c2"}


def test_customer_first_she_is_called_and_is_the_first_of_the_queue() -> None:
    both = Together(house(CALLED_FIRST))
    both.waits()
    both.asks()
    both.hangs_up()
    both.comes("ana")
    assert (both.callback, both.work()) == ("calling", "")
    both.answers()
    assert both.work() == "offered"
    assert (both.stay().mode, both.stay().head, both.case.state) == ("live", True, "queued")
    both.agent_answers()
    assert (both.callback, both.work()) == ("reached", "active")


def test_who_is_listed_meanwhile_is_not_called(away: Together) -> None:
    away.case.around = replace(away.case.around, listed=lambda tenant, number: "Robinson list")
    away.comes("ana")
    away.agent_answers()
    assert (away.calls_to_her(), away.callback, away.interaction.outcome) == ([], "refused", "callback_refused")
    assert away.work() == ""


def test_a_call_that_the_node_refuses_counts_as_one(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    (leg_id,) = away.calls_to_her()
    away.tell(CommandRejected(ID, "7.1", "OriginateLeg", "no trunk", leg_id, leg_id))
    assert (away.callback, away.work()) == ("waiting", "")


def test_her_phone_rings_as_long_as_the_queue_says_from_its_first_ring(away: Together) -> None:
    def armed() -> list[float]:
        return [c.due_s for c in away.case.last.commands if isinstance(c, StartTimer) and c.timer_id == callbacks.RING]

    away.comes("ana")
    away.agent_answers()
    leg_id = away.interaction.customer.leg_id
    away.tell(TimerFired(ID, callbacks.RING))
    assert HangUpLeg(leg_id, EndReason.NO_ANSWER) not in away.case.commands, (
        "it does not ring yet: that was another call"
    )
    away.case.now_s += 4.0
    away.tell(LegRinging(leg_id))
    rings_s = away.interaction.callback.rang_s
    assert armed() == [rings_s + LATER.ring_s]
    away.case.now_s += 1.0
    away.tell(LegEarlyMedia(leg_id))
    assert armed() == [], "once"
    away.tell(TimerFired(ID, callbacks.LOOK))
    assert armed() == [], "after a restart nobody knows yet whether she has answered"
    away.tell(LegAdopted(leg_id, up=False))
    assert armed() == [rings_s + LATER.ring_s], "she has not"
    away.tell(TimerFired(ID, callbacks.RING))
    assert HangUpLeg(leg_id, EndReason.NO_ANSWER) in away.case.commands
    away.tell(LegEnded(leg_id, EndReason.NO_ANSWER))
    assert (away.callback, away.work()) == ("waiting", "")
    assert away.interaction.callback.rang_s
    away.case.now_s += LATER.retry_s
    away.passes(1.0)
    away.agent_answers()
    assert away.interaction.callback.rang_s == 0.0


def test_a_restart_while_she_is_being_called_neither_calls_again_nor_loses_the_agent(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    agent = away.interaction.talk.lead.leg_id
    facts = [fact for fact in mend(away.router, [away.interaction], away.case.now_s) if type(fact) in ROUTED]
    assert facts == []
    away.tell(LegEnded(away.interaction.customer.leg_id, EndReason.LOST))
    away.tell(LegEnded(agent, EndReason.HUNG_UP_BY_US))
    assert (away.callback, len(away.calls_to_her()), away.work()) == ("waiting", 1, "")
