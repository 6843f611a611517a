"""The clips there are: sentences of the corpus put together, and tones that need no voice."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialer.amd.cadence import CADENCES
from training.amd.corpus import RATE_HZ, place
from training.amd.texts import WAIT, Side, texts

Sound = NDArray[np.float64]
PEOPLE, MACHINES, TONES = "human", "machine", "tone"
GREETING_S = 6.0


@dataclass(frozen=True, slots=True)
class Clip:
    """`truth`: human, machine, or the label of a tone; `parts`: what is said (files) or sounds; `waits`: whether the
    longer wait comes before each part. `group`: clips of one text, whatever names are in
    it, which fitting must not part. `hello`: two words at
    most. `later`: as in texts.py."""

    name: str
    truth: str
    kind: str
    language: str
    voice: str
    group: str
    parts: tuple[Path, ...] = ()
    waits: tuple[bool, ...] = ()
    hello: bool = False
    later: bool = False

    def sounds(self) -> list[Sound]:
        return [read(path) for path in self.parts]


@lru_cache(maxsize=4000)
def read(path: Path) -> Sound:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768.0


def spoken(folder: Path, side: Side) -> list[Clip]:
    """Everything of one side of which every sentence has been spoken."""
    found = []
    for text in texts(side):
        for voice in sorted(path.name for path in (folder / side / text.kind / text.language).glob("*")):
            parts = tuple(place(folder, text, voice, n) for n in range(len(text.sentences)))
            if all(path.exists() for path in parts):
                found.append(
                    Clip(
                        f"{text.kind}-{text.language}-{voice}-{text.name}",
                        PEOPLE if text.is_person else MACHINES,
                        text.kind,
                        text.language,
                        voice,
                        sha256(text.pattern.encode()).hexdigest()[:8],
                        parts,
                        tuple(sentence.startswith(WAIT) for sentence in text.sentences),
                        text.is_hello,
                        text.later,
                    )
                )
    return found + _announcements(folder / side / "recorded")


def _announcements(folder: Path) -> list[Clip]:
    """Recorded prompts, put together until they last as long as a machine's greeting does: two or three of a voice."""
    found = []
    for language in sorted(path.name for path in folder.glob("*")):
        prompts = sorted((folder / language).rglob("*.wav"))
        for n, path in enumerate(prompts):
            parts = [path]
            while sum(len(read(part)) for part in parts) < GREETING_S * RATE_HZ:
                parts.append(prompts[(n + 7 * len(parts)) % len(prompts)])
            name = f"recorded-{language}-{path.stem}"
            waits = (False,) * len(parts)
            found.append(Clip(name, MACHINES, "recorded", language, "asterisk", name, tuple(parts), waits))
    return found


def tones() -> list[tuple[str, str, Sound]]:
    """(truth, name, sound): every signal the network or a fax machine may send, ten seconds of it at most."""
    found: list[tuple[str, str, Sound]] = []
    for country, cadences in CADENCES.items():
        for cadence in cadences:
            hz = tuple(dict.fromkeys(cadence.hz))
            beats = [tone(hz, beat) if n % 2 == 0 else silence(beat) for n, beat in enumerate(cadence.beats)]
            rounds = int(12.0 / sum(cadence.beats)) + 1
            found.append((cadence.label, f"{cadence.label}-{country}", np.concatenate(beats * rounds)))
    for name, low in (
        ("itu", ((950, 0.33), (1400, 0.33), (1800, 0.33))),
        ("vacant", ((985.2, 0.38), (1370.6, 0.274), (1776.7, 0.38))),
        ("intercept", ((913.8, 0.274), (1370.6, 0.274), (1776.7, 0.38))),
        ("reorder", ((913.8, 0.274), (1428.5, 0.38), (1776.7, 0.38))),
        ("circuit", ((985.2, 0.38), (1428.5, 0.38), (1776.7, 0.38))),
    ):
        found.append(("sit", f"sit-{name}", np.concatenate([tone((hz,), length_s) for hz, length_s in low])))
    calling = np.concatenate([tone((1100,), 0.5), silence(3.0)] * 3)
    found += [("fax", "fax-cng", calling), ("fax", "fax-ced", tone((2100,), 3.3))]
    found.append(("silence", "silence", silence(9.0)))
    return found


def tone(hz: Sequence[float], seconds: float) -> Sound:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    each = [np.sin(2 * np.pi * one * at_s) for one in hz]
    return np.asarray(sum(each, np.zeros(len(at_s))) * (0.4 / len(hz)))


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE_HZ))
