"""What the pages say, in each language. English is the key; another language is a file of `key: words` pairs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"es": "Español", "en": "English"}
_FOLDER = Path(__file__).parent

Say = Callable[..., str]


@cache
def words(language: str) -> Mapping[str, str]:
    """English phrase -> phrase; empty for English."""
    path = _FOLDER / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def speaker(language: str) -> Say:
    """`say("Hello {name}", name="Ana")` in that language."""
    table = words(language)

    def say(phrase: str, **values: object) -> str:
        said = table.get(phrase, phrase)
        return said.format(**values) if values else said

    return say


@cache
def _told(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Phrases that name something, as patterns; the most words first."""
    found = [phrase for phrase in words(language) if "{" in phrase and " " in phrase]
    return tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(phrase))), phrase)
        for phrase in sorted(found, key=len, reverse=True)
    )


def translated(said: str, language: str) -> str:
    """What the engine said, in that language where the phrase is known; names in it stay as they are."""
    say = speaker(language)
    if said in words(language):
        return say(said)
    for pattern, phrase in _told(language):
        if match := pattern.fullmatch(said):
            return say(phrase, **match.groupdict())
    return said


def chosen(wanted: str, header: str, default: str) -> str:
    """The language to speak: the one asked for, else the first of `Accept-Language` that we have, else the default."""
    if wanted in LANGUAGES:
        return wanted
    ranked = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, options = part.strip().partition(";")
        quality = options.strip().removeprefix("q=") if options else "1"
        try:
            ranked.append((-float(quality), place, tag.partition("-")[0].lower()))
        except ValueError:
            continue
    known = [language for _, _, language in sorted(ranked) if language in LANGUAGES]
    return known[0] if known else (default if default in LANGUAGES else "en")
