"""What the engine may rely on when it writes to the journal, and what survives."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.commands import Command
from core.decisions import Decision, NodeEntered
from core.events import LegArrived, LegUp
from core.leg import LegRole
from core.leg_commands import AnswerLeg, OriginateLeg, Play
from core.media import Sound
from store.cipher import ContactCipher
from store.entry import Entry, StateRow
from store.errors import JournalDamaged, JournalLocked, JournalUnavailable
from store.journal import Journal
from store.journal_reader import JournalReader

ARRIVED = LegArrived("leg-1", "n1", "+34911234567", "+34600112233", "Ana")
NOW_S = 1_767_225_600.0


def entry(interaction_id: str = "i-1", event: Any = ARRIVED, at_s: float = NOW_S, **more: Any) -> Entry:
    return Entry(interaction_id, more.pop("contact", "ana"), at_s, event, **more)


class Place:
    """A state directory, and everything that was opened in it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "journal.db"
        self.directory = directory
        self.errors: list[str] = []
        self.journals: list[Journal] = []

    def open(self, **more: Any) -> Journal:
        cipher = ContactCipher.open(self.directory)
        journal = Journal.open(self.path, cipher, self.errors.append, **more)
        self.journals.append(journal)
        return journal

    async def reopen(self) -> Journal:
        await self.journals[-1].close()
        return self.open()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path)
    yield here
    for journal in here.journals:
        await journal.close()


# -- numbers and durability -----------------------------------------------------------------------------
async def test_numbers_are_given_at_once_without_holes_and_go_on_after_a_restart(place: Place) -> None:
    journal = place.open()
    assert [journal.append(entry()) for _ in range(5)] == [1, 2, 3, 4, 5]
    journal = await place.reopen()
    assert journal.append(entry()) == 6
    assert [each.seq for each in await place_all(journal)] == [1, 2, 3, 4, 5, 6]


async def place_all(journal: Journal) -> list[Any]:
    await journal.durable(journal.last_seq)
    return await journal.tail(0, 10_000)


async def test_durable_means_another_reader_sees_it(place: Place) -> None:
    journal = place.open()
    seq = journal.append(entry())
    assert journal.durable_seq < seq
    await journal.durable(seq)
    assert journal.durable_seq >= seq
    with sqlite3.connect(place.path) as db:
        assert db.execute("SELECT seq FROM events").fetchall() == [(seq,)]
    assert journal.durable(seq).done()


async def test_what_nobody_waits_for_is_saved_soon_all_the_same(place: Place) -> None:
    journal = place.open()
    seq = journal.append(entry())
    await _until(lambda: journal.durable_seq == seq)


async def test_many_waiters_share_commits_and_one_that_gives_up_harms_nobody(place: Place) -> None:
    journal = place.open()
    waiters = [asyncio.ensure_future(journal.durable(journal.append(entry()))) for _ in range(500)]
    waiters[7].cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert journal.durable_seq == 500
    assert journal.pending == 0


async def test_who_sleeps_is_woken_for_what_somebody_awaits_and_for_nothing_else(place: Place) -> None:
    woken: list[str] = []
    journal = place.open(on_awaited=lambda: woken.append(threading.current_thread().name))
    seq = journal.append(entry())
    await _until(lambda: journal.durable_seq == seq)
    assert woken == []
    await journal.durable(journal.append(entry()))
    await _until(lambda: bool(woken))
    assert woken == ["journal"]


async def test_a_number_that_was_never_given_is_not_awaited_for_ever(place: Place) -> None:
    journal = place.open()
    with pytest.raises(JournalUnavailable, match="no event has the number 3"):
        await journal.durable(3)


async def test_closing_saves_what_is_pending_and_then_refuses(place: Place) -> None:
    journal = place.open()
    for _ in range(1000):
        journal.append(entry())
    await journal.close()
    assert not journal.healthy
    with pytest.raises(JournalUnavailable):
        journal.append(entry())
    assert place.open().last_seq == 1000


# -- what comes back ------------------------------------------------------------------------------------
async def test_an_entry_comes_back_whole(place: Place) -> None:
    journal = place.open()
    commands: list[Command] = [AnswerLeg("leg-1"), Play("leg-1", "p", (Sound("welcome", "es"),))]
    decisions: list[Decision] = [NodeEntered("reception", "menu", 1)]
    seq = journal.append(entry(decisions=decisions, commands=commands))
    await journal.durable(seq)
    (back,) = await journal.show("i-1")
    assert (back.seq, back.interaction_id, back.contact_key_id, back.at_s) == (seq, "i-1", "ana", NOW_S)
    assert (back.type, back.event, back.decisions, back.commands) == ("LegArrived", ARRIVED, decisions, commands)
    assert back.unreadable == ""


