"""The table that a demonstration of a campaign ends with: whole in a narrow terminal, every lead counted once."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from rich.console import Console

from bench.sip_people import Person
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord
from engine.cli.campaign_demo import demo_table, results
from engine.demo.campaign import Line
from engine.demo.campaign_stage import Somebody
from tests.contract.lead_stage import attempt

LEAD = LeadRecord("lead-01", "main", "spring", (LeadNumber("+34612000001"),), state=LeadState.DONE)


def line(number: int, does: str, lead_state: LeadState = LeadState.DONE, wrong: str = "", **tried: Any) -> Line:
    who = Somebody(f"lead-{number:02}", "Antonio", f"+34612{number:06}", does, Person())
    made = attempt(f"a-{number}", who.lead_id, who.number, 90.0, **tried)
    return Line(who, replace(LEAD, lead_id=who.lead_id, state=lead_state), made, 1, wrong)


TALKED: dict[str, Any] = {"state": "completed", "answered_s": 100.0, "connected_s": 101.7, "agent_id": "luis"}
LINES = [
    line(1, "a company talks", disposition="sold/new", verdict="human", evidence="it said something", **TALKED),
    line(2, "talks", disposition="not_interested", **TALKED),
    line(3, "voicemail, no beep", LeadState.EXHAUSTED, state="machine", verdict="machine", answered_s=9.0),
    line(4, "no such number", LeadState.EXHAUSTED, state="invalid"),
    line(5, "is busy", LeadState.EXHAUSTED, state="busy"),
    line(6, "is busy", LeadState.EXHAUSTED, wrong="rang twice", state="busy"),
]


def test_every_lead_has_its_line_and_nothing_is_cut_off_in_eighty_columns() -> None:
    console = Console(width=80, file=io.StringIO())
    console.print(demo_table(LINES))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(f"lead-{number:02}" in text for number in range(1, 7))
    for words in ("sold/new", "luis", "1.7 s", "done", "answering", "given up", "rang twice"):
        assert words in text
    assert "…" not in text
    assert len(text.splitlines()) <= 3 + len(LINES) + 3, "a line each, and few that fold"


def test_the_results_add_up() -> None:
    said = results(LINES)
    assert said == (
        "2 talked with: 1 sold/new, 1 not interested; "
        "4 others: 1 answering machine, 1 no such number, 1 busy, 1 rang twice"
    )
