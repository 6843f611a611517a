"""A person who answers: presence, which she chooses, beside assignments, which work gives her.

    LOGGED_OUT --log_in--> NOT_READY <--ready / not_ready--> READY
        ^                      |                               |
        +------- log_out ------+-------------------------------+

Reserved, busy and wrap-up are what presence and assignments look like together on a board. A pause or a logout asked
for during work is pending and taken when the work ends.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class Presence(Enum):
    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"


class PresenceEvent(Enum):
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    READY = "ready"
    NOT_READY = "not_ready"


_S, _E = Presence, PresenceEvent
_THERE = (_S.NOT_READY, _S.READY)

PRESENCE_TABLE: StateTable[Presence, PresenceEvent] = StateTable(
    thing="agent",
    moves={
        (_S.LOGGED_OUT, _E.LOG_IN): _S.NOT_READY,
        **every(_THERE, _E.LOG_OUT, _S.LOGGED_OUT),
        **every(_THERE, _E.READY, _S.READY),
        **every(_THERE, _E.NOT_READY, _S.NOT_READY),
    },
    late=frozenset({(_S.LOGGED_OUT, _E.LOG_OUT), *((state, _E.LOG_IN) for state in _THERE)}),
)
