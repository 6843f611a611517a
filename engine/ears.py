"""Words for listeners: one recogniser for a whole media worker, in a thread of its own that no leg waits for.

Who asked last is heard first: the others may be late anyway. What has waited for too long is dropped, so an
overloaded recogniser costs words and nothing else. Nothing that was recognised is logged.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.live_audio import BLOCK_S, Ear
from speech.errors import RecogniserUnavailable
from speech.ports import Audio, Recogniser

log = logging.getLogger("centralita.media_worker")

NICE: Final = 10
LATE_S: Final = 0.6
"""What nobody began with for so long is not begun with any more."""


def loaded(recogniser: Recogniser) -> Recogniser:
    """The same, with its model in memory. Raises `RecogniserUnavailable` when library or model is missing."""
    recogniser.recognise(Audio(np.zeros(4000, np.int16), 8000), "en")
    return recogniser


def _humbly(load: Callable[[], Recogniser]) -> Recogniser:
    """Threads that a model's library starts while it is loaded give way to everything else on this machine: words may
    be late, legs may not. Who asks keeps her priority: she holds Python's lock now and then."""

    def work() -> Recogniser:
        with contextlib.suppress(OSError):
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, max(NICE, os.getpriority(os.PRIO_PROCESS, own)))
        return load()

    with ThreadPoolExecutor(1, "load") as pool:
        return pool.submit(work).result()


@dataclass(frozen=True, slots=True)
class _Asked:
    ear: _LegEar
    number: int
    audio: Audio
    language: str
    at_s: float


class Ears:
    """Construction loads the model. `now_s`: a clock that only advances.

    Raises:
        RecogniserUnavailable: library or model is missing.
    """

    def __init__(self, recogniser: Recogniser, now_s: Callable[[], float] = time.monotonic) -> None:
        self._recogniser, self._now_s = _humbly(lambda: loaded(recogniser)), now_s
        self._waiting: list[_Asked] = []
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="ears", daemon=True)
        self._thread.start()

    def ear(self) -> Ear:
        """One leg's."""
        return _LegEar(self)

    def close(self) -> None:
        """Returns when what it hears just now has been heard."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def take(self, asked: _Asked) -> None:
        """What the same leg asked before, and what is late by now, is dropped."""
        with self._news:
            since_s = asked.at_s - LATE_S
            kept = [one for one in self._waiting if one.ear is not asked.ear and one.at_s >= since_s]
            self._waiting = [*kept, asked]
            self._news.notify()

    def now_s(self) -> float:
        return self._now_s()

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                asked = self._waiting.pop()
            if self._now_s() - asked.at_s > LATE_S:
                continue
            try:
                text = self._recogniser.recognise(asked.audio, asked.language).text
            except (RecogniserUnavailable, ValueError, RuntimeError) as problem:
                log.warning("no words are recognised for this leg: %s", type(problem).__name__)
                continue
            asked.ear.heard(asked.number, text)


class _LegEar:
    """Keeps `core.live_audio.Ear`. The thread appends, the loop takes."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._number = 0
        self._answers: deque[tuple[int, str]] = deque(maxlen=1)

    def ask(self, pcm: bytes, rate_hz: int, language: str) -> None:
        self._number += 1
        audio = Audio(np.frombuffer(pcm, np.int16), rate_hz)
        self._ears.take(_Asked(self, self._number, audio, language, self._ears.now_s()))

    def answer(self) -> str | None:
        if not self._answers:
            return None
        number, text = self._answers.popleft()
        return text if number == self._number else None

    def heard(self, number: int, text: str) -> None:
        self._answers.append((number, text))


class PatientEar:
    """For recordings: hears at once, and answers as late as it would live. Keeps `core.live_audio.Ear`, asked for its
    answer once a block. `cost_s`: seconds of the processor, of every time it was asked."""

    def __init__(self, recogniser: Recogniser, late_s: float = 0.4) -> None:
        self.cost_s: list[float] = []
        self._recogniser, self._late = recogniser, round(late_s / BLOCK_S)
        self._text: str | None = None
        self._blocks = 0

    def ask(self, pcm: bytes, rate_hz: int, language: str) -> None:
        began_s = time.process_time()
        self._text = self._recogniser.recognise(Audio(np.frombuffer(pcm, np.int16), rate_hz), language).text
        self.cost_s.append(time.process_time() - began_s)
        self._blocks = 0

    def answer(self) -> str | None:
        self._blocks += 1
        if self._text is None or self._blocks < self._late:
            return None
        found, self._text = self._text, None
        return found
