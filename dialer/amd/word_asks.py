"""When a recogniser is asked what somebody has said, and what is known of it by now.

Asked is in a pause after enough new words, and while somebody speaks on and on; a few times a call at most, once at a
time. Until an answer comes, or is late, whoever has said more than a hello is not called a person.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from core.live_audio import BLOCK_S, Ear
from dialer.amd.frames import RATE_HZ
from dialer.amd.speech import Timeline
from dialer.amd.words import UNKNOWN, Said, read

IN_PAUSE_S: Final = 0.8
"""So much new speech is worth asking about at its end..."""
PAUSE_S: Final = 0.12
"""... which is a rest so long..."""
SPEAKING_S: Final = 1.8
"""... and so much in the middle of it."""
MOST_ASKS: Final = 4
LATE_S: Final = 0.8
"""Nobody waits longer for an answer, in seconds of the audio."""
LONGEST_S: Final = 8.0
"""What was said last, for the recogniser."""
_BEFORE_S: Final = 0.2
"""And so much before the voice was noticed."""


class WordAsks:
    """`feed` takes every block since the answer. `said`: what is known; `waits`: an answer is about to come."""

    def __init__(self, ear: Ear | None, language: str) -> None:
        self.said = UNKNOWN
        self._ear, self._language = ear, language
        self._kept: deque[bytes] = deque(maxlen=round(LONGEST_S / BLOCK_S))
        self._asks, self._asked_spoken_s = 0, 0.0
        self._asked_s: float | None = None
        self.waits = False
        self.told: list[tuple[float, Said]] = []
        """When each answer came, and what it was."""

    def feed(self, pcm: bytes, line: Timeline) -> None:
        if self._ear is None:
            return
        self._keep(pcm, line)
        text = self._ear.answer()
        if text is not None:
            found = read(text, self._language)
            self.said = self.said if found == UNKNOWN else found
            self._asked_s = None
            self.told.append((line.now_s, found))
        elif self._asked_s is not None and line.now_s - self._asked_s >= LATE_S:
            self._asked_s = None
        self.waits = self._asked_s is not None
        new_s = line.spoken_s - self._asked_spoken_s
        worth = new_s >= SPEAKING_S or (new_s >= IN_PAUSE_S and line.rest_s >= PAUSE_S - 1e-6)
        if worth and not self.waits and self._asks < MOST_ASKS:
            self._asks += 1
            self._asked_spoken_s, self._asked_s, self.waits = line.spoken_s, line.now_s, True
            self._ear.ask(b"".join(self._kept), RATE_HZ, self._language)

    def _keep(self, pcm: bytes, line: Timeline) -> None:
        self._kept.append(pcm)
        if not line.utterances:
            while len(self._kept) * BLOCK_S > _BEFORE_S + PAUSE_S:
                self._kept.popleft()
