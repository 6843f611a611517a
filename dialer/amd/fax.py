"""Fax machines and modems: the calling tone CNG (1100 Hz, half a second of every 3.5) and the answer tone CED/ANS
(2100 Hz, 2.6 s and more), after ITU-T T.30 and V.25. Two bursts of CNG, or 0.8 s of 2100 Hz, leave no doubt."""

from __future__ import annotations

from dialer.amd.frames import Frame
from dialer.amd.labels import FAX, Finding
from dialer.amd.runs import ToneRuns

_CNG_HZ, _CNG_WITHIN_HZ, _CNG_S = 1100.0, 40.0, (0.40, 0.64)
_CED_HZ, _CED_WITHIN_HZ, _CED_S = 2100.0, 25.0, 0.8


class FaxDetector:
    def __init__(self) -> None:
        self._runs = ToneRuns()

    def feed(self, frame: Frame) -> Finding | None:
        run = self._runs.feed(frame)
        if run is None:
            return None
        if abs(run.hz - _CED_HZ) <= _CED_WITHIN_HZ and run.length_s >= _CED_S:
            return Finding(FAX, frame.at_s, 0.98, f"answer tone of {run.hz:.0f} Hz for {run.length_s:.1f} s")
        if run.ended and abs(run.hz - _CNG_HZ) <= _CNG_WITHIN_HZ and _CNG_S[0] <= run.length_s <= _CNG_S[1]:
            return Finding(FAX, frame.at_s, 0.9, f"fax calling tone ({run.hz:.0f} Hz, {run.length_s:.2f} s)")
        return None
