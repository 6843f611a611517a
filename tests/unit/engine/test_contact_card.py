"""What an agent's page is told of somebody we called."""

from __future__ import annotations

from dataclasses import replace

from core.agent_facts import WrapUpActed
from core.commands import RequestCallback
from core.decisions import REQUEST_REFUSED, InteractionOpened, Noted
from core.dialing import AttemptWanted
from core.events import CommandRejected, DigitPressed, LegArrived, LegEnded
from core.leg import EndReason
from core.talk_facts import ConversationActed, TalkEnded
from engine.contact_card import CAME_BACK, contact_card
from store.entry import Recorded


def test_who_was_dialed_is_told_with_her_campaign_and_what_the_list_says():
    wanted = AttemptWanted(
        interaction_id="dial-1",
        leg_id="a-1-c",
        attempt_id="a-1",
        tenant="main",
        campaign="renewals",
        lead_id="l-1",
        called="+34600112233",
        mode="predictive",
        purpose="sales",
        variables={
            "name": "Carmen",
            "lead_name": "Carmen",
            "lead_id": "l-1",
            "campaign": "renewals",
            "contract": "C-1",
        },
    )
    opened = InteractionOpened("dial-1", "main", "call", "outbound", "+34600112233", "", "", "", "es", "")
    card = contact_card([Recorded(1, "dial-1", "k", 5.0, "AttemptWanted", wanted, [opened])])
    assert card is not None
    assert card["attempt"] == {
        "attempt_id": "a-1",
        "campaign": "renewals",
        "lead_id": "l-1",
        "called": "+34600112233",
        "mode": "predictive",
        "purpose": "sales",
        "script": "",
    }
    assert (card["caller_name"], card["variables"]) == ("Carmen", {"contract": "C-1"})


def test_the_script_she_was_drawn_for_stands_with_the_attempt_and_not_among_what_the_list_says():
    known = {"lead_name": "Carmen", "contract": "C-1", "script": "short"}
    wanted = AttemptWanted(
        interaction_id="dial-1",
        leg_id="a-1-c",
        attempt_id="a-1",
        tenant="main",
        campaign="renewals",
        lead_id="l-1",
        called="+34600112233",
        mode="predictive",
        purpose="sales",
        variables=known,
    )
    opened = InteractionOpened("dial-1", "main", "call", "outbound", "+34600112233", "", "", "", "es", "")

    def told(wanted: AttemptWanted) -> tuple[str, dict[str, str]]:
        card = contact_card([Recorded(1, "dial-1", "k", 5.0, "AttemptWanted", wanted, [opened])])
        assert card is not None
        return card["attempt"]["script"], card["variables"]

    assert told(replace(wanted, script="opening/short")) == ("opening/short", {"contract": "C-1"})
    assert told(wanted) == ("", {"contract": "C-1", "script": "short"}), "a field of the list, where none is tested"


def test_a_note_that_was_refused_with_the_rest_is_not_there_twice():
    opened = InteractionOpened("i-1", "main", "call", "inbound", "+34600112233", "100", "hello", "", "es", "")
    arrived = WrapUpActed("i-1", "main", "ana")
    finish = WrapUpActed("i-1", "main", "ana", text="wants a price", finish=True)
    again = WrapUpActed("i-1", "main", "ana", disposition="sold", text="wants a price", finish=True)
    records = [
        Recorded(1, "i-1", "k", 5.0, "WrapUpActed", arrived, [opened]),
        Recorded(2, "i-1", "k", 6.0, "WrapUpActed", finish, [Noted("refused", "choose a disposition first: sold")]),
        Recorded(3, "i-1", "k", 7.0, "WrapUpActed", again),
    ]
    card = contact_card(records)
    assert card is not None
    assert card["notes"] == [{"at_s": 7.0, "by": "ana", "text": "wants a price"}]


