"""Sounds for tests of detectors: tones and something like speech, through what telephones do to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.live_audio import AudioBlock, Verdict
from dialer.amd.frames import BLOCK, RATE_HZ
from dialer.amd.screener import Screener

Sound = NDArray[np.float64]


def tone(hz: float | Sequence[float], seconds: float, level: float = 0.2) -> Sound:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    several = [hz] if isinstance(hz, int | float) else list(hz)
    return sum((np.sin(2 * np.pi * each * at_s) for each in several), np.zeros(len(at_s))) * (level / len(several))


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE_HZ))


def voice(seconds: float, level: float = 0.3) -> Sound:
    """Buzzing through moving formants with syllables in it: a detector of voice takes it for one."""
    dice = np.random.default_rng(5)
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch_hz = 120 + 15 * np.sin(2 * np.pi * 0.7 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    said = np.zeros(len(at_s))
    for harmonic in range(1, 26):
        hz = harmonic * pitch_hz
        strength = sum(
            np.exp(-(((hz - f) / 130.0) ** 2)) for f in (520 + 180 * np.sin(2 * np.pi * 2 * at_s), 1500, 2500)
        )
        said += (strength + 0.03) * np.sin(harmonic * phase)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4.0 * at_s)
    said = said * syllables + dice.normal(0, 0.02, len(at_s))
    return said * (level / max(1e-9, float(np.max(np.abs(said)))))


def mu_law(sound: Sound) -> Sound:
    """What G.711 leaves of it."""
    mu = 255.0
    coded = np.sign(sound) * np.log1p(mu * np.abs(np.clip(sound, -1, 1))) / np.log1p(mu)
    coded = np.round(coded * 127) / 127
    return np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(mu)) / mu


def verdict(
    *parts: Sound, noise: float = 0.0005, gain: float = 1.0, answered: bool = True, screener: Screener | None = None
) -> tuple[float, Verdict]:
    """(seconds heard until it, the first final verdict or the last word)."""
    sound = mu_law(np.concatenate(parts) * gain + np.random.default_rng(1).normal(0, noise, sum(map(len, parts))))
    samples = (sound * 32767).astype(np.int16)
    listener = screener or Screener()
    blocks = len(samples) // BLOCK
    for n in range(blocks):
        pcm = samples[n * BLOCK : (n + 1) * BLOCK].tobytes()
        found = listener.feed(AudioBlock("leg-1", n * 0.02, n, pcm, answered=answered))
        if found is not None and found.final:
            return (n + 1) * 0.02, found
    return blocks * 0.02, listener.end()


class Written:
    """An ear that answers `text` after so many blocks, or never."""

    def __init__(self, *texts: str, late_blocks: int = 20) -> None:
        self.texts, self.late_blocks = list(texts), late_blocks
        self.asked: list[tuple[int, str]] = []
        self._left: int | None = None

    def ask(self, pcm: bytes, rate_hz: int, language: str) -> None:
        self.asked.append((len(pcm), language))
        self._left = self.late_blocks

    def answer(self) -> str | None:
        if self._left is None or not self.texts:
            return None
        self._left -= 1
        if self._left > 0:
            return None
        self._left = None
        return self.texts.pop(0)
