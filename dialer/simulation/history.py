"""What a campaign's attempts say about its people: a `World` to simulate other days in.

    seen = Observed(zone)
    for attempt in attempts: seen.add(attempt)
    world = seen.world(from_s=9 * 3600, wrap_s=20)

Cancelled and blocked attempts say nothing. Of an hour with few attempts the answer rate is drawn towards that of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from core.attempt import AttemptState
from core.lead_record import AttemptRecord
from dialer.simulation.world import ByHour, World, always

ENOUGH = 100
"""Attempts below which nothing is learned from them."""
_SHRINKS = 20.0
"""Attempts at the rate of all, added to each hour."""
_KEPT = 5000
"""Answer times kept, spread over all."""
_KINDS = {
    AttemptState.CONNECTED: "person",
    AttemptState.COMPLETED: "person",
    AttemptState.ABANDONED: "person",
    AttemptState.CUSTOMER_HUNG_UP: "person",
    AttemptState.MACHINE: "machine",
    AttemptState.MESSAGE_LEFT: "machine",
    AttemptState.FAX: "machine",
    AttemptState.NO_ANSWER: "none",
    AttemptState.BUSY: "busy",
    AttemptState.FAILED: "failed",
    AttemptState.INVALID: "failed",
}


@dataclass
class Observed:
    """`rings`: seconds that attempts rang, by what became of them. `talks`: seconds of conversation. `screens`: seconds
    from the answer to an agent, where a detector listened. `hours`: hour of the day -> (attempts, answers by a person).
    `order`: (dialed, ring, kind) of each."""

    zone: ZoneInfo
    rings: dict[str, list[float]] = field(default_factory=dict)
    talks: list[float] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)
    hours: dict[int, tuple[int, int]] = field(default_factory=dict)
    order: list[tuple[float, float, str]] = field(default_factory=list)

    def add(self, attempt: AttemptRecord) -> None:
        kind = _KINDS.get(AttemptState(attempt.state))
        if kind is None:
            return
        stopped_s = attempt.answered_s if attempt.answered_s is not None else attempt.ended_s
        ring_s = max(0.0, stopped_s - attempt.dialed_s) if stopped_s is not None else 0.0
        self.rings.setdefault(kind, []).append(ring_s)
        self.order.append((attempt.dialed_s, ring_s, kind))
        hour = datetime.fromtimestamp(attempt.dialed_s, self.zone).hour
        dialed, people = self.hours.get(hour, (0, 0))
        self.hours[hour] = (dialed + 1, people + (kind == "person"))
        if attempt.connected_s is not None and kind == "person":
            if attempt.ended_s is not None:
                self.talks.append(max(0.0, attempt.ended_s - attempt.connected_s))
            if attempt.verdict and attempt.answered_s is not None:
                self.screens.append(max(0.0, attempt.connected_s - attempt.answered_s))

    @property
    def attempts(self) -> int:
        return len(self.order)

    def count(self, *kinds: str) -> int:
        return sum(len(self.rings.get(kind, ())) for kind in kinds)

    @property
    def answer_rate(self) -> float:
        return self.count("person") / max(1, self.attempts)

    @property
    def talk_s(self) -> float:
        """The mean; nan where nobody has talked."""
        return math.fsum(self.talks) / len(self.talks) if self.talks else math.nan

    def rate_of(self, hour: int) -> float:
        dialed, people = self.hours.get(hour, (0, 0))
        return (people + _SHRINKS * self.answer_rate) / (dialed + _SHRINKS)

    def world(
        self,
        *,
        from_s: float,
        wrap_s: float,
        answer_rate: float | None = None,
        talk_s: float | None = None,
        replay: bool = False,
    ) -> World:
        """`from_s`: of the day, when dialing begins. `answer_rate`, `talk_s`: instead of what was seen. `replay`: the
        attempts themselves, in the order of their dialing. With fewer than `ENOUGH` attempts the world is that of
        `World`, as far as nothing is said."""
        world = World("campaign", f"assumed: {self.attempts} attempts are too few to learn from", wrap_s=always(wrap_s))
        if self.attempts >= ENOUGH:
            world = self._seen(world, from_s, replay)
        if answer_rate is not None:
            world = replace(world, answer_rate=always(answer_rate))
        if talk_s is not None:
            world = replace(world, talk_s=always(talk_s))
        return world

    def _seen(self, usual: World, from_s: float, replay: bool) -> World:
        others = max(1, self.attempts - self.count("person"))
        mean_s, cv = self._talks(usual)
        people = sorted(self.rings.get("person", ()))
        return replace(
            usual,
            says=f"as {self.attempts} attempts went",
            answer_rate=ByHour(tuple(self.rate_of(hour) for hour in range(24)), from_s),
            machine_share=self.count("machine") / others,
            busy_share=self.count("busy", "failed") / others,
            machine_ring_s=_middle(self.rings.get("machine", ()), usual.machine_ring_s),
            ring_out_s=_middle(self.rings.get("none", ()), usual.ring_out_s),
            detector_s=_middle(self.screens, 0.0),
            talk_s=always(mean_s),
            talk_cv=cv,
            answer_s=tuple(people[:: max(1, len(people) // _KEPT)]),
            recorded=tuple((ring_s, kind) for _, ring_s, kind in sorted(self.order)) if replay else (),
        )

    def _talks(self, usual: World) -> tuple[float, float]:
        """Mean and coefficient of variation."""
        if len(self.talks) < 2 or self.talk_s <= 0.0:
            return usual.talk_s(0.0), usual.talk_cv
        mean_s = self.talk_s
        spread = math.fsum((each - mean_s) ** 2 for each in self.talks) / (len(self.talks) - 1)
        return mean_s, math.sqrt(spread) / mean_s


def _middle(values: Sequence[float], otherwise: float) -> float:
    return sorted(values)[len(values) // 2] if values else otherwise
