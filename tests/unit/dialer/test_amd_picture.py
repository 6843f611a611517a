"""A recording played to the detectors: what people see of it."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dialer.amd.picture import page
from dialer.amd.trace import trace
from engine.cli.app import app
from speech.errors import RecogniserUnavailable
from speech.ports import Audio, Recognition
from speech.recognisers.fake import FakeRecogniser
from tests.unit.dialer.amd_sounds import Sound, Written, silence, tone, voice


def samples(*parts: Sound) -> np.ndarray:
    return (np.concatenate(parts) * 32767).astype(np.int16)


def saved(path: Path, rate: int, channels: int, width: int, sound: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())
    return path


def test_the_picture_shows_speech_tones_and_what_was_told():
    found = trace(samples(voice(9.0), silence(0.4), tone(1000, 0.4), silence(0.5)), until_beep=True)
    assert [verdict.label for _, verdict in found.verdicts] == ["machine", "beep"]
    assert found.speech[:300].mean() > 0.9
    assert found.tones[474:486].all()
    html = page("a <b>", found)
    assert "a &lt;b&gt;" in html
    assert html.count("beep") >= 2


def test_nothing_at_all_is_not_sure():
    found = trace(samples(silence(0.3)))
    assert [verdict.label for _, verdict in found.verdicts] == ["not_sure"]
    assert "<svg" in page("x", trace(np.zeros(0, np.int16)))


def test_the_command_takes_any_wav_of_sixteen_bit(tmp_path: Path):
    hello = samples(silence(0.3), voice(0.5), silence(2.0))
    stereo = np.stack([np.repeat(hello, 2), np.zeros(2 * len(hello), np.int16)], axis=1)
    file = saved(tmp_path / "hello.wav", 16000, 2, 2, stereo)
    told = CliRunner().invoke(app, ["amd", "try", str(file), "--json"])
    assert told.exit_code == 0, told.output
    assert [verdict["label"] for verdict in json.loads(told.output)["verdicts"]] == ["human"]
    shown = CliRunner().invoke(app, ["amd", "try", str(file), "--html", str(tmp_path / "x.html")])
    assert "human" in shown.output
    assert (tmp_path / "x.html").read_text().startswith("<!doctype html>")


def test_the_picture_shows_phrases_of_recordings_and_none_that_a_person_said():
    greeting = samples(silence(0.3), voice(5.0))
    found = trace(greeting, ear=Written("Eve here, leave a message"), language="en")
    assert [phrase for _, phrase in found.words] == ["leave a message"]
    html = page("x", found)
    assert ">words<" in html
    assert "leave a message" in html
    assert "Eve" not in html
    person = trace(greeting, ear=Written("Eve speaking, how can I help you?"), language="en")
    assert not person.words
    assert ">words<" not in page("x", person)


def test_the_command_recognises_words_when_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = saved(tmp_path / "mailbox.wav", 8000, 1, 2, samples(silence(0.3), voice(5.0)))
    refused = CliRunner().invoke(app, ["amd", "try", str(file), "--words", "fr"])
    assert refused.exit_code == 2
    assert "es, en" in refused.output

    class Mailbox(FakeRecogniser):
        def recognise(self, audio: Audio, language: str) -> Recognition:
            return Recognition("Deje su mensaje" if audio.duration_s > 1 else "")

    monkeypatch.setattr("speech.recognisers.make_recogniser", lambda name: Mailbox())
    told = CliRunner().invoke(app, ["amd", "try", str(file), "--words", "es", "--json"])
    assert told.exit_code == 0, told.output
    assert [one["phrase"] for one in json.loads(told.output)["words"]] == ["deje su mensaje"]
    assert "deje su mensaje" in CliRunner().invoke(app, ["amd", "try", str(file), "--words", "es"]).output

    def missing(name: str) -> FakeRecogniser:
        raise RecogniserUnavailable("whisper is not installed")

    monkeypatch.setattr("speech.recognisers.make_recogniser", missing)
    assert "not installed" in CliRunner().invoke(app, ["amd", "try", str(file), "--words", "es"]).output


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"\x00" * 100])
def test_what_is_no_wav_is_said_so(tmp_path: Path, content: bytes):
    file = tmp_path / "x.wav"
    file.write_bytes(content)
    told = CliRunner().invoke(app, ["amd", "try", str(file)])
    assert told.exit_code == 2
    assert "give a WAV file" in told.output
