"""A voice for tests: every word becomes a short tone whose pitch depends on the word. Always the same."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

import numpy as np

from speech.ports import Audio

_RATE: Final = 8000
_WORD_S: Final = 0.08
_GAP_S: Final = 0.02


class FakeVoice:
    """Keeps `Voice`. A word lasts 80 ms and 20 ms of silence follow: ten words are one second."""

    name = "fake"
    languages: tuple[str, ...] = ("es", "es-419", "en-US", "en-GB")

    def id_for(self, language: str) -> str:
        if language not in self.languages:
            raise ValueError(f"the fake voice does not speak {language!r}: it speaks {', '.join(self.languages)}")
        return f"fake/{language}/1"

    def synthesise(self, text: str, language: str) -> Audio:
        self.id_for(language)
        words = re.findall(r"\w+", text)
        if not words:
            raise ValueError(f"{text!r} has no words to say")
        return Audio(np.concatenate([_tone(word) for word in words]), _RATE)


def _tone(word: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    pitch_hz = 300 + zlib.crc32(word.casefold().encode()) % 2400
    times = np.arange(int(_WORD_S * _RATE)) / _RATE
    # 8,000: loud, far from clipping.
    wave = (np.sin(2 * np.pi * pitch_hz * times) * 8000).astype(np.int16)
    return np.concatenate([wave, np.zeros(int(_GAP_S * _RATE), dtype=np.int16)])
