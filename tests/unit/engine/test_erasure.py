"""Forgetting a caller, however her number was written when she called."""

import asyncio

import pytest

from core.events import LegUp
from engine.erasure import Erasure, erase_contact, spellings
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal


@pytest.fixture
def home(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: test\n")
    found = Home.find(tmp_path, tmp_path / "var")
    found.prepare()
    return found


async def written(home, number):
    with ContactCipher.open(home.state) as cipher:
        journal = Journal.open(home.journal, cipher, print)
        contact = cipher.contact_key_id("main", number, "i-1")
        seq = journal.append(Entry("i-1", contact, 1000.0, LegUp("leg-1")))
        await journal.durable(seq)
        await journal.close()


def read(home):
    with ContactCipher.open(home.state, read_only=True) as cipher:
        from store.journal_reader import JournalReader

        reader = JournalReader.open(home.journal, cipher)
        try:
            return [record.unreadable or record.type for record in reader.show("i-1")]
        finally:
            reader.close()


@pytest.mark.parametrize("as_called", ["+34911234567", "911234567", "0034911234567"])
def test_every_spelling_of_a_number_is_the_same_contact(home, as_called):
    asyncio.run(written(home, as_called))
    assert read(home) == ["LegUp"]
    assert erase_contact(home, "main", "+34 911 23 45 67").keys == 1
    assert read(home) == ["erased"]


def test_nobody_else_is_forgotten(home):
    asyncio.run(written(home, "+34911234567"))
    assert erase_contact(home, "main", "+34911234568") == Erasure()
    assert erase_contact(home, "other", "+34911234567") == Erasure()
    assert read(home) == ["LegUp"]


def test_what_is_no_number_is_looked_for_as_it_is():
    assert spellings("anonymous", "ES") == {"anonymous"}
