"""Whatever happens in whatever order, a conversation ends with its caller and leaves nothing behind."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EventRefused
from core.events import (
    CommandRejected,
    DigitPressed,
    LegAdopted,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    PlaybackFinished,
    QueueLeft,
    TimerFired,
)
from core.leg import EndReason
from core.leg_commands import KeepRecording, StartTalkRecording
from core.line_facts import LineParty
from core.offer_facts import OfferAccepted, OfferMade, OfferWithdrawn
from core.queue_facts import QueuePosition
from core.talk_facts import ConversationActed, SupervisionActed, TalkEnded
from engine import interactions
from tests.unit.engine.talk_case import ANNOUNCED, CALLER, ID, PLAIN, RECORDED, Case

ACTIONS = (
    "hold",
    "resume",
    "mute",
    "unmute",
    "hang_up",
    "swap",
    "complete",
    "conference",
    "cancel_consult",
    "pause_recording",
    "resume_recording",
)
SUPERVISION = ("listen", "whisper", "barge", "take_over", "stop")
TARGETS = ("agent:eva", "queue:support", "flow:pay", "device:1003", "+34911234567", "agent:ana", "nonsense", "flow:pay")
REASONS = (EndReason.HUNG_UP, EndReason.LOST, EndReason.NO_ANSWER, EndReason.REJECTED, EndReason.HUNG_UP_BY_US)


def legs(case):
    return [leg.leg_id for leg in case.interaction.legs] + ["line-ana", "line-eva"]


def stays(case):
    talk, waiting = case.interaction.talk, case.interaction.waiting
    found = [waiting.stay_id] if waiting is not None else []
    return found + ([talk.other.stay_id] if talk is not None and talk.other is not None else []) + ["unknown"]


def playbacks(case):
    return [(c.leg_id, c.playback_id) for c in case.commands if hasattr(c, "playback_id")] or [(CALLER, "none")]


def one_of(choices, n):
    choices = list(choices)
    return choices[n % len(choices)]


def offer(case, n):
    case.offers += 1
    stay_id = one_of(stays(case), n)
    agent_id = one_of(("ana", "eva", "luis"), n // 3)
    line = f"line-{agent_id}" if n % 5 == 0 else ""
    device = "" if n % 11 == 0 else "main-1001"
    case.offered[f"{stay_id}.o{case.offers}"] = agent_id
    return OfferMade(ID, stay_id, f"{stay_id}.o{case.offers}", agent_id, device, "sales", line, f"i-{line}", n % 2 == 0)


def party(case, n):
    leg_id = one_of(("line-ana", "line-eva"), n)
    what = one_of(("ended", "digit", "adopted", "played"), n // 2)
    playback_id = one_of(playbacks(case), n)[1]
    return LineParty(ID, leg_id, what, one_of("*1234", n), one_of(("", f"{ID}.b1"), n), playback_id, n % 3 == 0)


def rejected(case, n):
    what = one_of(("OriginateLeg", "BridgeLegs", "Play", "UnbridgeLeg", "StartTalkRecording", "JoinQueue"), n)
    if what == "JoinQueue":
        return CommandRejected(ID, "", what, "why", subject_id=one_of(stays(case), n))
    bridge = one_of(case.interaction.bridges or ("",), n)
    return CommandRejected(ID, "1.0", what, "why", one_of(legs(case), n // 6), bridge)


EVENTS = (
    offer,
    offer,
    lambda case, n: LegUp(one_of(legs(case), n)),
    lambda case, n: LegUp(legs(case)[-3]),
    lambda case, n: LegRinging(one_of(legs(case), n)),
    lambda case, n: LegHeld(one_of(legs(case), n)),
    lambda case, n: LegResumed(one_of(legs(case), n)),
    lambda case, n: LegEnded(one_of(legs(case)[1:], n), one_of(REASONS, n // 7)),
    lambda case, n: DigitPressed(one_of(legs(case), n), one_of("*129#", n // 7)),
    lambda case, n: PlaybackFinished(*one_of(playbacks(case), n)),
    lambda case, n: LegAdopted(one_of(legs(case)[:-2], n), n % 2 == 0, one_of(("", f"{ID}.b1", None), n)),
    lambda case, n: TimerFired(ID, one_of([c.timer_id for c in case.commands if hasattr(c, "timer_id")] or ["t"], n)),
    lambda case, n: QueueLeft(ID, one_of(stays(case), n), one_of(("no_agents", "overflowed", "closed", "lost"), n)),
    lambda case, n: QueueLeft(ID, one_of(stays(case), n), "overflowed", "support"),
    lambda case, n: OfferWithdrawn(ID, one_of([o.offer_id for o in case.interaction.offers] or ["o"], n)),
    lambda case, n: QueuePosition(ID, one_of(stays(case), n), n % 4, n, n - 5.0),
    lambda case, n: ConversationActed(ID, one_of(("ana", "eva"), n), one_of(ACTIONS, n)),
    lambda case, n: ConversationActed(ID, one_of(("ana", "eva", "luis"), n), "transfer", one_of(TARGETS, n)),
    lambda case, n: ConversationActed(ID, one_of(("ana", "eva", "luis"), n), "consult", one_of(TARGETS, n)),
    lambda case, n: SupervisionActed(ID, one_of(("marta", "omar"), n // 50), one_of(SUPERVISION, n), "main-1003"),
    lambda case, n: SupervisionActed(ID, "marta", one_of(SUPERVISION, n), "main-1003"),
    party,
    rejected,
)


def waits(case):
    pass


def talks(case):
    made = offer_to(case, "ana")
    case.tell(made, LegUp(made.offer_id))
    case.agent_leg = made.offer_id


def talks_over_a_line(case):
    case.tell(offer_to(case, "ana", line_leg_id="line-ana", line_interaction_id="i-line-ana"))
    case.tell(LegAdopted(CALLER, True))


def offer_to(case, agent_id, **more):
    made = case.offer(agent_id, **more)
    case.offered[made.offer_id] = agent_id
    return made


def consults(case):
    one_of((talks, talks_over_a_line), case.serial)(case)
    case.act("consult", one_of(("agent:eva", "+34911234567", "device:1003"), case.serial))


def has_two(case):
    consults(case)
    answer(case)


def answer(case):
    other = case.interaction.talk.other
    if other.stay_id:
        made = offer_to(case, "eva")
        case.tell(made, LegUp(made.offer_id))
    else:
        case.tell(LegUp(other.leg_id))


def is_in_conference(case):
    has_two(case)
    case.act("conference")


def is_being_reached(case):
    talks(case)
    case.act("transfer", "device:1003")


def hears_it_ring(case):
    consults(case)
    case.act("complete")


def is_supervised(case):
    talks(case)
    case.tell(SupervisionActed(ID, "marta", one_of(("listen", "barge"), case.serial), "main-1003"))
    case.tell(LegUp(case.interaction.talk.supervisor.leg_id))


def is_led_through_a_flow(case):
    one_of((talks, talks_over_a_line), case.serial)(case)
    case.act("consult", "flow:pay")


BEGINNINGS = (
    is_led_through_a_flow,
    is_supervised,
    waits,
    talks,
    talks_over_a_line,
    consults,
    has_two,
    is_in_conference,
    is_being_reached,
    hears_it_ring,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BEGINNINGS),
    st.integers(0, 5),
    st.sampled_from((PLAIN, ANNOUNCED, RECORDED)),
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 1000)), max_size=15),
    st.sampled_from((EndReason.HUNG_UP, EndReason.LOST)),
)
def test_it_ends_with_the_caller_and_leaves_nothing_behind(beginning, serial, around, events, reason):
    case = Case(around).queue()
    case.serial, case.dead = serial, set()
    beginning(case)
    for make, n in events:
        event = make(case, n)
        if isinstance(event, LineParty) and event.what == "ended":
            case.dead.add(event.leg_id)
        try:
            case.tell(event)
        except EventRefused as refused:
            case.take(interactions.fail(case.interaction, event, str(refused), around, case.now_s))
        assert not (case.interaction.talk and case.interaction.waiting)
        the_bridge_holds_whom_it_should(case)
    case.hang_up(reason)
    case.nothing_is_left()
    every_talk_began_and_ended(case)
    started = {c.recording_id for c in case.commands if isinstance(c, StartTalkRecording)}
    kept = [c.recording_id for c in case.commands if isinstance(c, KeepRecording)]
    assert len(kept) == len(set(kept))
    assert set(kept) <= started


def the_bridge_holds_whom_it_should(case):
    """What was commanded is what the value says: nobody hears what is not meant for her."""
    talk = case.interaction.talk
    if talk is None:
        assert case.inside() - case.dead == set()
    elif not talk.before:
        parties = {party.leg_id for party in talk.parties if party.up and party.inside and talk.bridged}
        there = talk.supervisor
        if there is not None and there.up and there.mode == "barge":
            parties.add(there.leg_id)
        there = talk.supervisor
        if there is not None and there.up and there.mode == "barge":
            parties.add(there.leg_id)
        assert case.inside() - case.dead == parties - case.dead | ({CALLER} if talk.customer_in else set())


def every_talk_began_and_ended(case):
    """The router never believes that somebody talks who does not."""
    talking = {}
    for fact in case.facts:
        if isinstance(fact, OfferAccepted):
            agent_id = case.offered[fact.offer_id]
            talking[agent_id] = talking.get(agent_id, 0) + 1
        elif isinstance(fact, TalkEnded) and fact.agent_id not in ("marta", "omar"):
            talking[fact.agent_id] = talking.get(fact.agent_id, 0) - 1
    assert not any(talking.values()), talking


def test_the_order_of_two_facts_that_cross_does_not_matter_to_who_is_left():
    """An agent answers while the caller hangs up, and every other pair of ends."""
    for first, second in itertools.permutations(range(4), 2):
        case = Case(PLAIN).queue()
        made = case.offer("ana")
        case.tell(made)
        facts = (
            LegUp(made.offer_id),
            OfferWithdrawn(ID, made.offer_id),
            LegEnded(made.offer_id, EndReason.NO_ANSWER),
            DigitPressed(CALLER, "9"),
        )
        case.tell(facts[first], facts[second])
        case.hang_up()
        case.nothing_is_left()