def test_whom_she_was_sent_to_in_vain_is_told_until_she_has_talked_again():
    def record(seq, event, *decisions):
        return Recorded(seq, "i-1", "k", float(seq), type(event).__name__, event, list(decisions))

    opened = InteractionOpened("i-1", "main", "call", "inbound", "600", "100", "", "", "es", "")
    sent = ConversationActed("i-1", "ana", "transfer", target="agent:luis")
    story = [
        record(1, sent, opened),
        record(2, TalkEnded("i-1", "ana", "transferred")),
        record(3, LegEnded("leg-2", EndReason.BUSY), Noted(CAME_BACK, "to ana: busy")),
        record(4, TalkEnded("i-1", "ana", "customer_hung_up")),
    ]
    cards = [contact_card(story[:seen]) for seen in (2, 3, 4)]
    assert [card and card["came_back_from"] for card in cards] == [None, "agent:luis", None]


def test_whom_she_was_not_sent_to_is_not_told_as_if_she_had_been():
    def record(seq, event, *decisions):
        return Recorded(seq, "i-1", "k", float(seq), type(event).__name__, event, list(decisions))

    opened = InteractionOpened("i-1", "main", "call", "inbound", "600", "100", "", "", "es", "")
    why = Noted(REQUEST_REFUSED, "transfer by ana: Eva cannot be rung now: choose another colleague or a queue")
    story = [
        record(1, ConversationActed("i-1", "ana", "transfer", target="agent:luis"), opened),
        record(2, ConversationActed("i-1", "ana", "transfer", target="agent:eva", values={"wish": "refund"}), why),
        record(3, LegEnded("leg-2", EndReason.BUSY), Noted(CAME_BACK, "to ana: busy")),
    ]
    card = contact_card(story)
    assert card is not None
    assert (card["came_back_from"], card["variables"]) == ("agent:luis", {})


def test_a_callback_is_told_with_its_number_until_she_has_talked():
    def record(seq, event, *commands):
        decisions = (
            [InteractionOpened("i-1", "main", "call", "inbound", "100", "600", "", "", "es", "")] if seq == 1 else []
        )
        return Recorded(seq, "i-1", "k", float(seq), type(event).__name__, event, decisions, list(commands))

    asked = RequestCallback("i-1", "i-1.c1", "+34600999888", "sales")
    story = [
        record(1, LegArrived("leg-1", "n1", "100", "600")),
        record(2, DigitPressed("leg-1", "1"), asked),
        record(3, LegEnded("leg-1", EndReason.HUNG_UP)),
        record(4, TalkEnded("i-1", "ana", "customer_hung_up")),
    ]
    cards = [contact_card(story[:seen]) for seen in (1, 2, 3, 4)]
    assert [card and card["callback_to"] for card in cards] == ["", "+34600999888", "+34600999888", ""]
    for after in (
        CommandRejected("i-1", "2.0", "RequestCallback", "no rule allows it", subject_id="i-1.c1"),
        LegArrived("leg-2", "n1", "100", "600"),
    ):
        card = contact_card([*story[:3], record(4, after)])
        assert card is not None
        assert card["callback_to"] == ""


def test_whom_somebody_else_sent_her_to_is_not_named():
    def record(seq, event, *decisions):
        return Recorded(seq, "i-1", "k", float(seq), type(event).__name__, event, list(decisions))

    opened = InteractionOpened("i-1", "main", "call", "inbound", "600", "100", "", "", "es", "")
    asked = ConversationActed("i-1", "luis", "consult", target="agent:marta")
    story = [
        record(1, ConversationActed("i-1", "ana", "transfer", target="agent:luis"), opened),
        record(2, TalkEnded("i-1", "ana", "transferred")),
        record(3, asked),
        record(4, TalkEnded("i-1", "luis", "transferred")),
        record(5, LegEnded("leg-2", EndReason.BUSY), Noted(CAME_BACK, "to luis: busy")),
    ]
    card = contact_card(story)
    assert card is not None
    assert card["came_back_from"] == "agent:marta"
    without = contact_card([each for each in story if each.event is not asked])
    assert without is not None
    assert without["came_back_from"] == "", "she keyed it at her phone: nobody knows whom"
