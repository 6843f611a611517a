"""One agent's work on one interaction.

    OFFERED --accept--> ACTIVE <--hold / resume--> HELD
       |                  |  <--consult / consult_ended--> CONSULTING
       | withdrawn        |
       | reject           | ended (from ACTIVE, HELD, CONSULTING)
       | rona             v
       | unreachable    WRAP_UP --finished--> DONE
       +--------------------------------------> DONE

`ended`: the agent's part of the conversation is over, whoever ended it. Who leaves first, the customer or the agent's
patience, is settled here: `withdrawn` is legal in every state, and an acceptance that crosses it is late.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class AssignmentState(Enum):
    OFFERED = "offered"
    ACTIVE = "active"
    HELD = "held"
    CONSULTING = "consulting"
    WRAP_UP = "wrap_up"
    DONE = "done"


class AssignmentEvent(Enum):
    ACCEPT = "accept"
    REJECT = "reject"
    RONA = "rona"
    UNREACHABLE = "unreachable"
    WITHDRAWN = "withdrawn"
    HOLD = "hold"
    RESUME = "resume"
    CONSULT = "consult"
    CONSULT_ENDED = "consult_ended"
    ENDED = "ended"
    FINISHED = "finished"


_S, _E = AssignmentState, AssignmentEvent
_TALKING = (_S.ACTIVE, _S.HELD, _S.CONSULTING)
_UNANSWERED = (_E.REJECT, _E.RONA, _E.UNREACHABLE)
_IN_TALK = (_E.HOLD, _E.RESUME, _E.CONSULT, _E.CONSULT_ENDED)

ASSIGNMENT_TABLE: StateTable[AssignmentState, AssignmentEvent] = StateTable(
    thing="assignment",
    moves={
        (_S.OFFERED, _E.ACCEPT): _S.ACTIVE,
        **{(_S.OFFERED, event): _S.DONE for event in (*_UNANSWERED, _E.WITHDRAWN, _E.ENDED)},
        **every((_S.ACTIVE, _S.CONSULTING), _E.HOLD, _S.HELD),
        (_S.HELD, _E.RESUME): _S.ACTIVE,
        **every((_S.ACTIVE, _S.HELD), _E.CONSULT, _S.CONSULTING),
        (_S.CONSULTING, _E.CONSULT_ENDED): _S.ACTIVE,
        **{(state, event): _S.WRAP_UP for state in _TALKING for event in (_E.ENDED, _E.WITHDRAWN)},
        (_S.WRAP_UP, _E.FINISHED): _S.DONE,
    },
    late=frozenset(
        {(_S.DONE, event) for event in _E}
        | {(_S.WRAP_UP, event) for event in (_E.ENDED, _E.WITHDRAWN, _E.ACCEPT, *_UNANSWERED, *_IN_TALK)}
        | {(state, event) for state in _TALKING for event in (_E.ACCEPT, *_UNANSWERED)}
        | {(_S.ACTIVE, _E.RESUME), (_S.ACTIVE, _E.CONSULT_ENDED), (_S.HELD, _E.HOLD), (_S.HELD, _E.CONSULT_ENDED)}
        | {(_S.CONSULTING, _E.CONSULT), (_S.CONSULTING, _E.RESUME)}
    ),
)
