"""The dialer in the engine: it takes facts from the one inbox, and what it decides is journaled with what it changed.

    fact -> Dialer.handle -> journal (fact, decisions, changed rows) -> timers, attempts to dial
                          -> keeper of leads: what the store must keep, whom it is to bring

A lead or attempt that the store does not have yet is a row of the journal, written with the event that changed it: a
crash finds the row, and it is saved again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeGuard

from prometheus_client import CollectorRegistry

from acd.router import Router
from acd.setup import Setup
from core.attempt import ATTEMPT_TABLE
from core.commands import StartTimer
from core.decisions import Decision, Moved, Noted
from core.dialing import (
    DIALER,
    AttemptProgressed,
    CampaignsChanged,
    DialerFact,
    LeadActed,
    LeadsStaged,
    ManualAsked,
    PreviewActed,
)
from core.errors import EventRefused
from core.events import TimerFired
from core.lead_record import LeadRecord, StagedLead
from core.lead_store import Save, Staging
from core.table import Transition
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.setup import DialerSetup
from dialer.turn import Aggregate, DialerOutcome
from engine.dialer_metrics import DialerMetrics
from engine.floor import RouterFloor
from engine.interaction import Interaction
from engine.routing import Consequences, Routed, RoutingBook

log = logging.getLogger("centralita.dialer")

DIALED: frozenset[type] = frozenset(DialerFact.__args__)
"""Types of facts that are the dialer's."""
ROWS = "dial:"
"""How the names of the dialer's rows in the journal begin: `dial:<kind>:<id>`."""
_FLOOR = "dial:floor:"
"""How the id of what says that a queue's agents have changed begins; tenant/queue follow."""
TICK_AGAIN_S = 5.0
"""A timer whose handling failed is tried again after this: what failed may have been one lead's fault."""
_NOT_DONE = "that could not be done: a fault in the dialer, which the engine's log tells; nothing was changed"
_LISTS_UNKNOWN = "the do-not-call lists have not been read yet, for their store does not answer: nobody can be dialed"

QueueKey = tuple[str, str]
"""(tenant, queue)."""


class Keeper(Protocol):
    """Who carries leads to and from the store (`engine.lead_keeper`)."""

    def keep(self, saves: Iterable[Save]) -> None: ...

    def want(self, wanted: Iterable[Staging]) -> None: ...


class Notices(Protocol):
    """Who tells other systems (`engine.webhooks`): `rows` go into the journal with the event; `written` when they are
    in it, under that number."""

    def rows(
        self, fact: DialerFact | TimerFired, decisions: Sequence[Decision], now_s: float
    ) -> Sequence[tuple[str, bytes]]: ...

    def written(self, seq: int, rows: Sequence[tuple[str, bytes]]) -> None: ...


Watcher = Callable[[DialerFact | TimerFired, DialerOutcome, float], None]
"""Is told what each fact came to, when it is journaled."""


