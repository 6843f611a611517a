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
from tests.unit.dialer.amd_sounds import Sound, silence, tone, voice


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


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"\x00" * 100])
def test_what_is_no_wav_is_said_so(tmp_path: Path, content: bytes):
    file = tmp_path / "x.wav"
    file.write_bytes(content)
    told = CliRunner().invoke(app, ["amd", "try", str(file)])
    assert told.exit_code == 2
    assert "give a WAV file" in told.output
