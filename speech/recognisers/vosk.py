"""Vosk: a light recogniser with word times, for a model folder of your own.

Vosk's Spanish and English models are not on PyPI: unpack one and name its folder, here or in
`CENTRALITA_VOSK_MODEL` (or `CENTRALITA_VOSK_MODEL_ES` for one language).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from speech.audio import resampled
from speech.errors import RecogniserUnavailable
from speech.languages import normal_tag
from speech.ports import Audio, Recognition, Word

_RATE: Final = 16000
_SETTING: Final = "CENTRALITA_VOSK_MODEL"


class VoskRecogniser:
    """Keeps `Recogniser`. `model` is a folder, for whatever language it was made; default: the environment's."""

    name = "vosk"

    def __init__(self, model: Path | None = None) -> None:
        self._folder = model
        self._models: dict[Path, Any] = {}

    def recognise(self, audio: Audio, language: str) -> Recognition:
        base = normal_tag(language).partition("-")[0]
        folder = self._folder_for(base)
        try:
            import vosk
        except ImportError:
            raise RecogniserUnavailable("vosk is not installed: pip install 'centralita[recognition]'") from None
        if folder not in self._models:
            vosk.SetLogLevel(-1)
            try:
                self._models[folder] = vosk.Model(str(folder))
            except Exception as problem:  # vosk raises plain Exception
                raise RecogniserUnavailable(f"{folder} is no Vosk model ({problem}): name an unpacked model") from None
        recogniser = vosk.KaldiRecognizer(self._models[folder], _RATE)
        recogniser.SetWords(True)
        recogniser.AcceptWaveform(resampled(audio, _RATE).samples.tobytes())
        return recognition_of(json.loads(recogniser.FinalResult()))

    def _folder_for(self, base: str) -> Path:
        named = os.environ.get(f"{_SETTING}_{base.upper()}") or os.environ.get(_SETTING)
        folder = self._folder or (Path(named) if named else None)
        if folder is None:
            raise RecogniserUnavailable(
                f"vosk has no model for {base!r}: unpack a Vosk model and set {_SETTING}_{base.upper()} to its folder"
            )
        if not folder.is_dir():
            raise RecogniserUnavailable(
                f"{folder} is no folder: set {_SETTING}_{base.upper()} to an unpacked Vosk model"
            )
        return folder


def recognition_of(result: dict[str, Any]) -> Recognition:
    """Vosk's JSON as a recognition."""
    words = tuple(
        Word(str(word["word"]), float(word["start"]), float(word["end"]), float(word["conf"]))
        for word in result.get("result", ())
    )
    return Recognition(str(result.get("text", "")), words)
