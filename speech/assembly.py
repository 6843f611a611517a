"""A renderer with its voices and caches, as the engine, the tools and the tests want it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from speech.cache import PromptCache
from speech.client import WorkerSpeaker
from speech.joined import cache_home
from speech.renderer import SpeechRenderer
from speech.speaker import InlineSpeaker, Speaker
from speech.voices import make_voice

VOICES = ("kokoro", "espeak")
_HEAVY = frozenset({"kokoro"})


def make_speakers(voices: Sequence[str] = VOICES, *, in_process: bool = False) -> list[Speaker]:
    """Speakers of these voices in that order, each with a worker process (not started yet) unless `in_process`.

    A heavy voice runs at niceness 10, so that rendering never takes the cores from calls, and is stopped after five
    idle minutes; a light one stays.
    Raises `ValueError` for a name nobody has.
    """
    speakers: list[Speaker] = []
    for name in voices:
        voice = make_voice(name)
        if in_process:
            speakers.append(InlineSpeaker(voice))
        elif name in _HEAVY:
            speakers.append(WorkerSpeaker(voice, niceness=10, idle_s=300.0))
        else:
            speakers.append(WorkerSpeaker(voice, idle_s=None))
    return speakers


def open_renderer(
    *,
    shipped: Path | None = None,
    cache: Path | None = None,
    voices: Sequence[str] = VOICES,
    in_process: bool = False,
    budget_s: float = 0.25,
) -> SpeechRenderer:
    """A renderer over `shipped` (read only, may be missing) and `cache` (default: the user's).

    Close it with `await renderer.close()`. Raises `ValueError` for a voice nobody has.
    """
    home = cache or cache_home() / "prompts"
    return SpeechRenderer(
        make_speakers(voices, in_process=in_process),
        kept=PromptCache(home / "kept"),
        passing=PromptCache(home / "passing"),
        shipped=PromptCache(shipped, read_only=True) if shipped else None,
        budget_s=budget_s,
    )
