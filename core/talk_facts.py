"""Facts about a conversation: how it goes, and what an agent or a supervisor asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from core.frozen import dataclass


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
