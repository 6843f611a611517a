import wave

import numpy as np
import pytest

from speech.audio import (
    decode_ulaw,
    duration_s,
    encode_ulaw,
    for_the_phone,
    read_audio,
    resampled,
    silence,
    wav_bytes,
    write_whole,
)
from speech.ports import Audio


def tone(pitch_hz: float, duration_s: float = 0.5, rate: int = 24000, loud: int = 8000) -> np.ndarray:
    return (np.sin(2 * np.pi * pitch_hz * np.arange(int(duration_s * rate)) / rate) * loud).astype(np.int16)


def test_mu_law_values_are_those_of_the_standard():
    samples = np.array([0, 4, -4, 8, 132, -132, 1000, -1000, 32767, -32768], dtype=np.int16)
    assert encode_ulaw(samples).hex() == "fffe7efeef6fce4e8000"
    assert list(decode_ulaw(bytes([0xFF, 0x7F, 0x80, 0x00]))) == [0, 0, 32124, -32124]


def test_mu_law_comes_back():
    coded = bytes(value for value in range(256) if value != 0x7F)  # 0x7F is minus zero
    assert encode_ulaw(decode_ulaw(coded)) == coded


def test_silence_around_speech_is_cut_to_the_margin():
    quiet = np.zeros(24000, dtype=np.int16)
    heard = decode_ulaw(for_the_phone(Audio(np.concatenate([quiet, tone(440), quiet]), 24000)))
    assert len(heard) / 8000 == pytest.approx(0.5 + 2 * 0.06, abs=0.03)


@pytest.mark.parametrize("loud", [50, 8000, 32000])
def test_quiet_and_loud_voices_come_out_alike(loud):
    heard = decode_ulaw(for_the_phone(Audio(tone(440, loud=loud), 24000), margin_s=0)).astype(float)
    assert 20 * np.log10(np.sqrt((heard**2).mean()) / 32768) == pytest.approx(-20, abs=1)
    assert np.abs(heard).max() < 32768 * 0.9


def test_what_a_phone_cannot_carry_is_filtered_and_not_folded_back():
    mixed = tone(1000) + tone(9000)
    heard = decode_ulaw(for_the_phone(Audio(mixed, 24000), margin_s=0)).astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    pitches = np.fft.rfftfreq(len(heard), 1 / 8000)
    assert spectrum[np.abs(pitches - 1000) < 50].max() > 30 * spectrum[pitches > 1500].max()


@pytest.mark.parametrize(
    "samples", [np.zeros(0, dtype=np.int16), np.zeros(5, dtype=np.int16), np.zeros(9000, np.int16)]
)
def test_silence_stays_silence(samples):
    assert not decode_ulaw(for_the_phone(Audio(samples, 24000))).any()


def test_files_are_written_whole_and_read_back(tmp_path):
    file = tmp_path / "deep" / "down.ulaw"
    write_whole(file, silence(0.5))
    assert duration_s(file) == 0.5
    assert not read_audio(file).samples.any()
    assert [path.name for path in file.parent.iterdir()] == ["down.ulaw"]


def test_wav_is_read_and_written(tmp_path):
    file = tmp_path / "a.wav"
    file.write_bytes(wav_bytes(Audio(tone(440, rate=16000), 16000)))
    audio = read_audio(file)
    assert audio.rate == 16000
    assert np.array_equal(audio.samples, tone(440, rate=16000))
    assert resampled(audio, 8000).duration_s == pytest.approx(0.5, abs=0.01)


def test_stereo_is_mixed(tmp_path):
    file = tmp_path / "stereo.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.array([[100, 300]] * 10, dtype="<i2").tobytes())
    assert list(read_audio(file).samples) == [200] * 10


def test_what_is_no_sound_says_so(tmp_path):
    file = tmp_path / "a.wav"
    file.write_bytes(b"nothing like it")
    with pytest.raises(ValueError, match="is not a wav file"):
        read_audio(file)
