"""A whole recording played to the detectors, with what they saw: for pictures and for whoever wonders why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.live_audio import AudioBlock, Ear, Verdict
from dialer.amd.frames import BLOCK, RATE_HZ
from dialer.amd.runs import PURE
from dialer.amd.screener import Screener


@dataclass(frozen=True)
class Trace:
    """One value a frame: level (dB of full scale), speech, tones, how sure of a person (nan: nobody asked).
    `verdicts`: with when they were told. `words`: phrases of recordings that were recognised, likewise."""

    seconds: float
    samples: NDArray[np.int16]
    levels: NDArray[np.float64]
    speech: NDArray[np.bool_]
    tones: NDArray[np.bool_]
    person: NDArray[np.float64]
    verdicts: tuple[tuple[float, Verdict], ...]
    words: tuple[tuple[float, str], ...] = ()


def trace(
    samples: NDArray[np.int16],
    limit_s: float = 6.0,
    until_beep: bool = False,
    ear: Ear | None = None,
    language: str = "",
) -> Trace:
    """`samples`: 8 kHz from the answer on. The detectors stop listening at their final verdict, the picture goes on.
    `ear`, `language`: of words, where they are to be recognised."""
    screener = Screener(limit_s, until_beep=until_beep, language=language)
    if ear is not None:
        screener.hear_with(ear)
    verdicts: list[tuple[float, Verdict]] = []
    levels, tones, person = [], [], []
    for n in range(len(samples) // BLOCK):
        block = samples[n * BLOCK : (n + 1) * BLOCK]
        over = bool(verdicts) and verdicts[-1][1].final
        found = None if over else screener.feed(AudioBlock("", n * 0.02, n, block.tobytes()))
        if found is not None:
            verdicts.append(((n + 1) * 0.02, found))
        frame = screener.frame
        levels.append(10 * np.log10(np.mean((block / 32768.0) ** 2) + 1e-9))
        tones.append(not over and frame is not None and not frame.is_quiet and frame.purity >= PURE)
        person.append(np.nan if over else screener.person)
    if not verdicts or not verdicts[-1][1].final:
        verdicts.append((len(samples) / RATE_HZ, screener.end()))
    speech = np.zeros(len(levels), dtype=bool)
    for since, until in screener.timeline.utterances:
        speech[round(since * 50) : round(until * 50)] = True
    return Trace(
        len(samples) / RATE_HZ,
        samples,
        np.array(levels),
        speech,
        np.array(tones, dtype=bool),
        np.array(person),
        tuple(verdicts),
        tuple((at_s, said.phrase) for at_s, said in screener.words.told if said.phrase and said.kind != "person"),
    )
