"""What is said when a line is answered, from `texts.yaml`: texts of the two sides, in an order that never changes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import yaml

Side = Literal["train", "test"]
Kind = Literal["short", "business", "voicemail", "network", "screener"]
PEOPLE: tuple[Kind, ...] = ("short", "business")
WAIT = "~"
"""The mark of a longer wait before a sentence."""
_FILLINGS = {"train": {"business": 3, "voicemail": 2}, "test": {"business": 2, "voicemail": 2}}
"""How often a text with a name or a firm in it is filled; once when not said."""


@dataclass(frozen=True, slots=True)
class Text:
    """`sentences`: as spoken; one that begins with `WAIT` comes after a longer wait. `short` and `business` are people,
    all others machines."""

    side: Side
    kind: Kind
    language: str
    sentences: tuple[str, ...]
    pattern: str = ""
    """What it was before names were filled in: texts of one pattern are hardly two."""
    later: bool = False
    """Of those written after voices had been given to the others, which keep theirs."""

    @property
    def is_person(self) -> bool:
        return self.kind in PEOPLE

    @property
    def is_hello(self) -> bool:
        """One short question or word: what most people say first."""
        return self.kind == "short" and len(self.sentences) == 1 and len(self.sentences[0].split()) <= 2

    @property
    def name(self) -> str:
        """The same in every run, and in file names."""
        return sha256("|".join(self.sentences).encode()).hexdigest()[:8]


def texts(side: Side) -> list[Text]:
    """Those that came later follow."""
    every = yaml.safe_load(Path(__file__).with_name("texts.yaml").read_text(encoding="utf-8"))
    found = _filled(every[side], side, _FILLINGS[side])
    if side == "train":
        known = {text.name for text in found}
        found += [replace(text, later=True) for text in _filled(every["more"], side, {}) if text.name not in known]
    return found


def _filled(kept: Mapping[str, Any], side: Side, fillings: Mapping[str, int]) -> list[Text]:
    dice = random.Random(11)
    found: dict[str, Text] = {}
    for kind in ("short", "business", "voicemail", "network", "screener"):
        for language, patterns in kept[kind].items():
            for pattern in patterns:
                for _ in range(fillings.get(kind, 1) if "{" in pattern else 1):
                    words = pattern.replace(WAIT, "|" + WAIT).format(
                        name=dice.choice(kept["names"][language]), firm=dice.choice(kept["firms"][language])
                    )
                    text = Text(side, kind, language, tuple(words.split("|")), pattern)
                    found.setdefault(text.name, text)
    return [found[name] for name in sorted(found)]
