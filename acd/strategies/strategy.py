"""What a strategy is: the order in which agents who could take a contact are offered it. `best_match` looks at several
contacts at once besides.

`key` is lower for who comes first; ties go to the lower agent id. It must depend on the agent and the contact alone,
never on which other agents are free: that is what makes one more agent never lower how many contacts are served.
"""

from __future__ import annotations

from collections.abc import Callable

from acd.records import Agent, Stay
from acd.setup import AgentSetup, QueueSetup
from acd.skills import Requirement
from core.frozen import dataclass

Score = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Sought:
    """The contact an agent is sought for, under the requirement in force. `seed`: of the router, for lots."""

    stay: Stay
    queue: QueueSetup
    requirement: Requirement
    now_s: float
    seed: int


Key = Callable[[Agent, AgentSetup, Sought], Score]


@dataclass(frozen=True, slots=True)
class Strategy:
    """`options`: the names of `strategy_options` it reads, and what they are when not given."""

    name: str
    key: Key
    options: tuple[tuple[str, float], ...] = ()

    def option(self, queue: QueueSetup, name: str) -> float:
        return queue.strategy_options.get(name, dict(self.options)[name])
