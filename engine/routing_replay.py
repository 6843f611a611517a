"""What the router would have decided otherwise: its state of back then is built again from the journal.

The journal has the whole router now and then (`RoutingKept`) and every fact since. The router is deterministic, so the
same facts lead to the state in which a decision was made; from there on time may pass differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from acd.router import Router
from acd.setup import Setup
from acd.turn import RoutingOutcome
from core.commands import StartTimer
from core.events import RoutingKept, TimerFired
from core.offer_facts import OfferMade
from core.routing import ROUTER, RouterFact, RoutingChanged
from engine.routing import aggregate_of, is_routed
from store.journal_reader import JournalReader

LATER_S = 10.0
_BATCH = 1000
_MOST_TIMERS = 10_000

SetupFor = Callable[[str], Setup | None]
"""Release -> its queues, skills and agents; None when it is not kept any more."""


@dataclass(slots=True)
class _Past:
    """The router at a moment, and its armed timers."""

    router: Router
    due: dict[str, float] = field(default_factory=dict)

    def handle(self, fact: RouterFact | TimerFired, at_s: float, setup_for: SetupFor) -> RoutingOutcome:
        if isinstance(fact, RoutingChanged):
            setup = setup_for(fact.release_id)
            return self.took(self.router.change_setup(setup, at_s)) if setup is not None else RoutingOutcome()
        if isinstance(fact, TimerFired):
            self.due.pop(fact.timer_id, None)
        return self.took(self.router.handle(fact, at_s))

    def took(self, outcome: RoutingOutcome) -> RoutingOutcome:
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.due[command.timer_id] = command.due_s
            else:
                self.due.pop(command.timer_id, None)
        return outcome


def later(
    reader: JournalReader, cause_seq: int, stay_id: str, setup_for: SetupFor, later_s: float = LATER_S
) -> dict[str, Any] | None:
    """Who would have been offered this stay had the event that led to its offer come `later_s` later, and nothing else.

    `{later_s, agent_id, at_s, paragraph}`: `agent_id` is empty when nobody would; `at_s` counts from the event's own
    time. None when the journal does not reach back far enough.
    """
    cause = reader.at(cause_seq)
    past = _before(reader, cause_seq, setup_for)
    if past is None or cause is None or cause.event is None or not is_routed(cause.event):
        return None
    if isinstance(cause.event, TimerFired):
        past.due.pop(cause.event.timer_id, None)
    until_s = cause.at_s + later_s
    found: dict[str, Any] = {"later_s": later_s, "agent_id": "", "at_s": later_s, "paragraph": ""}
    for _ in range(_MOST_TIMERS):
        timer_id, due_s = min(past.due.items(), key=lambda timer: (timer[1], timer[0]), default=("", until_s + 1.0))
        if due_s > until_s:
            break
        at_s = max(due_s, cause.at_s)
        if agent_id := _offered(_try(past, TimerFired(ROUTER, timer_id), at_s, setup_for), stay_id):
            return {**found, "agent_id": agent_id, "at_s": round(at_s - cause.at_s, 3)}
    found["agent_id"] = _offered(_try(past, cause.event, until_s, setup_for), stay_id)
    explained = past.router.explain(stay_id, until_s)
    found["paragraph"] = explained.paragraph() if explained is not None and not found["agent_id"] else ""
    return found


def _before(reader: JournalReader, seq: int, setup_for: SetupFor) -> _Past | None:
    """The router as it was before this event."""
    kept = reader.last_of(RoutingKept.__name__, seq)
    if kept is None or not isinstance(kept.event, RoutingKept):
        return None
    setup = setup_for(kept.event.release_id)
    if setup is None:
        return None
    past = _Past(Router(setup))
    rows = {aggregate_of(name): body for name, body in kept.event.rows.items()}
    past.took(past.router.restore(rows, kept.at_s, lambda interaction_id: True))
    after = kept.seq
    while records := reader.tail(after, min(_BATCH, seq - after - 1)):
        for record in records:
            if record.seq < seq and record.event is not None and is_routed(record.event):
                _try(past, record.event, record.at_s, setup_for)
        after = records[-1].seq
    return past


def _try(past: _Past, fact: RouterFact | TimerFired, at_s: float, setup_for: SetupFor) -> RoutingOutcome:
    """What was refused then is refused again."""
    try:
        return past.handle(fact, at_s, setup_for)
    except Exception:
        return RoutingOutcome()


def _offered(outcome: RoutingOutcome, stay_id: str) -> str:
    return next((f.agent_id for f in outcome.facts if isinstance(f, OfferMade) and f.stay_id == stay_id), "")
