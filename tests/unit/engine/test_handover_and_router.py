"""A customer sent away whom nobody takes: what the conversation asks for and what the router does with it, together."""

import pytest

from acd.router import Router
from core.agent_facts import AgentActed
from core.events import LegEnded, LegUp, QueueLeft
from core.leg import EndReason, LegRole
from core.offer_facts import OfferFailed, OfferMade, OfferWithdrawn
from core.queue_facts import QueueJoined
from core.talk_facts import SupervisionActed
from tests.unit.engine.talk_case import DEVICES, ID, Case, surroundings

RELAYED = (OfferMade, OfferWithdrawn, QueueLeft)
WRAPPING = surroundings(wrap_up_s=30.0, no_agents="wait")


class Together:
    """Every fact of one is told to the other until both are still."""

    def __init__(self, *agents):
        self.router = Router(WRAPPING.routing)
        self.rings = []
        for agent in agents:
            for action in ("log_in", "ready"):
                assert not self.router.handle(AgentActed("main", agent, action), 1000.0).refused
        self.case = Case(WRAPPING).queue()
        self.told = 0
        self.settle()

    def settle(self):
        case = self.case
        while self.told < len(case.facts):
            fact = case.facts[self.told]
            self.told += 1
            outcome = self.router.handle(fact, case.now_s)
            for said in outcome.facts:
                if isinstance(said, OfferMade):
                    self.rings.append(said.agent_id)
                if isinstance(said, RELAYED):
                    case.tell(said)

    def tell(self, *events):
        self.case.tell(*events)
        self.settle()

    def answers(self):
        self.tell(LegUp(self.case.ringing))

    def act(self, *what):
        assert self.case.act(*what) == ""
        self.settle()

    def nobody_answers(self):
        offer = self.case.interaction.offers[-1]
        self.case.facts.append(OfferFailed(ID, offer.offer_id, "rona"))
        self.settle()

    def state(self, agent):
        work = self.router.assignments(("main", agent)).get(ID)
        return work.state.value if work is not None else ""


def test_whom_nobody_takes_rings_at_once_with_who_sent_her_and_is_hers_again():
    both = Together("ana", "eva")
    assert both.rings == ["ana"]
    both.answers()
    both.act("transfer", "agent:eva")
    assert (both.rings, both.state("ana"), both.state("eva")) == (["ana", "eva"], "wrap_up", "offered")
    both.nobody_answers()
    assert (both.rings, both.state("ana"), both.state("eva")) == (["ana", "eva", "ana"], "offered", "")
    both.answers()
    assert both.state("ana") == "active"
    assert both.case.interaction.talk.lead.agent_id == "ana"


@pytest.mark.parametrize("leaves", ["while it rings", "when she listens", "when she has taken over"])
def test_no_other_caller_is_put_through_to_the_phone_of_who_follows_a_conversation(leaves):
    both = Together("ana", "luis")
    both.answers()
    lead = both.rings[-1]
    (boss,) = {"ana", "luis"} - {lead}
    both.tell(SupervisionActed(ID, boss, "listen", DEVICES[boss]))
    phone = both.case.interaction.talk.supervisor.leg_id
    if leaves != "while it rings":
        both.tell(LegUp(phone))
    if leaves == "when she has taken over":
        both.tell(SupervisionActed(ID, boss, "take_over", DEVICES[boss]))
    another = QueueJoined("i-9", "i-9.s1", "main", "sales")
    assert not [fact for fact in both.router.handle(another, both.case.now_s).facts if isinstance(fact, OfferMade)]
    both.tell(LegEnded(phone, EndReason.HUNG_UP))
    assert both.rings[-1] == boss


def test_a_colleagues_call_to_her_phone_keeps_it_busy_and_her_wrap_up_as_long_as_it_was():
    both = Together("ana", "eva")
    both.answers()
    talks = both.rings[-1]
    (other,) = {"ana", "eva"} - {talks}
    both.act("consult", f"device:{DEVICES[other].removeprefix('main-')}", talks)
    (phone,) = (leg.leg_id for leg in both.case.interaction.legs if leg.role is LegRole.CONSULT)
    another = QueueJoined("i-9", "i-9.s1", "main", "sales")
    assert not [fact for fact in both.router.handle(another, both.case.now_s).facts if isinstance(fact, OfferMade)]
    both.tell(LegUp(phone), LegEnded(phone, EndReason.HUNG_UP))
    assert both.rings[-1] == other


def test_who_sent_her_does_not_take_her_either_and_the_queue_does():
    both = Together("ana", "eva", "luis")
    both.answers()
    sender = both.rings[-1]
    other, third = [name for name in ("ana", "eva", "luis") if name != sender]
    both.act("transfer", f"agent:{other}", sender)
    both.nobody_answers()
    assert both.rings == [sender, other, sender]
    both.nobody_answers()
    assert both.rings[-1] == third
    both.answers()
    assert (both.state(third), both.state(sender)) == ("active", "")
