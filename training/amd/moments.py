"""What the judge could know at every moment of a hearing: rows of features, kept beside the corpus once computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialer.amd.beep import BeepDetector
from dialer.amd.features import NAMES, Features
from dialer.amd.frames import BLOCK, Analyser
from dialer.amd.limits import SPEAKS_ON_S
from dialer.amd.rhythm import EVERY, NOISE_S
from dialer.amd.screener import SPOKEN_S
from dialer.amd.speech import SpeechDetector
from training.amd.clips import Clip
from training.amd.heard import Backgrounds, heard

REVISION = 8
"""Raise it when features, detectors of speech or hearings change: what was kept is computed anew."""
Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """`at_s`, `rest_s`, `spoken`: one value a moment, from the first speech to the last moment at which
    anybody is listened to. `beep_s`: when a beep was
    heard, infinity where none was."""

    clip: Clip
    onset_s: float
    at_s: Rows
    rest_s: Rows
    rows: Rows
    beep_s: float


def moments(
    clips: Sequence[Clip], hearings: int, behind: Backgrounds, cache: Path, processes: int = 1
) -> list[Moments]:
    """Every clip, heard so many times."""
    cache.mkdir(parents=True, exist_ok=True)
    asked = [(clip, number, behind, cache) for clip in clips for number in range(hearings)]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(_moments, asked, chunksize=16))


def _moments(asked: tuple[Clip, int, Backgrounds, Path]) -> Moments:
    clip, number, behind, cache = asked
    kept = cache / f"{sha256(clip.name.encode()).hexdigest()[:16]}-{number}-{REVISION}.npz"
    if kept.exists():
        with np.load(kept) as had:
            table, beep_s, onset_s = had["table"].astype(np.float64), float(had["beep_s"]), float(had["onset_s"])
    else:
        one = heard(clip, number, behind)
        found = list(_listened(one.samples))
        beep_s, onset_s = next((at_s for at_s, row in found if row is None), np.inf), one.onset_s
        table = np.array([[at_s, *row] for at_s, row in found if row is not None]).reshape(-1, 2 + len(NAMES))
        np.savez(kept, table=table.astype(np.float32), beep_s=beep_s, onset_s=onset_s)
    return Moments(clip, onset_s, table[:, 0], table[:, 1], table[:, 2:], beep_s)


def _listened(samples: NDArray[np.int16]) -> Iterator[tuple[float, list[float] | None]]:
    """As the screener hears it. A row begins with the rest; None: a beep."""
    analyser, detector, seen, beeps = Analyser(), SpeechDetector(), Features(), BeepDetector()
    for n in range(round(SPEAKS_ON_S * 50)):
        block = samples[n * BLOCK : (n + 1) * BLOCK]
        frame = analyser.feed(block)
        line = detector.feed(block.tobytes(), frame)
        if beeps.feed(frame, line, line.spoken_s >= SPOKEN_S) is not None:
            yield frame.at_s, None
            return
        seen.feed(frame, line)
        if line.spoken_s >= NOISE_S and not (n + 1) % EVERY:
            yield frame.at_s, [line.rest_s, *seen.vector(line)]
