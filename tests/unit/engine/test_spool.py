"""What was decided about a recording is carried out even when the engine died before it could."""

import os

import pytest

from core.errors import CommandRefused
from core.events import CommandRejected, LegEnded, RecordingFailed, RecordingKept
from core.leg import EndReason
from core.leg_commands import DiscardRecording, KeepRecording
from engine import spool
from store.entry import Recorded
from store.errors import JournalDamaged
from telephony.control.names import file_name

INTERACTION = "i-node-1-1795302714.3"
ID = f"{INTERACTION}.4.7"
KEEP = KeepRecording(INTERACTION, "leg", ID, "sales", tenant="acme", caller="+34600")


def told(*commands, unreadable="", event=None):
    event = event or LegEnded("leg", EndReason.HUNG_UP)
    return Recorded(7, INTERACTION, "key", 99.0, "LegEnded", event, (), commands, unreadable)


class Spool:
    def __init__(self, directory):
        self.directory, self.kept, self.open, self.records, self.refuse = directory, [], set(), [], None
        self.told = []

    def file(self, recording_id=ID, age_s=3600.0, form="wav"):
        path = self.directory / f"{file_name(recording_id)}.{form}"
        path.write_bytes(b"RIFF")
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
        return path

    async def clear(self):
        async def show(interaction_id):
            assert interaction_id == INTERACTION
            if isinstance(self.records, Exception):
                raise self.records
            return self.records

        async def keep(command, at_s):
            if self.refuse:
                raise self.refuse
            self.kept.append((command, at_s))

        def tell(interaction_id, event):
            assert interaction_id == INTERACTION
            self.told.append(event)

        await spool.clear(self.directory, self.open.__contains__, show, keep, tell)


@pytest.fixture
def a_spool(tmp_path):
    return Spool(tmp_path)


@pytest.mark.parametrize("recording_id", [ID, "i-/..=3.1.2", "i-a~b%.1.2"])
def test_a_file_names_its_recording(tmp_path, recording_id):
    assert spool.recording_id_of(tmp_path / f"{file_name(recording_id)}.wav") == recording_id


async def test_a_message_of_who_hung_up_in_the_engines_last_moment_is_filed(a_spool):
    a_spool.file()
    a_spool.records = [told(), told(KEEP)]
    await a_spool.clear()
    assert a_spool.kept == [(KEEP, 99.0)]


async def test_what_was_discarded_is_deleted_and_so_is_what_an_erased_contact_said(a_spool):
    for records in ([told(KEEP), told(DiscardRecording("leg", ID))], [told(unreadable="erased")]):
        file = a_spool.file()
        a_spool.records = records
        await a_spool.clear()
        assert not file.exists()
    assert a_spool.kept == []


async def test_an_open_call_a_fresh_file_and_what_nobody_decided_are_left_alone(a_spool):
    file = a_spool.file(age_s=1)
    a_spool.records = [told(KEEP)]
    await a_spool.clear()
    file = a_spool.file()
    a_spool.open = {INTERACTION}
    await a_spool.clear()
    a_spool.open, a_spool.records = set(), [told()]
    await a_spool.clear()
    assert file.exists()
    assert a_spool.kept == []


@pytest.mark.parametrize("trouble", [CommandRefused("disk full"), JournalDamaged("oops")])
async def test_trouble_with_one_leaves_it_for_the_next_time(a_spool, trouble):
    file = a_spool.file()
    a_spool.records = trouble if isinstance(trouble, JournalDamaged) else [told(KEEP)]
    a_spool.refuse = trouble
    await a_spool.clear()
    assert file.exists()
    a_spool.records, a_spool.refuse = [told(KEEP)], None
    await a_spool.clear()
    assert len(a_spool.kept) == 1


async def test_what_nobody_decided_is_told_once(a_spool):
    file = a_spool.file()
    a_spool.records = [told()]
    await a_spool.clear()
    (failed,) = a_spool.told
    assert (type(failed), failed.recording_id, failed.partial) == (RecordingFailed, ID, True)
    a_spool.records.append(told(event=failed))
    await a_spool.clear()
    assert len(a_spool.told) == 1
    assert file.exists()


async def test_an_empty_file_that_nobody_decided_about_is_deleted(a_spool):
    file = a_spool.file()
    file.write_bytes(b"")
    os.utime(file, (file.stat().st_mtime - 3600,) * 2)
    a_spool.records = [told()]
    await a_spool.clear()
    assert not file.exists()
    assert a_spool.told == []


async def test_what_had_failed_and_is_filed_after_all_is_told(a_spool):
    a_spool.file()
    rejected = CommandRejected(INTERACTION, "7.1", "KeepRecording", "disk full", "leg", ID)
    a_spool.records = [told(KEEP), told(event=rejected)]
    await a_spool.clear()
    assert a_spool.told == [RecordingKept("leg", ID)]


async def test_a_copy_of_what_is_filed_already_is_deleted(a_spool):
    """An engine died after it had written the file in the mailbox, and before it took the source away."""
    file = a_spool.file()
    a_spool.records = [told(KEEP)]
    await a_spool.clear()
    assert not file.exists()


async def test_a_directory_that_is_not_there_is_empty(tmp_path):
    await Spool(tmp_path / "none").clear()


async def test_a_conversation_that_was_never_filed_is_filed_too(a_spool):
    recording_id = f"{INTERACTION}.r12"
    keep = KeepRecording(INTERACTION, "leg", recording_id, "talk.sales")
    a_spool.file(recording_id, form="raw")
    a_spool.records = [told(keep)]
    await a_spool.clear()
    assert a_spool.kept == [(keep, 99.0)]


async def test_what_lies_there_of_contacts_that_are_over_is_counted(a_spool):
    a_spool.file()
    a_spool.file(f"{INTERACTION}.4.8").write_bytes(b"")  # of a leg that ended before it began
    os.utime(a_spool.directory / f"{file_name(f'{INTERACTION}.4.8')}.wav", (0, 0))
    a_spool.file(f"{INTERACTION}.4.9", age_s=1.0)  # on its usual way
    places = [a_spool.directory, a_spool.directory / "of a node that is gone"]
    assert await spool.left(places, a_spool.open.__contains__) == 1
    a_spool.open.add(INTERACTION)
    assert await spool.left(places, a_spool.open.__contains__) == 0
