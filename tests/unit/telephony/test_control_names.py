"""What may be written into a request to Asterisk."""

from __future__ import annotations

import wave
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CommandRefused
from core.leg import EndReason
from telephony.control import names
from telephony.control.causes import cause_for, unanswered_reason
from telephony.control.recordings import RecordingFiles
from telephony.control.sounds import Sounds

PHONE = "device:main-1001"


@pytest.mark.parametrize(
    ("endpoint", "dialed"),
    [
        ("device:main-1001", "PJSIP/main-1001"),
        ("trunk:main-carrier/+34911234567", "PJSIP/+34911234567@main-carrier"),
        ("trunk:main-carrier/0810*1#", "PJSIP/0810*1#@main-carrier"),
    ],
)
def test_endpoints_become_dial_strings(endpoint: str, dialed: str) -> None:
    assert names.pjsip_endpoint(endpoint) == dialed


@given(st.text())
def test_no_text_smuggles_a_second_destination(text: str) -> None:
    for endpoint in (f"device:{text}", f"trunk:main/{text}", f"trunk:{text}/1", text):
        try:
            dialed = names.pjsip_endpoint(endpoint)
        except CommandRefused:
            continue
        assert dialed.startswith("PJSIP/")
        assert not set(dialed[6:]) & set("/&(),;|^$\"'\\{}[]?= \t\r\n\0")
        assert dialed.isascii()


def test_a_refusal_does_not_repeat_the_number() -> None:
    with pytest.raises(CommandRefused) as refused:
        names.pjsip_endpoint("trunk:main/600123456,7")
    assert "600123456" not in str(refused.value)


@given(st.text(max_size=200))
def test_a_recording_is_a_file_in_its_directory_whatever_it_is_called(text: str) -> None:
    try:
        name = names.file_name(text)
    except CommandRefused:
        return
    assert Path(name).name == name
    assert not name.startswith(".")
    assert len(name) <= names.LONGEST_FILE_NAME


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20), st.data())
def test_different_recordings_are_different_files(one: str, data: st.DataObject) -> None:
    other = data.draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
    assert (names.file_name(one) == names.file_name(other)) == (one == other)


# -- sounds ------------------------------------------------------------------------------------------
def media(sounds: Sounds, *items: str) -> list[str]:
    return list(msgspec.json.decode(sounds.body(items))["media"])


def test_media_items_in_asterisks_words(tmp_path: Path) -> None:
    sounds = Sounds(tmp_path)
    assert media(sounds, "/a/b", "tone:beep", "tone:ringback") == ["sound:/a/b", "sound:beep", "tone:ring"]


def test_silence_is_a_file_as_long_as_asked(tmp_path: Path) -> None:
    (uri,) = media(Sounds(tmp_path / "new"), "silence:0.45")
    with wave.open(uri.removeprefix("sound:") + ".wav") as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(0.5)


