"""Facts about agents and their phones: presence, what they write down, whether a phone can be rung."""

from __future__ import annotations

from typing import Literal

from core.frozen import dataclass

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
class AgentKept:
    """An agent's phone is rung for an attempt of hers, or somebody is dialed for her alone: nobody else is put through
    to her until `kept` is False. `interaction_id`: of her phone, or of whom is dialed."""

    interaction_id: str
    tenant: str
    agent_id: str
    kept: bool


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
    """Somebody calls from one of our phones, or is called there but by no offer (`rung`); or no longer. `device`: its
    name inside Asterisk. Whoever answers there is not rung meanwhile."""

    interaction_id: str
    device: str
    used: bool
    rung: bool = False
