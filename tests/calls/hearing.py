"""Who hears whom: everybody in a call speaks a tone of his own, and a conversation is what tones reach whom.

tones(ana, TALKERS) == {CALLER_HZ}
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

import numpy as np

from bench.sip_people import AUDIBLE_RMS, Voice, _linear_table
from telephony.softphone import ear
from telephony.softphone.calls import Recording
from tests.callers import Caller
from tests.phone_fixture import tone_wav

LATELY_S = 0.4
RATE_HZ = 8000


class Heard:
    """What a softphone's call hears, as it is recorded, while it says a tone."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    @classmethod
    async def speak(cls, caller: Caller, hz: float, folder: Path) -> Heard:
        """Returns when the call is answered and speaks."""
        call = caller.call
        await call.until("confirmed", timeout_s=30.0)
        await call.play(tone_wav(folder / f"{call.name}-says.wav", hz, seconds=1.0), loop=True)
        return cls(caller.recording)

    def sound(self) -> ear.Sound:
        try:
            return ear.load(self._recording.path)
        except (ValueError, OSError):  # nothing of it has reached the file yet
            return ear.Sound(np.zeros(0), RATE_HZ)

    def lately(self) -> np.ndarray:
        return self.sound().samples[-round(LATELY_S * RATE_HZ) :] * 32768.0


def lately(who: Voice | Heard) -> np.ndarray:
    """What reached somebody in the last moments: nothing, when nothing did."""
    if isinstance(who, Heard):
        return who.lately()
    since_s = asyncio.get_running_loop().time() - LATELY_S
    heard = b"".join(packet for at_s, packet in who.heard if at_s >= since_s)
    return _linear_table()[np.frombuffer(heard, np.uint8)]


def loudness(samples: np.ndarray, hz: float) -> float:
    """RMS of one tone within."""
    if len(samples) < RATE_HZ * LATELY_S / 2:
        return 0.0
    window = np.hanning(len(samples))
    wave = window * np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE_HZ)
    return float(abs(np.sum(samples * wave)) * np.sqrt(2) / np.sum(window))


def tones(who: Voice | Heard, among: Collection[float]) -> set[float]:
    """Which tones somebody hears now."""
    samples = lately(who)
    return {hz for hz in among if loudness(samples, hz) >= AUDIBLE_RMS}


def ever(who: Voice | Heard, hz: float) -> bool:
    """Whether a softphone has heard a tone in any of the moments so far."""
    assert isinstance(who, Heard)
    samples = who.sound().samples * 32768.0
    step = round(LATELY_S * RATE_HZ)
    return any(loudness(samples[at : at + step], hz) >= AUDIBLE_RMS for at in range(0, len(samples), step // 2))
