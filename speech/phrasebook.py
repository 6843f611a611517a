"""Dynamic text from phrases that were rendered before: "Su saldo es" + "ciento" + "veinte" + "euros".

The book knows which phrases exist; `split` finds the fewest that together say a text, or nothing when a word is
missing. Whoever renders joins their sounds, in well under a millisecond, in the good voice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from speech.audio import PHONE_RATE, silence
from speech.cache import plain

_COMMA_S: Final = 0.15
_STOP_S: Final = 0.30
_MARGIN: Final = int(0.06 * PHONE_RATE)
"""Silence at both ends of every rendered prompt (`for_the_phone`), in bytes."""
_KEPT_MARGIN: Final = int(0.015 * PHONE_RATE)
_SIGNS: Final = "¿?¡!.,;:…\"'«»()[]—–"
_ABBREVIATIONS: Final = frozenset({"a.m.", "p.m."})

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A phrase of the book, and the silence that the text asks for after it."""

    phrase: str
    pause_s: float


class PhraseBook:
    """The phrases of one language, by their words."""

    def __init__(self, phrases: Iterable[str] = ()) -> None:
        self._phrases: dict[Words, str] = {}
        self._longest = 0
        for phrase in phrases:
            self.add(phrase)

    def __len__(self) -> int:
        return len(self._phrases)

    def add(self, phrase: str) -> None:
        """A phrase that can be rendered; the first of several with the same words stays."""
        words = tuple(word for word, _ in _words(phrase))
        if words:
            self._phrases.setdefault(words, plain(phrase))
            self._longest = max(self._longest, len(words))

    def split(self, text: str) -> list[Piece] | None:
        """The fewest phrases that say the text, or None when they cannot."""
        said = _words(text)
        words = tuple(word for word, _ in said)
        # best[n]: how the first n words are said, with the fewest phrases.
        best: list[tuple[int, int] | None] = [(0, 0)] + [None] * len(words)
        for end in range(1, len(words) + 1):
            for start in range(max(0, end - self._longest), end):
                before = best[start]
                if before is None or words[start:end] not in self._phrases:
                    continue
                current = best[end]
                if current is None or before[0] + 1 < current[0]:
                    best[end] = (before[0] + 1, start)
        if not words or best[-1] is None:
            return None
        pieces: list[Piece] = []
        end = len(words)
        while end:
            step = best[end]
            assert step is not None
            pieces.append(Piece(self._phrases[words[step[1] : end]], said[end - 1][1]))
            end = step[1]
        return pieces[::-1]


def fixed_words(template: str) -> list[str]:
    """What a prompt's template says in every call: the texts between its `{{ … }}` and `{% … %}`."""
    parts = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", template, flags=re.DOTALL)
    trimmed = (plain(part).lstrip(".,;:!?… ") for part in parts)
    return [part for part in trimmed if any(character.isalnum() for character in part)]


def joined_sound(pieces: Iterable[tuple[bytes, float]]) -> bytes:
    """One prompt from the mu-law sounds of phrases, each with the pause after it in seconds."""
    sounds: list[bytes] = []
    for sound, pause_s in pieces:
        cut = min(_MARGIN - _KEPT_MARGIN, len(sound) // 4)
        sounds.append(sound[cut : len(sound) - cut] + silence(pause_s))
    edge = silence(0.045)
    return edge + b"".join(sounds) + edge


def _words(text: str) -> list[tuple[str, float]]:
    """The words without signs, each with the pause that the signs after it mean."""
    said = []
    for token in plain(text).split():
        lowered = token.casefold()
        core = lowered.rstrip(",;:")
        word = core if core in _ABBREVIATIONS else lowered.strip(_SIGNS)
        if not word:
            continue
        signs = lowered[lowered.rindex(word) + len(word) :]
        stop = re.search(r"[.!?…]", signs)
        said.append((word, _STOP_S if stop else _COMMA_S if re.search(r"[,;:—–]", signs) else 0.0))
    return said
