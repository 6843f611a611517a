"""Special information tones: three rising tones before "the number you have dialed …".

Frequencies and lengths: ITU-T E.180/Q.35 (950, 1400, 1800 Hz within 50 Hz, 330 ms) and Bellcore GR-674 (the first two
high or low, 274 or 380 ms), whose combination says which announcement follows.
"""

from __future__ import annotations

from dialer.amd.frames import Frame
from dialer.amd.labels import SIT, Finding
from dialer.amd.runs import ToneRun, ToneRuns

_BANDS = ((880.0, 1020.0), (1340.0, 1460.0), (1740.0, 1860.0))
_SHORTEST_S, _LONGEST_S, _LONGEST_GAP_S = 0.16, 0.52, 0.18
_MIDDLE_HZ = (950.0, 1400.0)
"""Bellcore's first two tones are below these or above."""
_NAMES = {
    ("low", "short", "low", "short"): "intercept: the number was changed or is out of service",
    ("high", "long", "low", "short"): "vacant code: there is no such number",
    ("low", "short", "high", "long"): "reorder: no line is free",
    ("high", "long", "high", "long"): "no circuit is free",
}


class SitDetector:
    def __init__(self) -> None:
        self._runs = ToneRuns()
        self._heard: list[ToneRun] = []

    def feed(self, frame: Frame) -> Finding | None:
        run = self._runs.feed(frame)
        if run is None:
            return None
        place = len(self._heard)
        if place == 2 and _fits(run, 2) and run.length_s >= _SHORTEST_S and self._follows(run):
            first, second = self._heard
            self._heard = []
            return Finding(SIT, frame.at_s, 0.99, f"three rising tones ({_which(first, second)})")
        if run.ended:
            self._take(run)
        return None

    def _take(self, run: ToneRun) -> None:
        place = len(self._heard)
        if _SHORTEST_S <= run.length_s <= _LONGEST_S and place < 2 and _fits(run, place) and self._follows(run):
            self._heard.append(run)
        elif run.length_s >= _SHORTEST_S:
            self._heard = [run] if _fits(run, 0) and run.length_s <= _LONGEST_S else []

    def _follows(self, run: ToneRun) -> bool:
        return not self._heard or run.from_s - self._heard[-1].until_s <= _LONGEST_GAP_S


def _fits(run: ToneRun, place: int) -> bool:
    low, high = _BANDS[place]
    return low <= run.hz <= high


def _which(first: ToneRun, second: ToneRun) -> str:
    said = []
    for run, middle_hz in zip((first, second), _MIDDLE_HZ, strict=True):
        said += ["low" if run.hz < middle_hz else "high", "short" if run.length_s < 0.33 else "long"]
    if abs(first.hz - 950.0) < 12.0 and abs(second.hz - 1400.0) < 12.0:
        return "ITU: the network has something to say"
    return _NAMES.get((said[0], said[1], said[2], said[3]), "unknown announcement")
