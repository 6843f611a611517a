"""The end of a machine's greeting: its beep, or, where none comes, silence after what it said.

A listener: the screener tells who answered; from a machine on it is waited for the moment at which it records.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.live_audio import AudioBlock, Ear, Verdict
from dialer.amd.labels import QUIET, QUIET_S
from dialer.amd.screener import Screener
from dialer.amd.screener import make as make_screener


class Mailbox:
    """`screener`: one that waits for beeps."""

    def __init__(self, screener: Screener) -> None:
        self._screener = screener
        self._is_machine = False

    def hear_with(self, ear: Ear) -> None:
        self._screener.hear_with(ear)

    def feed(self, block: AudioBlock) -> Verdict | None:
        found = self._screener.feed(block)
        if found is not None:
            self._is_machine = self._is_machine or not found.final
            return found
        line = self._screener.timeline
        if self._is_machine and line.pause_s >= QUIET_S:
            told = f"no beep came; it has been quiet for {line.pause_s:.1f} s after its greeting"
            return Verdict(QUIET, 0.7, told, past_s=line.pause_s)
        return None

    def end(self) -> Verdict:
        return self._screener.end()


def make(options: Mapping[str, str]) -> Mailbox:
    """A `ListenerFactory`, with the screener's options. Raises ValueError when one makes no sense."""
    return Mailbox(make_screener({**options, "until_beep": "yes"}))
