"""One customer contact on one channel. It outlives any leg.

    CREATED --flow--> IN_FLOW --queue--> QUEUED --connect--> CONNECTED --transfer--> TRANSFERRING
       |                 ^  ^_____flow_____|  \\--callback--> CALLBACK_WAITING   |          |
       |                 |_______________________flow__________________________|__________|
       |       a caller of a callback goes from IN_FLOW or QUEUED to CALLBACK_WAITING, and back to QUEUED when she is on
       |       the line again
       +-- close, from every state --> CLOSED

`flow` is legal from every open state: a queue's overflow, a refused transfer and a survey all lead back
into a flow. Whom we called is CREATED until she answers, and may be QUEUED at once.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class InteractionState(Enum):
    CREATED = "created"
    IN_FLOW = "in_flow"
    QUEUED = "queued"
    CALLBACK_WAITING = "callback_waiting"
    CONNECTED = "connected"
    TRANSFERRING = "transferring"
    CLOSED = "closed"


class InteractionEvent(Enum):
    FLOW = "flow"
    QUEUE = "queue"
    CALLBACK = "callback"
    CONNECT = "connect"
    TRANSFER = "transfer"
    CLOSE = "close"


_S, _E = InteractionState, InteractionEvent
_OPEN = tuple(state for state in _S if state is not _S.CLOSED)

INTERACTION_TABLE: StateTable[InteractionState, InteractionEvent] = StateTable(
    thing="interaction",
    moves={
        **every(_OPEN, _E.FLOW, _S.IN_FLOW),
        **every((_S.CREATED, _S.IN_FLOW, _S.TRANSFERRING, _S.CONNECTED, _S.CALLBACK_WAITING), _E.QUEUE, _S.QUEUED),
        **every((_S.IN_FLOW, _S.QUEUED), _E.CALLBACK, _S.CALLBACK_WAITING),
        **every((_S.QUEUED, _S.CALLBACK_WAITING, _S.TRANSFERRING), _E.CONNECT, _S.CONNECTED),
        **every((_S.IN_FLOW, _S.CONNECTED), _E.TRANSFER, _S.TRANSFERRING),
        **every(_OPEN, _E.CLOSE, _S.CLOSED),
    },
    late=frozenset({(_S.CLOSED, event) for event in _E}),
)
