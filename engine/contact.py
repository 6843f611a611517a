"""What an interaction knows about its wait for a person and its conversation with one: values, kept in its snapshot.

    Waiting --an offer is accepted--> Conversation --lead gone, customer there--> her flow, or Waiting again
       |                                  |
       +-- Offer: an agent is rung        +-- Party: lead (has the customer), other (is consulted, or being reached)

A conversation has one bridge. Who is in it follows from the value: `lead` while she is up, the customer while
`customer_in`, the other while `inside`. Everybody outside of it hears music, or is being rung.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from core.attempt import AttemptState
from core.callback import CallbackState
from core.dialing import AttemptWanted
from core.queue_facts import CalledFirst, QueueJoined, QueuePosition


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stay of the customer, for as long as nobody has her.

    Args:
        joined: what the router was told; told again when a crash left the router without it.
        since_s: when this stay began (UTC seconds).
        flow_stay_id: the stay as her flow knows it; empty when no flow waits for its end.
        origin: the queue's stay that led here, when this one is for one agent in person.
        sent_by: the agent who transferred her here: she comes back when nobody answers.
        music: what is played.
        playing: the announcement she hears; empty while there is music.
        saying: what that is; a notice is heard to its end.
        place_due: her place, told while she heard something else: she hears it next.
        comfort_due: so is a comfort message.
        comforted: how many comfort messages there have been: they take turns.
        told_of_recording: she has heard that the conversation is recorded.
        timers: those that may still fire.
        held: she agrees on a callback, or has: nobody is offered her until she waits again or hangs up.
    """

    joined: QueueJoined
    since_s: float
    flow_stay_id: str = ""
    origin: QueueJoined | None = None
    sent_by: str = ""
    music: str = "default"
    playing: str = ""
    saying: Literal["", "notice", "returned", "place", "comfort"] = ""
    place_due: QueuePosition | None = None
    comfort_due: bool = False
    comforted: int = 0
    told_of_recording: bool = False
    timers: tuple[str, ...] = ()
    held: bool = False

    @property
    def stay_id(self) -> str:
        return self.joined.stay_id

    @property
    def queue(self) -> str:
        """The queue she waits in, or that led to the agent she waits for; empty for neither."""
        return self.joined.queue or (self.origin.queue if self.origin is not None else "")

    def but(self, **changes: Any) -> Waiting:
        return replace(self, **changes)


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An agent whose phone rings for this interaction. `offer_id` is also her leg's id."""

    offer_id: str
    stay_id: str
    agent_id: str
    queue: str = ""
    auto_answer: bool = False
    rang: bool = False


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody beside the customer.

    Args:
        leg_id: empty while the router still looks for an agent (`stay_id`).
        agent_id: empty for somebody outside.
        line_interaction_id: the held line whose leg this is; empty when the leg is ours.
        stay_id: the consultation's stay, until an agent is found.
        sent_by: the agent who wants her: the customer comes back when nobody answers.
        inside: she is in the bridge, as far as she is up.
        typed: a feature code she is keying.
    """

    leg_id: str = ""
    agent_id: str = ""
    offer_id: str = ""
    line_interaction_id: str = ""
    stay_id: str = ""
    sent_by: str = ""
    up: bool = True
    inside: bool = True
    muted: bool = False
    typed: str = ""

    def but(self, **changes: Any) -> Party:
        return replace(self, **changes)


Mode = Literal["listen", "whisper", "barge"]


class Supervisor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody who follows the conversation, without being one of its parties unless she barges in.

    `line_interaction_id`: she called in, and this call of hers lends its leg; empty when we rang her. `device`: her
    phone, empty when it is none of ours."""

    leg_id: str
    supervisor_id: str
    mode: Mode
    up: bool = False
    line_interaction_id: str = ""
    device: str = ""

    def but(self, **changes: Any) -> Supervisor:
        return replace(self, **changes)


