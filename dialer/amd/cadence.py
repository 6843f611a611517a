"""Busy, ringback and congestion that the network plays in the line instead of signalling them.

A pattern is recognised by its frequencies and by how long it is on and off, two times over. Lengths: Asterisk's
`indications.conf` and ITU-T E.180 supplement 2, for US, ES, AR and UK numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.amd.frames import QUIET_DB, Frame
from dialer.amd.labels import BUSY, CONGESTION, RINGBACK, Finding, Label

_AROUND_HZ = 38.0
_SHARE = 0.85
_WITHIN = 0.15
"""A length may differ by this share of itself, and by one window's smear."""
_SMEAR_S = 0.03
_BELOW_TONE_DB = 10.0
"""A gap need not be silent: the line's noise may be heard in it, so much weaker than the tone."""
_EDGE = 3
"""Frames in which a tone that begins is not yet known for one."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """`hz`: lowest and highest frequency that sound together; `beats`: on, off, on, off, … in seconds, for ever."""

    label: Label
    hz: tuple[float, float]
    beats: tuple[float, ...]

    def sounds(self, frame: Frame) -> bool:
        low, high = self.hz
        if high - low < 100.0:
            return frame.share(low - _AROUND_HZ, high + _AROUND_HZ) >= _SHARE
        parts = [frame.share(hz - _AROUND_HZ, hz + _AROUND_HZ) for hz in self.hz]
        return sum(parts) >= _SHARE and min(parts) >= 0.15


CADENCES: Mapping[str, tuple[Cadence, ...]] = {
    "US": (
        Cadence(RINGBACK, (440, 480), (2.0, 4.0)),
        Cadence(BUSY, (480, 620), (0.5, 0.5)),
        Cadence(CONGESTION, (480, 620), (0.25, 0.25)),
    ),
    "ES": (
        Cadence(RINGBACK, (425, 425), (1.5, 3.0)),
        Cadence(BUSY, (425, 425), (0.2, 0.2)),
        Cadence(CONGESTION, (425, 425), (0.2, 0.2, 0.2, 0.2, 0.2, 0.6)),
    ),
    "AR": (
        Cadence(RINGBACK, (425, 425), (1.0, 4.5)),
        Cadence(BUSY, (425, 425), (0.3, 0.3)),
        Cadence(CONGESTION, (425, 425), (0.2, 0.3)),
    ),
    "GB": (
        Cadence(RINGBACK, (400, 450), (0.4, 0.2, 0.4, 2.0)),
        Cadence(BUSY, (400, 400), (0.375, 0.375)),
        Cadence(CONGESTION, (400, 400), (0.4, 0.35, 0.225, 0.525)),
    ),
}
COUNTRIES = tuple(CADENCES)


class CadenceDetector:
    """`countries`: whose networks may be heard; all of them unless told."""

    def __init__(self, countries: tuple[str, ...] = COUNTRIES) -> None:
        wanted = [cadence for country in countries for cadence in CADENCES.get(country, ())]
        longest = {cadence.hz: max(len(each.beats) for each in wanted if each.hz == cadence.hz) for cadence in wanted}
        self._ears = [_Ear(cadence, _beats_wanted(cadence, longest[cadence.hz])) for cadence in wanted]

    def feed(self, frame: Frame) -> Finding | None:
        for ear in self._ears:
            if ear.feed(frame):
                beats = " ".join(f"{beat:g}" for beat in ear.cadence.beats)
                hz = "+".join(f"{hz:g}" for hz in dict.fromkeys(ear.cadence.hz))
                return Finding(ear.cadence.label, frame.at_s, 0.97, f"{hz} Hz, on and off for {beats} s")
        return None


class _Ear:
    """One pattern: how long the sound was on and off so far, against what is expected next."""

    def __init__(self, cadence: Cadence, wanted: int) -> None:
        """`wanted`: how many beats have to fit."""
        self.cadence = cadence
        self._on = False
        self._since_s = 0.0
        self._beats: list[float] = []
        self._strange = 0
        self._tone_db = QUIET_DB
        self._wanted = wanted

    def feed(self, frame: Frame) -> bool:
        gap = frame.is_quiet or frame.level_db < self._tone_db - _BELOW_TONE_DB
        on = not gap and self.cadence.sounds(frame)
        if on:
            self._tone_db = max(self._tone_db, frame.level_db)
        if not on and not gap:
            self._strange += 1
            if self._strange > _EDGE:  # something else is heard: this is no signal
                self._beats.clear()
                self._on, self._since_s, self._tone_db = False, frame.at_s, QUIET_DB
            return False
        edge_s, self._strange = self._strange * 0.02, 0
        if on == self._on:
            return False
        at_s = frame.at_s - edge_s
        length_s, was_on = at_s - self._since_s, self._on
        self._on, self._since_s = on, at_s
        if was_on and length_s < 0.1:
            return False
        if was_on or self._beats:
            self._beats.append(length_s)
        return len(self._beats) >= self._wanted and self._fits()

    def _fits(self) -> bool:
        """Whether the last beats, from some place of the pattern on, are its beats."""
        beats, pattern = self._beats[-self._wanted :], self.cadence.beats
        # Beats alternate: the oldest kept is an on-beat when an on-beat has just ended and their number is odd.
        first_is_on = (len(beats) % 2 == 1) != self._on
        return any(
            all(_near(beat, pattern[(start + n) % len(pattern)]) for n, beat in enumerate(beats))
            for start in range(0 if first_is_on else 1, len(pattern), 2)
        )


def _beats_wanted(cadence: Cadence, longest: int) -> int:
    """Two rounds of a pattern, and no fewer than tell it from a longer one that begins alike. A long beat says much."""
    if max(cadence.beats) >= 1.0:
        return len(cadence.beats) + 1
    return max(5, longest + 1)


def _near(heard_s: float, wanted_s: float) -> bool:
    return abs(heard_s - wanted_s) <= wanted_s * _WITHIN + _SMEAR_S
