"""Which of the languages that are spoken serves a caller's language tag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_LATIN_AMERICA: Final = frozenset(
    "AR BO CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV US UY VE".split()  # noqa: SIM905
)
_BRITISH: Final = frozenset({"GB", "IE", "AU", "NZ", "ZA"})


def normal_tag(language: str) -> str:
    """`es_ar` -> `es-AR`. Raises `ValueError` for what is no language tag."""
    tag = re.fullmatch(r"([a-zA-Z]{2,3})(?:[-_]([a-zA-Z]{2}|[0-9]{3}))?", language.strip())
    if tag is None:
        raise ValueError(f"{language!r} is not a language tag: write it like es, es-AR or en-GB")
    return tag[1].lower() + (f"-{tag[2].upper()}" if tag[2] else "")


def choices(language: str, spoken: Iterable[str]) -> tuple[str, ...]:
    """The tags among `spoken` that a caller of `language` understands, the nearest first; () when there is none.

    `es-AR` takes Latin American Spanish before Castilian, `en-AU` British before American English, and a tag
    without region what comes first among `spoken`.
    """
    wanted = normal_tag(language)
    base, _, region = wanted.partition("-")
    known = [tag for tag in spoken if tag.partition("-")[0] == base]
    relatives = {wanted: 0}
    if base == "es" and region in _LATIN_AMERICA:
        relatives["es-419"] = 1
    if base == "en" and region in _BRITISH:
        relatives["en-GB"] = 1
    return tuple(sorted(known, key=lambda tag: relatives.get(tag, 2 if tag == base else 3)))
