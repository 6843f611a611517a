"""The dialer: one fact in, what follows from it out. Pure and deterministic; it changes in place, all or nothing.

outcome = dialer.handle(LeadsStaged(...), now_s)
outcome.facts      AttemptWanted, LineWanted, ...: for interactions
outcome.commands   its own timers
outcome.changed    what must be saved: `dialer.save(aggregate)` for each
outcome.wanted     leads to be staged; the answer is a `LeadsStaged`
outcome.saves      leads and attempts the store is to keep; the answer is a `LeadsSaved`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from core.campaign import CampaignState
from core.commands import StartTimer
from core.decisions import Noted
from core.dialing import (
    DIALER,
    AttemptDisposed,
    AttemptProgressed,
    CampaignActed,
    CampaignsChanged,
    DialerFact,
    FormFilled,
    LeadActed,
    LeadsSaved,
    LeadsStaged,
    LineCame,
    ListsChanged,
    ManualAsked,
    NumberListed,
    PreviewActed,
)
from core.events import TimerFired
from core.lead_record import StagedLead
from dialer import changes, filling, pace, people, progress, staging, views, watch
from dialer.do_not_call import DoNotCallBook
from dialer.floor import Floor
from dialer.saved import SavedUnreadable, dump, load
from dialer.setup import DialerSetup
from dialer.state import State
from dialer.turn import Aggregate, DialerOutcome, Refused, Turn
from dialer.why import why

TICK_S, QUIET_TICK_S, SOON_S = 0.5, 5.0, 0.1
"""How often time is looked at: with leads or lines in hand, and with none; and how soon a free line is used again."""
TICK, PACE = "dial:tick:", "dial:pace:"
"""The timers of a tenant that has anything to do: `dial:tick:<tenant>`."""

_HANDLERS: dict[type, Callable[[State, Turn, Any], None]] = {
    AttemptProgressed: progress.progressed,
    AttemptDisposed: progress.disposed,
    LineCame: watch.line_came,
    LeadsStaged: staging.staged,
    LeadsSaved: staging.saved,
    ListsChanged: staging.changed,
    CampaignActed: people.campaign_acted,
    NumberListed: people.number_listed,
    LeadActed: people.lead_acted,
    ManualAsked: people.manual_asked,
    PreviewActed: people.preview_acted,
    FormFilled: filling.form_filled,
    CampaignsChanged: lambda state, turn, fact: None,
    TimerFired: lambda state, turn, fact: _fired(state, turn, fact.timer_id),
}


class Dialer:
    """`floor`: asked for its agents whenever something is decided; never kept."""

    def __init__(self, setup: DialerSetup, do_not_call: DoNotCallBook, floor: Floor) -> None:
        self._state = State(setup, do_not_call, floor)
        self._pictures: dict[Aggregate, bytes] = {}

    @property
    def halted(self) -> str:
        """Why campaigns dial nobody right now, whatever else is so: set by whoever owns it. Empty: they dial."""
        return self._state.halted

    @halted.setter
    def halted(self, why: str) -> None:
        self._state.halted = why

    @property
    def setup(self) -> DialerSetup:
        return self._state.setup

    @property
    def do_not_call(self) -> DoNotCallBook:
        return self._state.book

    # -- events ------------------------------------------------------------------------------------
    def handle(self, fact: DialerFact | TimerFired, now_s: float) -> DialerOutcome:
        """What follows from a fact. A request that cannot be comes back `refused`, and nothing has changed.

        Raises:
            EventRefused: it cannot happen in this state; nothing has changed.
        """
        handler = _HANDLERS[type(fact)]
        return self._do(lambda turn: handler(self._state, turn, fact), now_s)

    def nudge(self, tenant: str, queue: str, now_s: float) -> DialerOutcome:
        """An agent of this queue became ready, or left: pace its campaigns now."""

        def pace_them(turn: Turn) -> None:
            turn.paced |= {key for key, one in self.setup.campaigns.items() if key[0] == tenant and one.queue == queue}

        return self._do(pace_them, now_s)

    def change_setup(self, setup: DialerSetup, now_s: float) -> DialerOutcome:
        """Puts a new version in force. Attempts go on; a campaign that is gone stops."""
        state, before = self._state, self._state.setup
        try:
            return self._do(lambda turn: changes.change(state, turn, setup), now_s)
        except Exception:
            state.setup = before
            state.pacers.clear()
            state.index()
            raise

    def change_lists(self, do_not_call: DoNotCallBook, now_s: float) -> DialerOutcome:
        """Do-not-call lists were built anew; words heard since `built_s` still hold."""
        return self._do(lambda turn: changes.take_book(self._state, turn, do_not_call), now_s)

    def _do(self, what: Callable[[Turn], None], now_s: float) -> DialerOutcome:
        state, turn = self._state, Turn(self._state, now_s, self._pictures)
        try:
            what(turn)
            if turn.paced and not self.halted:
                pace.pace_all(state, turn, {tenant for tenant, _ in turn.paced})
            turn.keep_what_was_learnt()
            _arm(state, turn)
        except Refused as refused:
            turn.undo()
            return DialerOutcome(refused=str(refused))
        except Exception:
            turn.undo()
            raise
        return turn.outcome

    # -- saving ------------------------------------------------------------------------------------
    def save(self, aggregate: Aggregate) -> bytes | None:
        """The record as bytes; None when it is gone and its row is to be deleted."""
        record = self._state.record_of(aggregate)
        if record is None:
            return None
        body = self._pictures[aggregate] = dump(record)
        return body

    def restore(self, rows: Mapping[Aggregate, bytes], now_s: float, open_: Callable[[str], bool]) -> DialerOutcome:
        """Takes in what was saved. Attempts of interactions that are not `open_` are lost; what the store has not
        confirmed is saved again; nothing is dialed by this itself. What cannot be read is left out and noted."""
        unread = []
        for aggregate, body in rows.items():
            try:
                self._state.put(load(aggregate[0], body))
            except SavedUnreadable as error:
                unread.append(Noted("saved_unreadable", f"{aggregate[0]} {aggregate[1]}: {error}"))
        self._state.index()
        outcome = self._do(lambda turn: changes.resume(self._state, turn, open_), now_s)
        outcome.decisions.extend(unread)
        return outcome

    # -- reading -----------------------------------------------------------------------------------
    def held(self) -> frozenset[tuple[str, str]]:
        """(tenant, lead_id) of every lead in hand: `LeadStore.unstage_unknown` is told at a start."""
        return staging.in_hand(self._state)

    def status(self, tenant: str, campaign: str, now_s: float) -> dict[str, Any] | None:
        """One campaign as its manager sees it, without counts that the store knows; None: there is none."""
        return views.campaign(self._state, (tenant, campaign), now_s)

    def board(self, now_s: float, tenant: str | None = None) -> list[dict[str, Any]]:
        """`status` of every campaign."""
        keys = sorted(key for key in self._state.campaigns if tenant in (None, key[0]))
        return [view for key in keys if (view := views.campaign(self._state, key, now_s)) is not None]

    def previews(self, tenant: str, agent_id: str, now_s: float) -> list[dict[str, Any]]:
        """What this agent is shown to look at, and when it ends by itself."""
        return views.previews(self._state, tenant, agent_id, now_s)

    def desk_of(self, interaction_id: str, now_s: float, said: Mapping[str, Any]) -> dict[str, Any] | None:
        """Lead, script and form of the attempt of this interaction, for the agent who has it; None: there is none.
        `said`: what flows and people have found out since, which the script knows as well."""
        return views.desk_of(self._state, interaction_id, now_s, said)

    def why(self, record: StagedLead, now_s: float) -> dict[str, Any]:
        """Why this lead was or was not dialed, and when it next may be: `record` as the store has it."""
        return why(self._state, record, now_s)


def _fired(state: State, turn: Turn, timer_id: str) -> None:
    state.armed = {other: due_s for other, due_s in state.armed.items() if other != timer_id}
    tenant = timer_id.removeprefix(TICK).removeprefix(PACE)
    if timer_id.startswith(TICK):
        watch.look(state, turn, tenant)
    turn.paced.add((tenant, ""))


def _arm(state: State, turn: Turn) -> None:
    """Timers for each tenant that has anything to do."""
    for tenant in sorted({key[0] for key in state.campaigns}):
        every_s = min(_every_s(state, key, turn.now_s) for key in state.campaigns if key[0] == tenant)
        _arm_one(state, turn, f"{TICK}{tenant}", every_s)
        if tenant in turn.soon:
            _arm_one(state, turn, f"{PACE}{tenant}", SOON_S)


def _arm_one(state: State, turn: Turn, timer_id: str, after_s: float) -> None:
    due_s = turn.now_s + after_s
    if due_s < state.armed.get(timer_id, inf):
        state.armed = {**state.armed, timer_id: due_s}
        turn.outcome.commands.append(StartTimer(DIALER, timer_id, due_s))


def _every_s(state: State, key: tuple[str, str], now_s: float) -> float:
    """How often a campaign wants to be looked at; inf: it sleeps."""
    record = state.campaigns[key]
    running = record.state in (CampaignState.RUNNING, CampaignState.DRAINING)
    if state.open_attempts(key):
        return TICK_S
    if record.state is not CampaignState.PAUSED and state.hopper(key).size:
        return TICK_S
    if running and record.promised_s > now_s:
        return min(max(record.promised_s - now_s, TICK_S), QUIET_TICK_S)
    return QUIET_TICK_S if running or state.attempts_of.get(key) or state.kept.get(key[0]) else inf
