"""An interaction as a value, what decisions about it may look at, and what one event led to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from acd.setup import Key, Setup
from core.agent_facts import PhoneUsed
from core.commands import Command
from core.decisions import REQUEST_REFUSED, Decision, InteractionOpened, Moved, Noted
from core.dialing import DialingFact
from core.interaction import INTERACTION_TABLE, InteractionEvent, InteractionState
from core.leg import EndReason, Leg, LegEvent, LegState, advance_leg
from core.leg_commands import OriginateLeg
from core.routing import RoutingFact
from engine.config.models import Detection
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.config.queue_prompts import QueuePrompts
from engine.contact import Attempt, Callback, Conversation, Line, Offer, TalkRecording, Waiting
from engine.transfers import PendingTransfer
from ivr.interpreter import World
from ivr.model import Release
from ivr.run import FlowRun

_OURS = (EndReason.LOST, EndReason.HARBOURED, EndReason.LIMIT_REACHED)
"""Ends of a leg that are our fault."""


class Interaction(msgspec.Struct, frozen=True):
    """`legs[0]` is the customer's. `outcome` is set when the end is decided, before the legs are gone.

    `waiting` and `talk` exclude each other; `offers` are phones that ring for who waits, or for a consultation.
    `serial`: how many legs, bridges, stays and playbacks it has named; no name is used twice.
    """

    interaction_id: str
    tenant: str
    channel: str
    called: str
    caller: str
    entry: str
    opened_s: float
    release_id: str
    state: InteractionState = InteractionState.CREATED
    legs: tuple[Leg, ...] = ()
    run: FlowRun | None = None
    transfer: PendingTransfer | None = None
    outcome: str = ""
    identity: str = ""
    """The number we show when this interaction calls out; empty: the outbound rule's."""
    waiting: Waiting | None = None
    offers: tuple[Offer, ...] = ()
    talk: Conversation | None = None
    line: Line | None = None
    recording: TalkRecording | None = None
    parked: FlowRun | None = None
    """Her own flow, while another one leads her through something in the middle of a conversation."""
    values: dict[str, str] = {}
    """What agents sent along with transfers, or the dialer with a lead."""
    serial: int = 0
    attempt: Attempt | None = None
    callback: Callback | None = None
    ways: dict[str, OriginateLeg] = {}
    """Leg -> what it was dialed with, while nothing has rung and another carrier is left."""

    def but(self, **changes: Any) -> Interaction:
        """The same with some fields changed."""
        return replace(self, **changes)

    @property
    def customer(self) -> Leg:
        return self.legs[0]

    @property
    def theirs(self) -> str:
        """The customer's number, whoever called whom."""
        return self.caller if self.attempt is None else self.called

    @property
    def ours(self) -> str:
        """The number of ours that she called, or saw."""
        return self.called if self.attempt is None else self.caller

    @property
    def is_away(self) -> bool:
        """The customer waits without being on the line: she is called back."""
        return self.callback is not None and self.callback.state.is_away

    @property
    def is_closed(self) -> bool:
        return self.state is InteractionState.CLOSED

    @property
    def holds_secrets(self) -> bool:
        """Whether digits pressed now, or variables its flow knows, must not be written down anywhere."""
        run = self.run
        if run is None:
            return False
        if run.listens_in_secret:
            return True
        # Asked several times an event: generators would cost more than all else here.
        for frame in run.frames if self.parked is None else (*run.frames, *self.parked.frames):
            if frame.secrets:
                return True
        return False

    @property
    def bridges(self) -> tuple[str, ...]:
        """Those that must be there while it talks."""
        transfer = self.transfer.bridge_id if self.transfer is not None else ""
        talk = self.talk.bridge_id if self.talk is not None and self.talk.bridged else ""
        return tuple(bridge_id for bridge_id in (transfer, talk) if bridge_id)

    @property
    def devices(self) -> tuple[str, ...]:
        """Our phones at the ends of its legs, but for those that offers ring."""
        return tuple(leg.device for leg in self.legs if leg.device and leg.state is not LegState.ENDED)

    def leg(self, leg_id: str) -> Leg | None:
        for leg in self.legs:
            if leg.leg_id == leg_id:
                return leg
        return None

    def with_leg(self, leg: Leg) -> Interaction:
        if self.leg(leg.leg_id) is None:
            return replace(self, legs=(*self.legs, leg))
        return replace(self, legs=tuple([leg if old.leg_id == leg.leg_id else old for old in self.legs]))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decisions may look at besides the interaction: one consistent version of everything."""

    releases: Mapping[str, Release]
    release_id: str
    numbers: NumberPlan
    outbound: OutboundRules
    time_zone: str = "UTC"
    toggles: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    pins: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(tenant, name) -> the generated PIN that flows name as `secret:name`."""
    dialed: Mapping[str, int] = field(default_factory=dict)
    """Outbound rule -> legs dialed by it in the last hour."""
    routing: Setup = field(default_factory=Setup)
    queue_prompts: Mapping[Key, QueuePrompts] = field(default_factory=dict)
    node: str = ""
    """The telephony node we dial from."""
    detection: Detection = Detection()
    """Who tells machines from people."""
    listed: Callable[[str, str], str] = lambda tenant, number: ""
    """Why nobody of a tenant may call a number, by its do-not-call lists; empty when somebody may."""
    hindered: Callable[[Interaction, str, float], str] = lambda interaction, agent_id, now_s: ""
    """Why an agent cannot be rung now for a contact, in words; empty when she can."""

    def world(self, release_id: str) -> World:
        return World(self.releases[release_id], self.toggles, self.pins)


