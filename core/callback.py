"""A callback: a caller who keeps her place in a queue while her line is free.

    AGREED --hung_up--> WAITING --dial--> CALLING --answered--> BACK --reached--> REACHED
      |                  ^ ^ \\___rang_back______|_________________^ |
      |                  | |___________failed____|                  |
      |                  |______________________hung_up_____________|
      +-- she stays: CANCELLED
    WAITING --expired--> EXPIRED, --refused--> REFUSED (nobody may call her number)
    WAITING, CALLING, BACK --gave_up--> GIVEN_UP: called as often as may be

AGREED: her number is confirmed and she is on the line still. BACK: she is on the line again, by our call or her own.
She has the same stay in the router throughout: live while on the line, virtual while not.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class CallbackState(Enum):
    AGREED = "agreed"
    WAITING = "waiting"
    CALLING = "calling"
    BACK = "back"
    REACHED = "reached"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    GIVEN_UP = "given_up"

    @property
    def is_open(self) -> bool:
        return self in OPEN_CALLBACKS

    @property
    def is_away(self) -> bool:
        """She waits without being on the line."""
        return self in (_S.WAITING, _S.CALLING)


class CallbackEvent(Enum):
    """`failed`: our call did not reach her, another will; `gave_up`: none will."""

    HUNG_UP = "hung_up"
    DIAL = "dial"
    ANSWERED = "answered"
    RANG_BACK = "rang_back"
    REACHED = "reached"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    GAVE_UP = "gave_up"


_S, _E = CallbackState, CallbackEvent
OPEN_CALLBACKS = frozenset({_S.AGREED, _S.WAITING, _S.CALLING, _S.BACK})
_OVER = tuple(state for state in _S if state not in OPEN_CALLBACKS)

CALLBACK_TABLE: StateTable[CallbackState, CallbackEvent] = StateTable(
    thing="callback",
    moves={
        (_S.AGREED, _E.HUNG_UP): _S.WAITING,
        (_S.WAITING, _E.DIAL): _S.CALLING,
        (_S.WAITING, _E.EXPIRED): _S.EXPIRED,
        (_S.WAITING, _E.REFUSED): _S.REFUSED,
        (_S.CALLING, _E.ANSWERED): _S.BACK,
        (_S.CALLING, _E.FAILED): _S.WAITING,
        **every((_S.WAITING, _S.CALLING), _E.RANG_BACK, _S.BACK),
        **every((_S.WAITING, _S.CALLING, _S.BACK), _E.GAVE_UP, _S.GIVEN_UP),
        **every((_S.AGREED, _S.WAITING, _S.CALLING, _S.BACK), _E.CANCELLED, _S.CANCELLED),
        (_S.BACK, _E.HUNG_UP): _S.WAITING,
        (_S.BACK, _E.REACHED): _S.REACHED,
    },
    late=frozenset({(state, event) for state in _OVER for event in _E}),
)
