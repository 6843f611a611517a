"""What a person reads of a call fits any terminal and leaves no reason out."""

from io import StringIO

from rich.console import Console

from core import decisions as said
from core.commands import StartTimer
from core.events import CommandRejected, DigitPressed
from core.leg_commands import Play
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
        "OriginateLeg could not be done",
    ]
    assert "after_hours.a_node_whose_name_is_rather_long" in shown(reasons(steps), 60)
    assert steps[1]["why"] == "the phone main-1002 is not registered"
    assert steps[1]["at_s"] == 12.5
