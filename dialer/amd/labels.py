"""What may answer a line, and what each of it means for a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

HUMAN: Final = "human"
MACHINE: Final = "machine"
"""A recorded greeting is being played."""
BEEP: Final = "beep"
"""The greeting is over: the machine records from now on."""
FAX: Final = "fax"
SIT: Final = "sit"
BUSY: Final = "busy"
RINGBACK: Final = "ringback"
CONGESTION: Final = "congestion"
SILENCE: Final = "silence"
"""Nobody is heard for so long that it is hardly a person, or that she cannot be kept waiting. Goes to a person too."""
NOT_SURE: Final = "not_sure"
"""Goes to a person."""

QUIET: Final = "quiet"
"""A machine's greeting is over and no beep was heard: it may record."""
QUIET_S = 2.5
"""Longer than machines pause between sentences, and before their beep."""

Label = Literal["human", "machine", "beep", "fax", "sit", "busy", "ringback", "congestion", "silence", "not_sure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector says. `at_s`: from the first block; `confidence` 0 to 1; `evidence`: in words; `past_s`: how
    long before that the greeting ended, where one did."""

    label: Label
    at_s: float
    confidence: float
    evidence: str
    past_s: float = 0.0
