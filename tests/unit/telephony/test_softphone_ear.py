"""The ear on sounds whose truth is known."""

from __future__ import annotations

import itertools
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.softphone.ear import (
    FRAME_S,
    Sound,
    first_sound_s,
    level_db,
    load,
    silence_after_s,
    stretches,
    strongest_tone,
    tone_share,
    tone_spans,
)

RATE_HZ = 8000


def tone(hz: float, seconds: float, level: float = 0.5, rate_hz: int = RATE_HZ) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz / rate_hz * np.arange(round(seconds * rate_hz)))


def silence(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.zeros(round(seconds * rate_hz))


def sound(*pieces: np.ndarray, rate_hz: int = RATE_HZ) -> Sound:
    return Sound(np.concatenate(pieces), rate_hz)


def line_noise(seconds: float, db: float, seed: int = 1) -> np.ndarray:
    return 10 ** (db / 20) * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))


@given(st.floats(0.0, 2.0), st.floats(0.1, 1.0), st.sampled_from([8000, 16000]))
def test_an_onset_is_found_within_a_frame(before_s, tone_s, rate_hz):
    heard = first_sound_s(sound(silence(before_s, rate_hz), tone(440, tone_s, rate_hz=rate_hz), rate_hz=rate_hz))
    assert heard == pytest.approx(before_s, abs=FRAME_S)


@given(st.floats(0.1, 2.0), st.floats(0.3, 1.0))
def test_the_end_of_sound_is_found_within_a_frame(tone_s, after_s):
    assert silence_after_s(sound(tone(440, tone_s), silence(after_s)), 0.05) == pytest.approx(tone_s, abs=2 * FRAME_S)


def test_nothing_is_heard_in_silence_nor_in_the_noise_of_the_line():
    assert first_sound_s(sound(silence(1))) is None
    assert first_sound_s(sound(line_noise(1, -65))) is None
    assert first_sound_s(Sound(np.zeros(0), RATE_HZ)) is None


def test_a_click_is_no_sound():
    click = tone(1000, 0.005, 0.9)
    assert first_sound_s(sound(silence(0.5), click, silence(0.5), tone(440, 0.5))) == pytest.approx(1.005, abs=FRAME_S)


def test_sound_after_a_moment_is_the_next_one_and_not_the_one_before():
    heard = sound(tone(440, 0.5), silence(0.5), tone(440, 0.5))
    assert first_sound_s(heard, after_s=0.6) == pytest.approx(1.0, abs=FRAME_S)
    assert first_sound_s(heard, after_s=0.2) == pytest.approx(0.2)
    assert first_sound_s(heard, after_s=1.6) is None


def test_a_pause_between_words_is_no_silence():
    words = sound(tone(200, 0.4), silence(0.12), tone(200, 0.4), silence(1))
    assert silence_after_s(words, 0.1) == pytest.approx(0.92, abs=2 * FRAME_S)
    assert silence_after_s(words, 0.1, for_s=0.1) == pytest.approx(0.4, abs=2 * FRAME_S)


def test_sound_that_goes_on_has_no_silence_and_silence_at_the_very_end_counts():
    assert silence_after_s(sound(tone(440, 1)), 0.2) is None
    assert silence_after_s(sound(tone(440, 1), silence(0.05)), 0.2) == pytest.approx(1.0, abs=2 * FRAME_S)


def test_silence_that_already_reigns_begins_at_once():
    assert silence_after_s(sound(tone(440, 0.2), silence(1)), 0.5) == pytest.approx(0.5)


def test_a_recording_is_sound_and_silence_in_turn():
    heard = stretches(sound(silence(0.3), tone(440, 0.5), silence(0.4), tone(440, 0.2, 0.05), silence(0.2)))
    assert [stretch.is_sound for stretch in heard] == [False, True, False, True, False]
    assert [stretch.seconds for stretch in heard] == pytest.approx([0.3, 0.5, 0.4, 0.2, 0.2], abs=2 * FRAME_S)
    assert heard[1].level_db == pytest.approx(-9.03, abs=0.1)
    assert heard[3].level_db == pytest.approx(-29.03, abs=0.1)


