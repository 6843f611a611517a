"""espeak-ng: a robot's voice in a few milliseconds, in many languages. The fallback for text in a hurry.

It is driven as a library, the one inside the package `espeakng-loader` (so it is there wherever Centralita is
installed, of one version), called through ctypes: 3 ms for a sentence, where starting the program takes 11 ms.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Final

import numpy as np

from speech.errors import VoiceUnavailable
from speech.ports import Audio

_REVISION: Final = 1
_VOICES: Final = {
    "es": "es",
    "es-419": "es-419",
    "en-US": "en-us",
    "en-GB": "en",
    "ca": "ca",
    "eu": "eu",
    "pt": "pt",
    "pt-BR": "pt-br",
    "fr": "fr",
    "it": "it",
    "de": "de",
}
_WORDS_PER_MINUTE: Final = 155
_SYNCHRONOUS, _UTF8, _BY_CHARACTER, _RATE_PARAMETER, _OK = 2, 1, 1, 1, 0

_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_one_at_a_time = threading.Lock()
"""espeak-ng has one state for the whole process."""
_library: tuple[Any, int] | None = None


class EspeakVoice:
    """Keeps `Voice`."""

    name = "espeak"

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(_VOICES)

    def id_for(self, language: str) -> str:
        return f"espeak-ng-1.52/{_voice(language)}/{_REVISION}"

    def synthesise(self, text: str, language: str) -> Audio:
        voice = _voice(language)
        if not any(character.isalnum() for character in text):
            raise ValueError(f"{text!r} has no words to say")
        with _one_at_a_time:
            library, rate = _loaded()
            return Audio(_spoken(library, text, voice), rate)


def _voice(language: str) -> str:
    if language not in _VOICES:
        raise ValueError(f"espeak does not speak {language!r} here: it speaks {', '.join(_VOICES)}")
    return _VOICES[language]


def _loaded() -> tuple[Any, int]:
    """The library and the rate of its samples. Raises `VoiceUnavailable`."""
    global _library
    if _library is None:
        try:
            import espeakng_loader

            library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
        except (ImportError, OSError) as problem:
            raise VoiceUnavailable(
                f"the espeak-ng library cannot be loaded ({problem}): pip install espeakng-loader"
            ) from None
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if rate <= 0:
            raise VoiceUnavailable(
                "espeak-ng does not start, its data is damaged: pip install --force-reinstall espeakng-loader"
            )
        library.espeak_SetParameter(_RATE_PARAMETER, _WORDS_PER_MINUTE, 0)
        _library = (library, rate)
    return _library


def _spoken(library: Any, text: str, voice: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    heard: list[bytes] = []

    def keep(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            heard.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _SynthCallback(keep)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != _OK:
        raise VoiceUnavailable(f"espeak-ng has no voice {voice!r}: pip install --force-reinstall espeakng-loader")
    # A NUL would end the text early.
    content = text.replace("\0", " ").encode()
    outcome = library.espeak_Synth(content, len(content) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
    if outcome != _OK:
        raise VoiceUnavailable(f"espeak-ng could not say {text[:40]!r} (error {outcome})")
    return np.frombuffer(b"".join(heard), dtype=np.int16)
