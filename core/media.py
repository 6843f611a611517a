"""What a person hears, before anybody knows which file it will be."""

from __future__ import annotations

from core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Sound:
    """A recorded sound by name (`welcome`, `vm-intro`), in `language` (`es`, `en`, `es-AR`)."""

    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Speech:
    """Words to be spoken in `language`; `voice` empty means the language's own."""

    text: str
    language: str
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing, for `duration_s` seconds."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Tone:
    """A signal by name: `beep`, `busy`, `ringback`, `congestion`."""

    name: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What this caller has just recorded, neither kept nor discarded yet."""

    recording_id: str


Part = Sound | Speech | Silence | Tone | Recorded
