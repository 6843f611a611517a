"""From samples to what detectors look at: one frame each 20 ms, with its level and its spectrum.

The spectrum is that of the last 60 ms under a Hann window: tones 33 Hz apart can be told apart, and a tone of 100 ms
fills whole windows. Frequencies of peaks are interpolated (parabola over the logarithm, good to about 2 Hz).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
BLOCK = 160
_WINDOW = 480
_SIZE = 1024
BIN_HZ = RATE_HZ / _SIZE
_LOW_HZ = 150.0
"""Hum below it is no sound of anybody."""
_LOBE_HZ = 45.0
"""A pure tone's energy lies within this of its peak."""
QUIET_DB = -52.0
"""Below it, relative to full scale, a frame is silence."""

_HANN = np.hanning(_WINDOW)
_LOW = round(_LOW_HZ / BIN_HZ)
_LOBE = round(_LOBE_HZ / BIN_HZ)
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Frame:
    """`at_s`: its end, from the first block. `level_db`: relative to full scale. `peak_hz`: the strongest frequency;
    `purity`: the share of all energy that lies around it; `tonality`: around it and the second strongest. `sums`:
    running sum of the spectrum."""

    at_s: float
    level_db: float
    peak_hz: float
    purity: float
    tonality: float
    sums: NDArray[np.float64]

    @property
    def is_quiet(self) -> bool:
        return self.level_db < QUIET_DB

    def share(self, from_hz: float, until_hz: float) -> float:
        """The share of all energy between two frequencies."""
        low, high = max(_LOW, round(from_hz / BIN_HZ)), min(len(self.sums) - 1, round(until_hz / BIN_HZ))
        return float((self.sums[high] - self.sums[low - 1]) / (self.sums[-1] + _FLOOR))


class Analyser:
    """Blocks in order; each gives a frame."""

    def __init__(self) -> None:
        self._last = np.zeros(_WINDOW)
        self._blocks = 0

    def feed(self, samples: NDArray[np.int16]) -> Frame:
        """`samples`: 160 of them."""
        self._last = np.concatenate((self._last[BLOCK:], samples / 32768.0))
        self._blocks += 1
        spectrum = np.abs(np.fft.rfft(self._last * _HANN, _SIZE)) ** 2
        spectrum[:_LOW] = 0.0
        sums = np.cumsum(spectrum)
        peak = int(np.argmax(spectrum))
        purity = _around(sums, peak)
        spectrum_beside = spectrum.copy()
        spectrum_beside[max(0, peak - _LOBE) : peak + _LOBE + 1] = 0.0
        second = _around(np.cumsum(spectrum_beside), int(np.argmax(spectrum_beside)))
        total = float(sums[-1]) + _FLOOR
        recent = self._last[-BLOCK:]
        return Frame(
            at_s=self._blocks * BLOCK / RATE_HZ,
            level_db=10.0 * log10(float(np.dot(recent, recent)) / BLOCK + _FLOOR),
            peak_hz=_interpolated(spectrum, peak) * BIN_HZ,
            purity=purity / total,
            tonality=(purity + second) / total,
            sums=sums,
        )


def _around(sums: NDArray[np.float64], peak: int) -> float:
    """The energy of a tone there."""
    return float(sums[min(len(sums) - 1, peak + _LOBE)] - sums[max(0, peak - _LOBE - 1)])


def _interpolated(spectrum: NDArray[np.float64], peak: int) -> float:
    if not _LOW < peak < len(spectrum) - 1:
        return float(peak)
    before, at, after = np.log(spectrum[peak - 1 : peak + 2] + _FLOOR)
    bend = before - 2 * at + after
    return peak + (0.5 * (before - after) / bend if bend else 0.0)
