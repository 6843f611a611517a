"""Real SIP phones for tests.

    async def test_something(softphone, asterisk_node):                  # one phone
        await softphone.register(...)

    async def test_something(softphones):                                # as many as needed
        ana, luis = await softphones(), await softphones(rate_hz=8000)   # arguments of Softphone.start

    here, there = await pair(phone)                                      # a call between two accounts of one phone
    path = tone_wav(tmp_path / "a700.wav", 700.0, seconds=3.0)           # something to say that can be recognised

Every phone has ended, by force if need be, when its test has.
"""

from __future__ import annotations

import contextlib
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone

__all__ = ["Phones", "pair", "softphone", "softphones", "tone_wav"]

Phones = Callable[..., Awaitable[Softphone]]


@pytest.fixture
async def softphones() -> AsyncIterator[Phones]:
    async with contextlib.AsyncExitStack() as running:

        async def another(**options: Any) -> Softphone:
            return await running.enter_async_context(Softphone.start(**options))

        yield another


@pytest.fixture
async def softphone(softphones: Phones) -> Softphone:
    return await softphones()


async def pair(phone: Softphone, **dialling: Any) -> tuple[PhoneCall, PhoneCall]:
    """Ana calls Luis, who picks up at once: both ends of the call."""
    await phone.listen("ana")
    at = await phone.listen("luis")
    await phone.auto_answer(account="luis")
    here = await phone.call(f"sip:luis@{at}", account="ana", **dialling)
    there = await phone.incoming(account="luis")
    await here.until("confirmed")
    await there.until("confirmed")
    return here, there


def tone_wav(path: Path, hz: float, *, seconds: float = 3.0, rate_hz: int = 8000) -> Path:
    """A steady tone at half of full scale. With G.711, choose 300 to 3400 Hz."""
    samples = 0.5 * np.sin(2 * np.pi * hz / rate_hz * np.arange(round(seconds * rate_hz)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return path
