"""`centralita replay --now`: yesterday's calls through the flows on disk, which somebody has changed since."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.events import DigitPressed, Event, LegArrived, LegEnded, LegUp
from core.leg import EndReason
from engine.cli.app import app
from engine.cli.replay import _surroundings
from engine.config.sources import pack, read_sources
from engine.decide import decide
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal

FLOW = """flow: desk
languages: [es]
start: main
nodes:
  main:
    type: menu
    prompt: "Marque 1 o 2."
    keys: {"1": first, "2": second}
    no_input: {then: bye}
    no_match: {then: bye}
  first: {type: play, prompt: "La primera.", next: bye}
  second: {type: play, prompt: "La segunda.", next: bye}
  bye: {type: hangup}
"""
FILES = {
    "config/site.yaml": "site: t\nlanguages: [es]\n",
    "config/numbers/default.yaml": "default: yes\nflow: desk\n",
    "flows/desk.yaml": FLOW,
}


def call(leg_id: str, digit: str) -> list[Event]:
    arrived = LegArrived(leg_id, "n1", "100", "+34600000000")
    return [arrived, LegUp(leg_id), DigitPressed(leg_id, digit), LegEnded(leg_id, EndReason.HUNG_UP)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two callers yesterday: one pressed 1, the other 2."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    around = _surroundings(home, None, now=True, enrolled={})("")  # type: ignore[arg-type]

    async def write() -> None:
        with ContactCipher.open(home.state) as cipher:
            journal = Journal.open(home.journal, cipher, print)
            await journal.save_release(around.release_id, pack(read_sources(home.project)))
            at_s = 1000.0
            for events in (call("acme-1795445953.c1", "1"), call("acme-1795445953.c2", "2")):
                interaction = None
                for event in events:
                    at_s += 1.0
                    turn = decide(interaction, event, around, at_s).turn
                    interaction = turn.interaction
                    key = cipher.contact_key_id("main", "+34600000000", interaction.interaction_id)
                    entry = Entry(interaction.interaction_id, key, at_s, event, turn.decisions, turn.commands)
                    await journal.durable(journal.append(entry))
            await journal.close()

    asyncio.run(write())
    return home


def run(home: Home, *words: str, columns: int = 160) -> Result:
    asked = ["replay", *words, "--project", str(home.project)]
    return CliRunner().invoke(app, asked, env={"CENTRALITA_STATE": str(home.state), "COLUMNS": str(columns)})


def told(home: Home, *words: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(run(home, *words, "--json").stdout)
    return body


def change(home: Home, old: str, new: str) -> None:
    file = home.project / "flows/desk.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_flows_as_they_were_lead_everybody_where_she_was(home: Home) -> None:
    for words in ((), ("--now",)):
        done = run(home, *words)
        assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "2 the same, 0 differ, 0 skipped")


def test_only_who_would_be_led_elsewhere_is_shown_and_where(home: Home) -> None:
    change(home, '"2": second', '"2": bye')
    body = told(home, "--now")
    assert body["counts"] == {"same": 1, "differs": 1}
    same, differs = sorted(body["calls"], key=lambda row: row["result"] == "differs")
    assert same["interaction_id"].endswith("c1")
    assert differs["interaction_id"].endswith("c2")
    assert (differs["node"], differs["event"], differs["at_seq"]) == ("desk.main", "DigitPressed", 7)
    assert any("La segunda" in command for command in differs["was"])
    assert not any("La segunda" in command for command in differs["now"])
    done = run(home, "--now")
    assert done.exit_code == 0, "a difference from today's flows is what was asked for, no failure"
    assert "La segunda" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 the same, 1 differ, 0 skipped"


def test_a_call_that_differs_is_named_whole_in_a_narrow_terminal(home: Home) -> None:
    change(home, "Marque 1 o 2.", "Buenos días. Marque 1 o 2.")
    ids = [row["interaction_id"] for row in told(home, "--now")["calls"]]
    shown = run(home, "--now", columns=80).stdout
    assert [call_id for call_id in ids if f" {call_id} " not in shown] == []


def test_the_flows_of_the_time_are_not_those_on_disk(home: Home) -> None:
    change(home, '"2": second', '"2": bye')
    assert told(home)["counts"] == {"same": 2}


def test_what_nobody_went_through_makes_no_difference(home: Home) -> None:
    change(home, "no_match: {then: bye}", "no_match: {then: first}")
    assert told(home, "--now")["counts"] == {"same": 2}


def test_a_changed_first_word_is_heard_by_all(home: Home) -> None:
    change(home, "Marque 1 o 2.", "Buenos días. Marque 1 o 2.")
    body = told(home, "--now")
    assert body["counts"] == {"differs": 2}
    assert {row["node"] for row in body["calls"]} == {""}, "it differs where they arrive"


def test_only_calls_after_an_event_are_looked_at(home: Home) -> None:
    change(home, "Marque 1 o 2.", "Buenos días. Marque 1 o 2.")
    assert told(home, "--now", "--after", "4")["counts"] == {"differs": 1}


def test_flows_that_are_broken_cannot_be_tried(home: Home) -> None:
    change(home, '"2": second', '"2": nowhere')
    done = run(home, "--now")
    assert done.exit_code == 1
    assert "centralita check" in done.stderr
