"""What the journal is told while a node listens to sensitive digits, and what it is not."""

from dataclasses import replace

import pytest

from core.commands import SendHttp
from core.events import DigitPressed, HttpReplied, LegArrived, LegUp, PlaybackFinished
from core.leg_commands import Play
from core.media import Speech
from engine import interactions, snapshots
from engine.arrivals import arrive
from engine.book import JournalBook
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRules
from engine.interaction import Surroundings
from engine.runtime import Written
from ivr.loader import Context, load

FLOW = """
flow: card
languages: [es]
start: number
nodes:
  number:
    type: collect
    prompt: "Marque su tarjeta."
    digits: 4
    sensitive: yes
    confirm: {prompt: "¿Es {{ value }}?"}
    into: card
    no_input: {then: bye}
    no_match: {then: bye}
    next: ask
  ask:
    type: http
    method: POST
    url: "https://bank.example/cards/{{ card }}"
    query: {card: "{{ card }}"}
    headers: {X-Card: "{{ card }}"}
    json: {card: "{{ card }}"}
    into: {holder: name}
    next: bye
  bye: {type: hangup, prompt: "Adiós, {{ holder }}."}
"""
SECRET = "4929"


class Journal:
    """Keeps what is appended."""

    healthy = True

    def __init__(self):
        self.entries = []

    def append(self, entry):
        self.entries.append(entry)
        return len(self.entries)


class Cipher:
    def contact_key_id(self, *who):
        return "contact"


@pytest.fixture
def around():
    loaded = load({"flows/card.yaml": FLOW}, Context(languages=("es",), hosts=frozenset({"bank.example"})))
    assert loaded.release is not None, str(loaded.problems)
    plan = NumberPlan({}, (), {"main": Route("main", "card", "", "default")})
    return Surroundings({loaded.release.id: loaded.release}, loaded.release.id, plan, OutboundRules(()))


def test_a_secret_reaches_neither_event_command_decision_nor_snapshot(around):
    journal = Journal()
    book = JournalBook(journal, Cipher(), clock=None)
    turn = arrive(LegArrived("c", "n", "100", "600"), around, 1.0)
    said, asked = [], []

    def tell(event):
        nonlocal turn
        before = turn.interaction
        turn = interactions.handle(before, event, around, 2.0)
        commands, decisions = tuple(turn.commands), tuple(turn.decisions)
        said.extend(command for command in commands if isinstance(command, Play))
        asked.extend(command for command in commands if isinstance(command, SendHttp))
        written = Written(event, 2.0, turn.interaction, decisions, commands, turn.interaction.is_closed)
        book.write(written, before)

    tell(LegUp("c"))
    for digit in SECRET:
        tell(DigitPressed("c", digit))
    assert Speech(f"¿Es {SECRET}?", "es") in said[-1].parts
    tell(PlaybackFinished("c", said[-1].playback_id))
    tell(DigitPressed("c", "1"))
    assert asked[-1].url == f"https://bank.example/cards/{SECRET}?card={SECRET}"
    tell(HttpReplied("i-c", asked[-1].request_id, 200, {"holder": "Ana"}))
    for entry in journal.entries:
        kept = entry.snapshot() if callable(entry.snapshot) else entry.snapshot or b""
        assert SECRET not in str(replace(entry, snapshot=None))
        assert SECRET.encode() not in kept
        assert snapshots.load(kept).interaction_id == "i-c"
    assert any("https://bank.example/" in str(entry.commands) for entry in journal.entries), (
        "whom we asked may be known"
    )
    assert [entry.event for entry in journal.entries if isinstance(entry.event, DigitPressed)] == [
        DigitPressed("c", "") for _ in range(5)
    ]
