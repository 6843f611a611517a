"""How somebody has spoken so far, as numbers: what the trained judge (model.py) looks at.

Lengths, pauses, syllables, loudness and melody, each relative to the voice itself, how the last utterance ended
(prosody.py) and what it all sounded like (sound.py): nothing tells one voice, one gain or
one line from another, for there are more of them than any corpus has. Nor does anything say how long after the answer
the voice began: that depends on the network.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from math import log2

import numpy as np
from numpy.typing import NDArray

from dialer.amd import prosody
from dialer.amd.frames import Frame
from dialer.amd.sound import Listening, Net
from dialer.amd.speech import Timeline

_RHYTHM = (
    "since_onset_s",
    "spoken_s",
    "last_s",
    "longest_s",
    "first_s",
    "pause_s",
    "first_gap_s",
    "longest_gap_s",
    "utterances",
    "spoken_share",
    "syllables",
    "last_syllables",
    "syllables_a_s",
    "level_spread_db",
    "end_level_db",
    "last_level_db",
    "above_noise_db",
    "voiced_share",
    "pitch_spread",
    "end_pitch",
    "end_slope",
    "last_pitch",
)
"""Pitches in semitones relative to the voice's own mean; `end`: the last 160 ms spoken; `last`: the last utterance."""
SOUND = "sound"
"""What the network makes of the sound (sound.py), the last of all."""
NAMES = (*_RHYTHM, *prosody.NAMES, SOUND)
_RECENT = 8
_SYLLABLE_DB = 4.0
"""A syllable is a rise of loudness by so much, after a fall by so much."""
_LONGEST_S = 8.0


class Features:
    """`feed` takes every frame with the timeline; `vector` is the moment's features, in the order of `NAMES`. Without a
    network, the last of them is 0."""

    def __init__(self, net: Net | None = None) -> None:
        self._prosody = prosody.Prosody()
        self._sound = Listening(net) if net is not None else None
        self._levels, self._pitches = _Moments(), _Moments()
        self._last_levels, self._last_pitches = _Moments(), _Moments()
        self._end_levels: deque[float] = deque(maxlen=_RECENT)
        self._end_pitches: deque[float] = deque(maxlen=_RECENT)
        self._syllables, self._last_from = _Syllables(), 0
        self._utterances = 0
        self._noise_db = -60.0

    def feed(self, frame: Frame, line: Timeline) -> None:
        self._prosody.feed(frame, line)
        if self._sound is not None:
            self._sound.feed(frame, line)
        if not line.speaking or line.utterances[-1][1] != line.now_s:
            self._noise_db += 0.1 * (max(frame.level_db, -75.0) - self._noise_db) if not line.speaking else 0.0
            return
        if len(line.utterances) != self._utterances:
            self._utterances = len(line.utterances)
            self._last_levels, self._last_pitches = _Moments(), _Moments()
            self._last_from = self._syllables.count
        self._syllables.feed(frame.level_db)
        for kept in (self._levels, self._last_levels):
            kept.add(frame.level_db)
        self._end_levels.append(frame.level_db)
        if line.pitch_hz:
            tone = 12.0 * log2(line.pitch_hz / 100.0)
            for kept in (self._pitches, self._last_pitches):
                kept.add(tone)
            self._end_pitches.append(tone)

    def vector(self, line: Timeline) -> NDArray[np.float64]:
        spans = line.utterances
        onset_s = spans[0][0] if spans else line.now_s
        since_s = line.now_s - onset_s
        gaps = [after[0] - before[1] for before, after in pairwise(spans)]
        spoken_s, syllables = line.spoken_s, self._syllables.count
        half = len(self._end_pitches) // 2
        ends = list(self._end_pitches)
        return np.array(
            [
                min(since_s, _LONGEST_S),
                min(spoken_s, _LONGEST_S),
                min(line.last_s, _LONGEST_S),
                min(max((until - since for since, until in spans), default=0.0), _LONGEST_S),
                min(spans[0][1] - spans[0][0], _LONGEST_S) if spans else 0.0,
                min(line.rest_s, 3.0),
                min(gaps[0], 3.0) if gaps else -1.0,
                min(max(gaps), 3.0) if gaps else -1.0,
                min(len(spans), 8),
                spoken_s / since_s if since_s > 0 else 0.0,
                min(syllables, 40),
                min(syllables - self._last_from, 40),
                syllables / spoken_s if spoken_s > 0 else 0.0,
                self._levels.spread,
                _mean(self._end_levels) - self._levels.mean if self._levels.count else 0.0,
                self._last_levels.mean - self._levels.mean,
                min(max(self._levels.mean - self._noise_db, 0.0), 30.0),
                self._pitches.count / self._levels.count if self._levels.count else 0.0,
                self._pitches.spread,
                _mean(ends) - self._pitches.mean if ends else 0.0,
                _mean(ends[half:]) - _mean(ends[:half]) if half else 0.0,
                self._last_pitches.mean - self._pitches.mean if self._last_pitches.count else 0.0,
                *self._prosody.vector(),
                self._sound.odds if self._sound is not None else 0.0,
            ]
        )


class _Syllables:
    """Rises of loudness."""

    def __init__(self) -> None:
        self.count = 0
        self._smooth_db = self._low_db = self._high_db = -60.0
        self._up = False

    def feed(self, level_db: float) -> None:
        self._smooth_db += 0.5 * (max(level_db, -60.0) - self._smooth_db)
        now_db = self._smooth_db
        if self._up:
            self._high_db = max(self._high_db, now_db)
            if now_db < self._high_db - _SYLLABLE_DB:
                self._up, self._low_db = False, now_db
        else:
            self._low_db = min(self._low_db, now_db)
            if now_db > self._low_db + _SYLLABLE_DB:
                self._up, self._high_db = True, now_db
                self.count += 1


class _Moments:
    """Mean and spread of what was added (Welford)."""

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.count += 1
        off = value - self.mean
        self.mean += off / self.count
        self._squares += off * (value - self.mean)

    @property
    def spread(self) -> float:
        return float((self._squares / self.count) ** 0.5) if self.count else 0.0


def _mean(values: deque[float] | list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
