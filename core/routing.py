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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ROUTER = ""
"""The `interaction_id` of the router's own timers; their `timer_id` begins with `acd:`."""


StayMode = Literal["live", "held", "virtual"]
CalledFirst = Literal["agent", "customer"]


# -- said by an interaction, for the router --------------------------------------------------------
@dataclass(frozen=True, slots=True)
class QueueJoined:
    """A contact begins to wait, or wants one agent in person (`agent_id` set; `queue`, if any, is by whose rules she
    is rung and wraps up).

    Args:
        skills: requirement set by the flow, ANDed with the queue's own; empty for none.
        value: customer value, 0 to 100.
        preferred_agent: waited for as long as the queue's patience says.
        waited_s: waited already in the stay that overflowed or returned into this one.
        node: the telephony node its leg lives on; empty for other channels.
        purpose: what an agent is wanted for.
        mode: `held` for who waits for a callback without having waited on the line: a closed queue takes her too.
    """

    interaction_id: str
    stay_id: str
    tenant: str
    queue: str = ""
    channel: str = "call"
    priority: int = 0
    skills: str = ""
    value: float = 0.0
    preferred_agent: str = ""
    agent_id: str = ""
    waited_s: float = 0.0
    language: str = ""
    node: str = ""
    purpose: Literal["serve", "transfer", "consult"] = "serve"
    excluded_agents: tuple[str, ...] = ()
    """Never offered this stay: who transferred it, or who vanished in the middle of it."""
    mode: StayMode = "live"


@dataclass(frozen=True, slots=True)
class StayGivenUp:
    """The customer, or her flow, ends the stay. `outcome`: a `StayEnd` value (abandoned, left_by_key, voicemail,
    callback, lost); `abandoned` becomes `short_abandoned` by the queue's own limit."""

    interaction_id: str
    stay_id: str
    outcome: str = "abandoned"


@dataclass(frozen=True, slots=True)
class StayTurned:
    """The same stay, otherwise: its place and its time waited stay what they are.

    Args:
        mode: `held`: nobody is offered it (she agrees on a callback); `virtual`: she has hung up and is called back;
            `live`: she is on the line.
        first: of a virtual stay, who is called first: an agent is offered it as always, or `TurnNear` is told.
        again_s: nobody is offered a virtual stay before this (UTC seconds).
        head: served before everybody else of its queue from now on.
        node: where her new leg lives; empty: unchanged.
    """

    interaction_id: str
    stay_id: str
    mode: StayMode
    first: CalledFirst = "agent"
    again_s: float = 0.0
    head: bool = False
    node: str = ""


@dataclass(frozen=True, slots=True)
class OfferTaken:
    """The agent is there and the customer, whose stay is virtual, is being called: `OfferAccepted` or `OfferFailed`
    follows before `until_s`."""

    interaction_id: str
    offer_id: str
    until_s: float


@dataclass(frozen=True, slots=True)
class OfferRinging:
    interaction_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The agent took it: for a voice offer, her leg is up."""

    interaction_id: str
    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """`rejected`: she (or her phone, busy) said no; `rona`: it rang out; `unreachable`: the phone cannot be rung;
    `no_customer`: who was to be called back was not reached, which is nothing against the agent."""

    interaction_id: str
    offer_id: str
    how: Literal["rejected", "rona", "unreachable", "no_customer"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class TalkChanged:
    """`what`: an `AssignmentEvent` of a conversation."""

    interaction_id: str
    agent_id: str
    what: Literal["hold", "resume", "consult", "consult_ended"]


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """This agent's part is over; her wrap-up begins. `how`: customer_hung_up, agent_hung_up, transferred, taken_over,
    vanished (her phone), lost; machine: it was nobody, and there is no wrap-up."""

    interaction_id: str
    agent_id: str
    how: str = "customer_hung_up"


@dataclass(frozen=True, slots=True)
class LineChanged:
    """An agent's held line came up or went down; `leg_id` is its leg, `interaction_id` the line's own interaction.
    `node`: where it lives; a conversation on another node rings her phone instead."""

    interaction_id: str
    tenant: str
    agent_id: str
    leg_id: str
    up: bool
    node: str = ""


@dataclass(frozen=True, slots=True)
class AgentKept:
    """An agent's phone is rung for an attempt of hers, or somebody is dialed for her alone: nobody else is put through
    to her until `kept` is False. `interaction_id`: of her phone, or of whom is dialed."""

    interaction_id: str
    tenant: str
    agent_id: str
    kept: bool


# -- said by people and devices, for the router ------------------------------------------------------
AgentAction = Literal["log_in", "log_out", "ready", "not_ready"]


@dataclass(frozen=True, slots=True)
class AgentActed:
    """`device`: where she logs in (empty: her own default). `by`: who asked: agent, supervisor, system. What cannot be
    is refused in words (`RoutingOutcome.refused`)."""

    tenant: str
    agent_id: str
    action: AgentAction
    reason: str = ""
    device: str = ""
    by: str = "agent"
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """An agent declines an offer at her desk; the interaction's leg is then withdrawn."""

    tenant: str
    agent_id: str
    offer_id: str
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class WrapUpActed:
    """What an agent writes down about an interaction, during or after it.

    `disposition`: path in the queue's tree (`sold/new`); `text`: a note; `callback_at_s`: 0 for none;
    `extend_s`: more time; `finish`: wrap-up is over. All that is given is taken together or refused together."""

    interaction_id: str
    tenant: str
    agent_id: str
    disposition: str = ""
    text: str = ""
    callback_at_s: float = 0.0
    extend_s: float = 0.0
    finish: bool = False


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A phone registered or went away. `device`: its name inside Asterisk, `main-1001`."""

    device: str
    reachable: bool
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class PhoneUsed:
    """Somebody calls from one of our phones; or no longer. `device`: its name inside Asterisk. Whoever answers there is
    not rung meanwhile."""

    interaction_id: str
    device: str
    used: bool


@dataclass(frozen=True, slots=True)
class RoutingChanged:
    """Queues, skills and agents of this release are in force from here on."""

    release_id: str
    interaction_id: str = ""


QueueAction = Literal["open", "close", "by_hours"]


@dataclass(frozen=True, slots=True)
class QueueActed:
    """A supervisor opens or closes a queue by hand, or gives the rule back to its hours."""

    tenant: str
    queue: str
    action: QueueAction
    by: str = "supervisor"
    interaction_id: str = ""


StayAction = Literal["move", "prioritise"]


@dataclass(frozen=True, slots=True)
class StayActed:
    """A supervisor sends who waits on to another queue, or gives her another priority. What cannot be is refused in
    words.

    Args:
        queue: of `move`: where she goes on, with the time she has waited. Whatever rings for her stops ringing.
        priority: of `prioritise`: instead of the one she has, 0 to `MOST_PRIORITY`. Whatever rings goes on ringing.
        by: who asked, as journals and explanations tell it.
    """

    interaction_id: str
    stay_id: str
    tenant: str
    action: StayAction
    queue: str = ""
    priority: int = 0
    by: str = "supervisor"


MOST_PRIORITY = 1000
"""That a supervisor may give."""


# -- said by the router, for an interaction ----------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OfferMade:
    """An agent is reserved for this interaction: ring her, or use her held line.

    Args:
        offer_id: unique for ever; also the id of the leg that rings her.
        device: name inside Asterisk (`main-1001`); empty for a channel that rings no phone.
        line_leg_id: the leg of her held line, empty when she has none.
        ring_s: gives up after.
        queue: empty for a direct offer.
    """

    interaction_id: str
    stay_id: str
    offer_id: str
    agent_id: str
    device: str
    queue: str = ""
    line_leg_id: str = ""
    line_interaction_id: str = ""
    ring_s: float = 20.0
    auto_answer: bool = False
    purpose: Literal["serve", "transfer", "consult"] = "serve"
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """Somebody else has it, or nobody wants it any more: stop ringing. `why`: for the journal."""

    interaction_id: str
    offer_id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Told when asked, and to those who wait by the queue's announcements. `position` from 1. `ewt_s`: the likely rest
    of her wait, -1 unknown; `ewt_low_s` to `ewt_high_s`: the range that four in five end in, -1 unknown.
    `callback`: the wait is long enough to offer to call her back."""

    interaction_id: str
    stay_id: str
    position: int
    waiting: int
    ewt_s: float = -1.0
    callback: bool = False
    ewt_low_s: float = -1.0
    ewt_high_s: float = -1.0