class Conversation(msgspec.Struct, frozen=True, omit_defaults=True):
    """`served`: the stay that led to it. `lead` None: `other` is being reached for the customer, who waits.

    Args:
        began_s: when the stay was answered (UTC seconds).
        customer_in: the customer is in the bridge.
        bridged: the bridge has been asked for.
        before: (leg, playback) of what is to be heard to its end before they are put together.
        ring: (leg, playback) of the ringback somebody hears while `other` is reached.
    """

    bridge_id: str
    served: Waiting
    began_s: float
    lead: Party | None = None
    other: Party | None = None
    customer_in: bool = False
    bridged: bool = False
    supervisor: Supervisor | None = None
    before: tuple[tuple[str, str], ...] = ()
    ring: tuple[str, str] | None = None

    def but(self, **changes: Any) -> Conversation:
        return replace(self, **changes)

    @property
    def parties(self) -> tuple[Party, ...]:
        return tuple(party for party in (self.lead, self.other) if party is not None)

    @property
    def agents(self) -> tuple[str, ...]:
        """Those who are on the line, the lead first."""
        return tuple(party.agent_id for party in self.parties if party.agent_id and party.up)

    def party(self, leg_id: str) -> Party | None:
        return next((party for party in self.parties if leg_id and party.leg_id == leg_id), None)

    def agent(self, agent_id: str) -> Party | None:
        return next((party for party in self.parties if agent_id and party.agent_id == agent_id and party.up), None)

    @property
    def is_conference(self) -> bool:
        other = self.other
        return self.lead is not None and self.customer_in and other is not None and other.up and other.inside

    @property
    def is_consulting(self) -> bool:
        """The lead has somebody else beside the customer, or is reaching somebody, and they are not all together."""
        return self.lead is not None and self.other is not None and not self.is_conference


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """This interaction is an agent's held line. `request_id`: asked for, not granted yet; `talking_in`: the
    interaction its leg is lent to; empty at rest. `typed`: keys pressed meanwhile that are no request yet.
    `attempt_id`: her phone is rung for this attempt, and is `called`'s line until it is over. `released`: she has
    logged out, and it ends after a beep. `follows`: it is no held line, but the call of a supervisor who follows the
    conversation that it is lent to. `ringback`: the playback of the ringing she hears while somebody is dialed for
    her; empty when nothing plays."""

    request_id: str
    agent_id: str = ""
    talking_in: str = ""
    typed: str = ""
    called: str = ""
    attempt_id: str = ""
    released: bool = False
    follows: bool = False
    ringback: str = ""

    def but(self, **changes: Any) -> Line:
        return replace(self, **changes)


class TalkRecording(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation is being recorded, on the customer's leg. `mailbox`: where it is filed; `agents`: who spoke."""

    recording_id: str
    mailbox: str
    queue: str = ""
    agents: tuple[str, ...] = ()
    paused_by_agent: bool = False
    paused_for_secret: bool = False

    def but(self, **changes: Any) -> TalkRecording:
        return replace(self, **changes)

    @property
    def is_paused(self) -> bool:
        return self.paused_by_agent or self.paused_for_secret


class Callback(msgspec.Struct, frozen=True, omit_defaults=True):
    """The customer is called back at her place: `engine.callbacks`.

    Args:
        callback_id: of her flow's request.
        number: E.164, as she confirmed it.
        first: who is called first.
        expires_s: nobody is called after this (UTC seconds).
        attempts: how often she has been called.
        called_off: we hung up on this call ourselves: it does not count.
        rang_s: when her phone began to ring at this call (UTC seconds); 0 until then.
    """

    callback_id: str
    number: str
    first: CalledFirst
    expires_s: float
    state: CallbackState = CallbackState.AGREED
    attempts: int = 0
    called_off: bool = False
    rang_s: float = 0.0

    def but(self, **changes: Any) -> Callback:
        return replace(self, **changes)


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """This interaction is a campaign's call to somebody; the customer's leg is the one we dialed.

    Args:
        wanted: what the dialer asked for, without its variables: those travel with the interaction.
        dialed_s, rang_s, answered_s: when (UTC seconds); 0 until then.
        due_s: when an agent must have her; 0 for no limit.
        cancelled: why the dialer needs it no more, while its least ring is not over.
        verdict, evidence: who or what answered, as `engine.screening` has it; empty until it has.
        greeted_s: when her greeting ended; 0 when nobody knows.
        heard_out: nobody listens any more whether it is a machine.
        speaks: a machine hears the campaign's message.
        redialed: how often another carrier was asked, and somebody to listen there.
        refused: a carrier was asked, and did not take the call.
        agent_id: the agent to whom the campaign's flow handed her over last: what came of it is hers to say.
    """

    wanted: AttemptWanted
    state: AttemptState = AttemptState.STAGED
    dialed_s: float = 0.0
    rang_s: float = 0.0
    answered_s: float = 0.0
    due_s: float = 0.0
    cancelled: str = ""
    verdict: str = ""
    evidence: str = ""
    greeted_s: float = 0.0
    heard_out: bool = False
    speaks: bool = False
    agent_id: str = ""
    redialed: int = 0
    refused: bool = False

    def but(self, **changes: Any) -> Attempt:
        return replace(self, **changes)
