"""What a person reads of a call fits any terminal and leaves no reason out."""

from io import StringIO

from rich.console import Console

from core import decisions as said
from core.commands import StartTimer
from core.events import CommandRejected, DigitPressed, LegEnded, LegUp
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg, Play
from core.media import Speech
from core.queue_facts import StayActed
from engine.cli.story import explain_steps, reasons, timeline
from store.entry import Recorded

ID = "i-acme-1795301562.1"
TEXT = "Nuestro horario de atención es de lunes a jueves, de nueve de la mañana a siete de la tarde."
RECORDS = [
    Recorded(
        7,
        ID,
        "",
        1000.0,
        "DigitPressed",
        DigitPressed("leg", "2"),
        (
            said.NodeLeft("after_hours", "options", 1, "2", "a_node_whose_name_is_rather_long"),
            said.NodeEntered("after_hours", "a_node_whose_name_is_rather_long", 2),
        ),
        (Play("leg", f"{ID}.6.2", (Speech(TEXT, "es"),)), StartTimer(ID, f"{ID}.6.2.overdue", 1030.0)),
    ),
    Recorded(
        8,
        ID,
        "",
        1012.5,
        "CommandRejected",
        CommandRejected(ID, "7.0", "OriginateLeg", "the phone main-1002 is not registered", f"{ID}.x1"),
    ),
]


def shown(renderable, width):
    console = Console(width=width, file=StringIO())
    console.print(renderable)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert "…" not in "".join(lines)
    return " ".join(" ".join(lines).split())


def test_a_timeline_fits_a_terminal_and_cuts_nothing_off():
    for width in (64, 80, 200):
        words = shown(timeline(RECORDS), width)
        assert TEXT in words
        assert "a_node_whose_name_is_rather_long" in words
        assert "StartTimer overdue, in 30 s" in words
        assert "the phone main-1002 is not registered" in words


def test_what_a_supervisor_did_with_who_waits_is_told():
    moved = said.StayChanged(ID, f"{ID}.s1", "@sue", "billing", 3, 3)
    raised = said.StayChanged(ID, f"{ID}.s1", "@sue", "", 3, 0)
    asked = StayActed(ID, f"{ID}.s1", "main", "move", "billing", by="@sue")
    records = [Recorded(9, ID, "", 1000.0, "StayActed", asked, (raised, moved), ())]
    words = shown(timeline(records), 100)
    assert "StayActed queue=billing action=move" in words
    assert "priority 0 → 3, by @sue" in words
    assert "moved to queue billing, by @sue" in words
    steps = [(step["what"], step["why"]) for step in explain_steps(records)]
    assert steps == [("priority 0 → 3", "by @sue"), ("moved to queue billing", "by @sue")]


def test_what_could_not_be_done_is_a_reason():
    steps = explain_steps(RECORDS)
    assert [step["what"] for step in steps] == [
        "→ a_node_whose_name_is_rather_long",
        "dialing could not be done",
    ]
    assert "after_hours.a_node_whose_name_is_rather_long" in shown(reasons(steps), 60)
    assert steps[1]["why"] == "the phone main-1002 is not registered"
    assert steps[1]["at_s"] == 12.5


def dialed(leg_id, trunk):
    return OriginateLeg(leg_id, ID, "n1", LegRole.EXTERNAL, f"trunk:{trunk}/+34911234567", "", 20.0, 3600.0)


def record(seq, event, decisions=(), commands=()):
    return Recorded(seq, ID, "", 1000.0 + seq, type(event).__name__, event, decisions, commands)


def told(*records):
    return [(step["what"], step["why"]) for step in explain_steps(records)]


def test_what_the_last_carrier_answered_is_told():
    steps = told(
        record(1, DigitPressed("leg", "2"), commands=(dialed("x1", "main-a"),)),
        record(
            2,
            LegEnded("x1", EndReason.CONGESTION, 34, 503),
            (said.Noted("failover", "main-a did not take the call (503): over main-b"),),
            (dialed("x1", "main-b"),),
        ),
        record(3, LegEnded("x1", EndReason.BUSY, 17, 486), (said.InteractionClosed(ID, "failed"),)),
    )
    assert steps == [
        ("failover", "main-a did not take the call (503): over main-b"),
        ("main-b: busy", "SIP 486 Busy Here"),
        ("closed", "failed"),
    ]


def test_of_a_call_that_was_answered_or_given_up_nothing_is_said_of_the_carrier():
    began = record(1, DigitPressed("leg", "2"), commands=(dialed("x1", "main-a"),))
    assert told(began, record(2, LegUp("x1")), record(3, LegEnded("x1", EndReason.FAILED))) == []
    assert told(began, record(2, LegEnded("x1", EndReason.HUNG_UP_BY_US))) == []
    assert told(began, record(2, LegEnded("x1", EndReason.NO_ANSWER, 19))) == [("main-a: nobody answered", "")]
    assert told(began, record(2, LegEnded("x1", EndReason.FAILED, 0, 599))) == [("main-a: the call failed", "SIP 599")]


def test_names_are_told_in_words():
    steps = told(
        record(1, DigitPressed("leg", "2"), (said.NodeLeft("f", "menu", 1, "no_match", "other_node"),)),
        record(2, StayActed(ID, "s1", "main", "move"), (said.Noted("in_person", "not_ready:long_lunch"),)),
        record(3, StayActed(ID, "s1", "main", "move"), (said.Noted("not_ready", "main/ana: rona"),)),
        record(4, StayActed(ID, "s1", "main", "move"), (said.StayEnded(ID, "s1", "main", "q", "left_by_key", 3.0),)),
        record(5, StayActed(ID, "s1", "main", "move"), (said.InteractionClosed(ID, "caller_hung_up"),)),
    )
    assert steps == [
        ("→ other_node", "no match: digit pressed"),
        ("nobody else was to be rung", "on a pause: long lunch"),
        ("not ready: ana", "rona"),
        ("the wait ends: left by key", "after 3.0 s"),
        ("closed", "caller hung up"),
    ]


def test_what_was_refused_does_not_read_as_done():
    steps = told(
        record(1, StayActed(ID, "s1", "main", "move", by="@sue"), (said.Noted("refused", "there is no queue x"),)),
        record(2, LegUp("leg"), (said.Noted("request_refused", "hold by ana: ana is not in this conversation"),)),
    )
    assert steps == [
        ("refused, and nothing changed", "move: there is no queue x"),
        ("refused, and nothing changed", "hold by ana: ana is not in this conversation"),
    ]