async def test_one_interaction_is_shown_apart_and_found_by_the_start_of_its_id(place: Place) -> None:
    journal = place.open()
    for name in ("ab-1", "ab-2", "b-1", "ab-1"):
        journal.append(entry(name))
    await journal.durable(4)
    assert [each.seq for each in await journal.show("ab-1")] == [1, 4]
    assert await journal.find("ab") == ["ab-1", "ab-2"]
    assert await journal.find("ab", limit=1) == ["ab-1"]
    assert await journal.find("%") == []
    assert [each.seq for each in await journal.tail(1, 2)] == [2, 3]


async def test_another_process_reads_while_the_engine_writes(place: Place) -> None:
    journal = place.open()
    await journal.durable(journal.append(entry()))
    reader = JournalReader.open(place.path, ContactCipher.open(place.directory, read_only=True))
    assert [each.event for each in reader.tail(0)] == [ARRIVED]
    await journal.durable(journal.append(entry("i-2", LegUp("leg-1"))))
    assert reader.last_seq() == 2
    assert reader.tail(1)[0].event == LegUp("leg-1")
    reader.close()


async def test_nothing_personal_lies_in_the_files_in_clear(place: Place) -> None:
    journal = place.open()
    journal.append(entry(snapshot=b"caller 600112233", states=[StateRow("s", 1, b"600112233")]))
    await journal.close()
    for path in place.directory.iterdir():
        assert b"600112233" not in path.read_bytes(), path


# -- snapshots and states -------------------------------------------------------------------------------
async def test_the_last_snapshot_stays_until_the_interaction_is_closed(place: Place) -> None:
    journal = place.open()
    journal.append(entry(snapshot=b"one"))
    journal.append(entry(snapshot=b"two", snapshot_version=3))
    journal.append(entry("i-2", snapshot=b"other"))
    journal.append(entry())
    journal = await place.reopen()
    found = {each.interaction_id: (each.seq, each.version, each.body) for each in journal.open_snapshots()}
    assert found == {"i-1": (2, 3, b"two"), "i-2": (3, 1, b"other")}
    journal.append(entry(closed=True))
    journal = await place.reopen()
    assert [each.interaction_id for each in journal.open_snapshots()] == ["i-2"]


async def test_an_interaction_closed_in_the_batch_that_opened_it_leaves_no_snapshot(place: Place) -> None:
    journal = place.open()
    journal.append(entry(snapshot=b"one"))
    journal.append(entry(closed=True))
    journal = await place.reopen()
    assert list(journal.open_snapshots()) == []


async def test_a_snapshot_may_be_made_later_and_only_the_last_one_is(place: Place) -> None:
    journal = place.open()
    made = []
    for n in range(10):
        journal.append(entry(snapshot=lambda n=n: made.append(n) or str(n).encode()))
    journal = await place.reopen()
    assert [each.body for each in journal.open_snapshots()] == [b"9"]
    assert made == [9]


async def test_states_of_the_engine_are_replaced_by_name(place: Place) -> None:
    journal = place.open()
    assert journal.load_state("toggles") is None
    journal.append(entry(states=[StateRow("toggles", 1, b"a"), StateRow("counters", 1, b"7")]))
    journal.append(entry(states=[StateRow("toggles", 2, b"b")]))
    journal = await place.reopen()
    assert journal.load_state("toggles") == StateRow("toggles", 2, b"b")
    assert journal.load_state("counters") == StateRow("counters", 1, b"7")


async def test_a_state_that_is_gone_is_deleted_with_the_event_that_ended_it(place: Place) -> None:
    journal = place.open()
    rows = [StateRow(f"acd:stay:{n}", 1, bytes([n])) for n in range(4)]
    journal.append(entry(states=[*rows, StateRow("acd", 1, b"other"), StateRow("toggles", 1, b"t")]))
    await journal.durable(1)
    journal.append(entry(states=[StateRow("acd:stay:1", 1, None), StateRow("acd:stay:never", 1, None)]))
    journal.append(entry(states=[StateRow("acd:stay:2", 1, None)]))
    journal.append(entry(states=[StateRow("acd:stay:2", 1, b"again")]))
    journal = await place.reopen()
    assert list(journal.load_states("acd:")) == [rows[0], StateRow("acd:stay:2", 1, b"again"), rows[3]]
    assert journal.load_state("acd:stay:1") is None
    assert journal.load_state("toggles") == StateRow("toggles", 1, b"t")


