"""After a gap (our own death, a lost connection, a node's restart): what we believe meets what is there.

Recovery loads the last snapshot of every open interaction and never re-decides. Legs still alive are adopted
and their flows ask again; legs that vanished end as lost; callers nobody had taken in are taken in now. An
irreversible command that was under way is looked for by its id, and otherwise declared unknown.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence

from core.clock import Clock
from core.errors import CommandFailed
from core.events import CommandOutcomeUnknown, LegAdopted, LegEnded
from core.leg import EndReason, Leg, LegState
from core.leg_commands import DestroyBridge, HangUpLeg
from core.ports import CallControl, Survey
from engine import snapshots
from engine.interaction import Interaction
from engine.lanes import Ordered
from engine.runtime import Book, Runtime
from store.entry import OpenSnapshot, StartedCommand
from telephony.reconcile import KnownLeg, Plan, reconcile

log = logging.getLogger("centralita.recovery")

GRACE_S = 5.0
"""How long a leg nobody knows may be on its way to be known before it is hung up."""
AUDIT_EVERY_S = 60.0
_TO_BE_DIALED = (LegState.NEW, LegState.DIALING)
"""Nothing was heard of it yet: the command may reach the next Asterisk."""


def load_open(open_snapshots: Iterable[OpenSnapshot]) -> tuple[list[Interaction], dict[str, str]]:
    """The interactions that were open, and the ids of those whose snapshot cannot be read, with why."""
    readable: list[Interaction] = []
    unreadable: dict[str, str] = {}
    for snapshot in open_snapshots:
        try:
            if snapshot.body is None:
                raise snapshots.SnapshotUnreadable("the contact was erased")
            readable.append(snapshots.load(snapshot.body))
        except snapshots.SnapshotUnreadable as why:
            log.error("interaction %s cannot be taken up again: %s", snapshot.interaction_id, why)
            unreadable[snapshot.interaction_id] = str(why)
    return readable, unreadable


class Reconciler:
    """Surveys a node and puts the differences into the inbox. One pass at a time; asking again meanwhile repeats it.

    After a gap a pass is believed at once. Between gaps (`audit`) a difference is mostly an event still on its way, so
    it must be seen twice; and nobody is asked anything again.
    """

    def __init__(self, runtime: Runtime, calls: CallControl, clock: Clock, on_settled: Callable[[str], None]) -> None:
        self._runtime = runtime
        self._calls = calls
        self._clock = clock
        self._on_settled = on_settled
        self._wanted: set[str] = set()
        self._gaps: set[str] = set()
        self._before: dict[str, frozenset[str]] = {}
        """Node -> the legs it was known to have when its events flowed again."""
        self._doubtful: dict[str, frozenset[str]] = {}
        """Node -> legs that were not judged at the last pass."""
        self._task: asyncio.Task[None] | None = None
        self._later: set[asyncio.TimerHandle] = set()

    def node_back(self, node: str) -> None:
        """A node's events flow (again): events between may have been missed. Returns at once."""
        self._gaps.add(node)
        self._before[node] = frozenset(leg.leg_id for leg in self._alive(node) if leg.state not in _TO_BE_DIALED)
        self._look_at(node)

    def audit(self) -> None:
        """Looks for legs whose end or arrival nobody told, though no gap is known of. Returns at once."""
        for node in self._calls.connected_nodes():
            self._look_at(node)

    async def keep_auditing(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(AUDIT_EVERY_S)
            self.audit()

    def _look_at(self, node: str) -> None:
        self._wanted.add(node)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="reconcile")

    async def close(self) -> None:
        for handle in self._later:
            handle.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, set()
                gaps, self._gaps = self._gaps & wanted, self._gaps - wanted
                seen: set[str] = set()
                try:
                    for survey in await self._calls.survey():
                        if survey.node in wanted:
                            await self._apply(survey, survey.node in gaps)
                            seen.add(survey.node)
                except CommandFailed as failure:
                    log.error("survey failed: %s", failure)
                except Exception:
                    log.exception("survey failed")
                self._gaps |= gaps - seen
                for node in wanted - seen:
                    self._again(node)
        finally:
            self._task = None

    async def _apply(self, survey: Survey, gap: bool) -> None:
        plan = self._plan(survey)
        before = self._doubtful.pop(survey.node, frozenset())
        runtime = self._runtime
        lost = [leg_id for leg_id in plan.lost if gap or leg_id in before]
        adopted = [(leg_id, up) for leg_id, up in plan.adopt.items() if gap or leg_id in before]
        arrived = [arrival for arrival in plan.arrived if gap or arrival.leg_id in before]
        bridge_of = {leg_id: bridge_id for bridge_id, leg_ids in survey.bridges.items() for leg_id in leg_ids}
        for leg_id in lost:
            runtime.put(LegEnded(leg_id, EndReason.HARBOURED if leg_id in survey.harboured else EndReason.LOST))
        for leg_id, up in adopted:
            runtime.put(LegAdopted(leg_id, up, bridge_of.get(leg_id, "")))
        refused = []
        for arrival in arrived:
            if runtime.admit(arrival):
                runtime.put(arrival)
            else:
                refused.append(arrival.leg_id)
        for leg_id in plan.orphans:
            runtime.lanes.put(Ordered("", "", HangUpLeg(leg_id, EndReason.FAILED)))
        runtime.handle_now()
        # Who was put together in the last moment before a crash is so again: that bridge is somebody's after all.
        leaked = [bridge_id for bridge_id in plan.leaked_bridges if bridge_id not in self._bridges()]
        for bridge_id in leaked:
            runtime.lanes.put(Ordered("", "", DestroyBridge(bridge_id)))
        counts = (len(adopted), len(arrived), len(lost), len(plan.orphans), len(leaked))
        if gap or any(counts):
            log.warning(
                "node %s reconciled: adopted %d, taken in %d, lost %d, orphans %d, leaked bridges %d",
                survey.node,
                *counts,
            )
        judged = {*lost, *(arrival.leg_id for arrival in arrived)}
        suspected = {*plan.lost, *(arrival.leg_id for arrival in plan.arrived)} - judged
        if doubtful := frozenset({*plan.waiting, *suspected}):
            self._doubtful[survey.node] = doubtful
            self._again(survey.node)
        for leg_id in refused:
            with contextlib.suppress(CommandFailed):
                await self._calls.turn_away(leg_id)
        self._on_settled(survey.node)

    def _plan(self, survey: Survey) -> Plan:
        runtime = self._runtime
        runtime.handle_now()
        known = {leg.leg_id: KnownLeg(leg.node, leg.since_s) for leg in self._alive(survey.node)}
        before = self._before.get(survey.node, frozenset())
        return reconcile(survey, known, self._bridges(), self._clock.now_s(), GRACE_S, before)

    def _alive(self, node: str) -> list[Leg]:
        open_ = self._runtime.interactions.values()
        legs = (leg for interaction in open_ for leg in interaction.legs)
        return [leg for leg in legs if leg.node == node and leg.state is not LegState.ENDED]

    def _bridges(self) -> frozenset[str]:
        open_ = self._runtime.interactions.values()
        return frozenset(bridge_id for interaction in open_ for bridge_id in interaction.bridges)

    def _again(self, node: str) -> None:
        def later() -> None:
            self._later.discard(handle)
            self._look_at(node)

        handle = asyncio.get_running_loop().call_later(GRACE_S, later)
        self._later.add(handle)


def report_unfinished(runtime: Runtime, book: Book, unfinished: Sequence[StartedCommand]) -> None:
    """Irreversible commands that were under way when the engine died. A dialed leg is found or missed by the
    survey under its own id; an HTTP request has no such witness. Each is told once."""
    for command in unfinished:
        if command.what != "OriginateLeg":
            runtime.put(
                CommandOutcomeUnknown(command.interaction_id, command.command_id, command.what, command.subject_id)
            )
    runtime.handle_now()
    for command in unfinished:
        book.command_done(command.command_id, "unknown: the engine died")
