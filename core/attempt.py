"""One try to reach a lead at one of its numbers.

    STAGED --dial--> DIALING --ringing--> RINGING --answered--> ANSWERED --screen--> SCREENING
      |                | \\___answered_______|_________________->^   |                 |
      |                |                    |                     +--- connect ------+--> CONNECTED
      | blocked        | busy, failed, invalid, machine, fax      | machine, fax     |        | hung_up
      v                v                    v                     v                  v        v
    BLOCKED       the outcome of that name; no_answer          MACHINE, FAX;              COMPLETED
                                                               no_agent -> ABANDONED; hung_up -> CUSTOMER_HUNG_UP
    ANSWERED, SCREENING, CONNECTED --mailbox--> LEAVING_MESSAGE --message_left--> MESSAGE_LEFT
    CONNECTED --machine, fax--> MACHINE, FAX          LEAVING_MESSAGE --anything else that ends it--> MACHINE
    STAGED, DIALING, RINGING --cancel--> CANCELLED                        DIALING --not_sent--> FAILED
    CANCELLED, NO_ANSWER --answered--> ABANDONED

Who answers is reached, whatever we had decided meanwhile: an answer that crosses our hang-up on the wire is an
abandoned call, and so is one we cancel after it was answered. Only that keeps the abandonment ratio honest. `lost` is
for what nobody watched: an attempt that rang while the engine was away failed, one that was answered was abandoned.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class AttemptState(Enum):
    STAGED = "staged"
    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    SCREENING = "screening"
    CONNECTED = "connected"
    LEAVING_MESSAGE = "leaving_message"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    MACHINE = "machine"
    MESSAGE_LEFT = "message_left"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    FAX = "fax"
    INVALID = "invalid"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    CUSTOMER_HUNG_UP = "customer_hung_up"

    @property
    def is_over(self) -> bool:
        return self not in OPEN_ATTEMPTS

    @property
    def is_live(self) -> bool:
        """A person answered: it counts among the live answers of the abandonment ratio."""
        return self in (_S.CONNECTED, _S.COMPLETED, _S.ABANDONED, _S.CUSTOMER_HUNG_UP)


class AttemptEvent(Enum):
    """`screen`: answered, and somebody listens whether it is a person. `no_agent`: nobody for her in time. `mailbox`: a
    machine is to get our message; `message_left`: it was said to its end. `harboured`: the node told her who called,
    for a flow that had her on paper only. `not_sent`: the node refused to dial, so nothing left it."""

    DIAL = "dial"
    RINGING = "ringing"
    ANSWERED = "answered"
    SCREEN = "screen"
    CONNECT = "connect"
    NO_AGENT = "no_agent"
    MACHINE = "machine"
    MAILBOX = "mailbox"
    MESSAGE_LEFT = "message_left"
    FAX = "fax"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    INVALID = "invalid"
    BLOCKED = "blocked"
    CANCEL = "cancel"
    HUNG_UP = "hung_up"
    HARBOURED = "harboured"
    LOST = "lost"


_S, _E = AttemptState, AttemptEvent

OPEN_ATTEMPTS = frozenset(
    {_S.STAGED, _S.DIALING, _S.RINGING, _S.ANSWERED, _S.SCREENING, _S.CONNECTED, _S.LEAVING_MESSAGE}
)
"""The states in which an attempt still occupies its lead and its number."""

_CALLING = (_S.DIALING, _S.RINGING)
_PICKED_UP = (_S.ANSWERED, _S.SCREENING)
_OVER = tuple(state for state in _S if state not in OPEN_ATTEMPTS)
_BEFORE_ANSWER: dict[AttemptEvent, AttemptState] = {
    _E.MACHINE: _S.MACHINE,  # early media can say it before anything is answered
    _E.FAX: _S.FAX,
    _E.NO_ANSWER: _S.NO_ANSWER,
    _E.BUSY: _S.BUSY,
    _E.FAILED: _S.FAILED,
    _E.INVALID: _S.INVALID,
    _E.CANCEL: _S.CANCELLED,
    _E.LOST: _S.FAILED,
}
_AFTER_ANSWER: dict[AttemptEvent, AttemptState] = {
    _E.CONNECT: _S.CONNECTED,
    _E.NO_AGENT: _S.ABANDONED,
    _E.HARBOURED: _S.ABANDONED,
    _E.MACHINE: _S.MACHINE,
    _E.FAX: _S.FAX,
    _E.CANCEL: _S.ABANDONED,
    _E.LOST: _S.ABANDONED,
    _E.HUNG_UP: _S.CUSTOMER_HUNG_UP,
    _E.FAILED: _S.CUSTOMER_HUNG_UP,  # her line broke: she is gone all the same
}
_MOVES: dict[tuple[AttemptState, AttemptEvent], AttemptState] = {
    (_S.STAGED, _E.DIAL): _S.DIALING,
    (_S.STAGED, _E.BLOCKED): _S.BLOCKED,
    (_S.STAGED, _E.CANCEL): _S.CANCELLED,
    (_S.STAGED, _E.INVALID): _S.INVALID,
    (_S.STAGED, _E.LOST): _S.CANCELLED,
    (_S.DIALING, _E.RINGING): _S.RINGING,
    (_S.DIALING, _E.HUNG_UP): _S.FAILED,
    (_S.DIALING, _E.NOT_SENT): _S.FAILED,
    (_S.RINGING, _E.HUNG_UP): _S.NO_ANSWER,
    **every(_CALLING, _E.ANSWERED, _S.ANSWERED),
    **{(state, event): to for state in _CALLING for event, to in _BEFORE_ANSWER.items()},
    (_S.ANSWERED, _E.SCREEN): _S.SCREENING,
    **{(state, event): to for state in _PICKED_UP for event, to in _AFTER_ANSWER.items()},
    **every((*_PICKED_UP, _S.CONNECTED), _E.MAILBOX, _S.LEAVING_MESSAGE),
    (_S.LEAVING_MESSAGE, _E.MESSAGE_LEFT): _S.MESSAGE_LEFT,
    (_S.LEAVING_MESSAGE, _E.FAX): _S.FAX,
    **{(_S.LEAVING_MESSAGE, event): _S.MACHINE for event in (_E.MACHINE, _E.HUNG_UP, _E.FAILED, _E.LOST, _E.CANCEL)},
    (_S.CONNECTED, _E.MACHINE): _S.MACHINE,
    (_S.CONNECTED, _E.FAX): _S.FAX,
    **every((_S.CONNECTED,), _E.HUNG_UP, _S.COMPLETED),
    **every((_S.CONNECTED,), _E.FAILED, _S.COMPLETED),
    **every((_S.CONNECTED,), _E.LOST, _S.COMPLETED),
    (_S.CONNECTED, _E.HARBOURED): _S.ABANDONED,
    **every((_S.CANCELLED, _S.NO_ANSWER), _E.ANSWERED, _S.ABANDONED),
}
_DECISIONS = frozenset({_E.DIAL, _E.SCREEN, _E.CONNECT, _E.BLOCKED})
"""What we decide ourselves: where the table has no move for it, our own view is wrong, and that is refused."""

ATTEMPT_TABLE: StateTable[AttemptState, AttemptEvent] = StateTable(
    thing="attempt",
    moves=_MOVES,
    late=frozenset(
        {(state, event) for state in _OVER for event in _E if event not in _DECISIONS} - _MOVES.keys()
        | {(_S.STAGED, _E.HUNG_UP), (_S.RINGING, _E.RINGING)}
        | {
            (state, event)
            for state in (*_PICKED_UP, _S.LEAVING_MESSAGE)
            for event in (_E.RINGING, _E.ANSWERED, _E.NO_ANSWER, _E.BUSY)
        }
        | {
            (_S.CONNECTED, event)
            for event in (
                *(_E.RINGING, _E.ANSWERED, _E.NO_ANSWER, _E.BUSY),
                *(_E.NO_AGENT, _E.CANCEL),
            )
        }
        | {(state, _E.CONNECT) for state in (_S.CUSTOMER_HUNG_UP, _S.ABANDONED)}  # she left while the agent was coming
        | {(_S.CUSTOMER_HUNG_UP, _E.SCREEN), (_S.LEAVING_MESSAGE, _E.NO_AGENT), (_S.LEAVING_MESSAGE, _E.CONNECT)}
    ),
)
