"""Who speaks when: utterances and pauses, from webrtcvad's frames.

A frame that is a tone is no speech, whatever the detector of voice says. It hears weak lines amplified: it was made for
voices of the usual level. An utterance begins with three voiced frames
of four (80 ms) and ends with a pause of 200 ms; shorter pauses are within it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import webrtcvad

from dialer.amd.frames import QUIET_DB, RATE_HZ, Frame

AGGRESSIVENESS = 2
TONAL = 0.93
"""Two lobes with so much of a frame's energy are tones of the network: no voice is that plain."""
PAUSE_S = 0.2
_OF, _VOICED = 4, 3
_FRAME_S = 0.02
_USUAL_DB, _MOST_DB, _FORGETS_DB = -22.0, 24.0, 0.2
"""A voice's usual level, the most a weak one is amplified by, and how much of its loudest is forgotten a frame."""


@dataclass(slots=True)
class Timeline:
    """`utterances`: (from, until) in seconds from the first block; the last one grows while it is spoken."""

    utterances: list[tuple[float, float]] = field(default_factory=list)
    now_s: float = 0.0
    speaking: bool = False

    @property
    def spoken_s(self) -> float:
        """In all."""
        return sum(until - since for since, until in self.utterances)

    @property
    def onset_s(self) -> float | None:
        return self.utterances[0][0] if self.utterances else None

    @property
    def pause_s(self) -> float:
        """Since anybody last spoke; 0 before anybody did, and while somebody does."""
        return 0.0 if self.speaking or not self.utterances else self.now_s - self.utterances[-1][1]

    @property
    def last_s(self) -> float:
        """The last utterance's length."""
        since, until = self.utterances[-1] if self.utterances else (0.0, 0.0)
        return until - since


class SpeechDetector:
    def __init__(self) -> None:
        self.timeline = Timeline()
        self._vad = webrtcvad.Vad(AGGRESSIVENESS)
        self._recent: deque[bool] = deque(maxlen=_OF)
        self._loudest_db = QUIET_DB

    def feed(self, pcm: bytes, frame: Frame) -> Timeline:
        """`pcm`: the frame's own 20 ms."""
        voiced = not frame.is_quiet and frame.tonality < TONAL and self._voiced(pcm, frame)
        self._recent.append(voiced)
        line = self.timeline
        line.now_s = frame.at_s
        if line.speaking:
            since, until = line.utterances[-1]
            if voiced:
                line.utterances[-1] = (since, frame.at_s)
            elif frame.at_s - until >= PAUSE_S:
                line.speaking = False
        elif sum(self._recent) >= _VOICED:
            first = next(n for n, one in enumerate(self._recent) if one)
            since = frame.at_s - (len(self._recent) - first) * _FRAME_S
            line.utterances.append((max(0.0, since), frame.at_s))
            line.speaking = True
        return line

    def _voiced(self, pcm: bytes, frame: Frame) -> bool:
        self._loudest_db = max(frame.level_db, self._loudest_db - _FORGETS_DB)
        gain_db = min(_MOST_DB, _USUAL_DB - self._loudest_db)
        if gain_db > 3.0:
            louder = np.frombuffer(pcm, np.int16) * 10.0 ** (gain_db / 20.0)
            pcm = np.clip(louder, -32768, 32767).astype(np.int16).tobytes()
        return bool(self._vad.is_speech(pcm, RATE_HZ))
