"""From what a caller shall hear to the files that say it.

Recorded sounds are found in the project's own directories first, then in Asterisk's, by language (`es-AR`,
then `es`). Words go to the speech renderer; what it has in its cache is answered at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import CommandRefused
from core.media import Part, Recorded, Silence, Sound, Speech, Tone
from telephony.control.names import file_name

EXTENSIONS = frozenset({".wav", ".wav16", ".ulaw", ".ul", ".alaw", ".al", ".gsm", ".g722", ".sln", ".sln16", ".slin"})


class Renderer(Protocol):
    def ready(self, text: str, language: str) -> Path | None:
        """The file without its extension, when it is already there."""
        ...

    async def render(self, text: str, language: str) -> Path: ...

    async def render_once(self, text: str, language: str) -> Path:
        """A file of its own, known to nobody else; `forget` deletes it."""
        ...

    def forget(self, paths: Iterable[Path]) -> None:
        """Deletes those that `render_once` made."""
        ...


@dataclass(frozen=True, slots=True)
class SoundDirectory:
    """One language's sounds. `seen_at`: where we read it; `played_at`: the same directory as Asterisk sees it."""

    language: str
    seen_at: Path
    played_at: Path


class Sounds:
    """Every recorded sound by (language, name), indexed once: a look-up touches no disk. Earlier directories win."""

    def __init__(self, directories: Sequence[SoundDirectory]) -> None:
        self._index: dict[tuple[str, str], str] = {}
        for directory in reversed(directories):
            for file in directory.seen_at.rglob("*"):
                if file.suffix in EXTENSIONS:
                    name = file.relative_to(directory.seen_at).with_suffix("")
                    self._index[directory.language, str(name)] = str(directory.played_at / name)

    def names(self) -> Mapping[str, frozenset[str]]:
        """Language -> the names of its sounds, for the checks."""
        found: dict[str, set[str]] = {}
        for language, name in self._index:
            found.setdefault(language, set()).add(name)
        return {language: frozenset(names) for language, names in found.items()}

    def find(self, sound: Sound) -> str | None:
        language = sound.language
        while True:
            if (path := self._index.get((language, sound.name))) is not None:
                return path
            if "-" not in language:
                return None
            language = language.rpartition("-")[0]


class Resolver:
    """`MediaResolver` for the lanes. `sounds` may be swapped by a reload; `recordings`: where Asterisk records."""

    def __init__(self, sounds: Sounds, renderer: Renderer, recordings: Path) -> None:
        self.sounds = sounds
        self._recordings = recordings
        self._renderer = renderer

    def known(self, parts: Sequence[Part]) -> list[str] | None:
        media: list[str] = []
        for part in parts:
            if isinstance(part, Speech):
                path = self._renderer.ready(part.text, part.language)
                if path is None:
                    return None
                media.append(str(path))
            else:
                media.append(self._recorded(part))
        return media

    async def resolve(self, parts: Sequence[Part], secret: bool = False) -> list[str]:
        """Everything as files; several texts are synthesised side by side. `secret`: what is synthesised stays on
        disk only until `forget`.

        Raises:
            CommandRefused: a sound does not exist.
        """
        return list(await asyncio.gather(*(self._one(part, secret) for part in parts)))

    def forget(self, media: Sequence[str]) -> None:
        self._renderer.forget(map(Path, media))

    async def _one(self, part: Part, secret: bool) -> str:
        if isinstance(part, Speech):
            if not secret:
                return str(await self._renderer.render(part.text, part.language))
            ready = self._renderer.ready(part.text, part.language)
            return str(ready or await self._renderer.render_once(part.text, part.language))
        return self._recorded(part)

    def _recorded(self, part: Sound | Silence | Tone | Recorded) -> str:
        match part:
            case Silence(duration_s):
                return f"silence:{duration_s:g}"
            case Tone(name):
                return f"tone:{name}"
            case Recorded(recording_id):
                return str(self._recordings / file_name(recording_id))
            case Sound():
                path = self.sounds.find(part)
                if path is None:
                    raise CommandRefused(
                        f"no sound '{part.name}' in '{part.language}': put it under flows/sounds/{part.language}/"
                    )
                return path
