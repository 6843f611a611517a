"""What holds whom while no engine lives: from snapshots, read by a process of its own."""

import asyncio

from core.events import DigitPressed, LegUp
from core.leg_commands import Play
from engine import last_played, left_playing, snapshots
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from tests.unit.engine.talk_case import case
from tests.unit.engine.test_consult_and_transfer import OUTSIDE, talking
from tests.unit.engine.test_interactions import CALLER, Case, around, from_phone

__all__ = ["around", "case", "talking"]


def played(there):
    """Leg -> the playback she was given last."""
    return {play.leg_id: play.playback_id for play in there.commanded(Play)}


def transferred(around):
    there = Case(around)
    there.tell(LegUp(CALLER), DigitPressed(CALLER, "1"))
    return there


def test_the_ringback_of_a_flows_transfer(around):
    there = transferred(around)
    assert last_played.playing([there.interaction]) == played(there) != {}


def test_the_ringback_of_a_phone_that_calls_another_one(around):
    there = from_phone(around, "1001")
    assert last_played.playing([there.interaction]) == played(there) != {}


def test_the_ringback_of_a_customer_whom_an_agent_sends_outside(talking):
    assert talking.act("transfer", OUTSIDE) == ""
    assert last_played.playing([talking.interaction]) == played(talking) != {}


async def test_another_process_reads_it_from_the_journal(around, tmp_path):
    there = transferred(around)
    saved = snapshots.dump(there.interaction)
    (tmp_path / "config").mkdir()
    home = Home.at(tmp_path, tmp_path)
    with ContactCipher.open(home.state) as cipher:
        journal = Journal.open(home.journal, cipher, print)
        entry = Entry(there.interaction.interaction_id, "she", 1.0, LegUp(CALLER), snapshot=saved)
        await journal.durable(journal.append(entry))
        assert await left_playing.ask(home.environment) == played(there)
        await journal.close()


async def test_it_is_read_beforehand_kept_until_an_engine_is_back_and_read_again_when_it_failed(monkeypatch):
    answers = [None, {"c1": "p1"}, {"c1": "p2"}]

    async def answered(env):
        return answers.pop(0)

    monkeypatch.setattr(left_playing, "ask", answered)
    left = left_playing.LeftPlaying({})
    assert left.known() == {}
    for wanted in ({}, {"c1": "p1"}, {"c1": "p1"}):
        left.read()
        await asyncio.sleep(0)
        assert left.known() == wanted
    left.forget()
    left.read()
    await asyncio.sleep(0)
    assert left.known() == {"c1": "p2"}
    await left.close()


async def test_a_journal_that_cannot_be_read_holds_up_nobody(tmp_path, caplog):
    (tmp_path / "config").mkdir()
    assert await left_playing.ask(Home.at(tmp_path, tmp_path).environment) is None
    assert "what the engine was playing cannot be read" in caplog.text
