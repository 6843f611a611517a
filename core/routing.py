"""Facts that pass between interactions, the router (`acd/`) and the people who work with both.

    interaction                     router                          agent (API, phone, desk)
      QueueJoined, StayGivenUp  ->    .     <- AgentActed, WrapUpActed, DeviceChanged, LineChanged
                                      .     <- QueueActed, StayActed from a supervisor
      OfferRinging/Accepted/Failed -> .
      StayTurned, OfferTaken    ->    .          she hung up and is called back, or is on the line again
      TalkChanged, TalkEnded    ->    .
      .  <- OfferMade, OfferWithdrawn, QueueLeft (core.events), QueuePosition, StayPrioritised, TurnNear
      .  <- ConversationActed (hold, transfer, ...) from the agent

All of them go through the one inbox and are journaled when they are handled. Times are UTC seconds.
"""

from __future__ import annotations

from core.agent_facts import (
    AgentActed,
    AgentKept,
    DeviceChanged,
    PhoneUsed,
    WrapUpActed,
)
from core.frozen import dataclass
from core.line_facts import (
    LineChanged,
    LineParty,
    LineReleased,
    LineRingback,
    LineUsed,
)
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRefused,
    OfferRinging,
    OfferTaken,
    OfferWithdrawn,
)
from core.queue_facts import (
    QueueActed,
    QueueJoined,
    QueuePosition,
    StayActed,
    StayGivenUp,
    StayPrioritised,
    StayTurned,
    TurnNear,
)
from core.talk_facts import (
    ConversationActed,
    SupervisionActed,
    SupervisorCalled,
    TalkChanged,
    TalkEnded,
)

ROUTER = ""
"""The `interaction_id` of the router's own timers; their `timer_id` begins with `acd:`."""


@dataclass(frozen=True, slots=True)
class RoutingChanged:
    """Queues, skills and agents of this release are in force from here on."""

    release_id: str
    interaction_id: str = ""


RouterFact = (
    QueueJoined
    | StayGivenUp
    | StayTurned
    | OfferRinging
    | OfferTaken
    | OfferAccepted
    | OfferFailed
    | OfferRefused
    | TalkChanged
    | TalkEnded
    | LineChanged
    | AgentKept
    | AgentActed
    | WrapUpActed
    | DeviceChanged
    | PhoneUsed
    | RoutingChanged
    | QueueActed
    | StayActed
)
"""What the router handles, beside its own `TimerFired`."""
ContactFact = (
    OfferMade
    | OfferWithdrawn
    | QueuePosition
    | StayPrioritised
    | TurnNear
    | ConversationActed
    | SupervisionActed
    | SupervisorCalled
    | LineParty
    | LineUsed
    | LineReleased
    | LineRingback
)
"""What an interaction handles."""
RoutingFact = RouterFact | ContactFact
