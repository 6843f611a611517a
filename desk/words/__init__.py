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
def _told(language: str) -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """What the engine says: whole sentences, and those that name something, as patterns, the longest first."""
    path = _FOLDER / f"{language}.engine.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    naming = sorted((phrase for phrase in found if "{" in phrase), key=len, reverse=True)
    patterns = tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(phrase))), found[phrase]) for phrase in naming
    )
    return found, patterns


def translated(said: str, language: str) -> str:
    """What the engine said, in that language where its words are known; names and numbers in it stay as they are."""
    whole, patterns = _told(language)
    if (same := whole.get(said) or words(language).get(said)) is not None:
        return same
    parts = _parts(said)
    for pattern, phrase in patterns:
        if match := pattern.fullmatch(said) if len(parts) == 1 or "; " in phrase else None:
            named = {name: _within(name, text, language) for name, text in match.groupdict().items()}
            return phrase.format(**named)
    if len(parts) > 1:
        return "; ".join(translated(part, language) for part in parts)
    sentence, opened, source = said.partition(" (")
    return f"{translated(sentence, language)} ({source}" if opened and said.endswith(")") else said


def _parts(said: str) -> list[str]:
    """What stands side by side, with `; ` between; within parentheses it is part of a source."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(said):
        depth += (sign == "(") - (sign == ")")
        if depth <= 0 and place >= start and said.startswith("; ", place):
            parts.append(said[start:place])
            start = place + 2
    return [*parts, said[start:]]


def _within(name: str, text: str, language: str) -> str:
    """What stands in a sentence: a sentence of its own, a word that is known, or what it is in any language."""
    if name == "then" or (name == "why" and " " in text):
        return translated(text, language)
    if name == "time":  # a length, whose unit is a word
        number, _, unit = text.rpartition(" ")
        return f"{number} {_told(language)[0].get(unit, unit)}".strip()
    return _told(language)[0].get(text, text) if name in ("who", "day") else text


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
