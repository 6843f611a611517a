"""The life of one ARI connection.

    IDLE --connect--> CONNECTING --opened--> OPEN --lost--> WAITING
                          |  ^                 |               |
                   failed |  +-----retry-------+---------------+
                          v                    | replaced
                       WAITING                 v
    any of these --close--> CLOSED          STOLEN

STOLEN is final: somebody connected under our application name, and taking it back would start a war of
reconnections. Whoever owns the connection hears of it and decides.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class ConnectionState(Enum):
    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    STOLEN = "stolen"
    CLOSED = "closed"


class ConnectionEvent(Enum):
    CONNECT = "connect"
    OPENED = "opened"
    FAILED = "failed"
    LOST = "lost"
    RETRY = "retry"
    REPLACED = "replaced"
    CLOSE = "close"


_S, _E = ConnectionState, ConnectionEvent

CONNECTION_TABLE: StateTable[ConnectionState, ConnectionEvent] = StateTable(
    thing="ari connection",
    moves={
        (_S.IDLE, _E.CONNECT): _S.CONNECTING,
        (_S.CONNECTING, _E.OPENED): _S.OPEN,
        (_S.CONNECTING, _E.FAILED): _S.WAITING,
        (_S.OPEN, _E.LOST): _S.WAITING,
        (_S.WAITING, _E.RETRY): _S.CONNECTING,
        (_S.OPEN, _E.REPLACED): _S.STOLEN,
        **every((_S.IDLE, _S.CONNECTING, _S.OPEN, _S.WAITING, _S.STOLEN), _E.CLOSE, _S.CLOSED),
    },
    late=frozenset(
        {(_S.CLOSED, event) for event in ConnectionEvent} | {(_S.STOLEN, _E.LOST), (_S.STOLEN, _E.REPLACED)}
    ),
)
