"""How a recording ended: Asterisk does not say, what we asked for and have seen does."""

from __future__ import annotations

from typing import Literal

from telephony.control.legs import LegMemory, RecordingMemory

_BEEP_S = 1.5
"""A recording is asked for so long before its first sample, at most: the request, the beep."""


def mostly_missing(recording: RecordingMemory, ended_by: str | None, lasted_s: float, written_s: float) -> bool:
    """Less than half of the time it took has been written."""
    wanted_s = lasted_s - (recording.silence_s if ended_by == "silence" else 0.0)
    return wanted_s - written_s > max(_BEEP_S, wanted_s / 2)


def ended_by_what(
    leg: LegMemory, recording: RecordingMemory, lasted_s: float, written_s: float | None
) -> Literal["digit", "silence", "limit", "hangup", "stopped"] | None:
    """None: nothing of what we know, so it could not go on."""
    if recording.stopped:
        return "stopped"
    if leg.hangup_seen:
        return "hangup"
    if recording.digit_seen:
        return "digit"
    if recording.max_s and lasted_s >= recording.max_s - 0.3:
        return "limit"
    if recording.silence_s and written_s is not None and lasted_s - written_s >= recording.silence_s / 2:
        return "silence"
    return None
