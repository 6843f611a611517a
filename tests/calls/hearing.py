"""Who hears whom: everybody in a call speaks a tone of his own, and a conversation is what tones reach whom.

`tones(ana, TALKERS) == {CALLER_HZ}`: Ana hears the caller now, and nobody else. To look costs next to nothing, so that
phones which live in the test's own process go on speaking meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from bench.sip_people import AUDIBLE_RMS, PACKET_S, Voice, _linear_table
from telephony.softphone import ear
from telephony.softphone.calls import Recording
from tests.callers import Caller
from tests.phone_fixture import tone_wav

RATE_HZ = 8000
SAMPLES = 3200
"""Looked at: 0.4 s, in which tones 10 Hz apart are told apart."""
SILENT_S = 1.0
"""After so long without a packet somebody hears nothing."""


class Heard:
    """What a softphone's call hears, as it is recorded, while it says a tone."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    @classmethod
    async def speak(cls, caller: Caller, hz: float, folder: Path) -> Heard:
        """Returns when the call is answered and speaks."""
        call = caller.call
        await call.until("confirmed", timeout_s=30.0)
        await call.play(tone_wav(folder / f"{call.name}-says.wav", hz, seconds=1.0), loop=True)
        return cls(caller.recording)

    def lately(self) -> np.ndarray:
        with self.recording.path.open("rb") as file:
            length = file.seek(0, 2)
            file.seek(max(44, length // 2 * 2 - 2 * SAMPLES))
            raw = file.read(2 * SAMPLES)
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(float)

    def ever(self, hz: float) -> bool:
        """Whether a tone has been heard in any of the moments so far."""
        samples = ear.load(self.recording.path).samples * 32768.0
        return any(_rms(samples[at : at + SAMPLES], hz) >= AUDIBLE_RMS for at in range(0, len(samples), SAMPLES // 2))


def tones(who: Voice | Heard, among: Collection[float]) -> set[float]:
    """Which tones somebody hears now."""
    samples = who.lately() if isinstance(who, Heard) else _lately(who)
    return {hz for hz in among if _rms(samples, hz) >= AUDIBLE_RMS}


def _lately(voice: Voice) -> np.ndarray:
    packets = list(islice(reversed(voice.heard), round(SAMPLES / RATE_HZ / PACKET_S)))
    if not packets or packets[0][0] < asyncio.get_running_loop().time() - SILENT_S:
        return np.zeros(0)
    return _linear_table()[np.frombuffer(b"".join(packet for _, packet in reversed(packets)), np.uint8)]


def _rms(samples: np.ndarray, hz: float) -> float:
    """Of one tone. A piece too short to tell is silent."""
    if len(samples) < SAMPLES:
        return 0.0
    return float(abs(np.dot(samples, _probe(hz))))


@cache
def _probe(hz: float) -> np.ndarray:
    window = np.hanning(SAMPLES)
    return window * np.exp(-2j * np.pi * hz * np.arange(SAMPLES) / RATE_HZ) * np.sqrt(2) / np.sum(window)
