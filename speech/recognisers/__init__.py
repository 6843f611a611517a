"""The recognisers that ship, by name. A new one is a file here that keeps `Recogniser`, and a line below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from speech.ports import Recogniser
from speech.recognisers.fake import FakeRecogniser
from speech.recognisers.vosk import VoskRecogniser
from speech.recognisers.whisper import WhisperRecogniser
from speech.recognisers.whisper_short import ShortWhisperRecogniser

_RECOGNISERS: Final[dict[str, Callable[[], Recogniser]]] = {
    "whisper": WhisperRecogniser,
    "whisper-short": ShortWhisperRecogniser,
    "vosk": VoskRecogniser,
    "fake": FakeRecogniser,
}
NAMES: Final = tuple(_RECOGNISERS)


def make_recogniser(name: str) -> Recogniser:
    """The recogniser of this name, its model not loaded yet. Raises `ValueError` for a name nobody has."""
    if name not in _RECOGNISERS:
        raise ValueError(f"there is no recogniser {name!r}: choose one of {', '.join(NAMES)}")
    return _RECOGNISERS[name]()
