"""Rendered prompts on disk, found by what they say.

    <directory>/<2 hex>/<sha256 of format, voice, language and text>.ulaw

Three of them make a system: *shipped* (in the repository, read only), *kept* (static prompts of this machine) and
*passing* (what was said to one caller: a balance, a name; swept by age and size, since it is nobody's business
tomorrow).
"""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path
from typing import Final

from speech.audio import EXTENSION, write_whole

FORMAT_VERSION: Final = 1
"""Raise it when `speech.audio.for_the_phone` makes different sound of the same samples."""


def plain(text: str) -> str:
    """The text as it is keyed: one space between words, composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def prompt_key(voice_id: str, language: str, text: str) -> str:
    """64 hex characters: the same on every machine for the same voice, language and text."""
    content = "\n".join((str(FORMAT_VERSION), voice_id, language, plain(text)))
    return hashlib.sha256(content.encode()).hexdigest()


class PromptCache:
    """Prompts by key. Files appear whole or not at all, so several processes may share one directory."""

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        self.directory = directory.absolute()
        self.read_only = read_only

    def file(self, key: str) -> Path:
        """Where the sound of this key is, or would be, with its extension."""
        return self.directory / key[:2] / f"{key}{EXTENSION}"

    def find(self, key: str) -> Path | None:
        """The file, if it is there."""
        file = self.file(key)
        return file if file.is_file() else None

    def write(self, key: str, sound: bytes) -> Path:
        """Keeps mu-law bytes under the key. Raises `OSError` (disk full, read only)."""
        if self.read_only:
            raise PermissionError(f"{self.directory} holds shipped prompts: nothing is written there")
        file = self.file(key)
        write_whole(file, sound)
        return file

    def files(self) -> list[Path]:
        """Every prompt here."""
        return sorted(self.directory.glob(f"[0-9a-f][0-9a-f]/*{EXTENSION}"))

    def sweep(self, *, older_than_s: float, most_bytes: int, now_s: float) -> int:
        """Removes what was written before `now_s - older_than_s` and the oldest beyond `most_bytes`; how many."""
        found = []
        for file in self.files():
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime, status.st_size, file))
        held, removed = 0, 0
        for written_s, size, file in sorted(found, reverse=True):
            held += size
            if held > most_bytes or written_s < now_s - older_than_s:
                file.unlink(missing_ok=True)
                removed += 1
        return removed


def path_without_extension(file: Path) -> Path:
    """What Asterisk plays as `sound:<path>`: it adds the extension of the best format it finds."""
    return file.with_suffix("")
