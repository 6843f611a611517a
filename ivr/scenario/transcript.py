"""What happened in a scenario, line by line: heard, done, decided, ordered."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.commands import Command
from core.decisions import Decision
from core.media import Part, Recorded, Silence, Sound, Speech, Tone


class Heard(msgspec.Struct):
    """One playback. `cut`: a key or the flow silenced it before its end."""

    at_s: float
    parts: tuple[Part, ...]
    cut: bool = False

    def text(self) -> str:
        return " ".join(map(said, self.parts))


class Did(msgspec.Struct, frozen=True):
    """Something the caller did: `press 1`, `silence 6`, `hang up`."""

    at_s: float
    what: str


class Decided(msgspec.Struct, frozen=True):
    at_s: float
    decision: Decision


class Ordered(msgspec.Struct, frozen=True):
    at_s: float
    command: Command


Line = Heard | Did | Decided | Ordered


def said(part: Part) -> str:
    """A part in words: what a test compares, what a transcript shows."""
    match part:
        case Speech():
            return part.text
        case Sound():
            return f"♪ {part.name}"
        case Tone():
            return f"({part.name})"
        case Silence():
            return f"(silence {part.duration_s:g} s)"
        case Recorded():
            return "(the recording)"


def length_s(parts: Sequence[Part]) -> float:
    """About how long it takes to hear them."""
    total_s = 0.0
    for part in parts:
        if type(part) is Speech:
            total_s += 0.3 + 0.06 * len(part.text)
        elif type(part) is Silence:
            total_s += part.duration_s
        else:
            total_s += 2.0
    return total_s
