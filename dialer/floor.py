"""What the dialer sees of the people who answer. The engine gives it from the router; tests give a plain one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

AgentState = Literal["ready", "reserved", "talk", "hold", "wrap_up"]


@dataclass(frozen=True, slots=True)
class FloorAgent:
    """An agent who is ready, or at work. `state` ready: a call could be offered to her now; since when, in `since_s`.
    `line`: her held line is up. `interaction_id`: what she is reserved for or busy with. `device`: her phone, by its
    name inside Asterisk."""

    agent_id: str
    state: AgentState
    since_s: float
    interaction_id: str = ""
    line: bool = False
    device: str = ""


@dataclass(frozen=True, slots=True)
class FloorPool:
    """`agents`: everybody who may serve this queue with these skills and is ready or at work; who is logged out, on a
    break with nothing in hand, or leaves after this contact is not among them. Who is longest ready comes first.
    `waiting`: contacts of the queue, ours included, whom nobody has been offered yet."""

    agents: tuple[FloorAgent, ...] = ()
    waiting: int = 0


class Floor(Protocol):
    def pool(self, tenant: str, queue: str, skills: str, now_s: float) -> FloorPool:
        """Never raises: a queue that is gone has nobody."""
        ...
