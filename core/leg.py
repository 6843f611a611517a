"""One party's connection: a customer, an agent, a consult, a supervisor, somebody outside.

    NEW --dial--> DIALING --ringing--> RINGING --early_media--> EARLY_MEDIA
     |              |  \\________________ |  \\______________________|
     | arrived      | up                  | up                      | up
     v              v                     v                         v
    RINGING -----> UP <------------------------------------------->HELD
                    hold / resume
    any of these --ended--> ENDED

A voice leg is one Asterisk channel on one node. Hangup is legal in every state.
"""

from __future__ import annotations

from enum import Enum

from core.frozen import dataclass
from core.table import StateTable, Transition, every


class LegState(Enum):
    NEW = "new"
    DIALING = "dialing"
    RINGING = "ringing"
    EARLY_MEDIA = "early_media"
    UP = "up"
    HELD = "held"
    ENDED = "ended"


class LegEvent(Enum):
    ARRIVED = "arrived"
    DIAL = "dial"
    RINGING = "ringing"
    EARLY_MEDIA = "early_media"
    UP = "up"
    HOLD = "hold"
    RESUME = "resume"
    ENDED = "ended"


class LegRole(Enum):
    CUSTOMER = "customer"
    AGENT = "agent"
    CONSULT = "consult"
    SUPERVISOR = "supervisor"
    EXTERNAL = "external"


class EndReason(Enum):
    """Why a leg ended, in the caller's terms. `lost`: it vanished while nobody watched (our fault). `harboured`: she
    answered our call while nobody watched, and the node said who called. `failed`, of a leg that was up: its phone or
    the network to it is gone. `answered_elsewhere`: it rang beside another phone that was answered."""

    HUNG_UP = "hung_up"
    HUNG_UP_BY_US = "hung_up_by_us"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    FAILED = "failed"
    LIMIT_REACHED = "limit_reached"
    LOST = "lost"
    HARBOURED = "harboured"
    ANSWERED_ELSEWHERE = "answered_elsewhere"


_S, _E = LegState, LegEvent
_BEFORE_UP = (_S.NEW, _S.DIALING, _S.RINGING, _S.EARLY_MEDIA)
_ALIVE = (*_BEFORE_UP, _S.UP, _S.HELD)

LEG_TABLE: StateTable[LegState, LegEvent] = StateTable(
    thing="leg",
    moves={
        (_S.NEW, _E.ARRIVED): _S.RINGING,
        (_S.NEW, _E.DIAL): _S.DIALING,
        **every((_S.NEW, _S.DIALING), _E.RINGING, _S.RINGING),
        **every((_S.NEW, _S.DIALING, _S.RINGING), _E.EARLY_MEDIA, _S.EARLY_MEDIA),
        **every(_BEFORE_UP, _E.UP, _S.UP),
        (_S.UP, _E.HOLD): _S.HELD,
        (_S.HELD, _E.RESUME): _S.UP,
        **every(_ALIVE, _E.ENDED, _S.ENDED),
    },
    late=frozenset(
        {(_S.ENDED, event) for event in LegEvent}
        | {(state, _E.RINGING) for state in (_S.RINGING, _S.EARLY_MEDIA, _S.UP, _S.HELD)}
        | {(state, _E.EARLY_MEDIA) for state in (_S.EARLY_MEDIA, _S.UP, _S.HELD)}
        | {(state, _E.UP) for state in (_S.UP, _S.HELD)}
        | {(_S.HELD, _E.HOLD), (_S.UP, _E.RESUME)}
        | {(state, event) for state in _BEFORE_UP for event in (_E.HOLD, _E.RESUME)}
    ),
)


@dataclass(frozen=True, slots=True)
class Leg:
    """`since_s`: when the present state began (UTC seconds). `reason`: set when ended. `device`: the phone of ours at
    its end, by its name inside Asterisk; not of an offer, whose agent the router holds anyway."""

    leg_id: str
    role: LegRole
    node: str
    state: LegState = LegState.NEW
    since_s: float = 0.0
    reason: EndReason | None = None
    device: str = ""

    @property
    def is_up(self) -> bool:
        return self.state in (LegState.UP, LegState.HELD)


def advance_leg(
    leg: Leg, event: LegEvent, now_s: float, reason: EndReason | None = None
) -> tuple[Leg, Transition | None]:
    """The leg after `event` (the very same object when late) and the transition to log.

    Raises:
        EventRefused: the event cannot happen in this state.
    """
    state, transition = LEG_TABLE.advance(leg.leg_id, leg.state, event)
    if transition is None:
        return leg, None
    reason = reason if state is LegState.ENDED else None
    return Leg(leg.leg_id, leg.role, leg.node, state, now_s, reason, leg.device), transition
