"""One event being handled: what comes out of it, and how everything was before.

A handler asks the turn for every record it is about to change. The turn takes the record's picture the first time: for
what must be saved, and to put all of it back when the handler raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.agent_facts import AgentActed
from core.attempt import ATTEMPT_TABLE, AttemptEvent
from core.campaign import CAMPAIGN_TABLE, CampaignEvent
from core.commands import CancelTimer, StartTimer
from core.decisions import Decision, Moved
from core.dialing import AttemptFact
from core.lead import LEAD_TABLE, LeadEvent
from core.lead_store import Save, Staging
from dialer.pacing import Pacer
from dialer.records import Attempt, Campaign, Identity, Lead, Learnt
from dialer.saved import Record, dump, load
from dialer.setup import Key

if TYPE_CHECKING:
    from dialer.state import State

Aggregate = tuple[str, str]
"""("campaign" | "lead" | "attempt" | "dnc" | "identity" | "pacer", row id)."""


@dataclass(slots=True)
class DialerOutcome:
    """What one event came to. `facts`: for interactions and the router, through the inbox. `changed`: what must be
    saved now, or deleted when `Dialer.save` says so. `wanted`: what to ask the store of leads. `saves`: what it is to
    keep; asked again after a restart, so keeping it twice must do no harm. `refused`: why a request cannot be, in words
    for the person; nothing changed."""

    facts: list[AttemptFact | AgentActed] = field(default_factory=list)
    commands: list[StartTimer | CancelTimer] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    changed: set[Aggregate] = field(default_factory=set)
    wanted: list[Staging] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    refused: str = ""


class Refused(Exception):
    """A request that cannot be; the message is for the person who asked."""


class Turn:
    """`paced`: campaigns to be paced at its end; `soon`: tenants to be paced a moment later, together with what else
    happens until then. `absent`: (tenant, agent_id) of who is not there, which the router hears of only then."""

    __slots__ = (
        "_pictures",
        "absent",
        "armed",
        "asked_s",
        "before",
        "book",
        "heard",
        "now_s",
        "outcome",
        "paced",
        "serial",
        "soon",
        "state",
        "told",
    )

    def __init__(self, state: State, now_s: float, pictures: dict[Aggregate, bytes]) -> None:
        self.state, self.now_s = state, now_s
        self.outcome = DialerOutcome()
        self.before: dict[Aggregate, bytes | None] = {}
        """None: it was not there."""
        self.paced: set[Key] = set()
        self.absent: set[Key] = set()
        self.soon: set[str] = set()
        # Values that are replaced, never changed in place.
        self.book, self.heard, self.serial = state.book, state.heard, state.serial
        self.asked_s, self.armed, self.told = state.asked_s, state.armed, state.told
        self._pictures = pictures

    def decide(self, decision: Decision) -> None:
        self.outcome.decisions.append(decision)

    def campaign(self, key: Key) -> Campaign:
        campaign = self.state.campaigns.get(key)
        if campaign is None:
            campaign = self.state.campaigns[key] = Campaign(*key, created_s=self.now_s)
            self._take(("campaign", campaign.row_id), None)
        else:
            self._take(("campaign", campaign.row_id), campaign)
        return campaign

    def lead(self, lead: Lead, new: bool = False) -> Lead:
        self._take(("lead", lead.row_id), None if new else lead)
        return lead

    def attempt(self, attempt: Attempt, new: bool = False) -> Attempt:
        self._take(("attempt", attempt.attempt_id), None if new else attempt)
        return attempt

    def identity(self, tenant: str, number: str) -> Identity:
        found = self.state.identities.get((tenant, number))
        if found is None:
            found = self.state.identities[tenant, number] = Identity(tenant, number)
            self._take(("identity", found.row_id), None)
        else:
            self._take(("identity", found.row_id), found)
        return found

    def word(self, row: str) -> None:
        """Before this word is heard, or forgotten."""
        self._take(("dnc", row), self.state.words.get(row))

    def pacer(self, key: Key) -> Pacer:
        """To be asked or told something."""
        row = f"{key[0]}/{key[1]}"
        learnt = self.state.learnt.get(row)
        pacer = self.state.pacer(key)
        if ("pacer", row) not in self.before:
            self.before["pacer", row] = dump(learnt) if learnt is not None else None
        return pacer

    def next_serial(self) -> int:
        """For what the store is to keep: it only grows, over restarts too, and with the clock as long as that does."""
        self.state.serial = max(self.state.serial + 1, int(self.now_s * 1000))
        return self.state.serial

    def _take(self, aggregate: Aggregate, record: Record | None) -> None:
        if aggregate in self.before:
            return
        picture = self._pictures.pop(aggregate, None)
        self.before[aggregate] = picture or (None if record is None else dump(record))
        self.outcome.changed.add(aggregate)

    # -- moving ------------------------------------------------------------------------------------
    def move_campaign(self, campaign: Campaign, event: CampaignEvent, why: str = "", by: str = "") -> bool:
        """True when it moved. Raises EventRefused."""
        state, transition = CAMPAIGN_TABLE.advance(campaign.row_id, campaign.state, event)
        if transition is None:
            return False
        campaign.state, campaign.why, campaign.by, campaign.since_s = state, why, by, self.now_s
        self.decide(Moved(transition))
        return True

    def move_lead(self, lead: Lead, event: LeadEvent, reason: str = "", not_before_s: float = 0.0) -> bool:
        """True when it moved; a late event leaves even the reason as it was. Raises EventRefused."""
        record = lead.record
        state, transition = LEAD_TABLE.advance(lead.row_id, record.state, event)
        if (record.state, event) in LEAD_TABLE.late:
            return False
        lead.record = replace(
            record,
            state=state,
            reason=reason,
            not_before_s=not_before_s,
            attempts=record.attempts + (event is LeadEvent.DIAL),
        )
        if transition is not None:
            self.decide(Moved(transition))
        return True

    def move_attempt(self, attempt: Attempt, event: AttemptEvent) -> bool:
        """True when it moved, False when the event is late. Raises EventRefused."""
        state, transition = ATTEMPT_TABLE.advance(attempt.attempt_id, attempt.state, event)
        if transition is None:
            return False
        attempt.state = state
        self.decide(Moved(transition))
        return True

    # -- the end of it -----------------------------------------------------------------------------
    def keep_what_was_learnt(self) -> None:
        """The pacers that were asked or told something, as they are now."""
        for kind, row in [aggregate for aggregate in self.before if aggregate[0] == "pacer"]:
            tenant, _, name = row.partition("/")
            body = self.state.pacer((tenant, name)).save()
            learnt = self.state.learnt.get(row)
            if learnt is None or learnt.body != body:
                self.state.learnt[row] = Learnt(tenant, name, body)
                self.outcome.changed.add((kind, row))

    def undo(self) -> None:
        """Everything as it was before."""
        for aggregate, picture in self.before.items():
            if picture is None:
                self.state.drop(aggregate)
            else:
                self.state.put(load(aggregate[0], picture))
        self.state.book, self.state.heard, self.state.serial = self.book, self.heard, self.serial
        self.state.asked_s, self.state.armed, self.state.told = self.asked_s, self.armed, self.told
        self.state.index()
