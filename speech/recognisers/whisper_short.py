"""Whisper base for a few seconds of speech, right now: what somebody said who has just answered a telephone.

Whisper was made for windows of 30 s, and encodes as much however short the sound is: a second of work on one thread.
Its encoder takes shorter ones, too: six seconds cost a tenth of that. It hears greedily, without times of words, and
one sentence less well now and then.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np

from speech.audio import resampled
from speech.errors import RecogniserUnavailable
from speech.languages import normal_tag
from speech.ports import Audio, Recognition
from speech.recognisers.whisper import INSTALL, model_folder

_RATE: Final = 16000
_FRAMES_A_SECOND: Final = 100
LONGEST_S: Final = 27.0
"""Of what is longer, the last seconds are heard: the encoder takes no more."""
_SILENCE_S: Final = 2.5
"""After the sound: without it the model goes on talking."""
_TOKENS_A_SECOND: Final = 10
_NEVER_TWICE: Final = 3
"""So many tokens in a row never come twice: it gets stuck in noise."""
_NOTHING_FROM: Final = 0.75
"""So likely nothing was said at all."""


class ShortWhisperRecogniser:
    """Keeps `Recogniser`. One thread of the processor; may be asked from any thread, one at a time."""

    name = "whisper-short"

    def __init__(self) -> None:
        self._model: Any = None
        self._lock = threading.Lock()

    def recognise(self, audio: Audio, language: str) -> Recognition:
        base = normal_tag(language).partition("-")[0]
        with self._lock:
            model = self._loaded()
            if base not in model.supported_languages:
                known = ", ".join(model.supported_languages)
                raise ValueError(f"whisper does not hear {language!r}: use one of {known}")
            samples = resampled(audio, _RATE).samples[-round(LONGEST_S * _RATE) :].astype(np.float32) / np.float32(
                32768
            )
            return Recognition(self._heard(model, samples, base) if len(samples) else "")

    def _heard(self, model: Any, samples: Any, language: str) -> str:
        import ctranslate2
        from faster_whisper.tokenizer import Tokenizer

        seconds = len(samples) / _RATE
        padded = np.concatenate([samples, np.zeros(round(_SILENCE_S * _RATE), np.float32)])
        features = model.feature_extractor(padded, padding=0)
        frames = features.shape[1] - features.shape[1] % 2
        wanted = np.ascontiguousarray(features[None, :, :frames], dtype=np.float32)
        encoded = model.model.encode(ctranslate2.StorageView.from_array(wanted))
        tokens = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=language)
        prompt = [*tokens.sot_sequence, tokens.no_timestamps]
        found = model.model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=len(prompt) + 8 + int(_TOKENS_A_SECOND * seconds),
            no_repeat_ngram_size=_NEVER_TWICE,
            return_no_speech_prob=True,
        )[0]
        if found.no_speech_prob >= _NOTHING_FROM:
            return ""
        return str(tokens.decode(found.sequences_ids[0])).strip()

    def _loaded(self) -> Any:
        if self._model is None:
            folder = model_folder()
            try:
                from faster_whisper import WhisperModel
            except ImportError as missing:
                raise RecogniserUnavailable(
                    f"whisper is not installed ({missing.name} is missing): {INSTALL}"
                ) from None
            self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        return self._model
