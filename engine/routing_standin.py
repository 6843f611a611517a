"""A router without agents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.commands import CancelTimer, StartTimer
from core.decisions import Decision
from core.events import QueueLeft
from core.routing import ContactFact, QueueJoined

Aggregate = tuple[str, str]


@dataclass(slots=True)
class RoutingOutcome:
    facts: list[ContactFact | QueueLeft] = field(default_factory=list)
    commands: list[StartTimer | CancelTimer] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    changed: set[Aggregate] = field(default_factory=set)
    refused: str = ""


class Router:
    def __init__(self, setup: Any, seed: int = 0) -> None:
        pass

    def handle(self, fact: Any, now_s: float) -> RoutingOutcome:
        if isinstance(fact, QueueJoined):
            return RoutingOutcome([QueueLeft(fact.interaction_id, fact.stay_id, "no_agents")])
        return RoutingOutcome()

    def change_setup(self, setup: Any, now_s: float) -> RoutingOutcome:
        return RoutingOutcome()

    def save(self, aggregate: Aggregate) -> bytes | None:
        return None

    def restore(self, rows: Any, now_s: float, alive: Any) -> RoutingOutcome:
        return RoutingOutcome()

    def agent_at(self, device: str) -> Any:
        return None

    def board(self, now_s: float, tenant: str | None = None) -> dict[str, Any]:
        return {"agents": [], "queues": [], "stays": []}

    def position(self, stay_id: str, now_s: float) -> Any:
        return None
