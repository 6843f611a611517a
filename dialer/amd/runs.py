"""Stretches of one pure tone: what SIT, fax and beeps are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dialer.amd.frames import Frame

PURE = 0.85
"""A frame is a tone when so much of its energy lies around one frequency."""
_DRIFT_HZ = 25.0
_SMEAR_S = 0.04
"""A window that is half silence still shows the tone: by so much a stretch seems longer than it is."""
_HICCUP = 2
"""Frames that may be spoilt in the middle of a tone: a lost packet, a click."""


@dataclass(frozen=True, slots=True)
class ToneRun:
    """`hz`: its mean frequency; seconds from the first block; `ended`: silence or something else came after it."""

    hz: float
    from_s: float
    until_s: float
    ended: bool = False

    @property
    def length_s(self) -> float:
        return self.until_s - self.from_s


class ToneRuns:
    """`feed` gives the tone that is on, its last word (`ended`) in the frame after it, or None."""

    def __init__(self, is_tone: Callable[[Frame], bool] = lambda frame: frame.purity >= PURE) -> None:
        self._is_tone = is_tone
        self._frames = 0
        self._sum_hz = 0.0
        self._from_s = self._until_s = 0.0
        self._missed = 0

    def feed(self, frame: Frame) -> ToneRun | None:
        on = not frame.is_quiet and self._is_tone(frame)
        same = on and (not self._frames or abs(frame.peak_hz - self._sum_hz / self._frames) <= _DRIFT_HZ)
        if same:
            if not self._frames:
                self._from_s = frame.at_s - 0.02
            self._frames += 1
            self._sum_hz += frame.peak_hz
            self._until_s, self._missed = frame.at_s, 0
            return self._run(ended=False)
        if not self._frames:
            return None
        self._missed += 1
        if self._missed <= _HICCUP and not frame.is_quiet and not on:
            return self._run(ended=False)
        last = self._run(ended=True)
        self._frames, self._sum_hz, self._missed = 0, 0.0, 0
        if on:  # another tone begins at once
            self._frames, self._sum_hz, self._from_s, self._until_s = 1, frame.peak_hz, frame.at_s - 0.02, frame.at_s
        return last

    def _run(self, ended: bool) -> ToneRun:
        return ToneRun(self._sum_hz / self._frames, self._from_s, self._until_s, ended)
