"""The beep after a greeting: one pure tone of 410 to 2,050 Hz and 0.12 to 1.6 s, with an end, after speech.

A tone that comes before anybody spoke, or comes again and again, is the network's (cadence.py), not a machine's. One
that follows a voice without a gap is a hummed vowel of that voice; one far weaker than the voice is music behind it.
Where voices reach, it must be longer.
"""

from __future__ import annotations

from dialer.amd.frames import QUIET_DB, Frame
from dialer.amd.labels import BEEP, Finding
from dialer.amd.runs import ToneRuns
from dialer.amd.speech import Timeline

_LOW_HZ, _HIGH_HZ = 410.0, 2050.0
_SHORTEST_S, _LONGEST_S = 0.12, 1.6
_VOICES_HZ, _LONGER_S = 500.0, 0.2
_PURE = 0.9
_GAP_S = 0.035
_BELOW_VOICE_DB = 14.0
_CNG = (1060.0, 1140.0, 0.40)


class BeepDetector:
    """`feed` is told whether anybody has spoken by then, and until when."""

    def __init__(self) -> None:
        self._runs = ToneRuns(lambda frame: frame.purity >= _PURE)
        self._gap_s = 0.0
        self._sounds = False
        self._voice_db = self._tone_db = QUIET_DB

    def feed(self, frame: Frame, line: Timeline, spoken: bool) -> Finding | None:
        run = self._runs.feed(frame)
        if line.speaking and not line.rest_s:
            self._voice_db = max(self._voice_db, frame.level_db)
        if run is not None and not self._sounds:
            self._gap_s, self._tone_db = line.rest_s, QUIET_DB
        if run is not None:
            self._tone_db = max(self._tone_db, frame.level_db)
        self._sounds = run is not None and not run.ended
        if run is None or not run.ended or not spoken or self._gap_s < _GAP_S:
            return None
        if self._tone_db < self._voice_db - _BELOW_VOICE_DB:
            return None
        shortest_s = _LONGER_S if run.hz < _VOICES_HZ else _SHORTEST_S
        if not (_LOW_HZ <= run.hz <= _HIGH_HZ and shortest_s <= run.length_s <= _LONGEST_S):
            return None
        if _CNG[0] <= run.hz <= _CNG[1] and run.length_s >= _CNG[2]:
            return None
        return Finding(BEEP, frame.at_s, 0.95, f"a beep of {run.hz:.0f} Hz, {run.length_s:.2f} s, after speech")