@dataclass(slots=True)
class Turn:
    """What one event led to, collected while it is handled. `interaction` is the state so far; `facts` are for the
    router, the dialer and other interactions; `refused`: why a person's request cannot be done, in words."""

    interaction: Interaction
    commands: list[Command] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    facts: list[RoutingFact | DialingFact] = field(default_factory=list)
    refused: str = ""
    dialed_by: str = ""
    """The outbound rule by which a leg is dialed: what its hourly cap is counted by."""

    @property
    def interaction_id(self) -> str:
        return self.interaction.interaction_id

    @property
    def is_our_fault(self) -> bool:
        """Whether the customer, whom nobody has any more, did not leave by herself."""
        customer = self.interaction.customer
        return customer.state is not LegState.ENDED or customer.reason in _OURS

    def number(self) -> int:
        """A number this interaction has not given to anything yet."""
        number = self.interaction.serial + 1
        self.interaction = self.interaction.but(serial=number)
        return number

    def note(self, what: str, why: str) -> None:
        self.decisions.append(Noted(what, why))

    def note_request(self, what: str, request: str) -> None:
        """That a person asked for it; a request that was `refused` changed nothing."""
        if self.refused:
            self.note(REQUEST_REFUSED, f"{request}: {self.refused}")
        else:
            self.note(what, request)

    def open(self, direction: str, rule: str, flow: str = "", language: str = "") -> None:
        """Says whose it is and by which `rule` it came here; it is the first thing said of it."""
        opened = self.interaction
        self.decisions.append(
            InteractionOpened(
                interaction_id=opened.interaction_id,
                tenant=opened.tenant,
                channel=opened.channel,
                direction=direction,
                called=opened.called,
                caller=opened.caller,
                flow=flow,
                flow_version=opened.release_id,
                language=language,
                rule=rule,
            )
        )

    def move(self, event: InteractionEvent) -> None:
        state, transition = INTERACTION_TABLE.advance(self.interaction.interaction_id, self.interaction.state, event)
        if transition is not None:
            self.interaction = self.interaction.but(state=state)
            self.decisions.append(Moved(transition))

    def advance(self, leg: Leg, event: LegEvent, now_s: float, reason: EndReason | None = None) -> Leg:
        leg, transition = advance_leg(leg, event, now_s, reason)
        if transition is not None:
            self.interaction = self.interaction.with_leg(leg)
            self.decisions.append(Moved(transition))
            if leg.state is LegState.ENDED and leg.device and leg.device not in self.interaction.devices:
                self.facts.append(PhoneUsed(self.interaction_id, leg.device, used=False))
        return leg


def interaction_id_for(leg_id: str) -> str:
    """An inbound leg names its interaction, so a leg adopted after a crash finds it again."""
    return f"i-{leg_id}"
