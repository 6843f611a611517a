"""Sound as Asterisk plays it: 8 kHz G.711 mu-law, trimmed, evenly loud. And wav for people and browsers.

One codec for every prompt: mu-law needs no header, so phrases are joined by joining bytes; it is half the size of
16-bit samples; a G.711 leg (nearly every trunk) plays it for nothing or by one table look-up.
"""

from __future__ import annotations

import io
import os
import tempfile
import wave
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from speech.ports import Audio, Samples

PHONE_RATE: Final = 8000
EXTENSION: Final = ".ulaw"
_TARGET_RMS: Final = 10 ** (-20 / 20)
_PEAK: Final = 10 ** (-1 / 20)
_SILENCE_BELOW: Final = 10 ** (-40 / 20)
"""Against the loudest 10 ms: quieter than this is not speech."""
_FRAME_S: Final = 0.010
_BIAS: Final = 0x84
_CLIP: Final = 32635


def for_the_phone(audio: Audio, margin_s: float = 0.06) -> bytes:
    """Mu-law bytes at 8 kHz: `margin_s` of silence at both ends, speech at -20 dBFS RMS, peaks below -1 dBFS."""
    samples = audio.samples.astype(np.float32) / np.float32(32768)
    if audio.rate != PHONE_RATE:
        samples = soxr.resample(samples, audio.rate, PHONE_RATE, quality="HQ")
    spoken = _even_loudness(_trimmed(samples))
    margin = np.zeros(int(margin_s * PHONE_RATE), dtype=np.float32)
    return encode_ulaw((np.concatenate([margin, spoken, margin]) * 32767).astype(np.int16))


def silence(duration_s: float) -> bytes:
    """Mu-law silence."""
    return b"\xff" * int(duration_s * PHONE_RATE)


def duration_s(path: Path) -> float:
    """How long a `.ulaw` file plays."""
    return path.stat().st_size / PHONE_RATE


def resampled(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate, low-passed."""
    if audio.rate == rate:
        return audio
    return Audio(soxr.resample(audio.samples, audio.rate, rate, quality="HQ"), rate)


def encode_ulaw(samples: Samples) -> bytes:
    """G.711 mu-law."""
    wide = samples.astype(np.int32)
    sign = np.where(wide < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes())


def decode_ulaw(coded: bytes) -> Samples:
    """The samples of G.711 mu-law."""
    return _DECODED[np.frombuffer(coded, dtype=np.uint8)]


def read_audio(path: Path) -> Audio:
    """A `.ulaw` prompt or a 16-bit wav; several channels are mixed. Raises `ValueError` for anything else."""
    if path.suffix == EXTENSION:
        return Audio(decode_ulaw(path.read_bytes()), PHONE_RATE)
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"{path}: only 16-bit wav can be read; convert it with: sox {path} -b 16 out.wav")
            frames = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            channels, rate = file.getnchannels(), file.getframerate()
    except (wave.Error, EOFError) as problem:
        raise ValueError(f"{path} is not a wav file ({problem}): give 16-bit PCM wav or .ulaw") from None
    mixed = frames.reshape(-1, channels).mean(axis=1) if channels > 1 else frames
    return Audio(mixed.astype(np.int16), rate)


def wav_bytes(audio: Audio) -> bytes:
    """A 16-bit mono wav file, which browsers play."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.rate)
        file.writeframes(audio.samples.astype("<i2").tobytes())
    return held.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Writes the file so that nobody ever sees half of it; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the silence before and after; all of it when nothing stands out."""
    frame = int(_FRAME_S * PHONE_RATE)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    if not len(frames):
        return samples
    loudness = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(loudness > loudness.max() * _SILENCE_BELOW)
    return samples[loud[0] * frame : (loud[-1] + 1) * frame] if len(loud) else samples


def _even_loudness(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """To the target RMS over the parts that are speech; what would clip is bent, not cut."""
    frame = int(_FRAME_S * PHONE_RATE)
    powers = (samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(axis=1)
    if not len(powers) or powers.max() == 0:
        return samples
    active = powers[powers > powers.max() * 0.001]
    louder = samples * (_TARGET_RMS / np.sqrt(active.mean()))
    knee = _PEAK * 0.6
    over = np.abs(louder) > knee
    bent = np.sign(louder) * (knee + (_PEAK - knee) * np.tanh((np.abs(louder) - knee) / (_PEAK - knee)))
    even: NDArray[np.float32] = np.where(over, bent, louder).astype(np.float32)
    return even


def _decode_table() -> Samples:
    coded = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((coded & 0x0F) << 3) + _BIAS << ((coded & 0x70) >> 4)) - _BIAS
    return np.where(coded & 0x80, -magnitude, magnitude).astype(np.int16)


_DECODED: Final = _decode_table()
