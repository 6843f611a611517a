"""The simplest listener: a meter that says when there is sound, how loud, and at which frequency.

    ListenToLeg(leg_id, "l1", "level", {"above_db": "-35", "for_s": "0.1", "stay": "yes"})

Options: `above_db` (default -40): what counts as sound, dB below full scale; `for_s` (0.1): how long it must last;
`hz`: only a tone of this frequency (within 3 %); `stay`: goes on after the first verdict and tells each new sound.
Labels: `sound`, and at the end `silence` if there was none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from core.live_audio import BLOCK_S, AudioBlock, Verdict

FULL_SCALE = 32768.0
_NEAR = 0.03


class Level:
    """`Listener`. Raises ValueError for options that make no sense."""

    def __init__(self, options: Mapping[str, str]) -> None:
        known = {"above_db", "for_s", "hz", "stay"}
        if unknown := sorted(options.keys() - known):
            raise ValueError(f"level has no option {', '.join(unknown)}: it has {', '.join(sorted(known))}")
        self._above = FULL_SCALE * 10 ** (float(options.get("above_db", "-40")) / 20)
        self._for_blocks = max(1, round(float(options.get("for_s", "0.1")) / BLOCK_S))
        self._hz = float(options.get("hz", "0"))
        self._stays = options.get("stay", "no") == "yes"
        self._blocks = 0
        self._sounding = 0
        self._loudest = 0.0
        self._found: Verdict | None = None

    def feed(self, block: AudioBlock) -> Verdict | None:
        samples = np.frombuffer(block.pcm, np.int16).astype(np.float32)
        level = math.sqrt(float(np.dot(samples, samples)) / len(samples))
        self._blocks += 1
        self._loudest = max(self._loudest, level)
        if level < self._above or (self._hz and abs(_frequency(samples, block.rate_hz) / self._hz - 1) > _NEAR):
            self._sounding = 0
            return None
        self._sounding += 1
        if self._sounding != self._for_blocks:
            return None
        hz = _frequency(samples, block.rate_hz)
        self._found = Verdict("sound", 1.0, f"{hz:.0f} Hz at {_db(level):.0f} dB", final=not self._stays)
        return self._found

    def end(self) -> Verdict:
        heard = f"{self._blocks * BLOCK_S:.2f} s heard, the loudest at {_db(self._loudest):.0f} dB"
        return Verdict("sound" if self._found else "silence", 1.0, heard)


def _db(level: float) -> float:
    """Below full scale."""
    return 20 * math.log10(max(level, 1.0) / FULL_SCALE)


def _frequency(samples: np.ndarray[tuple[int], np.dtype[np.float32]], rate_hz: int) -> float:
    """Of the strongest tone, as its phase turns between the block's halves; exact for a pure one."""
    half = len(samples) // 2
    window = np.hanning(half).astype(np.float32)
    first, second = np.fft.rfft(samples[:half] * window), np.fft.rfft(samples[half : 2 * half] * window)
    peak = int(np.argmax(np.abs(first[1:]))) + 1
    turned = float(np.angle(second[peak] * np.conj(first[peak]))) / (2 * math.pi)
    return (peak + (turned - peak + 0.5) % 1.0 - 0.5) * rate_hz / half
