"""What a recording holds: when sound begins and ends, how loud it is, which tones it carries.

Times are seconds from the recording's first sample, levels dBFS (a full-scale square wave is 0). A phone's
`recording` event carries the monotonic `t_s` of that first sample, so `t_s + first_sound_s(...)` is when it was heard.

    sound = load("heard.wav")
    first_sound_s(sound)                      0.240
    silence_after_s(sound, 1.5)               1.585: the prompt stopped 85 ms later
    tone_share(sound, 700.0, 0.3, 0.8)        0.99: a 700 Hz tone and nothing else
"""

from __future__ import annotations

import io
import itertools
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

FRAME_S = 0.005
"""The grid of every answer: half of it is how wrong an onset can be."""
THRESHOLD_DB = -45.0
"""Between line noise (G.711 codes silence at about -72) and quiet speech (-35)."""
_SILENT_DB = -120.0
_WORDS_APART_S = 0.2
_TONE_FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Sound:
    """`samples`: one channel, -1 to 1."""

    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    def between(self, start_s: float, end_s: float) -> Sound:
        """That stretch, cut to what there is."""
        first, last = (round(max(0.0, moment_s) * self.rate_hz) for moment_s in (start_s, end_s))
        return Sound(self.samples[first:last], self.rate_hz)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of sound, or of silence. `level_db`: its mean power."""

    start_s: float
    end_s: float
    is_sound: bool
    level_db: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def load(path: str | Path) -> Sound:
    """A 16-bit PCM wav file, its first channel; also one whose writer was killed before it wrote the length.

    Raises:
        ValueError: it is no such file.
        OSError: it cannot be read.
    """
    return load_channels(path)[0]


def load_channels(path: str | Path) -> list[Sound]:
    """As `load`, every channel."""
    raw = Path(path).read_bytes()
    try:
        with wave.open(io.BytesIO(_with_its_length(raw)), "rb") as wav:
            channels, width, rate_hz = wav.getnchannels(), wav.getsampwidth(), wav.getframerate()
            data = wav.readframes(wav.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no PCM wav file: {error or 'it is cut short'}") from error
    if width != 2:
        raise ValueError(f"{path} has {width * 8}-bit samples: record with 16")
    whole = len(data) - len(data) % (2 * channels)
    samples = np.frombuffer(data[:whole], dtype="<i2").astype(np.float64) / 32768.0
    return [Sound(samples[channel::channels], rate_hz) for channel in range(channels)]


def level_db(samples: Samples) -> float:
    """The mean power; -120 for digital silence and for nothing."""
    power = float(np.mean(np.square(samples))) if len(samples) else 0.0
    return max(_SILENT_DB, 10.0 * float(np.log10(max(power, 1e-12))))


def frames_db(sound: Sound, frame_s: float = FRAME_S) -> Samples:
    """The level of every whole frame."""
    size = max(1, round(frame_s * sound.rate_hz))
    count = len(sound.samples) // size
    power = np.square(sound.samples[: count * size]).reshape(count, size).mean(axis=1) if count else np.zeros(0)
    return np.asarray(np.maximum(_SILENT_DB, 10.0 * np.log10(np.maximum(power, 1e-12))))


def first_sound_s(
    sound: Sound, after_s: float = 0.0, *, threshold_db: float = THRESHOLD_DB, for_s: float = 0.02
) -> float | None:
    """When sound begins that lasts at least `for_s` (a click does not), at or after `after_s`; None when never."""
    return _first_run_s(frames_db(sound) >= threshold_db, after_s, for_s, cut_short_counts=False)


def silence_after_s(
    sound: Sound, after_s: float, *, threshold_db: float = THRESHOLD_DB, for_s: float = _WORDS_APART_S
) -> float | None:
    """When silence begins that lasts at least `for_s` (or to the end), at or after `after_s`; None when never.

    The default outlasts the pauses between words and not those between sentences.
    """
    return _first_run_s(frames_db(sound) < threshold_db, after_s, for_s, cut_short_counts=True)


def stretches(
    sound: Sound, *, threshold_db: float = THRESHOLD_DB, pause_s: float = _WORDS_APART_S, click_s: float = 0.02
) -> list[Stretch]:
    """The whole recording as sound and silence in turn.

    A silence shorter than `pause_s` between two sounds belongs to them; a sound shorter than `click_s` is none.
    """
    loud = frames_db(sound) >= threshold_db
    loud = _without_short_runs(loud, of=True, shorter_than=_frames(click_s))
    loud = _without_short_runs(loud, of=False, shorter_than=_frames(pause_s), inside_only=True)
    found = []
    for value, start, end in _runs(loud):
        start_s, end_s = start * FRAME_S, end * FRAME_S
        found.append(Stretch(start_s, end_s, value, level_db(sound.between(start_s, end_s).samples)))
    return found


def tone_share(sound: Sound, hz: float, start_s: float = 0.0, end_s: float | None = None) -> float:
    """How much of the power in that stretch is this one tone: 1.0 for a pure tone, near 0 for anything else.

    Goertzel's bin at exactly `hz`; the stretch should hold ten periods or more. 0.0 when it is silent.
    """
    piece = sound.between(start_s, sound.seconds if end_s is None else end_s).samples
    return float(_shares(piece.reshape(1, -1), hz, sound.rate_hz)[0]) if len(piece) else 0.0


def strongest_tone(
    sound: Sound,
    candidates_hz: Sequence[float],
    start_s: float = 0.0,
    end_s: float | None = None,
    *,
    share: float = 0.5,
) -> float | None:
    """Which of these tones the stretch is made of; None when none of them carries `share` of its power."""
    shares = {hz: tone_share(sound, hz, start_s, end_s) for hz in candidates_hz}
    best = max(shares, key=lambda hz: shares[hz], default=None)
    return best if best is not None and shares[best] >= share else None


def tone_spans(
    sound: Sound, hz: float, *, share: float = 0.5, threshold_db: float = THRESHOLD_DB, at_least_s: float = 0.06
) -> list[tuple[float, float]]:
    """When this tone is heard: (start, end) pairs on a 20 ms grid, gaps of one frame bridged."""
    size = round(_TONE_FRAME_S * sound.rate_hz)
    count = len(sound.samples) // size
    if not count:
        return []
    blocks = sound.samples[: count * size].reshape(count, size)
    heard = (_shares(blocks, hz, sound.rate_hz) >= share) & (frames_db(sound, _TONE_FRAME_S)[:count] >= threshold_db)
    heard = _without_short_runs(heard, of=False, shorter_than=2, inside_only=True)
    spans = [(start * _TONE_FRAME_S, end * _TONE_FRAME_S) for value, start, end in _runs(heard) if value]
    return [(start_s, end_s) for start_s, end_s in spans if end_s - start_s >= at_least_s - 1e-9]


# ------------------------------------------------------------------------------------------------
def _with_its_length(raw: bytes) -> bytes:
    """The lengths are written last: a recorder that was killed leaves zeros in their place."""
    if raw[:4] != b"RIFF" or raw[36:40] != b"data" or int.from_bytes(raw[40:44], "little"):
        return raw
    length = len(raw) - 44
    return raw[:4] + (length + 36).to_bytes(4, "little") + raw[8:40] + length.to_bytes(4, "little") + raw[44:]


def _shares(blocks: Samples, hz: float, rate_hz: int) -> Samples:
    length = blocks.shape[1]
    wave_ = np.exp(-2j * np.pi * hz / rate_hz * np.arange(length))
    energy = np.square(blocks).sum(axis=1)
    shares = 2.0 * np.square(np.abs(blocks @ wave_)) / length / np.maximum(energy, 1e-12)
    return np.asarray(np.where(energy > 1e-9 * length, np.minimum(shares, 1.0), 0.0))


def _frames(seconds: float) -> int:
    return max(1, round(seconds / FRAME_S))


def _runs(values: npt.NDArray[np.bool_]) -> list[tuple[bool, int, int]]:
    """(value, first, end) of every run."""
    if not len(values):
        return []
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return [(bool(values[start]), start, end) for start, end in itertools.pairwise(edges)]


def _first_run_s(
    wanted: npt.NDArray[np.bool_], after_s: float, for_s: float, *, cut_short_counts: bool
) -> float | None:
    first = max(0, int(after_s / FRAME_S + 1e-9))
    for value, start, end in _runs(wanted[first:]):
        at_the_end = first + end == len(wanted)
        if value and (end - start >= _frames(for_s) or (cut_short_counts and at_the_end)):
            return max(after_s, (first + start) * FRAME_S)
    return None


def _without_short_runs(
    values: npt.NDArray[np.bool_], *, of: bool, shorter_than: int, inside_only: bool = False
) -> npt.NDArray[np.bool_]:
    cleaned = values.copy()
    for value, start, end in _runs(values):
        at_an_edge = start == 0 or end == len(values)
        if value is of and end - start < shorter_than and not (inside_only and at_an_edge):
            cleaned[start:end] = not of
    return cleaned
