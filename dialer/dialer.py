"""The dialer: one fact in, what follows from it out. Pure and deterministic; it changes in place, all or nothing.

outcome = dialer.handle(LeadsStaged(...), now_s)
outcome.facts      AttemptWanted, AttemptCancelled: for interactions
outcome.commands   its own timers
outcome.changed    what must be saved: `dialer.save(aggregate)` for each
outcome.wanted     leads to be staged; the answer is a `LeadsStaged`
outcome.saves      leads and attempts the store is to keep; the answer is a `LeadsSaved`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.dialing import DialerFact
from core.events import TimerFired
from core.lead_record import StagedLead
from dialer.do_not_call import DoNotCallBook
from dialer.floor import Floor
from dialer.setup import DialerSetup
from dialer.turn import Aggregate, DialerOutcome


class Dialer:
    """`floor`: asked for its agents whenever something is decided; never kept."""

    def __init__(self, setup: DialerSetup, do_not_call: DoNotCallBook, floor: Floor) -> None:
        self.setup = setup

    def handle(self, fact: DialerFact | TimerFired, now_s: float) -> DialerOutcome:
        """What follows from a fact. A request that cannot be comes back `refused`, and nothing has changed.

        Raises:
            EventRefused: it cannot happen in this state; nothing has changed.
        """
        raise NotImplementedError

    def nudge(self, tenant: str, queue: str, now_s: float) -> DialerOutcome:
        """An agent of this queue became ready, or left: pace its campaigns now."""
        raise NotImplementedError

    def change_setup(self, setup: DialerSetup, now_s: float) -> DialerOutcome:
        """Puts a new version in force. Attempts go on; a campaign that is gone stops."""
        raise NotImplementedError

    def change_lists(self, do_not_call: DoNotCallBook, now_s: float) -> DialerOutcome:
        """Do-not-call lists were built anew; words heard since `built_s` still hold."""
        raise NotImplementedError

    def save(self, aggregate: Aggregate) -> bytes | None:
        """The record as bytes; None when it is gone and its row is to be deleted."""
        raise NotImplementedError

    def restore(self, rows: Mapping[Aggregate, bytes], now_s: float, open_: Callable[[str], bool]) -> DialerOutcome:
        """Takes in what was saved. Attempts of interactions that are not `open_` are lost; what the store has not
        confirmed is saved again; nothing is dialed by this itself."""
        raise NotImplementedError

    def held(self) -> frozenset[tuple[str, str]]:
        """(tenant, lead_id) of every lead in hand: `LeadStore.unstage_unknown` is told at a start."""
        raise NotImplementedError

    def status(self, tenant: str, campaign: str, now_s: float) -> dict[str, Any] | None:
        """One campaign as its manager sees it, without counts that the store knows; None: there is none."""
        raise NotImplementedError

    def board(self, now_s: float, tenant: str | None = None) -> list[dict[str, Any]]:
        """`status` of every campaign."""
        raise NotImplementedError

    def previews(self, tenant: str, agent_id: str, now_s: float) -> list[dict[str, Any]]:
        """What this agent is shown to look at: {attempt_id, campaign, lead, number, ends_s, script, form}."""
        raise NotImplementedError

    def why(self, record: StagedLead, now_s: float) -> dict[str, Any]:
        """Why this lead was or was not dialed, and when it next may be."""
        raise NotImplementedError
