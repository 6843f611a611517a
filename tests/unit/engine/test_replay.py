"""A call recorded in memory, replayed: the same rules give the same commands, other flows show where they part."""

from dataclasses import replace

import pytest

from core.events import DigitPressed, LegArrived, LegEnded, LegUp
from core.leg import EndReason
from core.leg_commands import Play
from core.offer_facts import OfferMade
from engine.cli.replay import why_skipped
from engine.decide import decide
from engine.replay import Replayed, replay
from store.entry import Recorded
from tests.unit.engine.talk_case import Case
from tests.unit.engine.test_interactions import CALLER, around  # noqa: F401 - a fixture

EVENTS = [
    LegArrived(CALLER, "n1", "100", "+34600000000"),
    LegUp(CALLER),
    DigitPressed(CALLER, "3"),
    LegEnded(CALLER, EndReason.HUNG_UP),
]


def recorded(around, events):  # noqa: F811
    interaction, records = None, []
    for seq, event in enumerate(events, start=1):
        turn = decide(interaction, event, around, 1000.0 + seq).turn
        interaction = turn.interaction
        records.append(
            Recorded(
                seq,
                interaction.interaction_id,
                "",
                1000.0 + seq,
                type(event).__name__,
                event,
                tuple(turn.decisions),
                tuple(turn.commands),
            )
        )
    return records


@pytest.fixture
def records(around):  # noqa: F811
    return recorded(around, EVENTS)


def test_the_same_events_give_the_same_commands(around, records):  # noqa: F811
    (result,) = replay(records, lambda release_id: around)
    assert (result.result, result.events) == ("same", len(EVENTS))


def test_a_changed_decision_is_shown_where_it_happened(around, records):  # noqa: F811
    changed = [*records[:2], replace(records[2], commands=()), records[3]]
    (result,) = replay(changed, lambda release_id: around)
    assert (result.result, result.at_seq, result.event, result.node) == ("differs", 3, "DigitPressed", "desk.main")
    assert result.was == ()
    assert result.now


def test_what_cannot_be_replayed_says_why(around, records):  # noqa: F811
    (gone,) = replay(records, lambda release_id: None)
    assert gone.result == "skipped"
    assert "not kept" in gone.why
    secret = [*records[:2], replace(records[2], event=DigitPressed(CALLER, "")), records[3]]
    (result,) = replay(secret, lambda release_id: around)
    assert result.why == "sensitive digits are not kept"
    erased = [records[0], replace(records[1], event=None, unreadable="erased")]
    (result,) = replay(erased, lambda release_id: around)
    assert (result.result, result.why) == ("skipped", "erased")


def test_what_was_refused_because_of_others_is_so_again():
    def hindered(interaction, agent_id, now_s):
        return "she cannot be rung now"

    talk = Case().queue().talk()
    events = [LegArrived(CALLER, "n1", "100", "+34600000000", "Eva Luz"), LegUp(CALLER), DigitPressed(CALLER, "1")]
    stay_id = talk.interaction.talk.served.stay_id
    offer = OfferMade(talk.interaction.interaction_id, stay_id, talk.agent_leg, "ana", "main-1001", "sales")
    events += [offer, LegUp(offer.offer_id), *(DigitPressed(offer.offer_id, key) for key in "*222#")]
    records = recorded(replace(talk.around, hindered=hindered), events)
    assert [type(command) for command in records[-1].commands] == [Play]
    (result,) = replay(records, lambda release_id: talk.around)
    assert (result.result, result.why) == ("same", "still open")


def test_calls_that_began_before_are_left_out(around, records):  # noqa: F811
    assert list(replay(records[1:], lambda release_id: around)) == []


def test_skipped_calls_are_counted_by_their_reason():
    results = [
        Replayed("i-1", 0, "skipped", why="release r1 is not kept any more"),
        Replayed("i-2", 3, "skipped", why="erased"),
        Replayed("i-3", 3, "same", why="still open"),
        Replayed("i-4", 0, "skipped", why="release r1 is not kept any more"),
    ]
    assert why_skipped(results) == ["  2 skipped: release r1 is not kept any more", "  1 skipped: erased"]
