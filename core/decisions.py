"""What a core decided, for the journal: the explanation beside the commands.

Decisions are written with the event that caused them. Projections and `explain` read them; recovery and
replay never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from core.frozen import dataclass
from core.survey import SurveyAnswered, SurveyAsked
from core.table import Transition


@dataclass(frozen=True, slots=True)
class InteractionOpened:
    """`flow`: which flow answers, and in which version; `rule`: why that one (`number +34911…`, `default`)."""

    interaction_id: str
    tenant: str
    channel: str
    direction: str
    called: str
    caller: str
    flow: str
    flow_version: str
    language: str
    rule: str


@dataclass(frozen=True, slots=True)
class InteractionClosed:
    interaction_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LegJoined:
    """A leg belongs to this interaction from now on."""

    interaction_id: str
    leg_id: str
    role: str
    node: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A state table moved."""

    transition: Transition


@dataclass(frozen=True, slots=True)
class NodeEntered:
    """`visit`: the running number of node visits in this interaction."""

    flow: str
    node: str
    visit: int


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """`branch`: the exit taken (`1`, `no_input`, `ok`); `target`: the node that follows, empty at the end."""

    flow: str
    node: str
    visit: int
    branch: str
    target: str


@dataclass(frozen=True, slots=True)
class VariablesSet:
    """Values given to variables; sensitive ones appear as `***`."""

    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """A reason in words: which hours rule, which table row, which validator said no."""

    what: str
    why: str


REQUEST_REFUSED = "request_refused"
"""What a `Noted` tells when a person's request was refused: it changed nothing."""


@dataclass(frozen=True, slots=True)
class Supervised:
    """A supervisor followed a conversation by the keys of her phone, or wanted to: for the audit log.

    `interaction_id`: the conversation, empty when there was none; `action`: listen, whisper, barge, take_over, stop;
    `agents`: who talked; `device`: her phone; `refused`: why not, in words."""

    interaction_id: str
    tenant: str
    supervisor_id: str
    action: str
    agents: tuple[str, ...] = ()
    device: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class FloorSteered:
    """A supervisor opened or closed a queue by phone, set an agent's presence, moved who waited longest or had her
    served first, or wanted to: for the audit log.

    `asked`: what it is called when the desk asks for it, `QueueActed`, `AgentActed` or `StayActed`; `subject`: `queue
    sales`, `agent ana`, `interaction i-7`; `device`: her phone; `refused`: why not, in words."""

    tenant: str
    supervisor_id: str
    asked: str
    subject: str
    action: str
    device: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Considered:
    """One agent looked at for an offer. `excluded`: why she could not have it, empty when she could (`not_ready:lunch`,
    `busy`, `skill:billing`, `refused_before`, `unreachable`, `resting`, `other_queue`). `score`: the strategy's key."""

    agent_id: str
    excluded: str = ""
    score: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferDecided:
    """Why this agent and why this contact. `rank`: the contact's score parts (priority, ageing, target, value);
    `ahead_of`: the contact that would have been next; `considered`: the winner first, then the best others;
    `excluded`: reason -> how many agents; `step`: relaxation step in force, 0 for none."""

    interaction_id: str
    stay_id: str
    offer_id: str
    agent_id: str
    queue: str
    strategy: str
    rank: Mapping[str, float] = field(default_factory=dict)
    ahead_of: str = ""
    considered: tuple[Considered, ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)
    step: int = 0
    requirement: str = ""
    waited_s: float = 0.0
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class StayEnded:
    """A queue stay is over. `how`: a `StayEnd`; `in_target`: answered within the queue's service-level target;
    `virtual`: part of it was waited away from the phone, for a callback; `virtual_s`: so many seconds of it. `purpose`:
    whom it was for; `consult`: an agent who asks a colleague."""

    interaction_id: str
    stay_id: str
    tenant: str
    queue: str
    how: str
    waited_s: float
    agent_id: str = ""
    in_target: bool = False
    virtual: bool = False
    virtual_s: float = 0.0
    purpose: str = "serve"


@dataclass(frozen=True, slots=True)
class StayChanged:
    """A supervisor's hand. `queue`: it goes on there; empty: it stays where it is, with `priority` instead of
    `before`."""

    interaction_id: str
    stay_id: str
    by: str
    queue: str = ""
    priority: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class WorkEnded:
    """An assignment is over, wrap-up included. Seconds of each part; `disposition` is `not_given` when forced;
    `callback_at_s`: when she promised to call back, 0 for never."""

    interaction_id: str
    tenant: str
    agent_id: str
    queue: str
    how: str
    ring_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    consult_s: float = 0.0
    wrap_up_s: float = 0.0
    disposition: str = ""
    callback_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PacingDecided:
    """So many attempts were started (`count` 0: none were), and why no more. `ready`, `lines`: agents who could take an
    answered call at once, attempts in flight before it; `abandoned` of `live` answers in the tightest window."""

    tenant: str
    campaign: str
    count: int
    why: str
    ready: int = 0
    lines: int = 0
    live: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class LeadBlocked:
    """A lead was not dialed when its turn came. `number`: its last digits, for decisions outlive erasure. `rule`:
    the first that says no (`us/florida_hours`); `not_before_s`: when it may be tried again, 0: not by time alone."""

    tenant: str
    campaign: str
    lead_id: str
    number: str
    rule: str
    why: str
    not_before_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt is over. `outcome`: an `AttemptState` value; `ring_s`, `talk_s`: how long; `wait_s`: from answer to
    an agent, or to giving up."""

    interaction_id: str
    attempt_id: str
    tenant: str
    campaign: str
    lead_id: str
    outcome: str
    ring_s: float = 0.0
    wait_s: float = 0.0
    talk_s: float = 0.0
    agent_id: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LeadSettled:
    """What follows for a lead from an attempt or a word of somebody. `state`: a `LeadState` value; `not_before_s`: when
    she is due again, 0 for never."""

    tenant: str
    campaign: str
    lead_id: str
    attempt_id: str
    state: str
    why: str
    not_before_s: float = 0.0


Decision = (
    InteractionOpened
    | InteractionClosed
    | LegJoined
    | Moved
    | NodeEntered
    | NodeLeft
    | VariablesSet
    | Noted
    | Supervised
    | FloorSteered
    | SurveyAsked
    | SurveyAnswered
    | OfferDecided
    | StayEnded
    | StayChanged
    | WorkEnded
    | PacingDecided
    | LeadBlocked
    | AttemptEnded
    | LeadSettled
)

DECISION_TYPES: dict[str, type] = {cls.__name__: cls for cls in Decision.__args__}