def test_stretches_cover_the_whole_recording_without_overlap():
    heard = stretches(sound(tone(440, 0.21), silence(0.33), line_noise(0.4, -20), silence(0.3)))
    assert heard[0].start_s == 0.0
    assert all(one.end_s == other.start_s for one, other in itertools.pairwise(heard))
    assert heard[-1].end_s == pytest.approx(1.24)
    assert stretches(Sound(np.zeros(0), RATE_HZ)) == []


def test_levels_have_known_values():
    assert level_db(np.ones(100)) == pytest.approx(0.0)
    assert level_db(tone(1000, 1, 1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_db(np.zeros(100)) == -120.0
    assert level_db(np.zeros(0)) == -120.0


@given(st.floats(250, 3400), st.floats(0.01, 0.9))
def test_a_pure_tone_is_all_of_itself_at_any_loudness(hz, level):
    assert tone_share(sound(tone(hz, 0.5, level)), hz) > 0.98


@given(st.floats(300, 3300), st.floats(60, 300))
def test_a_tone_is_nothing_of_another(hz, apart_hz):
    assert tone_share(sound(tone(hz, 0.5)), hz + apart_hz) < 0.02


def test_two_tones_share_the_power_and_noise_has_none():
    both = sound(tone(700, 1) + tone(1200, 1))
    assert tone_share(both, 700) == pytest.approx(0.5, abs=0.02)
    assert tone_share(both, 1200) == pytest.approx(0.5, abs=0.02)
    assert tone_share(sound(line_noise(1, -20)), 700) < 0.02
    assert tone_share(sound(silence(1)), 700) == 0.0
    assert tone_share(Sound(np.zeros(0), RATE_HZ), 700) == 0.0


def test_the_strongest_tone_is_named_and_nothing_is_when_none_rules():
    heard = sound(tone(1200, 1) + line_noise(1, -30))
    assert strongest_tone(heard, [400, 700, 1200]) == 1200
    assert strongest_tone(heard, [400, 700]) is None
    assert strongest_tone(sound(silence(1)), [400, 700]) is None
    assert strongest_tone(heard, []) is None


def test_a_tone_is_heard_when_it_sounds_and_not_while_another_does():
    heard = sound(silence(0.2), tone(700, 0.6), tone(1200, 0.4), tone(700, 0.2), silence(0.2))
    assert list(itertools.chain(*tone_spans(heard, 700))) == pytest.approx([0.2, 0.8, 1.2, 1.4])
    assert list(itertools.chain(*tone_spans(heard, 1200))) == pytest.approx([0.8, 1.2])
    assert tone_spans(heard, 2000) == []
    assert tone_spans(Sound(np.zeros(10), RATE_HZ), 700) == []


def write_wav(path, samples: np.ndarray, channels: int = 1, width: int = 2) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.astype("<i2").tobytes())


def test_a_wav_file_is_loaded(tmp_path):
    write_wav(tmp_path / "a.wav", tone(700, 0.5) * 32767)
    heard = load(tmp_path / "a.wav")
    assert (heard.rate_hz, heard.seconds) == (RATE_HZ, 0.5)
    assert tone_share(heard, 700) > 0.98


def test_only_the_first_channel_is_heard(tmp_path):
    write_wav(tmp_path / "a.wav", np.stack([tone(700, 0.5), tone(1200, 0.5)], axis=1).ravel() * 32767, channels=2)
    heard = load(tmp_path / "a.wav")
    assert heard.seconds == 0.5
    assert tone_share(heard, 700) > 0.98


def test_a_recording_whose_writer_was_killed_is_loaded_all_the_same(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, tone(700, 0.5) * 32767)
    raw = bytearray(path.read_bytes())
    raw[4:8] = raw[40:44] = bytes(4)
    path.write_bytes(bytes(raw) + b"\0")
    assert load(path).seconds == pytest.approx(0.5)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no wav at all" * 10])
def test_what_is_no_wav_file_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="no PCM wav"):
        load(path)


def test_eight_bit_samples_are_refused(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(RATE_HZ)
        out.writeframes(b"\x80" * 100)
    with pytest.raises(ValueError, match="8-bit"):
        load(tmp_path / "a.wav")
