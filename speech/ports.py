"""The two ports of this room: a voice that speaks, a recogniser that hears.

A new engine (Piper, a cloud voice) is one file under `voices/` that keeps `Voice` and one line in its registry;
the contract suites in `tests/contract` then run over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono sound: 16-bit samples, `rate` of them a second."""

    samples: Samples
    rate: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate


class Voice(Protocol):
    """Says text. Construction is cheap; the model is loaded by the first `synthesise`.

    Calls block for as long as the engine computes, so they are made in a process of their own (`speech.worker`).
    """

    @property
    def name(self) -> str:
        """Its name in the registry: `kokoro`, `espeak`."""
        ...

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags it speaks, as `es`, `es-419`, `en-US`; `speech.languages.choices` maps other tags to these."""
        ...

    def id_for(self, language: str) -> str:
        """Engine, model, voice and revision that speak one of `languages`: part of every cache key.

        Known without the model, so prompts that were rendered elsewhere are found on a machine without it.
        """
        ...

    def synthesise(self, text: str, language: str) -> Audio:
        """Speaks `text` in one of `languages`.

        Raises `VoiceUnavailable` when the engine is missing, `ValueError` for a language it does not speak or for
        text in which there is nothing to say.
        """
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """One word heard, from `start_s` to `end_s` of the audio, with a confidence from 0 to 1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard; `words` is empty when the recogniser gives no times."""

    text: str
    words: tuple[Word, ...] = ()


class Recogniser(Protocol):
    """Writes down what is said. Construction is cheap; the model is loaded by the first `recognise`."""

    @property
    def name(self) -> str: ...

    def recognise(self, audio: Audio, language: str) -> Recognition:
        """Hears `audio` as the language of this tag.

        Raises `RecogniserUnavailable` when library or model is missing, `ValueError` for an unknown language.
        """
        ...
