"""What a caller has said is in its mailbox, durably and once, or it is said that it is not."""

import json
import os
import stat
from datetime import UTC, datetime

import pytest

from core.errors import CommandRefused
from core.leg_commands import KeepRecording
from engine.effects.recordings import Mailboxes
from telephony.control.recordings import RecordingFiles

NOON_S = datetime(2026, 3, 10, 12, 0, tzinfo=UTC).timestamp()
KEEP = KeepRecording("i-1", "leg-1", "i-1.2.3", "sales", {"topic": "a chair"}, "acme", "+34600123123", "100")


class Node:
    """A node whose recordings are files in a directory."""

    def __init__(self, spool):
        self.files, self.asked = RecordingFiles(spool), 0

    async def keep_recording(self, leg_id, recording_id, destination):
        self.asked += 1
        self.files.keep(recording_id, destination)


@pytest.fixture
def node(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    node = Node(spool)
    node.files.path(KEEP.recording_id).write_bytes(b"RIFF")
    return node


@pytest.fixture
def box(tmp_path):
    return tmp_path / "voicemail" / "acme" / "sales"


@pytest.fixture
def mailboxes(tmp_path, node):
    return Mailboxes(tmp_path / "voicemail", node)


def names(box):
    return sorted(path.name for path in box.iterdir())


async def test_a_message_lies_in_its_mailbox_with_its_labels(box, mailboxes):
    await mailboxes.keep(KEEP, NOON_S)
    assert names(box) == ["20260310T120000Z-i-1.2.3.json", "20260310T120000Z-i-1.2.3.wav"]
    labels = json.loads((box / "20260310T120000Z-i-1.2.3.json").read_text("utf-8"))
    assert labels == {
        "interaction_id": "i-1",
        "mailbox": "sales",
        "caller": "+34600123123",
        "called": "100",
        "at": "20260310T120000Z",
        "topic": "a chair",
    }
    assert stat.S_IMODE((box / "20260310T120000Z-i-1.2.3.json").stat().st_mode) == 0o600


async def test_it_is_on_the_disk_when_this_is_said(mailboxes, monkeypatch):
    synced, fsync = [], os.fsync

    def note(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}").rpartition("/")[2])
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    await mailboxes.keep(KEEP, NOON_S)
    assert synced == ["20260310T120000Z-i-1.2.3.json", "20260310T120000Z-i-1.2.3.wav", "sales"]


async def test_asked_again_later_it_is_kept_once(box, mailboxes, node):
    await mailboxes.keep(KEEP, NOON_S)
    await mailboxes.keep(KEEP, NOON_S + 60)
    assert (node.asked, len(names(box))) == (1, 2)


async def test_an_engine_that_died_between_labels_and_sound_finishes_the_work(box, mailboxes):
    box.mkdir(parents=True)
    (box / "20260310T115959Z-i-1.2.3.json").write_text("{")
    await mailboxes.keep(KEEP, NOON_S)
    assert names(box) == ["20260310T115959Z-i-1.2.3.json", "20260310T115959Z-i-1.2.3.wav"]
    assert json.loads((box / "20260310T115959Z-i-1.2.3.json").read_text("utf-8"))["topic"] == "a chair"


async def test_what_is_not_there_is_refused_and_leaves_nothing(box, mailboxes, node):
    node.files.path(KEEP.recording_id).unlink()
    with pytest.raises(CommandRefused):
        await mailboxes.keep(KEEP, NOON_S)
    assert names(box) == []


async def test_a_full_disk_is_refused_and_the_recording_stays(box, mailboxes, node, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandRefused, match="No space left"):
        await mailboxes.keep(KEEP, NOON_S)
    assert node.files.path(KEEP.recording_id).exists()
    assert names(box) == []