class Campaigns:
    """Owns the dialer. `watchers` are told of each fact that was handled."""

    def __init__(
        self,
        dialer: Dialer,
        book: RoutingBook,
        metrics: DialerMetrics,
        on_transition: Callable[[Transition, float], None] = lambda transition, at_s: None,
    ) -> None:
        self.dialer = dialer
        self.metrics = metrics
        self.keeper: Keeper = _Nobody()
        self.notices: Notices = _Nobody()
        self.lists_read = True
        """Whether the do-not-call lists are known: nobody is dialed before."""
        self.no_room: Callable[[], str] = lambda: ""
        """Why the engine takes nothing new on, in words; empty while it does."""
        self.watchers: list[Watcher] = []
        self._book = book
        self._on_transition = on_transition
        self._coming: DialerSetup | None = None
        self._lists: DoNotCallBook | None = None
        self._stirred: set[QueueKey] = set()
        """Queues whose agents have changed since the dialer looked."""

    @property
    def setup(self) -> DialerSetup:
        return self.dialer.setup

    def listed(self, tenant: str, number: str) -> str:
        """Which of a tenant's own do-not-call lists has a number, in words; empty: none. National registers do not
        matter to who asked to be called."""
        found = self.dialer.do_not_call.lists(tenant, "", number)
        return f"the do-not-call list {found} has this number" if found else ""

    def take(self, fact: DialerFact | TimerFired, interaction: Interaction | None, now_s: float) -> Consequences:
        """One fact. A dialer that raises has changed nothing: the fact is journaled as refused, and whoever waits for
        an answer gets one."""
        try:
            outcome = self._handle(fact, now_s)
        except Exception as bug:
            return self._refuse(fact, interaction, bug, now_s)
        self._write(fact, interaction, outcome, now_s)
        return Consequences(outcome.commands, outcome.facts, outcome.refused)

    def change(self, setup: DialerSetup, now_s: float) -> Consequences:
        """Campaigns and rule packs of a new release are in force; one that is gone drains."""
        self._coming = setup
        return self.take(CampaignsChanged(setup.release_id), None, now_s)

    def change_lists(self, lists: DoNotCallBook, now_s: float) -> Consequences:
        """Do-not-call lists were read anew."""
        self._lists, self.lists_read = lists, True
        return self.take(CampaignsChanged(self.setup.release_id), None, now_s)

    def restore(self, rows: Mapping[str, bytes], open_: Callable[[str], bool], now_s: float) -> Consequences:
        """The dialer as it was when the journal was last written. `rows`: by name, as `load_states(ROWS)` has them;
        `open_`: whether the interaction of that id goes on."""
        saved = {aggregate_of(name): body for name, body in rows.items()}
        self._look_around()
        try:
            outcome = self.dialer.restore(saved, now_s, open_)
        except Exception:
            # Callers come first: they are served without campaigns, whose rows stay where they are.
            log.exception("campaigns cannot be taken up again: nobody is dialed until the next start")
            self.metrics.refused.inc()
            return Consequences()
        self._write(CampaignsChanged(self.setup.release_id), None, outcome, now_s)
        return Consequences(outcome.commands, outcome.facts)

    def stirred(self, queues: Iterable[QueueKey]) -> Sequence[TimerFired]:
        """Agents of these queues have changed: what to put into the inbox, so that the dialer looks at them."""
        served = {(setup.tenant, setup.queue) for setup in self.setup.campaigns.values()}
        fresh = sorted((set(queues) & served) - self._stirred)
        self._stirred.update(fresh)
        return [TimerFired(DIALER, f"{_FLOOR}{tenant}/{queue}") for tenant, queue in fresh]

    # -- within ----------------------------------------------------------------------------------------
    def _look_around(self) -> None:
        """Whether anybody may be dialed at all."""
        self.dialer.halted = self.no_room() if self.lists_read else _LISTS_UNKNOWN

    def _handle(self, fact: DialerFact | TimerFired, now_s: float) -> DialerOutcome:
        self._look_around()
        if isinstance(fact, CampaignsChanged):
            setup, self._coming = self._coming, None
            lists, self._lists = self._lists, None
            if lists is not None:
                return self.dialer.change_lists(lists, now_s)
            if setup is None:
                raise EventRefused(f"release {fact.release_id} came without its campaigns")
            return self.dialer.change_setup(setup, now_s)
        if isinstance(fact, ManualAsked | PreviewActed) and self.dialer.halted:
            return DialerOutcome(refused=self.dialer.halted)
        if isinstance(fact, TimerFired) and fact.timer_id.startswith(_FLOOR):
            tenant, _, queue = fact.timer_id.removeprefix(_FLOOR).partition("/")
            self._stirred.discard((tenant, queue))
            return self.dialer.nudge(tenant, queue, now_s)
        return self.dialer.handle(fact, now_s)

    def _write(
        self, fact: DialerFact | TimerFired, interaction: Interaction | None, outcome: DialerOutcome, now_s: float
    ) -> None:
        for decision in outcome.decisions:
            if isinstance(decision, Moved) and not _is_logged(decision, fact):
                self._on_transition(decision.transition, now_s)
            self.metrics.count(decision)
        # A tick that came to nothing is not told: the journal would fill with them.
        if outcome.changed or outcome.decisions or outcome.facts or not isinstance(fact, TimerFired):
            rows = [(row_name(aggregate), self.dialer.save(aggregate)) for aggregate in sorted(outcome.changed)]
            notices = self.notices.rows(fact, outcome.decisions, now_s)
            seq = self._book.write_routed(
                Routed(
                    _without_people(fact),
                    now_s,
                    interaction,
                    outcome.decisions,
                    outcome.commands,
                    [*rows, *notices],
                )
            )
            if notices:
                self.notices.written(seq, notices)
        if outcome.saves:
            self.keeper.keep(outcome.saves)
        if outcome.wanted:
            self.keeper.want(outcome.wanted)
        for watcher in self.watchers:
            watcher(fact, outcome, now_s)

    def _refuse(
        self, fact: DialerFact | TimerFired, interaction: Interaction | None, bug: Exception, now_s: float
    ) -> Consequences:
        known = isinstance(bug, EventRefused)
        log.error("the dialer refused %s: %s", type(fact).__name__, bug, exc_info=None if known else bug)
        self.metrics.refused.inc()
        why = Noted("event_refused", f"{type(fact).__name__}: {bug}")
        self._book.write_routed(Routed(_without_people(fact), now_s, interaction, (why,), (), ()))
        again = []
        if isinstance(fact, TimerFired) and not fact.timer_id.startswith(_FLOOR):
            again.append(StartTimer(DIALER, fact.timer_id, now_s + TICK_AGAIN_S))
        return Consequences(again, refused=str(bug) if known else _NOT_DONE)