@dataclass(frozen=True, slots=True)
class StayPrioritised:
    """The stay has this priority from now on: so have those that follow it."""

    interaction_id: str
    stay_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class TurnNear:
    """A virtual stay whose customer is called first will soon be served: call her now."""

    interaction_id: str
    stay_id: str


# -- said by an agent about a conversation, for its interaction ------------------------------------------
TalkAction = Literal[
    "hold",
    "resume",
    "mute",
    "unmute",
    "hang_up",
    "transfer",
    "consult",
    "swap",
    "complete",
    "conference",
    "cancel_consult",
    "pause_recording",
    "resume_recording",
    "send_digits",
]


@dataclass(frozen=True, slots=True)
class ConversationActed:
    """What an agent asks of a conversation she is in.

    `target`: `agent:ana`, `queue:sales`, `flow:survey`, `device:1001` or a number (outbound rules decide);
    `values`: variables that travel with a transfer; `digits` stand in `target` of send_digits."""

    interaction_id: str
    agent_id: str
    action: TalkAction
    target: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


SupervisionAction = Literal["listen", "whisper", "barge", "take_over", "stop"]


@dataclass(frozen=True, slots=True)
class SupervisionActed:
    """What a supervisor asks of a conversation of others.

    `device`: the phone she is rung at, by its name inside Asterisk (`main-1009`), unless she is there already.
    `listen`: nobody hears her; `whisper`: the agent alone; `barge`: all; `take_over`: she stays with the caller, and
    the agent leaves."""

    interaction_id: str
    supervisor_id: str
    action: SupervisionAction
    device: str = ""


@dataclass(frozen=True, slots=True)
class SupervisorCalled:
    """A supervisor has called in to listen to this conversation: her leg is lent to it by `line_interaction_id`, her
    own call, from the phone `device` at `node`."""

    interaction_id: str
    supervisor_id: str
    leg_id: str
    line_interaction_id: str
    node: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class LineParty:
    """News of a leg that is lent (a held line's, a supervisor's), for the interaction that it is lent to."""

    interaction_id: str
    leg_id: str
    what: Literal["ended", "digit", "adopted", "played"]
    digit: str = ""
    bridge_id: str = ""
    playback_id: str = ""
    vanished: bool = False
    """It ended without anybody's wish."""


@dataclass(frozen=True, slots=True)
class LineUsed:
    """For the line's own interaction: `talking_in` is the interaction its leg is lent to, empty when it is free."""

    interaction_id: str
    leg_id: str
    talking_in: str = ""


@dataclass(frozen=True, slots=True)
class LineReleased:
    """The agent whose held line this is has logged out: its call ends."""

    interaction_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class LineRingback:
    """For the line's own interaction: somebody is being dialed for her (`dialed_in`: the interaction), and she hears it
    ring; or no longer."""

    interaction_id: str
    leg_id: str
    dialed_in: str
    on: bool


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