async def test_the_state_after_events_that_found_no_room_is_kept_all_the_same(place: Place) -> None:
    journal = place.open(max_pending=2)
    for n in range(5):
        journal.append(entry(states=[StateRow("counter", 1, bytes([n])), StateRow(f"stay:{n}", 1, b"s")]))
    journal.append(entry(states=[StateRow("stay:0", 1, None)]))
    journal = await place.reopen()
    assert journal.load_state("counter") == StateRow("counter", 1, b"\x04")
    assert [row.name for row in journal.load_states("stay:")] == ["stay:1", "stay:2", "stay:3", "stay:4"]


async def test_whose_interaction_it_was_is_known_after_its_end(place: Place) -> None:
    journal = place.open()
    journal.append(entry(contact="eva", closed=True))
    journal = await place.reopen()
    assert journal.reader.contact_of("i-1") == "eva"
    assert journal.reader.contact_of("i-2") is None


# -- irreversible commands, releases ----------------------------------------------------------------------
DIAL = OriginateLeg("leg-2", "i-1", "n1", LegRole.EXTERNAL, "trunk:main/600", "911", 20.0, 3600.0)


async def test_a_started_command_is_on_disk_with_its_event_and_stays_unfinished_until_done(place: Place) -> None:
    journal = place.open()
    seq = journal.append(entry(commands=[DIAL]))
    await journal.command_started(f"{seq}.0", "i-1", "OriginateLeg", "leg-2", NOW_S)
    assert journal.durable_seq >= seq
    journal = await place.reopen()
    (unknown,) = journal.unfinished_commands()
    assert (unknown.command_id, unknown.what, unknown.subject_id) == ("1.0", "OriginateLeg", "leg-2")
    journal.command_done("1.0", "ok", NOW_S + 2)
    journal = await place.reopen()
    assert journal.unfinished_commands() == []
    (done,) = journal.reader.commands("i-1")
    assert (done.started_s, done.done_s, done.outcome) == (NOW_S, NOW_S + 2, "ok")


async def test_releases_are_kept_as_long_as_an_event_refers_to_them(place: Place) -> None:
    journal = place.open()
    await journal.save_release("r1", b"flows 1")
    await journal.save_release("r1", b"never changes")
    for n in range(3):
        journal.append(entry(f"i-{n}", at_s=NOW_S + n))
    await journal.save_release("r2", b"flows 2")
    await journal.retire_releases(["r2"])
    journal.append(entry("i-3", at_s=NOW_S + 3))
    await journal.retire_releases(["r2"])
    await journal.durable(4)
    await journal.prune(NOW_S + 2, projected_seq=4)
    assert journal.load_release("r1") == b"flows 1", "event 3 refers to it"
    journal = await place.reopen()
    await journal.prune(NOW_S + 3, projected_seq=4)
    assert (journal.load_release("r1"), journal.load_release("r2")) == (None, b"flows 2")
    assert journal.load_release("r9") is None


async def test_a_release_that_serves_again_is_kept(place: Place) -> None:
    journal = place.open()
    for release in ("r1", "r2", "r1"):
        await journal.save_release(release, release.encode())
        journal.append(entry())
        await journal.retire_releases([release])
    await journal.prune(NOW_S + 1, projected_seq=3)
    assert (journal.load_release("r1"), journal.load_release("r2")) == (b"r1", None)


# -- erasure and retention ----------------------------------------------------------------------------------
async def test_an_erased_contact_leaves_rows_that_say_so(place: Place) -> None:
    journal = place.open()
    journal.append(entry(contact="ana", snapshot=b"hers"))
    journal.append(entry("i-2", contact="eva", snapshot=b"his"))
    await journal.durable(2)
    with ContactCipher.open(place.directory) as elsewhere:
        assert elsewhere.erase("ana")
    first, second = await journal.tail(0)
    assert (first.event, first.unreadable, first.type) == (None, "erased", "LegArrived")
    assert second.event == ARRIVED
    assert {each.interaction_id: each.body for each in journal.open_snapshots()} == {"i-1": None, "i-2": b"his"}
    await journal.durable(journal.append(entry(contact="ana", snapshot=b"new")))
    assert (await journal.show("i-1"))[1].event == ARRIVED
    journal = await place.reopen()
    assert {each.interaction_id: each.body for each in journal.open_snapshots()} == {"i-1": b"new", "i-2": b"his"}


