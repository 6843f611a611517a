"""What the judge could know at every moment of a hearing: rows of features and what the network is shown, kept beside
the corpus once computed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.live_audio import BLOCK_S
from dialer.amd.beep import BeepDetector
from dialer.amd.features import NAMES, Features
from dialer.amd.frames import BLOCK, Analyser
from dialer.amd.limits import SPEAKS_ON_S
from dialer.amd.rhythm import EVERY, NOISE_S
from dialer.amd.screener import SPOKEN_S
from dialer.amd.sound import STEP, begins_at, seen
from dialer.amd.speech import SpeechDetector
from training.amd.clips import Clip
from training.amd.heard import Backgrounds, Hearing, heard

REVISION = 9
"""Raise it when features, detectors of speech or hearings change: what was kept is computed anew."""
Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """`at_s`, `rest_s`, `spoken`: one value a moment, from the first speech to the last moment at which
    anybody is listened to. `beep_s`: when a beep was
    heard, infinity where none was. `sounds`: what the network is shown of every frame from its first on
    (dialer/amd/sound.py); `steps`: its step at each moment. The feature it makes is 0 here."""

    clip: Clip
    onset_s: float
    at_s: Rows
    rest_s: Rows
    rows: Rows
    beep_s: float
    sounds: NDArray[np.float16]
    steps: NDArray[np.intp]


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
    if not kept.exists():
        np.savez(kept, **_listened(heard(clip, number, behind)))
    with np.load(kept) as had:
        table, first = had["table"].astype(np.float64), int(had["first"])
        frames = np.round(table[:, 0] / BLOCK_S).astype(np.intp)
        return Moments(
            clip,
            float(had["onset_s"]),
            table[:, 0],
            table[:, 1],
            table[:, 2:],
            float(had["beep_s"]),
            had["sounds"],
            (frames - first) // STEP - 1,
        )


def _listened(one: Hearing) -> dict[str, Any]:
    """As the screener hears it. A row of the table begins with the time and the rest."""
    analyser, detector, known, beeps = Analyser(), SpeechDetector(), Features(), BeepDetector()
    table, sounds, first, beep_s = [], [], -1, np.inf
    for n in range(round(SPEAKS_ON_S / BLOCK_S)):
        block = one.samples[n * BLOCK : (n + 1) * BLOCK]
        frame = analyser.feed(block)
        line = detector.feed(block.tobytes(), frame)
        sounds.append(seen(frame, line))
        if line.speaking and first < 0:
            first = begins_at(n)
        if beeps.feed(frame, line, line.spoken_s >= SPOKEN_S) is not None:
            beep_s = frame.at_s
            break
        known.feed(frame, line)
        if line.spoken_s >= NOISE_S and not (n + 1) % EVERY:
            table.append([frame.at_s, line.rest_s, *known.vector(line)])
    return {
        "table": np.array(table, np.float32).reshape(-1, 2 + len(NAMES)),
        "sounds": np.array(sounds[max(0, first) :], np.float16),
        "first": max(0, first),
        "beep_s": beep_s,
        "onset_s": one.onset_s,
    }
