"""One event being handled: what comes out of it, and how everything was before.

A handler asks the turn for every record it is about to change (`agent`, `stay`, `queue`). The turn takes the record's
picture the first time: for what must be saved, for which timers may have changed, and to put all of it back when the
handler raises.
"""

from __future__ import annotations

import msgspec

from acd.records import Agent, Assignment, Queue, Stay
from acd.saved import Record, dump
from core.assignment import ASSIGNMENT_TABLE, AssignmentEvent, AssignmentState
from core.commands import CancelTimer, StartTimer
from core.decisions import Decision, Moved
from core.events import QueueLeft
from core.routing import ContactFact
from core.stay import STAY_TABLE, StayEvent

Aggregate = tuple[str, str]
"""("agent" | "stay" | "queue", row id): `tenant/agent`, the stay's id, `tenant/queue`."""


_PARTS = {
    AssignmentState.OFFERED.value: "ring_s",
    AssignmentState.ACTIVE.value: "talk_s",
    AssignmentState.HELD.value: "hold_s",
    AssignmentState.CONSULTING.value: "consult_s",
}
"""Where the time spent in a state is added up."""


class RoutingOutcome(msgspec.Struct):
    """What one event came to. `facts`: for interactions, through the inbox. `changed`: what must be saved now, or
    deleted when `Router.save` says so. `refused`: why a request cannot be, in words for the person; nothing changed."""

    facts: list[ContactFact | QueueLeft] = []
    commands: list[StartTimer | CancelTimer] = []
    decisions: list[Decision] = []
    changed: set[Aggregate] = set()
    refused: str = ""


class Refused(Exception):
    """A request that cannot be; the message is for the person who asked."""


class Turn(msgspec.Struct):
    now_s: float
    _pictures: dict[Aggregate, bytes]
    outcome: RoutingOutcome = msgspec.field(default_factory=RoutingOutcome)
    agents: dict[str, Agent] = {}
    stays: dict[str, Stay] = {}
    queues: dict[str, Queue] = {}
    before: dict[Aggregate, bytes | None] = {}
    """None: it was not there."""
    armed_before: dict[str, float | None] = {}
    seeking: dict[str, Stay] = {}
    """Stays for which an agent must be looked for, though no agent became free."""
    everything: bool = False
    """Every stay seeks an agent, and every timer is looked at."""

    def say(self, fact: ContactFact | QueueLeft) -> None:
        self.outcome.facts.append(fact)

    def decide(self, decision: Decision) -> None:
        self.outcome.decisions.append(decision)

    def agent(self, agent: Agent) -> Agent:
        row_id = agent.row_id
        if row_id not in self.agents:
            self.agents[row_id] = agent
            self._take(("agent", row_id), agent)
        return agent

    def stay(self, stay: Stay, new: bool = False) -> Stay:
        if stay.stay_id not in self.stays:
            self.stays[stay.stay_id] = stay
            self._take(("stay", stay.stay_id), None if new else stay)
        return stay

    def queue(self, queue: Queue) -> Queue:
        row_id = queue.row_id
        if row_id not in self.queues:
            self.queues[row_id] = queue
            self._take(("queue", row_id), queue)
        return queue

    def shown(self, record: Agent | Queue) -> None:
        """Boards show something else of it, though its record stays as it is."""
        self.outcome.changed.add(("agent" if isinstance(record, Agent) else "queue", record.row_id))

    def _take(self, aggregate: Aggregate, record: Record | None) -> None:
        picture = self._pictures.pop(aggregate, None)
        self.before[aggregate] = picture or (None if record is None else dump(record))
        self.outcome.changed.add(aggregate)

    def move_stay(self, stay: Stay, event: StayEvent) -> None:
        """Raises EventRefused."""
        stay.state, transition = STAY_TABLE.advance(stay.stay_id, stay.state, event)
        if transition is not None:
            self.decide(Moved(transition))

    def move_assignment(self, agent: Agent, work: Assignment, event: AssignmentEvent) -> bool:
        """True when it moved, False when the event is late. Raises EventRefused."""
        name = f"{agent.row_id}/{work.interaction_id}"
        state, transition = ASSIGNMENT_TABLE.advance(name, work.state, event)
        if transition is None:
            return False
        part = _PARTS.get(transition.old)
        if part is not None:
            setattr(work, part, getattr(work, part) + self.now_s - work.since_s)
        work.state, work.since_s = state, self.now_s
        self.decide(Moved(transition))
        return True