async def test_old_events_are_pruned_but_not_before_projections_have_them(place: Place) -> None:
    journal = place.open()
    for n in range(5000):
        journal.append(entry(f"i-{n}", at_s=NOW_S + n))
    await journal.durable(5000)
    assert await journal.prune(NOW_S + 4500, projected_seq=3000) == 3000
    assert (await journal.tail(0, 1))[0].seq == 3001
    assert await journal.prune(NOW_S + 4500, projected_seq=5000) == 1500
    assert (await journal.tail(0, 1))[0].seq == 4501
    assert await journal.prune(NOW_S + 99_999, projected_seq=5000) == 500
    journal = await place.reopen()
    assert journal.append(entry()) == 5001


async def test_the_log_is_moved_into_the_file_before_it_grows_without_end(place: Place) -> None:
    journal = place.open()
    wal = place.path.with_name("journal.db-wal")
    largest = 0
    for _ in range(60):
        for n in range(20):
            journal.append(entry(f"i-{n}", snapshot=bytes(50_000)))
        await journal.durable(journal.last_seq)
        largest = max(largest, wal.stat().st_size)
    assert largest < 40 * 1024 * 1024


# -- bad input ------------------------------------------------------------------------------------------------
POISON = {
    "interaction": entry("i-\ud800"),
    "contact": entry(contact="\ud800"),
    "time": entry(at_s=math.nan),
    "event": entry(event=object()),
    "decision": entry(decisions=[object()]),
    "snapshot": entry("i-9", snapshot=lambda: 1 / 0),  # type: ignore[arg-type, return-value]
    "state": entry(states=[StateRow("\ud800", 1, b"")]),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_an_entry_that_cannot_be_saved_hurts_only_itself(place: Place, poison: Entry) -> None:
    journal = place.open()
    journal.append(entry(snapshot=b"mine"))
    bad = journal.append(poison)
    journal.append(entry("i-2", LegUp("leg-1")))
    await asyncio.wait_for(journal.durable(3), 30)
    found = await journal.tail(0)
    assert [each.seq for each in found] == [1, 2, 3]
    assert [found[0].event, found[2].event] == [ARRIVED, LegUp("leg-1")]
    assert journal.healthy
    assert f"event {bad}" in place.errors[0]


# -- who may open it --------------------------------------------------------------------------------------------
async def test_two_engines_cannot_share_a_journal(place: Place) -> None:
    place.open()
    with pytest.raises(JournalLocked, match=f"in use by process {os.getpid()}: stop that engine"):
        place.open()


def _damage_in_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        for page in range(4, 30):
            file.seek(page * 4096 + 10)
            file.write(os.urandom(3000))


def _set_pragma(name: str, value: int) -> Any:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA {name} = {value}")
        db.close()

    return change


DAMAGES: dict[str, tuple[Any, str]] = {
    "junk": (lambda path: path.write_bytes(b"once upon a time" * 5000), "left as it is"),
    "cut short": (lambda path: os.truncate(path, 5000), "left as it is"),
    "overwritten pages": (_damage_in_the_middle, "left as it is"),
    "another program's": (_set_pragma("application_id", 7), "another program's database"),
    "a newer release's": (_set_pragma("user_version", 99), "upgrade this one"),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGES.values(), ids=DAMAGES)
async def test_a_damaged_journal_is_refused_with_the_remedy_and_left_alone(
    place: Place, damage: Any, says: str
) -> None:
    journal = place.open()
    for n in range(500):
        journal.append(entry(f"i-{n}"))
    await journal.close()
    damage(place.path)
    before = place.path.read_bytes()
    with pytest.raises(JournalDamaged, match=says):
        place.open()
    assert place.path.read_bytes() == before


async def test_a_journal_without_its_file_or_its_keys_is_not_begun_anew(place: Place, tmp_path: Path) -> None:
    journal = place.open()
    await journal.durable(journal.append(entry()))
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(place.directory / "journal.db-wal", copy)
    with pytest.raises(JournalDamaged, match=r"journal\.db is gone but journal\.db-wal is still there"):
        Journal.open(copy / "journal.db", ContactCipher.open(copy), print)
    await journal.close()
    stranger = ContactCipher.open(tmp_path / "stranger")
    with pytest.raises(JournalDamaged, match="other keys"):
        Journal.open(place.path, stranger, print)


async def test_a_reader_without_a_journal_says_so(place: Place, tmp_path: Path) -> None:
    with pytest.raises(JournalDamaged, match="there is no journal at"):
        JournalReader.open(tmp_path / "nowhere.db", ContactCipher.open(tmp_path))
    assert not (tmp_path / "nowhere.db").exists()


async def test_a_closed_journal_is_tidy_private_and_can_still_be_read(place: Place) -> None:
    journal = place.open()
    journal.append(entry())
    await journal.close()
    assert not place.path.with_name("journal.db-wal").exists()
    assert place.path.stat().st_mode & 0o077 == 0
    reader = JournalReader.open(place.path, ContactCipher.open(place.directory, read_only=True))
    assert [each.event for each in reader.tail(0)] == [ARRIVED]
    reader.close()


# -- a disk that refuses ------------------------------------------------------------------------------------------
async def _until(true: Any, seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail("never happened")


async def test_a_foreign_lock_makes_it_unhealthy_and_its_end_heals_it(place: Place) -> None:
    journal = place.open()
    await journal.durable(journal.append(entry()))
    rogue = sqlite3.connect(place.path, isolation_level=None)
    rogue.execute("BEGIN IMMEDIATE")
    waiter = journal.durable(journal.append(entry("i-2", snapshot=b"s")))
    await _until(lambda: not journal.healthy and place.errors)
    for n in range(50):
        journal.append(entry(f"i-{n}"))
    rogue.execute("ROLLBACK")
    await asyncio.wait_for(waiter, 30)
    await journal.durable(journal.last_seq)
    await _until(lambda: journal.healthy)
    assert [each.seq for each in await journal.tail(0)] == list(range(1, 53))
    assert "New calls are refused, calls in progress go on" in place.errors[0]
    assert "takes entries again" in place.errors[-1]


async def test_a_disk_that_does_not_answer_makes_it_unhealthy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.journal.STALLED_S", 0.2)
    journal = place.open()
    answers = threading.Event()
    save = journal._writer._save

    def hangs(batches: Any) -> None:
        answers.wait(60)
        save(batches)

    monkeypatch.setattr(journal._writer, "_save", hangs)
    journal.append(entry())
    assert journal.healthy
    await _until(lambda: not journal.healthy)
    journal.append(entry())
    await _until(lambda: bool(place.errors))
    assert "the disk has not answered" in place.errors[0]
    answers.set()
    await journal.durable(2)
    await _until(lambda: journal.healthy)


FULL_DISK = Path(__file__).with_name("full_disk.py")


def _run_full_disk(directory: Path, *how: str) -> str:
    done = subprocess.run(
        [*how, sys.executable, str(FULL_DISK), str(directory)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path) -> None:
    out = _run_full_disk(tmp_path)
    assert "nothing lost" in out


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A real file system of two megabytes, in a mount namespace of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (package util-linux)")
    mount = f'mount -t tmpfs -o size=2m none {tmp_path} && exec "$@"'
    how = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if os.geteuid() == 0:
        how.remove("--map-root-user")
    if subprocess.run([*how, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs in a namespace")
    out = _run_full_disk(tmp_path, *how)
    assert "full" in out
    assert "nothing lost" in out


async def test_when_memory_s_share_is_used_up_the_journal_says_what_is_missing(place: Place) -> None:
    journal = place.open(max_pending=20)
    await journal.durable(journal.append(entry(snapshot=b"first")))
    rogue = sqlite3.connect(place.path, isolation_level=None)
    rogue.execute("BEGIN IMMEDIATE")
    for n in range(40):
        journal.append(entry(f"i-{n % 4}", snapshot=str(n).encode(), closed=n == 39))
    lost = journal.durable(journal.last_seq)
    with pytest.raises(JournalUnavailable, match="was not kept"):
        await lost
    rogue.execute("ROLLBACK")
    await _until(lambda: journal.pending == 0)
    assert [each.seq for each in await journal.tail(0)] == list(range(1, 22))
    assert journal.reader.gaps() == [(22, 41)]
    assert {each.interaction_id: each.body for each in journal.open_snapshots()} == {
        "i-0": b"36",
        "i-1": b"37",
        "i-2": b"38",
    }
    assert await journal.durable(journal.append(entry())) is None
    journal = await place.reopen()
    assert journal.last_seq == 42
