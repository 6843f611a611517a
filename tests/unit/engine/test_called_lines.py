"""An agent's phone that is rung before somebody is dialed for her."""

import msgspec
import pytest

from core.agent_facts import AgentKept
from core.dialing import LineCame, LineUnwanted, LineWanted
from core.events import CommandRejected, LegAdopted, LegEnded, LegRinging, LegUp
from core.leg import EndReason, LegRole
from core.leg_commands import HangUpLeg, OriginateLeg, ParkLeg
from core.line_facts import LineChanged, LineParty, LineUsed
from engine import decide, snapshots
from tests.unit.engine.attempt_case import AROUND

WANTED = LineWanted("line-a1", "a1-l", "a1", "main", "ana", "main-1001", "+34911234567", "Spring", 30.0)


class Phone:
    """Her phone, in virtual time: every state survives being saved and loaded."""

    def __init__(self):
        self.now_s, self.interaction = 1000.0, None
        self.tell(WANTED)

    def tell(self, event):
        self.now_s += 1.0
        decided = decide.decide(self.interaction, event, AROUND, self.now_s)
        assert not decided.refused, decided.refused
        self.last, self.interaction = decided.turn, decided.turn.interaction
        saved = snapshots.load(snapshots.dump(self.interaction))
        assert msgspec.to_builtins(saved) == msgspec.to_builtins(self.interaction)
        return self

    def picked_up(self):
        return self.tell(LegRinging("a1-l")).tell(LegUp("a1-l"))

    def came(self):
        return [(fact.up, fact.why) for fact in self.last.facts if isinstance(fact, LineCame)]

    def kept(self):
        return [fact.kept for fact in self.last.facts if isinstance(fact, AgentKept)]

    def commanded(self, kind):
        return [command for command in self.last.commands if isinstance(command, kind)]


def test_her_phone_rings_and_shows_whom_she_is_about_to_call():
    (dialed,) = Phone().commanded(OriginateLeg)
    assert (dialed.role, dialed.endpoint, dialed.node) == (LegRole.AGENT, "device:main-1001", "n1")
    assert (dialed.caller, dialed.caller_name, dialed.ring_s) == ("+34911234567", "Spring", 30.0)


def test_picked_up_it_is_her_held_line():
    phone = Phone().picked_up()
    assert phone.commanded(ParkLeg)
    assert phone.came() == [(True, "")]
    (line,) = [fact for fact in phone.last.facts if isinstance(fact, LineChanged)]
    assert (line.agent_id, line.leg_id, line.up, line.node) == ("ana", "a1-l", True, "n1")
    assert phone.last.facts.index(line) == 0, "the router knows before the dialer dials"


def test_nobody_else_is_put_through_to_her_from_the_first_ring_until_it_is_hung_up():
    phone = Phone()
    assert phone.kept() == [True]
    assert phone.picked_up().kept() == []
    assert phone.tell(LineUnwanted("line-a1", "a1", "busy")).kept() == []
    assert phone.tell(LegEnded("a1-l", EndReason.HUNG_UP_BY_US)).kept() == [False]
    assert isinstance(phone.last.facts[-1], AgentKept), "the router knows by then that the line is gone"
    assert Phone().tell(CommandRejected("line-a1", "1.0", "OriginateLeg", "not registered", "a1-l")).kept() == [False]


@pytest.mark.parametrize("how", [EndReason.NO_ANSWER, EndReason.BUSY, EndReason.REJECTED, EndReason.LOST])
def test_a_phone_that_does_not_come_is_told_with_its_reason(how):
    phone = Phone().tell(LegRinging("a1-l")).tell(LegEnded("a1-l", how))
    assert phone.came() == [(False, how.value)]
    assert phone.interaction.is_closed


def test_a_phone_that_cannot_be_rung_is_told_too():
    phone = Phone().tell(CommandRejected("line-a1", "1.0", "OriginateLeg", "not registered", "a1-l"))
    assert phone.came() == [(False, "not registered")]
    assert phone.commanded(HangUpLeg)
    assert phone.interaction.is_closed
    refused = decide.refuse(WANTED, AROUND, "the engine is stopping", 1000.0)
    assert [fact.why for fact in refused.facts] == ["the engine is stopping"]
    assert refused.interaction.is_closed


def test_it_is_hung_up_when_the_attempt_is_over():
    phone = Phone().picked_up().tell(LineUnwanted("line-a1", "a1", "busy"))
    assert phone.commanded(HangUpLeg)
    phone.tell(LegEnded("a1-l", EndReason.HUNG_UP_BY_US))
    assert phone.interaction.is_closed
    assert phone.interaction.outcome == "line_done"


def test_who_talks_over_it_is_not_cut_off_and_it_is_hung_up_afterwards():
    phone = Phone().picked_up().tell(LineUsed("line-a1", "a1-l", "dial-a1"))
    assert not phone.tell(LineUnwanted("line-a1", "a1", "abandoned")).commanded(HangUpLeg)
    phone.tell(LineUsed("line-a1", "a1-l"))
    assert phone.commanded(HangUpLeg)
    assert not phone.commanded(ParkLeg)


def test_who_hangs_up_leaves_the_conversation_and_the_dialer_hears_it():
    phone = Phone().picked_up().tell(LineUsed("line-a1", "a1-l", "dial-a1")).tell(LegEnded("a1-l", EndReason.HUNG_UP))
    kinds = {type(fact) for fact in phone.last.facts}
    assert kinds == {LineChanged, LineParty, LineCame, AgentKept}
    assert phone.came() == [(False, "hung_up")]


def test_an_answer_in_a_gap_is_taken_up_and_one_that_crossed_our_hangup_is_not():
    assert Phone().tell(LegAdopted("a1-l", True)).came() == [(True, "")]
    assert Phone().tell(LegAdopted("a1-l", False)).came() == []
    crossed = Phone().tell(LineUnwanted("line-a1", "a1")).tell(LegUp("a1-l"))
    assert crossed.came() == []
    assert crossed.commanded(HangUpLeg)
