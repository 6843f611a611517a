"""What the journal is told about routing: under whose key, and without anybody's PIN."""

from core.agent_facts import AgentActed, WrapUpActed
from core.commands import AskAgent
from core.events import LegUp, RoutingDecided
from core.leg import Leg, LegRole
from core.leg_commands import AnswerLeg
from core.talk_facts import TalkEnded
from engine.book import JournalBook
from engine.interaction import Interaction
from engine.routing import Routed
from engine.written import Written
from store.cipher import HOUSE

NOW_S = 1_767_225_600.0
LEG = Leg("leg-1", LegRole.CUSTOMER, "n1")
CALLER = Interaction("i-1", "main", "voice", "900", "600", "t", NOW_S, "r1", legs=(LEG,))


class Reader:
    def contact_of(self, interaction_id):
        return {"i-old": "ana's key"}.get(interaction_id)


class Journal:
    healthy = True
    reader = Reader()

    def __init__(self):
        self.entries = []

    def append(self, entry):
        self.entries.append(entry)
        return len(self.entries)


class Cipher:
    def contact_key_id(self, tenant, caller, interaction_id):
        return f"key of {caller}"


def booked():
    journal = Journal()
    return journal, JournalBook(journal, Cipher(), clock=None)


def routed(fact, interaction=None, rows=()):
    return Routed(fact, NOW_S, interaction, (), (), rows)


def test_a_pin_is_not_written_down_and_nothing_else_is_left_out():
    journal, book = booked()
    ask = AskAgent("i-1", "r-1", "leg-1", "log_in", "2001", "471147")
    book.write(Written(LegUp("leg-1"), NOW_S, CALLER, (), (AnswerLeg("leg-1"), ask), False), CALLER)
    assert "471147" not in str(journal.entries)
    answered, asked = journal.entries[0].commands
    assert answered == AnswerLeg("leg-1")
    assert (asked.agent_id, asked.pin) == ("2001", "")


def test_what_is_noted_about_a_contact_is_sealed_under_its_key_even_after_its_end():
    journal, book = booked()
    note = WrapUpActed("i-1", "main", "ana", text="wants a call")
    book.write_routed(routed(note, CALLER))
    book.write_routed(routed(WrapUpActed("i-old", "main", "ana", text="wants a call")))
    book.write_routed(routed(WrapUpActed("i-unknown", "main", "ana")))
    assert [entry.contact_key_id for entry in journal.entries] == ["key of 600", "ana's key", HOUSE]
    assert [entry.interaction_id for entry in journal.entries] == ["i-1", "i-old", "i-unknown"]


def test_what_names_nobody_needs_no_key_of_hers():
    journal, book = booked()
    for fact in (
        AgentActed("main", "ana", "ready"),
        TalkEnded("i-old", "ana"),
        RoutingDecided("i-old", 1, "TimerFired"),
    ):
        book.write_routed(routed(fact))
    assert {entry.contact_key_id for entry in journal.entries} == {HOUSE}


def test_a_routed_fact_keeps_the_snapshot_there_is_and_carries_its_rows():
    journal, book = booked()
    book.write_routed(routed(TalkEnded("i-1", "ana"), CALLER, [("acd:agent:main/ana", b"x"), ("acd:stay:s", None)]))
    (entry,) = journal.entries
    assert (entry.snapshot, entry.closed) == (None, False)
    assert [(row.name, row.body) for row in entry.states] == [("acd:agent:main/ana", b"x"), ("acd:stay:s", None)]
