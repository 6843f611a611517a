"""What a media worker gives the listeners that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core.live_audio import AudioBlock, Ear, ListenerKind, Verdict
from telephony.live_audio.messages import Begin
from telephony.live_audio.worker import Worker

MADE: list[Any] = []


class Deaf:
    """Wants no words."""

    def __init__(self, options: Mapping[str, str]) -> None:
        MADE.append(self)

    def feed(self, block: AudioBlock) -> Verdict | None:
        return None

    def end(self) -> Verdict:
        return Verdict("not_sure")


class Reader(Deaf):
    ear: Ear | None = None

    def hear_with(self, ear: Ear) -> None:
        self.ear = ear


class NoEar:
    """Hears nothing."""

    def ask(self, pcm: bytes, rate_hz: int, language: str) -> None: ...

    def answer(self) -> str | None:
        return None


@pytest.mark.parametrize("with_ears", [True, False])
async def test_listeners_that_want_words_get_an_ear_of_their_own_where_there_are_any(with_ears: bool) -> None:
    MADE.clear()
    kinds = {name: ListenerKind(f"{__name__}:{name}") for name in ("Deaf", "Reader")}
    worker = Worker(kinds, ear=NoEar if with_ears else None)
    worker.load()
    for number, name in enumerate(("Deaf", "Reader", "Reader")):
        worker._begin(Begin(number, f"leg-{number}", name, "rtp", 8000, 5.0))
    deaf, one, other = MADE
    assert type(deaf) is Deaf
    assert (one.ear is not None) == (other.ear is not None) == with_ears
    assert not with_ears or one.ear is not other.ear
    worker._drop_all()
    for task in list(worker._tasks):
        await task
