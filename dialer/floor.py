"""What the dialer sees of the people who answer. The engine gives it from the router; tests give a plain one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

AgentState = Literal["ready", "reserved", "talk", "hold", "wrap_up"]
Absence = Literal["not_ready", "skills", "on_phone", "phone"]
"""On a break, or leaving after this contact; without the skills asked for; ready, and on her phone: dialing in to her
held line, or on a call of her own; ready, and her phone cannot be rung."""


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
    `waiting`: contacts of the queue, ours included, whom nobody has been offered yet. `absent`: how many of the queue's
    agents are logged in and not among `agents`, by why."""

    agents: tuple[FloorAgent, ...] = ()
    waiting: int = 0
    absent: tuple[tuple[Absence, int], ...] = ()


class Floor(Protocol):
    def pool(self, tenant: str, queue: str, skills: str, now_s: float) -> FloorPool:
        """Never raises: a queue that is gone has nobody."""
        ...
