"""Interactions in virtual time: what a caller, a second party and a crash do to them."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.decisions import InteractionClosed, InteractionOpened, Noted
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    DigitPressed,
    LegAdopted,
    LegArrived,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    PlaybackFinished,
    QueueLeft,
    TimerFired,
)
from core.interaction import InteractionState
from core.leg import EndReason, LegState
from core.leg_commands import BridgeLegs, DestroyBridge, HangUpLeg, OriginateLeg, Play, StopMusic
from core.media import Tone
from engine import arrivals, interactions
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRule, OutboundRules
from engine.interaction import Surroundings
from ivr.loader import Context, load

FLOWS = {
    "flows/desk.yaml": """
flow: desk
languages: [es]
start: main
nodes:
  main:
    type: menu
    prompt: "Marque 1 para Ana, 2 para fuera, 3 para ventas, 4 para prohibido."
    keys: {"1": ana, "2": outside, "3": sales, "4": forbidden}
    no_input: {then: bye}
    no_match: {then: bye}
  ana: {type: transfer, to: "device:1001", answered: bye, busy: main, no_answer: main, refused: bye, failed: bye}
  outside:
    {type: transfer, to: "+34911234567", caller: "{{ caller }}", answered: bye, busy: main, no_answer: main,
     refused: bye, failed: bye}
  forbidden: {type: transfer, to: "+1900", answered: bye, busy: main, no_answer: main, refused: sorry, failed: bye}
  sales: {type: queue, queue: sales, no_agents: sorry, error: bye}
  sorry: {type: play, prompt: "Lo sentimos.", next: bye}
  bye: {type: hangup}
