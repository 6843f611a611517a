"""What a caller has said is in its mailbox, durably and once, or it is said that it is not."""

import asyncio
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import CommandRefused
from core.leg_commands import KeepRecording
from engine.effects import recordings
from engine.effects.recordings import Mailboxes
from store.cipher import ContactCipher
from store.errors import Erased
from store.recordings import Recordings
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
def cipher(tmp_path):
    with ContactCipher.open(tmp_path / "keys") as cipher:
        yield cipher


@pytest.fixture
def ana(cipher):
    return cipher.contact_key_id("acme", KEEP.caller, "")


@pytest.fixture
def mailboxes(tmp_path, node, cipher):
    """Nothing is sealed."""
    return Mailboxes(tmp_path / "voicemail", node, cipher, lambda: False)


@pytest.fixture
def sealing(tmp_path, node, cipher):
    return Mailboxes(tmp_path / "voicemail", node, cipher, lambda: True)


@pytest.fixture
def kept(tmp_path, cipher):
    return Recordings(tmp_path / "voicemail", cipher)


def names(box):
    return sorted(path.name for path in box.iterdir())


async def test_a_message_lies_in_its_mailbox_with_its_labels(box, mailboxes, ana):
    await mailboxes.keep(KEEP, NOON_S)
    assert names(box) == ["20260310T120000Z-i-1.2.3.json", "20260310T120000Z-i-1.2.3.wav"]
    labels = json.loads((box / "20260310T120000Z-i-1.2.3.json").read_text("utf-8"))
    assert labels == {
        "interaction_id": "i-1",
        "mailbox": "sales",
        "caller": "+34600123123",
        "called": "100",
        "at": "20260310T120000Z",
        "contact": ana,
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
    assert synced == [".20260310T120000Z-i-1.2.3.json.new", "20260310T120000Z-i-1.2.3.wav", "sales"]


async def test_asked_again_later_it_is_kept_once(box, mailboxes, node):
    await mailboxes.keep(KEEP, NOON_S)
    await mailboxes.keep(KEEP, NOON_S + 60)
    assert (node.asked, len(names(box))) == (1, 2)


async def test_two_who_file_it_at_the_same_time_file_it_once(box, mailboxes, node):
    """The caller hangs up in the review of a long message just as the spool is looked through."""
    await asyncio.gather(mailboxes.keep(KEEP, NOON_S), mailboxes.keep(KEEP, NOON_S + 1))
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


async def test_a_sealed_message_opens_with_its_contacts_key_only(box, sealing, kept, cipher, ana):
    await sealing.keep(KEEP, NOON_S)
    assert names(box) == ["20260310T120000Z-i-1.2.3.json", "20260310T120000Z-i-1.2.3.wav.sealed"]
    on_disk = b"".join(path.read_bytes() for path in box.iterdir())
    assert not [word for word in (b"RIFF", b"600123123", b"a chair") if word in on_disk]
    (found,) = kept.find("acme")
    assert (found.kind, found.interaction_id, found.at_s) == ("message", "i-1", NOON_S)
    assert found.labels == {"caller": KEEP.caller, "called": "100", "topic": "a chair"}
    assert b"".join(kept.content(found)[1]) == b"RIFF"

    cipher.erase(ana)
    (found,) = kept.find("acme")
    assert (found.forgotten, found.labels) == (True, {})
    with pytest.raises(Erased):
        b"".join(kept.content(found)[1])


async def test_sealed_and_asked_again_it_is_kept_once(box, sealing, node):
    await sealing.keep(KEEP, NOON_S)
    await sealing.keep(KEEP, NOON_S + 60)
    assert (node.asked, len(names(box))) == (1, 2)


async def test_what_could_not_be_sealed_is_kept_and_sealed_later(box, sealing, kept, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(recordings, "seal_file", full)
        await sealing.keep(KEEP, NOON_S)
        assert names(box)[-1].endswith(".wav")
        assert "sealed later" in caplog.text
        assert sealing.seal_rest() == 0
    assert sealing.seal_rest() == 1
    assert names(box) == ["20260310T120000Z-i-1.2.3.json", "20260310T120000Z-i-1.2.3.wav.sealed"]
    (found,) = kept.find("acme")
    assert found.labels["topic"] == "a chair"
    assert sealing.seal_rest() == 0


async def test_what_was_kept_before_the_site_sealed_is_sealed(box, mailboxes, sealing, kept):
    await mailboxes.keep(KEEP, NOON_S)
    labels = json.loads((box / "20260310T120000Z-i-1.2.3.json").read_text("utf-8"))
    del labels["contact"]  # as older ones are
    (box / "20260310T120000Z-i-1.2.3.json").write_text(json.dumps(labels))
    assert sealing.seal_rest() == 1
    (found,) = kept.find("acme")
    assert b"".join(kept.content(found)[1]) == b"RIFF"
    assert found.labels == {"caller": KEEP.caller, "called": "100", "topic": "a chair"}


async def test_a_called_customers_message_is_sealed_under_her_key(sealing, kept, cipher):
    await sealing.keep(replace(KEEP, caller="+34910100100", called="+34600123123", theirs="+34600123123"), NOON_S)
    assert kept.find("acme")[0].contact == cipher.contact_key_id("acme", "+34600123123", "")


@pytest.mark.parametrize("seal", [True, False])
async def test_who_is_forgotten_leaves_no_file(box, mailboxes, sealing, kept, ana, node, seal):
    box_of = sealing if seal else mailboxes
    await box_of.keep(KEEP, NOON_S)
    node.files.path("i-2.1.1").write_bytes(b"RIFF")
    await box_of.keep(replace(KEEP, recording_id="i-2.1.1", interaction_id="i-2", caller="+34600999999"), NOON_S)
    assert kept.forget("acme", {ana}) == 1
    assert {name.partition(".")[0] for name in names(box)} == {"20260310T120000Z-i-2"}


@pytest.mark.parametrize("label", ["kind", "queue", "contact", "_sealed", "interaction_id"])
@pytest.mark.parametrize("seal", [True, False])
async def test_a_flows_label_may_have_any_name(mailboxes, sealing, kept, label, seal):
    await (sealing if seal else mailboxes).keep(replace(KEEP, labels={label: "x"}), NOON_S)
    found = kept.find("acme")
    assert (found[0].interaction_id, found[0].kind) == ("i-1", "message")
    if label in ("kind", "queue"):
        assert found[0].labels[label] == "x"


async def test_conversations_are_found_by_queue_and_agent(sealing, kept, node):
    for number, agents in enumerate(("ana,eva", "eva", "luz")):
        node.files.path(f"i-{number}.r1").write_bytes(b"RIFF")
        labels = {"kind": "conversation", "queue": "sales" if number else "care", "agents": agents}
        keep = KeepRecording(f"i-{number}", "leg", f"i-{number}.r1", "talk.sales", labels, "acme", "+34600", "100")
        await sealing.keep(keep, NOON_S + number)
    assert [found.interaction_id for found in kept.find("acme")] == ["i-2", "i-1", "i-0"]
    assert [found.interaction_id for found in kept.find("acme", agent_id="eva")] == ["i-1", "i-0"]
    assert [found.interaction_id for found in kept.find("acme", queue="care")] == ["i-0"]
    assert [found.interaction_id for found in kept.find("acme", limit=2)] == ["i-2", "i-1"]
    assert [found.interaction_id for found in kept.find("acme", before=kept.find("acme")[1].name)] == ["i-0"]
    assert kept.find("acme", mailbox="../acme/talk.sales") == []
    assert kept.find("other") == []
    newest = kept.find("acme")[0]
    assert kept.get("acme", "talk.sales", newest.name) == newest
    assert kept.get("acme", "..", newest.name) is None
    assert kept.get("other", "talk.sales", newest.name) is None


async def test_a_message_without_sound_is_its_labels(box, mailboxes, node, kept):
    wordless = replace(KEEP, recording_id="i-1.2.4", sound=False)
    await mailboxes.keep(wordless, NOON_S)
    await mailboxes.keep(wordless, NOON_S + 9)
    assert names(box) == ["20260310T120000Z-i-1.2.4.json"]
    assert node.asked == 0
    (found,) = kept.find("acme")
    assert (found.sound, found.labels["topic"]) == (None, "a chair")
