"""What was said, as evidence: phrases of recordings and of people in what a recogniser wrote. Pure.

A recogniser on a telephone mishears letters, so a phrase counts where nearly all of it is there. Evidence names the
phrase that is known to everybody, never what somebody said.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz

from dialer.amd.phrases import HINTS, PEOPLE, SURE, Phrases

Kind = Literal["recording", "hint", "person", "unknown"]

_ALIKE: Final = 88.0
"""Of 100: how much of a phrase must be heard."""
_ALIKE_SHORT: Final = 95.0
"""The same of a phrase of fewer letters than `_SHORT`, which chance finds sooner."""
_SHORT: Final = 12
LANGUAGES: Final = tuple(SURE)


@dataclass(frozen=True, slots=True)
class Said:
    """`phrase`: the one it is told by; empty for `unknown`, which is no evidence."""

    kind: Kind
    phrase: str = ""


UNKNOWN: Final = Said("unknown")


def read(text: str, language: str) -> Said:
    """A recording's phrase is stronger than a person's, and that stronger than a hint."""
    base = language.partition("-")[0].lower()
    heard = plain(text)
    for kind, phrases in _ORDER:
        found = _found(heard, phrases, base)
        if found:
            return Said(kind, found)
    return UNKNOWN


def plain(text: str) -> str:
    """Words only: no case, accents or signs."""
    letters = unicodedata.normalize(
        "NFD", text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    return " ".join(re.findall(r"\w+", "".join(one for one in letters if not unicodedata.combining(one))))


_ORDER: Final[tuple[tuple[Kind, Phrases], ...]] = (("recording", SURE), ("person", PEOPLE), ("hint", HINTS))


def _found(heard: str, phrases: Phrases, language: str) -> str:
    best, name = 0.0, ""
    for phrase in phrases.get(language, ()):
        if len(heard) < len(phrase) - 2:
            continue
        alike = fuzz.partial_ratio(phrase, heard)
        if alike >= (_ALIKE_SHORT if len(phrase) < _SHORT else _ALIKE) and alike > best:
            best, name = alike, phrase
    return name
