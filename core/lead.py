"""One person on a list, from import to her last word.

    NEW --stage--> STAGED --dial--> DIALING --retry--> WAITING --stage--> STAGED
                     |                 |  \\--callback--> CALLBACK --stage--> STAGED
                     | unstage         |--finished--> DONE
                     v                 +--exhausted--> EXHAUSTED
                  WAITING
    NEW, STAGED, WAITING, CALLBACK, DIALING --block--> BLOCKED --unblock--> WAITING
    every state --opt_out--> DONE                     DONE, EXHAUSTED, BLOCKED --reopen--> NEW
    every state but BLOCKED --callback--> CALLBACK

A lead is in one hand only: `dial` is legal from STAGED alone and never late, so nobody can dial her twice. The reasons
(`done` why, `blocked` by which rule, `waiting` until when) stand beside the state, in `Lead`. After an opt-out nothing
moves her but `reopen`: a new consent, and `callback`, for who asks to be called herself.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from core.frozen import dataclass
from core.table import StateTable, Transition, every


class LeadState(Enum):
    NEW = "new"
    STAGED = "staged"
    DIALING = "dialing"
    WAITING = "waiting"
    CALLBACK = "callback"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    DONE = "done"


class LeadEvent(Enum):
    """`unstage`: taken out of the hopper undialed. `exhausted`: every number, or every permitted try, is used up."""

    STAGE = "stage"
    UNSTAGE = "unstage"
    DIAL = "dial"
    RETRY = "retry"
    CALLBACK = "callback"
    FINISHED = "finished"
    EXHAUSTED = "exhausted"
    BLOCK = "block"
    UNBLOCK = "unblock"
    OPT_OUT = "opt_out"
    REOPEN = "reopen"


_S, _E = LeadState, LeadEvent
_IDLE = (_S.NEW, _S.WAITING, _S.CALLBACK)
_OPEN = (*_IDLE, _S.STAGED, _S.DIALING)
_RESTING = (_S.DONE, _S.EXHAUSTED, _S.BLOCKED)
_AFTER_A_TRY = (_E.RETRY, _E.FINISHED, _E.EXHAUSTED)

LEAD_TABLE: StateTable[LeadState, LeadEvent] = StateTable(
    thing="lead",
    moves={
        **every(_IDLE, _E.STAGE, _S.STAGED),
        (_S.STAGED, _E.DIAL): _S.DIALING,
        **every((_S.STAGED,), _E.UNSTAGE, _S.WAITING),
        **every((_S.STAGED, _S.DIALING), _E.RETRY, _S.WAITING),
        (_S.DIALING, _E.FINISHED): _S.DONE,
        **every((_S.DIALING, _S.STAGED, _S.WAITING), _E.EXHAUSTED, _S.EXHAUSTED),
        **every(_OPEN, _E.BLOCK, _S.BLOCKED),
        (_S.BLOCKED, _E.UNBLOCK): _S.WAITING,
        **every((*_OPEN, _S.EXHAUSTED, _S.DONE), _E.CALLBACK, _S.CALLBACK),
        **every(tuple(_S), _E.OPT_OUT, _S.DONE),
        **every(_RESTING, _E.REOPEN, _S.NEW),
    },
    late=frozenset(
        {(state, event) for state in _RESTING for event in (*_AFTER_A_TRY, _E.UNSTAGE)}
        | {(state, _E.BLOCK) for state in _RESTING}
        | {(state, _E.UNBLOCK) for state in (*_OPEN, _S.DONE, _S.EXHAUSTED)}
        | {(state, _E.UNSTAGE) for state in _IDLE}
        # A callback promised during the conversation is there before its attempt is over.
        | {(_S.CALLBACK, event) for event in _AFTER_A_TRY}
    ),
)


@dataclass(frozen=True, slots=True)
class Lead:
    """`reason`: why done, or the rule that blocks. `not_before_s`: when waiting or a callback is due (UTC seconds).
    `attempts`: how often she was dialed."""

    lead_id: str
    state: LeadState = LeadState.NEW
    reason: str = ""
    not_before_s: float = 0.0
    attempts: int = 0

    @property
    def is_accounted_for(self) -> bool:
        """Nothing remains to be done with her."""
        return self.state in _RESTING


def advance_lead(
    lead: Lead, event: LeadEvent, reason: str = "", not_before_s: float = 0.0
) -> tuple[Lead, Transition | None]:
    """The lead after `event` (the very same object when late) and the transition to log.

    Raises:
        EventRefused: the event cannot happen in this state; above all a second `dial`.
    """
    state, transition = LEAD_TABLE.advance(lead.lead_id, lead.state, event)
    if (lead.state, event) in LEAD_TABLE.late:
        return lead, None
    tries = lead.attempts + (event is LeadEvent.DIAL)
    return replace(lead, state=state, reason=reason, not_before_s=not_before_s, attempts=tries), transition
