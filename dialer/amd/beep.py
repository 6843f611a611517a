"""The beep after a greeting: one pure tone of 350 to 2,000 Hz and 100 ms to 1.5 s, with an end, after speech.

A tone that comes before anybody spoke, or comes again and again, is the network's (cadence.py), not a machine's.
"""

from __future__ import annotations

from dialer.amd.frames import Frame
from dialer.amd.labels import BEEP, Finding
from dialer.amd.runs import ToneRuns

_LOW_HZ, _HIGH_HZ = 350.0, 2050.0
_SHORTEST_S, _LONGEST_S = 0.10, 1.6
_CNG = (1060.0, 1140.0, 0.40)


class BeepDetector:
    """`feed` is told whether anybody has spoken by then."""

    def __init__(self) -> None:
        self._runs = ToneRuns()

    def feed(self, frame: Frame, spoken: bool) -> Finding | None:
        run = self._runs.feed(frame)
        if run is None or not run.ended or not spoken:
            return None
        if not (_LOW_HZ <= run.hz <= _HIGH_HZ and _SHORTEST_S <= run.length_s <= _LONGEST_S):
            return None
        if _CNG[0] <= run.hz <= _CNG[1] and run.length_s >= _CNG[2]:
            return None
        return Finding(BEEP, frame.at_s, 0.95, f"a beep of {run.hz:.0f} Hz, {run.length_s:.2f} s, after speech")
