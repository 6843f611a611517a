"""Who speaks when: utterances and pauses, from webrtcvad's frames.

A frame that is a tone is no speech, whatever the detector of voice says, nor is one that is hardly louder than the
line's noise, or far weaker than the voice heard so far: that is the room. Where hardly a frame of the last third of a
second had a pitch, it is the street. It hears weak lines amplified: it was made
for voices of the usual level. An utterance begins with three voiced frames of four (80 ms) and ends with a pause of
200 ms; shorter pauses are within it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import webrtcvad

from dialer.amd.frames import QUIET_DB, RATE_HZ, Frame
from dialer.amd.pitch import pitch

AGGRESSIVENESS = 2
TONAL = 0.93
"""Two lobes with so much of a frame's energy are tones of the network: no voice is that plain."""
PAUSE_S = 0.2
_OF, _VOICED = 4, 3
_SILENT_DB = -75.0
_PITCHED, _PITCHED_OF, _PITCHES = 0.6, 16, 2
"""So alike to itself is a pitched frame; of so many frames, so many have to be."""
_PLAIN = 0.45
"""So alike to itself is a frame whose pitch can be told."""
_FRAME_S = 0.02
_USUAL_DB, _MOST_DB, _FORGETS_DB = -22.0, 24.0, 0.2
"""A voice's usual level, the most a weak one is amplified by, and how much of its loudest is forgotten a frame."""
_ABOVE_NOISE_DB, _NOISE_RISES_DB = 6.0, 0.05
"""Speech is so much louder than the quietest frame of late, which is forgotten by so much a frame."""
_BELOW_VOICE_DB, _VOICE_FALLS_DB = 26.0, 0.04
"""What is so much weaker than the loudest speech so far is somebody else's; by so much a frame that is forgotten."""


@dataclass(slots=True)
class Timeline:
    """`utterances`: (from, until) in seconds from the first block; the last one grows while it is spoken."""

    utterances: list[tuple[float, float]] = field(default_factory=list)
    now_s: float = 0.0
    speaking: bool = False
    pitch_hz: float = 0.0
    """Of the frame just heard, where it is a voice's; 0 where none is plain."""
    alike: float = 0.0
    """How alike that frame is to itself a period later, 0 to 1; 0 where it is no voice's."""

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
    def rest_s(self) -> float:
        """Since the last voiced frame, also while that may still be a gap within an utterance."""
        return self.now_s - self.utterances[-1][1] if self.utterances else 0.0

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
        self._pitched: deque[bool] = deque(maxlen=_PITCHED_OF)
        self._loudest_db = QUIET_DB
        self._noise_db = 0.0
        self._voice_db = QUIET_DB

    def feed(self, pcm: bytes, frame: Frame) -> Timeline:
        """`pcm`: the frame's own 20 ms."""
        self._noise_db = min(max(frame.level_db, _SILENT_DB), self._noise_db + _NOISE_RISES_DB)
        voiced = not frame.is_quiet and frame.tonality < TONAL and self._stands_out(frame) and self._voiced(pcm, frame)
        line = self.timeline
        hz, alike = pitch(frame) if voiced else (0.0, 0.0)
        line.alike = alike
        line.pitch_hz = hz if alike >= _PLAIN else 0.0
        self._pitched.append(alike >= _PITCHED)
        voiced = voiced and sum(self._pitched) >= _PITCHES
        self._recent.append(voiced)
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

    def _stands_out(self, frame: Frame) -> bool:
        self._voice_db -= _VOICE_FALLS_DB
        return frame.level_db >= max(self._noise_db + _ABOVE_NOISE_DB, self._voice_db - _BELOW_VOICE_DB)

    def _voiced(self, pcm: bytes, frame: Frame) -> bool:
        self._loudest_db = max(frame.level_db, self._loudest_db - _FORGETS_DB)
        gain_db = min(_MOST_DB, _USUAL_DB - self._loudest_db)
        if gain_db > 3.0:
            louder = np.frombuffer(pcm, np.int16) * 10.0 ** (gain_db / 20.0)
            pcm = np.clip(louder, -32768, 32767).astype(np.int16).tobytes()
        voiced = bool(self._vad.is_speech(pcm, RATE_HZ))
        if voiced:
            self._voice_db = max(self._voice_db, frame.level_db)
        return voiced