class _Nobody:
    """Before there is a store, and where nobody is told."""

    def keep(self, saves: Iterable[Save]) -> None:
        return

    def want(self, wanted: Iterable[Staging]) -> None:
        return

    def rows(
        self, fact: DialerFact | TimerFired, decisions: Sequence[Decision], now_s: float
    ) -> Sequence[tuple[str, bytes]]:
        return ()

    def written(self, seq: int, rows: Sequence[tuple[str, bytes]]) -> None:
        return


def no_campaigns(book: RoutingBook) -> Campaigns:
    """A house that dials nobody."""
    dialer = Dialer(DialerSetup(), DoNotCallBook(), RouterFloor(Router(Setup())))
    return Campaigns(dialer, book, DialerMetrics(CollectorRegistry()))


def is_dialed(fact: object) -> TypeGuard[DialerFact | TimerFired]:
    """Whether the dialer handles this fact."""
    return type(fact) in DIALED or (isinstance(fact, TimerFired) and fact.interaction_id == DIALER)


def _is_logged(decision: Moved, fact: DialerFact | TimerFired) -> bool:
    """What interactions tell of their attempts they have written into the log of states themselves."""
    return isinstance(fact, AttemptProgressed) and decision.transition.thing == ATTEMPT_TABLE.thing


def _without_people(fact: DialerFact | TimerFired) -> DialerFact | TimerFired:
    """What the journal keeps of a fact with leads in it: whom, not who they are; that is in their rows, and goes with
    them."""
    match fact:
        case LeadsStaged():
            return replace(fact, leads=tuple(map(_id_alone, fact.leads)))
        case LeadActed() | ManualAsked() if fact.lead is not None:
            return replace(fact, lead=_id_alone(fact.lead))
        case _:
            return fact


def _id_alone(lead: StagedLead) -> StagedLead:
    return StagedLead(LeadRecord(lead.record.lead_id, lead.record.tenant, lead.record.list_id, ()))


def row_name(aggregate: Aggregate) -> str:
    kind, id_ = aggregate
    return f"{ROWS}{kind}:{id_}"


def aggregate_of(name: str) -> Aggregate:
    """The opposite of `row_name`."""
    kind, _, id_ = name.removeprefix(ROWS).partition(":")
    return kind, id_
