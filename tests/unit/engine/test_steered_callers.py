"""A supervisor moves callers who wait and gives them priority: what the router decides and what the caller hears of it,
together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.router import Router
from acd.setup import Announcements, Callbacks
from core.events import LegUp
from core.leg_commands import HangUpLeg, StartMusic, StopPlayback
from core.queue_facts import QueuePosition, StayActed
from engine.routing_recovery import mend
from tests.unit.engine.callback_stage import ROUTED, Together, house
from tests.unit.engine.talk_case import CALLER, ID


class Steered(Together):
    def moves(self, queue: str = "support") -> str:
        return self.asks_for("move", queue=queue)

    def prioritises(self, priority: int) -> str:
        return self.asks_for("prioritise", priority=priority)

    def asks_for(self, action: str, **more: object) -> str:
        """Why not, in words."""
        self.mark = len(self.case.commands)
        self.route(StayActed(ID, self.stay().stay_id, "main", action, **more))  # type: ignore[arg-type]
        return ""

    @property
    def commanded(self) -> list[object]:
        """In the turn of the last wish."""
        return self.case.commands[self.mark :]


def two_queues(**more: object) -> object:
    """`support` is another queue with other music; both call back."""
    around = house()
    queues = dict(around.routing.queues)  # type: ignore[attr-defined]
    queues["main", "support"] = replace(queues["main", "support"], callback=Callbacks(), **more)
    return replace(around, routing=replace(around.routing, queues=queues))  # type: ignore[attr-defined,type-var]


@pytest.fixture
def both() -> Steered:
    together = Steered(two_queues(music="jazz"))
    together.waits()
    return together


def test_she_hears_the_other_queues_music_and_her_time_is_kept(both: Steered) -> None:
    began_s = both.stay().began_s
    both.passes(30.0)
    both.moves()
    assert (both.stay().queue, both.stay().began_s) == ("support", pytest.approx(began_s))
    assert both.interaction.waiting.stay_id == both.stay().stay_id
    assert both.commanded == [StartMusic(CALLER, "jazz")]
    both.moves("sales")
    assert (both.stay().queue, both.stay().began_s) == ("sales", pytest.approx(began_s))
    both.comes("ana")
    both.agent_answers()
    assert both.work() == "active"


def test_in_the_middle_of_an_announcement_there_is_music_again() -> None:
    """The same music in both queues: it had been stopped for the announcement."""
    both = Steered(two_queues(announcements=Announcements()))
    both.waits()
    both.tell(QueuePosition(ID, both.stay().stay_id, 1, 3))
    playing = both.interaction.waiting.playing
    assert playing
    both.moves()
    assert (both.commanded[0], both.commanded[-1]) == (StopPlayback(CALLER, playing), StartMusic(CALLER, "default"))


def test_the_phone_that_rings_for_her_stops_in_the_same_turn(both: Steered) -> None:
    both.comes("ana")
    ringing = both.case.ringing
    both.route(StayActed(ID, both.stay().stay_id, "main", "prioritise", priority=7))
    assert both.case.ringing == ringing
    # Ana serves both queues: she is offered her again, by the other one.
    both.moves()
    assert HangUpLeg(ringing) in both.commanded
    assert both.case.ringing != ringing
    both.tell(LegUp(ringing))
    assert both.work() == "offered", "who picks up a moment too late has nobody"
    both.agent_answers()
    assert both.work() == "active"


def test_a_priority_goes_along_wherever_her_stay_leads(both: Steered) -> None:
    both.prioritises(4)
    both.moves()
    assert both.stay().priority == 4
    both.router = Router(both.around.routing)  # its rows are lost  # type: ignore[attr-defined]
    for fact in list(mend(both.router, [both.interaction], both.case.now_s)):
        both.route(fact)
    assert (both.stay().priority, both.stay().queue) == (4, "support")


def test_after_a_restart_nothing_has_to_be_mended(both: Steered) -> None:
    both.prioritises(2)
    both.moves()
    rows = {aggregate: both.router.save(aggregate) for aggregate in (("stay", both.stay().stay_id),)}
    both.router = Router(both.around.routing)  # type: ignore[attr-defined]
    both.router.restore(rows, both.case.now_s, lambda _: True)  # type: ignore[arg-type]
    assert not [fact for fact in mend(both.router, [both.interaction], both.case.now_s) if type(fact) in ROUTED]


def test_who_is_away_is_called_back_by_the_other_queue_and_not_sooner(both: Steered) -> None:
    both.asks()
    both.hangs_up()
    began_s = both.stay().began_s
    both.comes("ana")
    both.agent_answers()
    both.does_not_answer()
    again_s = both.stay().again_s
    assert again_s > both.case.now_s
    both.moves()
    stay = both.stay()
    assert (stay.queue, stay.mode, stay.again_s) == ("support", "virtual", again_s)
    assert stay.began_s == pytest.approx(began_s)
    assert len(both.calls_to_her()) == 1
    both.passes(again_s - both.case.now_s + 1.0)
    both.agent_answers()
    both.answers()
    assert (both.callback, both.work()) == ("reached", "active")


def test_the_priority_of_who_is_being_called_back_is_hers_when_she_waits_again(both: Steered) -> None:
    both.asks()
    both.hangs_up()
    both.comes("ana")
    both.agent_answers()
    both.prioritises(3)
    both.does_not_answer()
    assert (both.stay().priority, both.interaction.waiting.joined.priority) == (3, 3)
