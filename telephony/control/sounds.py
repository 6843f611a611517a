"""Media items of the port, in ARI's words."""

from __future__ import annotations

import logging
import math
import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.errors import CommandRefused

log = logging.getLogger(__name__)

LONGEST_SILENCE_S = 60.0
_RATE = 8000
_TONES = {"beep": "sound:beep", "busy": "tone:busy", "ringback": "tone:ring", "congestion": "tone:congestion"}


class Sounds:
    """Resolves media items. Silence of any length is a file that is written once into `scratch_dir`: unlike
    Asterisk's own silence it can be stopped, and it ends.
    """

    def __init__(self, scratch_dir: Path) -> None:
        self._scratch_dir = scratch_dir
        self._silences: set[int] = set()

    def body(self, media: Sequence[str]) -> bytes:
        """The body of a play request.

        Raises:
            CommandRefused: nothing to play, or an item that is neither a path, a tone nor a silence.
        """
        if not media:
            raise CommandRefused("nothing to play: the list of media is empty")
        return msgspec.json.encode({"media": [self._uri(item) for item in media]})

    def _uri(self, item: str) -> str:
        if item.startswith("/"):
            if item.isprintable():
                return f"sound:{item}"
        elif item.startswith("tone:"):
            if uri := _TONES.get(item[5:]):
                return uri
        elif item.startswith("silence:"):
            return self._silence(item[8:])
        raise CommandRefused(
            f"cannot play {item!r}: it must be an absolute sound path without extension, silence:SECONDS "
            f"or one of {', '.join('tone:' + name for name in _TONES)}"
        )

    def _silence(self, text: str) -> str:
        try:
            wanted_s = float(text)
        except ValueError:
            wanted_s = -1.0
        if not 0 <= wanted_s <= LONGEST_SILENCE_S:
            raise CommandRefused(f"cannot play silence of {text!r} seconds: it must be 0 to {LONGEST_SILENCE_S:.0f}")
        tenths = max(1, math.ceil(wanted_s * 10 - 1e-6))
        path = self._scratch_dir / f"silence-{tenths}"
        if tenths not in self._silences:
            try:
                _write_silence(path.with_suffix(".wav"), tenths)
            except OSError as problem:
                log.warning("cannot write %s.wav (%s); playing whole seconds of silence instead", path, problem)
                return f"sound:silence/{min(10, math.ceil(tenths / 10))}"
            self._silences.add(tenths)
        return f"sound:{path}"


def _write_silence(path: Path, tenths: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    half_done = path.with_suffix(".part")
    with wave.open(str(half_done), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(bytes(2 * _RATE * tenths // 10))
    half_done.replace(path)
