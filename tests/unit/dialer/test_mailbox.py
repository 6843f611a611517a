"""When a machine's greeting is over: its beep, or silence."""

from __future__ import annotations

import numpy as np
import pytest

from core.live_audio import AudioBlock, Verdict
from dialer.amd.frames import BLOCK
from dialer.amd.screener import Screener
from dialer.mailbox import QUIET_S, Mailbox, make
from tests.unit.dialer.amd_sounds import Sound, silence, tone, voice


def heard(mailbox: Mailbox, *parts: Sound) -> list[tuple[float, Verdict]]:
    """Each verdict with the seconds heard until it; nothing is heard after a final one."""
    samples = (np.concatenate(parts) * 32767).astype(np.int16)
    told: list[tuple[float, Verdict]] = []
    for n in range(len(samples) // BLOCK):
        found = mailbox.feed(AudioBlock("leg-1", n * 0.02, n, samples[n * BLOCK : (n + 1) * BLOCK].tobytes()))
        if found is not None:
            told.append(((n + 1) * 0.02, found))
            if found.final:
                break
    return told


def test_the_beep_ends_the_greeting() -> None:
    told = heard(make({}), silence(0.3), voice(7.0), silence(0.3), tone(1000, 0.3), silence(2.0))
    assert [(found.label, found.final) for _, found in told] == [("machine", False), ("beep", True)]


def test_where_no_beep_comes_silence_does() -> None:
    told = heard(make({}), silence(0.3), voice(7.0), silence(8.0))
    assert [found.label for _, found in told] == ["machine", "quiet"]
    assert told[-1][0] == pytest.approx(7.3 + QUIET_S, abs=0.4)
    assert "no beep came" in told[-1][1].evidence


def test_a_person_waits_and_is_no_mailbox() -> None:
    told = heard(make({}), silence(0.3), voice(0.8), silence(5.0))
    assert [found.label for _, found in told] == ["human"]


def test_options_are_the_screeners() -> None:
    with pytest.raises(ValueError, match="limit_s"):
        make({"limit_s": "99"})
    mailbox = Mailbox(Screener(until_beep=True))
    assert mailbox.end().label == "not_sure"