"""
}
CALLER, ANA = "c1", "i-c1.x1"


@pytest.fixture(scope="module")
def around():
    loaded = load(FLOWS, Context(languages=("es",)))
    assert loaded.release is not None, str(loaded.problems)
    return Surroundings(
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        numbers=NumberPlan({}, (), {"main": Route("main", "desk", "", "default", is_default=True)}),
        outbound=OutboundRules(
            rules=(OutboundRule("landlines", ("+349",), "main-carrier", "+34900", hourly=5),),
            devices=frozenset({"main-1001"}),
        ),
    )


class Case:
    """One interaction; each fact one second after the other."""

    def __init__(self, around, caller="+34600000000"):
        self.around, self.now_s, self.last = around, 1000.0, None
        self.all_commands = []
        self._take(arrivals.arrive(LegArrived(CALLER, "n1", "100", caller), around, self.now_s))

    def tell(self, *events):
        for event in events:
            self.now_s += 1
            self._take(interactions.handle(self.interaction, event, self.around, self.now_s))
        return self.last

    def _take(self, turn):
        self.last, self.interaction = turn, turn.interaction
        self.all_commands += turn.commands

    def commanded(self, kind):
        return [command for command in self.last.commands if isinstance(command, kind)]

    @property
    def state(self):
        return self.interaction.state


@pytest.fixture
def case(around):
    found = Case(around)
    found.tell(LegUp(CALLER))
    return found


def test_an_arrival_opens_an_interaction_and_says_which_rule_chose_its_flow(around):
    opened = next(d for d in Case(around).last.decisions if isinstance(d, InteractionOpened))
    assert (opened.flow, opened.rule, opened.flow_version) == ("desk", "default", around.release_id)


def test_a_transfer_rings_the_device_and_bridges_when_it_answers(case):
    case.tell(DigitPressed(CALLER, "1"))
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.leg_id, dialed.endpoint) == (ANA, "device:main-1001")
    case.tell(LegRinging(ANA), LegUp(ANA))
    assert case.commanded(StopMusic) == [StopMusic(CALLER)]
    assert case.commanded(BridgeLegs) == [BridgeLegs("i-c1.b1", (CALLER, ANA))]
    assert case.state is InteractionState.CONNECTED


def test_when_the_other_side_leaves_the_flow_goes_on(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA), LegEnded(ANA, EndReason.HUNG_UP))
    assert case.commanded(DestroyBridge) == [DestroyBridge("i-c1.b1")]
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER)]


def test_when_the_caller_leaves_nobody_stays_on_the_line(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA), LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(HangUpLeg) == [HangUpLeg(ANA)]
    assert case.state is not InteractionState.CLOSED
    case.tell(LegEnded(ANA, EndReason.HUNG_UP_BY_US))
    assert case.state is InteractionState.CLOSED
    assert DestroyBridge("i-c1.b1") in case.all_commands


def test_a_caller_who_leaves_while_the_phone_rings_stops_the_ringing(case):
    case.tell(DigitPressed(CALLER, "1"), LegRinging(ANA), LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(HangUpLeg) == [HangUpLeg(ANA)]


@pytest.mark.parametrize(
    ("reason", "heard_again"),
    [(EndReason.BUSY, True), (EndReason.NO_ANSWER, True), (EndReason.UNREACHABLE, False), (EndReason.LOST, False)],
)
def test_a_transfer_that_fails_returns_to_the_flow(case, reason, heard_again):
    case.tell(DigitPressed(CALLER, "1"), LegEnded(ANA, reason))
    assert bool(case.commanded(Play)) is heard_again
    assert bool(case.commanded(HangUpLeg)) is not heard_again


@pytest.mark.parametrize(
    ("caller", "shown"), [("+34600000000", "+34600000000"), ("anonymous", "+34900"), ("", "+34900")]
)
def test_a_flow_passes_its_callers_number_on_unless_she_withholds_it(around, caller, shown):
    case = Case(around, caller)
    case.tell(LegUp(CALLER), DigitPressed(CALLER, "2"))
    (dialed,) = case.commanded(OriginateLeg)
    assert dialed.caller == shown


def test_every_attempt_has_ids_of_its_own(case):
    case.tell(DigitPressed(CALLER, "1"), LegEnded(ANA, EndReason.BUSY), DigitPressed(CALLER, "1"))
    assert [c.leg_id for c in case.all_commands if isinstance(c, OriginateLeg)] == ["i-c1.x1", "i-c1.x2"]


@pytest.mark.parametrize("verdict", [CommandRejected, CommandOutcomeUnknown])
def test_a_dial_command_that_fails_or_may_have_failed_is_written_off(case, verdict):
    case.tell(DigitPressed(CALLER, "1"))
    if verdict is CommandRejected:
        case.tell(CommandRejected("i-c1", "9.0", "OriginateLeg", "no such device", ANA))
        assert HangUpLeg(ANA, EndReason.FAILED) in case.last.commands
        assert case.interaction.leg(ANA).state is LegState.ENDED


def test_what_the_outbound_rules_forbid_is_never_dialed_and_the_reason_is_kept(case):
    case.tell(DigitPressed(CALLER, "4"))
    assert case.commanded(OriginateLeg) == []
    assert any(isinstance(d, Noted) and d.what == "outbound_refused" for d in case.last.decisions)
    assert case.commanded(Play), "the flow's refused branch speaks"


def test_a_used_up_hourly_cap_refuses(case, around):
    case.around = replace(around, dialed={"landlines": 5})
    case.tell(DigitPressed(CALLER, "2"))
    assert case.commanded(OriginateLeg) == []


def from_phone(around, called):
    arrived = LegArrived(CALLER, "n1", called, "1002", entry="main-1001")
    case = Case.__new__(Case)
    case.around, case.now_s, case.last, case.all_commands = around, 1000.0, None, []
    case._take(arrivals.arrive(arrived, around, case.now_s))
    return case


def test_a_phone_of_another_tenant_is_that_tenants_in_the_shared_flow_of_a_code_and_when_it_calls_a_phone(around):
    numbers = NumberPlan(
        {"*45": Route("main", "desk", "", "number *45")}, (), around.numbers.defaults, {"acme-1001": "acme"}
    )
    outbound = replace(around.outbound, devices=frozenset({"main-1001", "acme-1001", "acme-1002"}))
    acme = replace(around, numbers=numbers, outbound=outbound)
    coded = arrivals.arrive(LegArrived(CALLER, "n1", "*45", "1001", entry="acme-1001"), acme, 1000.0)
    assert (coded.interaction.tenant, coded.interaction.run.tenant) == ("acme", "main")
    called = arrivals.arrive(LegArrived(CALLER, "n1", "1002", "1001", entry="acme-1001"), acme, 1000.0)
    assert called.interaction.tenant == "acme"
    assert [each.endpoint for each in called.commands if isinstance(each, OriginateLeg)] == ["device:acme-1002"]


def test_a_phone_of_another_tenant_shows_no_number_of_the_main_one(around):
    main = Route("main", "desk", "", "default", identity="+34900100100", is_default=True)
    coded = Route("main", "desk", "", "number *45", identity="+34900100100")
    numbers = NumberPlan({"*45": coded}, (), {"main": main}, {"acme-1001": "acme"})
    outbound = replace(around.outbound, devices=frozenset({"main-1001", "acme-1001"}))
    acme = replace(around, numbers=numbers, outbound=outbound)
    called = arrivals.arrive(LegArrived(CALLER, "n1", "911234567", "1001", entry="acme-1001"), acme, 1000.0)
    (dialed,) = [each for each in called.commands if isinstance(each, OriginateLeg)]
    assert (called.interaction.tenant, dialed.caller) == ("acme", "+34900")
    turn = arrivals.arrive(LegArrived(CALLER, "n1", "*45", "1001", entry="acme-1001"), acme, 1000.0)
    assert turn.interaction.identity == ""
    ours = arrivals.arrive(LegArrived(CALLER, "n1", "911234567", "1002", entry="main-1001"), acme, 1000.0)
    assert [each.caller for each in ours.commands if isinstance(each, OriginateLeg)] == ["+34900100100"]


def test_one_of_our_phones_calls_another_one_directly(around):
    case = from_phone(around, "1001")
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.endpoint, dialed.caller) == ("device:main-1001", "1002")
    assert [play.parts for play in case.commanded(Play)] == [(Tone("ringback"),)]
    case.tell(LegUp(ANA))
    assert [type(c).__name__ for c in case.last.commands] == ["StopPlayback", "AnswerLeg", "BridgeLegs"]
    case.tell(LegUp(CALLER), LegEnded(ANA, EndReason.HUNG_UP))
    assert HangUpLeg(CALLER) in case.last.commands
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP_BY_US))
    assert InteractionClosed("i-c1", "answered") in case.last.decisions


def test_a_busy_phone_is_busy_for_who_calls_it_directly(around):
    case = from_phone(around, "1001")
    case.tell(LegEnded(ANA, EndReason.BUSY))
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER, EndReason.BUSY)]


def test_our_phones_call_out_by_the_rules_and_unknown_extensions_reach_the_default_flow(around):
    assert from_phone(around, "911234567").commanded(OriginateLeg)[0].endpoint == "trunk:main-carrier/+34911234567"
    for nobodys in ("7777", "*55#", "hello", "0" * 60):
        assert from_phone(around, nobodys).commanded(OriginateLeg) == []
        assert from_phone(around, nobodys).commanded(Play)


@pytest.mark.parametrize("called", ["+15551234567", "0015551234567", "112"])
def test_who_may_not_dial_a_public_number_is_refused_and_not_put_through_to_somebody_else(around, called):
    rules = replace(around.outbound, emergency_numbers=frozenset({"112"}))
    case = from_phone(replace(around, outbound=rules), called)
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER, EndReason.REJECTED)]
    assert case.commanded(Play) == []
    assert any(isinstance(each, Noted) and each.what == "outbound_refused" for each in case.last.decisions)
    case.tell(LegEnded(CALLER, EndReason.REJECTED))
    assert InteractionClosed("i-c1", "refused") in case.last.decisions


def test_nobody_outside_can_dial_through_us(around):
    arrived = LegArrived(CALLER, "n1", "911234567", "+34600000000", entry="main-carrier")
    turn = arrivals.arrive(arrived, around, 1000.0)
    assert not any(isinstance(command, OriginateLeg) for command in turn.commands)


def test_a_queue_without_agents_takes_its_branch_at_once(case):
    case.tell(DigitPressed(CALLER, "3"))
    (joined,) = case.last.facts
    assert (joined.queue, joined.tenant, case.state) == ("sales", "main", InteractionState.QUEUED)
    case.tell(QueueLeft("i-c1", joined.stay_id, "no_agents"))
    assert [part.text for play in case.commanded(Play) for part in play.parts] == ["Lo sentimos."]


def test_after_a_gap_the_question_is_asked_again(case):
    case.tell(LegAdopted(CALLER, up=True))
    assert case.commanded(Play)


def test_after_a_gap_a_conversation_just_goes_on(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA))
    assert case.tell(LegAdopted(CALLER, up=True), LegAdopted(ANA, up=True)).commands == []
    assert case.state is InteractionState.CONNECTED


def test_an_answer_that_the_gap_hid_still_connects(case):
    case.tell(DigitPressed(CALLER, "1"), LegRinging(ANA), LegAdopted(CALLER, up=True), LegAdopted(ANA, up=True))
    assert case.commanded(BridgeLegs) == [BridgeLegs("i-c1.b1", (CALLER, ANA))]


def test_a_lost_leg_closes_the_interaction_as_lost(case):
    case.tell(LegEnded(CALLER, EndReason.LOST))
    assert InteractionClosed("i-c1", "lost") in case.last.decisions


def test_an_event_that_cannot_be_handled_leads_to_the_error_exit(case, around):
    turn = interactions.fail(case.interaction, LegUp(CALLER), "poison", around, case.now_s)
    assert any(isinstance(command, HangUpLeg) for command in turn.commands)
    assert any(isinstance(d, Noted) and d.what == "event_refused" for d in turn.decisions)


ANY_EVENT = st.sampled_from(
    [
        *(DigitPressed(CALLER, digit) for digit in "1234#"),
        *(event(leg) for event, leg in itertools.product((LegUp, LegRinging, LegHeld, LegResumed), (CALLER, ANA))),
        *(LegEnded(leg, reason) for leg in (ANA, "i-c1.x2") for reason in (EndReason.BUSY, EndReason.HUNG_UP)),
        *(LegAdopted(leg, up) for leg in (CALLER,) for up in (True, False)),
        PlaybackFinished(CALLER, "i-c1.1.1"),
        TimerFired("i-c1", "i-c1.1.no_input"),
        CommandRejected("i-c1", "1.0", "OriginateLeg", "why", ANA),
        CommandRejected("i-c1", "1.0", "BridgeLegs", "why", ANA, "i-c1.b1"),
        CommandRejected("i-c1", "1.0", "Play", "why", CALLER, "i-c1.1.1"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_EVENT, max_size=25))
def test_whatever_happens_when_the_caller_hangs_up_every_leg_is_told_to_end_and_it_closes(around, events):
    case = Case(around)
    case.tell(*events)
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    for leg in case.interaction.legs[1:]:
        if leg.state is not LegState.ENDED:
            assert any(isinstance(c, HangUpLeg) and c.leg_id == leg.leg_id for c in case.all_commands)
            case.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP_BY_US))
    assert case.state is InteractionState.CLOSED
    opened = {c.bridge_id for c in case.all_commands if isinstance(c, BridgeLegs)}
    assert opened <= {c.bridge_id for c in case.all_commands if isinstance(c, DestroyBridge)}
    assert sum(isinstance(d, InteractionClosed) for d in case.last.decisions) <= 1