def test_without_a_place_for_files_silence_comes_in_whole_seconds(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the directory should be")
    assert media(Sounds(tmp_path / "blocked"), "silence:1.2") == ["sound:silence/2"]


@pytest.mark.parametrize("item", ["silence:61", "silence:-1", "silence:nan", "silence:x", "tone:x", "b", "/a\nb", ""])
def test_nonsense_is_not_played(tmp_path: Path, item: str) -> None:
    with pytest.raises(CommandRefused):
        Sounds(tmp_path).body([item])


# -- recordings ----------------------------------------------------------------------------------------
def test_keeping_moves_the_file(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    files.path("r/1").write_bytes(b"x" * (44 + 8000))
    assert files.duration_s("r/1") == 0.5
    files.keep("r/1", str(tmp_path / "box" / "1.wav"))
    assert (tmp_path / "box" / "1.wav").stat().st_size == 8044
    assert not files.path("r/1").exists()


@pytest.mark.parametrize("destination", ["relative.wav", "/x/../etc/y.wav", "/x/y.mp3", "/proc/nope/y.wav"])
def test_a_place_that_will_not_do_is_refused_and_the_recording_stays(tmp_path: Path, destination: str) -> None:
    files = RecordingFiles(tmp_path)
    files.path("r1").write_bytes(b"x")
    with pytest.raises(CommandRefused):
        files.keep("r1", destination)
    assert files.path("r1").exists()


def test_a_recording_that_is_not_there_is_said(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    with pytest.raises(CommandRefused, match="not there"):
        files.keep("r1", str(tmp_path / "1.wav"))
    files.discard("r1")
    assert files.duration_s("r1") is None


# -- causes --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cause", "status", "rang", "reason"),
    [
        (17, 486, True, EndReason.BUSY),
        (21, 603, False, EndReason.REJECTED),
        (1, 404, False, EndReason.INVALID_NUMBER),
        (34, 503, False, EndReason.CONGESTION),
        (19, 480, True, EndReason.NO_ANSWER),
        (19, 480, False, EndReason.UNREACHABLE),
        (18, 408, False, EndReason.UNREACHABLE),
        (0, 0, True, EndReason.FAILED),
        (127, 500, False, EndReason.FAILED),
    ],
)
def test_why_an_unanswered_leg_ended(cause: int, status: int, rang: bool, reason: EndReason) -> None:
    assert unanswered_reason(cause, status, rang) is reason


@pytest.mark.parametrize("reason", list(EndReason))
def test_every_reason_can_be_said_to_the_other_side(reason: EndReason) -> None:
    assert 1 <= cause_for(reason) <= 127


def test_a_phone_beside_the_one_that_was_answered_is_told_so() -> None:
    assert cause_for(EndReason.ANSWERED_ELSEWHERE) == 26, "Asterisk makes `Call completed elsewhere` of this one alone"


# -- who is shown to the phone we ring -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Marta López", '"Marta López" <+34600>'),
        ('Marta "M" <sip:x@y>;z', '"Marta M sip:x@yz" <+34600>'),
        ("  two\nlines  ", '"twolines" <+34600>'),
        ("", "+34600"),
        ('"<>"', "+34600"),
        ("x" * 200, f'"{"x" * 80}" <+34600>'),
    ],
)
def test_a_callers_name_is_shown_without_what_means_something_else(name: str, shown: str) -> None:
    assert names.caller_id("+34600", name, PHONE) == shown


@pytest.mark.parametrize(
    ("number", "name", "shown"),
    [
        ("anonymous", "Anonymous", '"Anonymous" <anonymous>'),
        ("c3", "", '"c3" <c3>'),
        ('600;x "Ana" <1>,2', "", '"600xAna12" <600xAna12>'),
        ("+34 911 22 33", "", '"+349112233" <+349112233>'),
        ("9" * 40, "", f'"{"9" * 32}" <{"9" * 32}>'),
        (";", "Ana", '"Ana" <>'),
        (";", "", ""),
    ],
)
def test_a_caller_who_shows_no_number_is_shown_to_phones_as_far_as_it_is_safe(
    number: str, name: str, shown: str
) -> None:
    assert names.caller_id(number, name, PHONE) == shown


def test_a_carrier_is_shown_a_number_or_none() -> None:
    assert names.caller_id("anonymous", "", "trunk:main-carrier/600") == ""
    assert names.caller_id("+34600", "", "trunk:main-carrier/600") == "+34600"


@given(st.text(), st.text(), st.sampled_from([PHONE, "trunk:main-carrier/600"]))
def test_nothing_that_a_caller_writes_becomes_a_header(number: str, name: str, endpoint: str) -> None:
    shown = names.caller_id(number, name, endpoint)
    assert shown.isprintable()
    assert shown.count("<") == shown.count(">") <= 1
    assert shown.count('"') in (0, 2)
    assert not set(";&$[]{}\\") & set(shown)


# -- conversations -----------------------------------------------------------------------------------
def test_a_conversation_is_kept_as_a_stereo_wav_and_a_half_written_sample_left_out(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    files.talk_path("i1/t").write_bytes(b"\x01\x00\x02\x00" * 800 + b"\x01")
    assert files.exists("i1/t")
    assert files.talk_duration_s("i1/t") == pytest.approx(0.1, abs=0.001)
    kept = tmp_path / "kept" / "talk.wav"
    files.keep("i1/t", str(kept))
    with wave.open(str(kept)) as talk:
        assert (talk.getnchannels(), talk.getsampwidth(), talk.getframerate()) == (2, 2, 8000)
        assert talk.readframes(2) == b"\x01\x00\x02\x00" * 2
        assert talk.getnframes() == 800
    assert not files.exists("i1/t")
    with pytest.raises(CommandRefused):
        files.keep("i1/t", str(kept))


def test_a_conversation_that_cannot_be_kept_stays_where_it_was_made(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    files.talk_path("t").write_bytes(bytes(4000))
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandRefused, match="stays in"):
        files.keep("t", str(tmp_path / "file" / "talk.wav"))
    assert files.exists("t")
    files.discard("t")
    files.discard("t")
    assert not files.exists("t")
