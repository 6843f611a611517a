"""Snapshots that nobody can read: they count as lost, once."""

import pytest

from core.decisions import InteractionClosed
from core.events import LegUp
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.recovery import load_open
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal


@pytest.mark.parametrize("erase", [False, True])
async def test_an_interaction_that_cannot_be_taken_up_is_closed_as_lost_and_not_found_again(tmp_path, erase):
    clock = AnchoredClock()
    with ContactCipher.open(tmp_path) as cipher:
        journal = Journal.open(tmp_path / "journal.db", cipher, print)
        await journal.durable(journal.append(Entry("i-1", "somebody", 1.0, LegUp("1"), snapshot=b"of a newer release")))
        if erase:
            cipher.erase("somebody")
            cipher.refresh()
        readable, unreadable = load_open(journal.open_snapshots())
        assert (readable, list(unreadable)) == ([], ["i-1"])
        book = JournalBook(journal, cipher, clock)
        for interaction_id, why in unreadable.items():
            book.write_off(interaction_id, why)
        await journal.durable(journal.last_seq)
        assert load_open(journal.open_snapshots()) == ([], {})
        last = (await journal.show("i-1"))[-1]
        assert list(last.decisions) == [InteractionClosed("i-1", "lost")]
        await journal.close()
