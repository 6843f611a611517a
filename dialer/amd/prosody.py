"""How the last utterance ended, as numbers: whether its pitch rose, how long its last vowel was, how it faded.

A question and a call for an answer ("yes?") end otherwise than a sentence after which more is read: that holds for
people on any telephone. Everything is relative to the utterance itself.
"""

from __future__ import annotations

from collections import deque
from math import log2, log10, nan

import numpy as np
from numpy.typing import NDArray

from dialer.amd.frames import Frame
from dialer.amd.sound import energies
from dialer.amd.speech import Timeline

NAMES = (
    "end_voiced_s",
    "end_rise",
    "late_rise",
    "end_over_lowest",
    "end_under_highest",
    "pitch_range",
    "end_fade_db",
    "loudest_at",
    "since_loudest_s",
    "end_hissing",
    "end_bright_db",
    "end_alike",
    "alike",
    "begin_over_end",
    "last_step",
    "pitched_s",
    "loud_s",
    "bright_spread_db",
    "quiet_s",
)
"""Of the last utterance. `end_voiced_s`: its last stretch with pitch; rises in semitones a second over the last 10 and
20 pitched frames; pitches in semitones; `loudest_at`: where in it the loudest frame is, 0 to 1; `hissing`: share of the
energy above 2.1 kHz; `bright`: above 1.2 kHz against below; `alike`: to itself a period later; `loud_s`: within 6 dB
of its loudest; `quiet_s`: since its end. It ends with the last frame that is no weaker than its loudest by 20 dB: a
detector of voice goes on for a fifth of a second."""
_BEFORE = 3
"""Frames that belong to an utterance before it is noticed."""
_HISS, _BRIGHT = 17, 12
"""The first bands of both."""
_END = 6
"""The frames that are its end."""
_ENDS_DB = 20.0
_MOST_QUIET_S = 3.0
_LEAPS = 9.0
"""Semitones from the median: an octave that was mistaken."""
_FRAME_S = 0.02
_FLOOR = 1e-9
Numbers = NDArray[np.float64]


class Prosody:
    """`feed` takes every frame with the timeline; `vector`: in the order of `NAMES`, zeros before anybody spoke."""

    def __init__(self) -> None:
        self._before: deque[tuple[float, ...]] = deque(maxlen=_BEFORE)
        self._frames: list[tuple[float, ...]] = []
        self._last = 0
        """So many of them are voiced or between voiced ones; what follows is the pause."""
        self._since = 0
        """Frames since it began."""
        self._ends = 0
        self._known: Numbers | None = np.zeros(len(NAMES) - 1)
        self._speaking = False

    def feed(self, frame: Frame, line: Timeline) -> None:
        self._since += 1
        if not line.speaking and not self._speaking:
            self._before.append(_seen(frame, line))
            return
        if line.speaking and not self._speaking:
            self._frames, self._last = list(self._before), 0
            self._since = len(self._frames) + 1
        self._speaking = line.speaking
        self._frames.append(_seen(frame, line))
        if line.speaking and line.utterances[-1][1] == line.now_s:
            self._last, self._known = len(self._frames), None
        if not line.speaking:
            self._before.extend(self._frames[-_BEFORE:])

    def vector(self) -> Numbers:
        if self._known is None:
            frames = np.array(self._frames[: self._last])
            self._ends = int(np.flatnonzero(frames[:, 0] >= frames[:, 0].max() - _ENDS_DB)[-1]) + 1
            self._known = _described(frames[: self._ends])
        quiet_s = (self._since - self._ends) * _FRAME_S if self._ends else 0.0
        return np.append(self._known, min(quiet_s, _MOST_QUIET_S))


def _seen(frame: Frame, line: Timeline) -> tuple[float, ...]:
    """(level, likeness, brightness, hissing, tone; nan without pitch)."""
    bands = energies(frame)
    low, high = float(bands[:_BRIGHT].sum()), float(bands[_BRIGHT:].sum())
    hiss = float(bands[_HISS:].sum()) / (low + high + _FLOOR)
    bright_db = 10.0 * log10((high + _FLOOR) / (low + _FLOOR))
    voiced = line.speaking and line.utterances[-1][1] == line.now_s
    tone = 12.0 * log2(line.pitch_hz / 100.0) if voiced and line.pitch_hz else nan
    return frame.level_db, line.alike, bright_db, hiss, tone


def _described(frames: Numbers) -> Numbers:
    """`frames`: one row each, as `_seen`."""
    levels, alike, bright, hissing, tones = frames.T
    found = np.zeros(len(NAMES) - 1)
    at = np.flatnonzero(~np.isnan(tones))
    if len(at) > 1:
        at = at[np.abs(tones[at] - np.median(tones[at])) < _LEAPS]
    if len(at) >= 3:
        tone = tones[at]
        end, gaps = float(tone[-3:].mean()), np.flatnonzero(np.diff(at) > 2)
        found[0] = (len(at) - (int(gaps[-1]) + 1 if len(gaps) else 0)) * _FRAME_S
        found[1], found[2] = _slope(at[-10:], tone[-10:]), _slope(at[-20:], tone[-20:])
        found[3], found[4], found[5] = end - tone.min(), end - tone.max(), tone.max() - tone.min()
        found[13] = tone[:3].mean() - end
        found[14] = end - tone[-6:-3].mean() if len(tone) >= 6 else 0.0
    loudest = int(np.argmax(levels))
    found[6] = levels[-1] - levels[-_END:].max()
    found[7] = loudest / max(1, len(levels) - 1)
    found[8] = (len(levels) - 1 - loudest) * _FRAME_S
    found[9] = hissing[-_END:].mean()
    found[10] = bright[-_END:].mean() - bright.mean()
    found[11], found[12] = alike[-_END:].mean(), alike.mean()
    found[15] = len(at) * _FRAME_S
    found[16] = float((levels > levels[loudest] - 6.0).sum()) * _FRAME_S
    found[17] = bright.std()
    return found


def _slope(at: NDArray[np.intp], tones: Numbers) -> float:
    """Semitones a second, by least squares."""
    off = (at - at.mean()) * _FRAME_S
    return float(np.dot(off, tones) / np.dot(off, off))
