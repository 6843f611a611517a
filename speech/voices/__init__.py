"""The voices that ship, by name. A new one is a file here that keeps `speech.ports.Voice`, and a line below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from speech.ports import Voice
from speech.voices.espeak import EspeakVoice
from speech.voices.fake import FakeVoice
from speech.voices.kokoro import KokoroVoice

_VOICES: Final[dict[str, Callable[[], Voice]]] = {"kokoro": KokoroVoice, "espeak": EspeakVoice, "fake": FakeVoice}
NAMES: Final = tuple(_VOICES)


def make_voice(name: str) -> Voice:
    """The voice of this name, its model not loaded yet. Raises `ValueError` for a name nobody has."""
    if name not in _VOICES:
        raise ValueError(f"there is no voice {name!r}: choose one of {', '.join(NAMES)}")
    return _VOICES[name]()
