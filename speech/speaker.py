"""Who speaks for the renderer: a voice behind asyncio, in this process or in one of its own (`speech.client`)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final, Protocol

from speech.errors import VoiceUnavailable
from speech.ports import Voice
from speech.worker import answer

_GUESSED_S_PER_CHARACTER: Final = 0.05
"""Until measured; pessimistic, so that an unknown voice makes no caller wait."""


class Speaker(Protocol):
    """A voice that writes what it says to files."""

    @property
    def voice(self) -> Voice:
        """For its name, languages and ids; it is never asked to synthesise here."""
        ...

    @property
    def stays(self) -> bool:
        """Whether it is ready for a caller at any moment once warmed up; if not, it may be out to save memory."""
        ...

    async def speak(self, text: str, language: str, file: Path) -> float:
        """Writes mu-law to `file`, whole; seconds of sound.

        Raises `VoiceUnavailable` when the voice cannot speak now, `ValueError` when there is nothing to say,
        `OSError` when the file cannot be written.
        """
        ...

    async def warm_up(self, language: str) -> None:
        """Loads the model. Raises `VoiceUnavailable`."""
        ...

    def estimate_s(self, text: str) -> float:
        """How long `speak` would take now, what is queued included."""
        ...

    async def close(self) -> None: ...


class Pace:
    """Seconds a character, as measured."""

    def __init__(self) -> None:
        self.queued_characters = 0
        self._s_per_character = _GUESSED_S_PER_CHARACTER

    def estimate_s(self, text: str) -> float:
        return (self.queued_characters + len(text) + 5) * self._s_per_character

    def learn(self, characters: int, took_s: float) -> None:
        # Five characters' worth of fixed cost; half the weight on the newest.
        self._s_per_character = (self._s_per_character + took_s / (characters + 5)) / 2


class InlineSpeaker:
    """Keeps `Speaker` in a thread of this process, one text at a time: for tests and tools."""

    stays = True

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self._turn = asyncio.Lock()
        self._pace = Pace()

    async def speak(self, text: str, language: str, file: Path) -> float:
        return await self._ask({"text": text, "language": language, "file": str(file)})

    async def warm_up(self, language: str) -> None:
        await self._ask({"text": "uno", "language": language})

    def estimate_s(self, text: str) -> float:
        return self._pace.estimate_s(text)

    async def close(self) -> None:
        return

    async def _ask(self, request: dict[str, Any]) -> float:
        async with self._turn:
            reply = await asyncio.to_thread(answer, self.voice, request)
        return seconds_of(reply, request, self._pace)


def seconds_of(reply: dict[str, Any], request: dict[str, Any], pace: Pace) -> float:
    """The outcome of an answer, or what it says went wrong, raised."""
    if "error" not in reply:
        if request.get("file"):  # a warm-up loads the model: it says nothing about the pace
            pace.learn(len(request["text"]), float(reply["took_s"]))
        return float(reply["seconds"])
    match reply["kind"]:
        case "voice":
            raise VoiceUnavailable(reply["error"])
        case "disk":
            raise OSError(reply["error"])
        case _:
            raise ValueError(reply["error"])
