"""One contact's wait in one queue.

    WAITING --offered--> OFFERED --answered--> ENDED
       ^____returned_______|   |
       +-- ended ----------+---+--> ENDED

Every stay ends in exactly one `StayEnd`.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class StayState(Enum):
    WAITING = "waiting"
    OFFERED = "offered"
    ENDED = "ended"


class StayEvent(Enum):
    OFFERED = "offered"
    RETURNED = "returned"
    ENDED = "ended"


class StayEnd(Enum):
    """`abandoned`: hung up before connection, ringing included; `short_abandoned`: within the queue's short limit.
    `lost`: our fault."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    SHORT_ABANDONED = "short_abandoned"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    LEFT_BY_KEY = "left_by_key"
    OVERFLOWED = "overflowed"
    CLOSED = "closed"
    LOST = "lost"


_S, _E = StayState, StayEvent

STAY_TABLE: StateTable[StayState, StayEvent] = StateTable(
    thing="stay",
    moves={
        (_S.WAITING, _E.OFFERED): _S.OFFERED,
        (_S.OFFERED, _E.RETURNED): _S.WAITING,
        **every((_S.WAITING, _S.OFFERED), _E.ENDED, _S.ENDED),
    },
    late=frozenset({(_S.ENDED, event) for event in _E} | {(_S.WAITING, _E.RETURNED), (_S.OFFERED, _E.OFFERED)}),
)
