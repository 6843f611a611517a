"""A caller who hangs up and keeps her place, with the router: called back, ringing back, and never twice at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.router import Router
from acd.setup import Callbacks
from core.callback import CALLBACK_TABLE, CallbackState
from core.commands import RequestCallback, StartTimer
from core.events import (
    DigitPressed,
    LegArrived,
    LegEnded,
    TimerFired,
)
from core.leg import EndReason, LegRole, LegState
from core.leg_commands import AnswerLeg, HangUpLeg
from core.queue_facts import QueuePosition
from engine import callbacks
from engine.away_callers import AwayCallers
from engine.routing_recovery import mend
from ivr.prompts import Prompt
from tests.unit.engine.callback_stage import CALLED_FIRST, HERS, LATER, OTHER, ROUTED, Together, away, house
from tests.unit.engine.talk_case import CALLER, ID, heard, play_out

__all__ = ["away"]


def test_she_keeps_her_stay_while_she_agrees_and_when_she_has_hung_up() -> None:
    both = Together()
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(DigitPressed(CALLER, "2"))
    assert (both.stay().mode, both.stay().stay_id) == ("held", stay_id)
    both.tell(DigitPressed(CALLER, "1"))
    assert both.callback == "agreed"
    both.hangs_up()
    assert (both.stay().mode, both.stay().stay_id, both.callback) == ("virtual", stay_id, "waiting")
    assert both.case.state == "callback_waiting"


def test_who_rings_back_has_her_place_on_the_line(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.rings_back()
    assert (away.stay().mode, away.stay().stay_id, away.callback) == ("live", stay_id, "back")
    assert AnswerLeg("c2") in away.case.commands
    away.comes("ana")
    away.agent_answers()
    assert (away.callback, away.work()) == ("reached", "active")
    assert away.calls_to_her() == []
    assert away.case.inside() >= {"c2"}


@pytest.mark.parametrize(
    ("ring_back", "known"),
    [("confirmed", {OTHER}), ("either", {OTHER, HERS}), ("never", set())],
)
def test_whose_number_is_believed_is_the_queues_choice(ring_back: str, known: set[str]) -> None:
    """She called from one number, and confirmed another."""
    both = Together(house(replace(LATER, ring_back=ring_back)))  # type: ignore[arg-type]
    both.waits()
    both.tell(*(DigitPressed(CALLER, digit) for digit in f"22{OTHER.removeprefix('+34')}#1"))
    both.hangs_up()
    assert (both.callback, both.interaction.callback.number) == ("waiting", OTHER)
    away = AwayCallers()
    away.keep(both.interaction, both.around)
    ringing = {number: away.whose(LegArrived("c2", "n1", "100", number), both.around) for number in (HERS, OTHER)}
    assert {number for number, found in ringing.items() if found is not None} == known


def test_a_queue_that_stops_believing_numbers_does_so_at_once(away: Together) -> None:
    callers = AwayCallers()
    callers.keep(away.interaction, away.around)
    rings = LegArrived("c2", "n1", "100", HERS)
    assert callers.whose(rings, away.around) is away.interaction
    assert callers.whose(rings, house(replace(LATER, ring_back="never"))) is None


def test_who_rings_back_and_hangs_up_again_waits_on_away(away: Together) -> None:
    away.rings_back()
    away.hangs_up()
    assert (away.callback, away.stay().mode) == ("waiting", "virtual")
    away.comes("ana")
    assert away.work() == ""
    away.passes(301.0)
    assert away.work() == "offered"


def test_without_having_waited_on_the_line() -> None:
    both = Together(agents=("ana",))
    both.asks()
    assert (both.stay().mode, both.callback) == ("held", "agreed")
    both.hangs_up()
    assert both.work() == "offered"


def test_whom_nobody_may_call_is_told_so() -> None:
    both = Together(house(listed="she asked for it"))
    both.waits()
    both.asks()
    assert both.callback == ""
    assert not any(isinstance(c, RequestCallback) for c in both.case.commands)
    both.hangs_up()
    assert both.router.stays() == ()
    assert both.case.state == "closed"


def test_a_number_that_no_rule_allows_is_refused() -> None:
    both = Together(house(replace(LATER, rule="landlines")))
    both.waits()
    both.asks()
    assert both.callback == ""


def test_she_waits_on_the_line_after_all() -> None:
    both = Together()
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(*(DigitPressed(CALLER, digit) for digit in "2777"))
    assert both.stay().stay_id == stay_id
    assert both.stay().mode == "live"
    both.comes("ana")
    both.agent_answers()
    assert (both.work(), both.case.state) == ("active", "connected")


def test_who_hangs_up_while_she_is_asked_for_her_number_has_left() -> None:
    both = Together()
    both.waits()
    both.tell(DigitPressed(CALLER, "2"))
    both.hangs_up()
    assert (both.case.state, both.router.stays()) == ("closed", ())


def test_a_queue_without_callbacks_only_writes_the_request_down() -> None:
    both = Together()
    both.tell(DigitPressed(CALLER, "3"), DigitPressed(CALLER, "2"), DigitPressed(CALLER, "1"))
    assert both.router.stays() == ()
    assert any(isinstance(c, RequestCallback) for c in both.case.commands)
    both.hangs_up()
    assert both.case.state == "closed"


def test_while_the_wait_is_long_she_hears_how_to_be_called_back() -> None:
    around = house()
    texts = around.queue_prompts["main", "sales"]
    offer = replace(texts, ewt=None, position=None, callback=Prompt({"es": "Pulse 2 y le llamamos."}))
    both = Together(replace(around, queue_prompts={("main", "sales"): offer}))
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(QueuePosition(ID, stay_id, 2, 3, 600.0))
    assert heard(both.case) == []
    both.tell(QueuePosition(ID, stay_id, 2, 3, 600.0, callback=True))
    assert heard(both.case) == ["Pulse 2 y le llamamos."]


def test_who_is_back_hears_of_no_key_that_leads_nowhere() -> None:
    around = house()
    texts = around.queue_prompts["main", "sales"]
    keys = Prompt({"es": "Para dejar un mensaje, marque 1."})
    said = replace(texts, ewt=None, position=None, callback=keys, comfort=(keys,))
    queue = around.routing.queues["main", "sales"]
    queue = replace(queue, announcements=replace(queue.announcements, comfort_every_s=20.0))
    routing = replace(around.routing, queues={**around.routing.queues, ("main", "sales"): queue})
    both = Together(replace(around, queue_prompts={("main", "sales"): said}, routing=routing))
    both.waits()
    assert any(timer.endswith(":comfort") for timer in both.interaction.waiting.timers)
    both.asks()
    both.hangs_up()
    both.rings_back()
    assert both.callback == "back"
    play_out(both.case)
    both.tell(QueuePosition(ID, both.stay().stay_id, 2, 3, 600.0, callback=True))
    assert heard(both.case) == []
    assert not any(timer.endswith(":comfort") for timer in both.interaction.waiting.timers)


def test_the_key_works_though_no_callback_is_offered() -> None:
    """She may have heard of it while the wait was longer, or know it from another day."""
    both = Together(house(replace(LATER, min_ewt_s=3600.0)))
    both.waits()
    stay_id = both.stay().stay_id
    both.asks()
    both.hangs_up()
    assert (both.callback, both.stay().mode, both.stay().stay_id) == ("waiting", "virtual", stay_id)


def test_the_promise_expires(away: Together) -> None:
    away.tell(TimerFired(ID, callbacks.EXPIRY))
    assert (away.callback, away.interaction.outcome, away.case.state) == ("expired", "callback_expired", "closed")
    assert away.router.stays() == ()


def test_after_a_restart_the_promise_is_remembered_and_her_place_too(away: Together) -> None:
    rows = {("stay", away.stay().stay_id): away.router.save(("stay", away.stay().stay_id))}
    for saved in (rows, {}):
        away.router = Router(away.around.routing)
        away.router.restore(saved, away.case.now_s, lambda _: True)
        for fact in list(mend(away.router, [away.interaction], away.case.now_s)):
            away.route(fact) if type(fact) in ROUTED else away.tell(fact)
        assert away.stay().mode == "virtual"
        armed = [c for c in away.case.last.commands if isinstance(c, StartTimer) and c.timer_id == callbacks.EXPIRY]
        assert armed


happenings = st.lists(st.integers(0, 13), min_size=5, max_size=45)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happenings, st.sampled_from((LATER, CALLED_FIRST)))
def test_whatever_happens_she_has_one_line_at_a_time_and_one_stay_until_the_end(
    day: list[int], told: Callbacks
) -> None:
    both = Together(house(told))
    both.waits()
    stay_id = both.stay().stay_id
    calls = 0
    for what in day:
        if both.interaction.is_closed:
            break
        hers = both.interaction.customer
        legs = [leg for leg in both.interaction.legs if leg.state is not LegState.ENDED]
        match what:
            case 0:
                both.asks()
            case 1 | 2 if hers.state is not LegState.ENDED:
                both.hangs_up()
            case 3:
                both.comes("ana")
            case 4 | 5 if both.interaction.offers:
                both.agent_answers()
            case 6 if hers.leg_id in both.calls_to_her() and hers.state is not LegState.ENDED:
                both.answers()
            case 7 if hers.leg_id in both.calls_to_her() and not hers.is_up and hers.state is not LegState.ENDED:
                both.does_not_answer()
            case 8 if both.interaction.is_away:
                calls += 1
                both.rings_back(f"r{calls}")
            case 9:
                both.passes(305.0)
            case 10:
                both.tell(TimerFired(ID, callbacks.EXPIRY))
            case 11:
                for leg in legs:
                    if HangUpLeg(leg.leg_id) in both.case.commands or leg.role is LegRole.AGENT:
                        both.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP))
                        break
            case 12:
                both.comes("eva")
            case 13 if both.interaction.offers:
                offer_leg = both.interaction.offers[-1].offer_id
                both.tell(LegEnded(offer_leg, EndReason.BUSY))
            case _:
                continue
        _check(both, stay_id)


def _check(both: Together, stay_id: str) -> None:
    hung_up = {c.leg_id for c in both.case.commands if isinstance(c, HangUpLeg)}
    hers = [leg for leg in both.interaction.legs if leg.role is LegRole.CUSTOMER and leg.state is not LegState.ENDED]
    assert sum(leg.leg_id not in hung_up for leg in hers) <= 1, "two lines of hers at once"
    assert len(both.calls_to_her()) == len(set(both.calls_to_her()))
    stay = both.router.stay(stay_id)
    if both.interaction.waiting is not None:
        assert stay is not None, "she waits and the router has forgotten her"
    away = both.interaction.is_away
    if away:
        assert both.interaction.waiting or both.interaction.talk
        assert stay is not None
        assert stay.mode == "virtual"
    if both.interaction.is_closed:
        assert stay is None, "nobody waits, and the router believes so"


def test_the_table_ends_in_each_of_its_ends() -> None:
    reachable = {to for (_, _), to in CALLBACK_TABLE.moves.items()}
    assert reachable == set(CallbackState) - {CallbackState.AGREED}
