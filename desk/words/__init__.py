"""What the pages say, in each language. English is the key; another language is a file of `key: words` pairs."""

from __future__ import annotations

import json
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
