"""What the journal would hold after days of a known floor: facts and decisions of `acd.simulation`, one day a date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from acd.setup import Setup
from acd.simulation.day import EPOCH_S, Day
from acd.simulation.definitions import ScenarioFile, scenario_of
from core.decisions import Decision
from core.events import Event
from core.queue_facts import QueueJoined
from definitions.models import load


@dataclass(frozen=True, slots=True)
class Happened:
    at_s: float
    interaction_id: str
    event: Event
    decisions: Sequence[Decision]


@dataclass
class _Watched:
    """A router that writes down what it was told and what it decided."""

    router: Any
    happened: list[tuple[float, Any, Sequence[Decision]]] = field(default_factory=list)

    def handle(self, fact: Any, now_s: float) -> Any:
        outcome = self.router.handle(fact, now_s)
        self.happened.append((now_s, fact, outcome.decisions))
        return outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self.router, name)


def played(text: str, setup: Setup, days: Sequence[date], seed: int = 1, from_utc_s: float = 0.0) -> Iterator[Happened]:
    """`text`: a scenario. `from_utc_s`: by how much the site's midnight is later than UTC's."""
    file = load(ScenarioFile, text, "known.yaml")
    assert isinstance(file, ScenarioFile), str(file)
    scenario, floor = scenario_of(file, setup, len(days), seed)
    for n, each in enumerate(days):
        day = Day(floor, scenario, seed + n)
        watched = _Watched(day.router)
        day.router = watched  # type: ignore[assignment]
        day.run()
        midnight_s = datetime(each.year, each.month, each.day, tzinfo=UTC).timestamp() + from_utc_s
        for now_s, fact, decisions in watched.happened:
            yield Happened(midnight_s + now_s - EPOCH_S, fact.interaction_id, fact, decisions)


def joined(happened: Sequence[Happened]) -> int:
    return sum(isinstance(each.event, QueueJoined) for each in happened)
