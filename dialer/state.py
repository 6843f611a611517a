"""Everything the dialer holds, and the indexes that find it without searching.

Indexes are derived from the records and the setup, so they can be built anew at any time: at a start, after a change of
setup, and after a handler raised.
"""

from __future__ import annotations

from math import inf
from typing import TypeVar

from dialer.compliance.abandonment import Standing, Tally
from dialer.do_not_call import DoNotCallBook
from dialer.floor import Floor
from dialer.hopper import Hopper
from dialer.pacing import METHODS, CannotRestore, Pacer
from dialer.records import Attempt, Campaign, Identity, Lead, Learnt, Word
from dialer.saved import Record
from dialer.setup import CampaignSetup, DialerSetup, Key
from dialer.told import Told
from dialer.turn import Aggregate

Number = tuple[str, str]
"""(tenant, E.164)."""


class State:
    """`words`: what was heard about numbers and the store has not confirmed; `heard`: since this process began, for a
    book that is built anew. `attempts_of`: those that are not over, or whose agent has not finished."""

    def __init__(self, setup: DialerSetup, book: DoNotCallBook, floor: Floor) -> None:
        self.setup, self.book, self.floor = setup, book, floor
        self.campaigns: dict[Key, Campaign] = {}
        self.leads: dict[str, Lead] = {}
        self.attempts: dict[str, Attempt] = {}
        self.identities: dict[Number, Identity] = {}
        self.words: dict[str, Word] = {}
        self.heard: dict[str, Word] = {}
        self.learnt: dict[str, Learnt] = {}
        self.pacers: dict[Key, Pacer] = {}
        self.asked_s: dict[Key, float] = {}
        """When leads were asked for and have not come yet. Not saved: whoever was asked is gone after a restart."""
        self.armed: dict[str, float] = {}
        """Timer -> when it is due. Not saved: timers are armed anew."""
        self.told: dict[tuple[str, str], Told] = {}
        """(tenant, agent) -> what came of her last attempt. Not saved; replaced, never changed in place."""
        self.serial = 0
        self.halted = ""
        """Why nobody is dialed, whatever else is so. Not saved."""
        self.index()

    def index(self) -> None:
        """Builds every index from the records and the setup. Campaigns of the setup without a record get one."""
        self._standings: dict[Key, tuple[object, float, tuple[Standing, int] | None]] = {}
        for key in self.setup.campaigns:
            if key not in self.campaigns:
                self.campaigns[key] = Campaign(*key, created_s=0.0)
        self.hoppers: dict[Key, Hopper] = {}
        self.leads_at: dict[Number, set[str]] = {}
        self.attempts_of: dict[Key, dict[str, Attempt]] = {}
        self.kept: dict[str, dict[str, Attempt]] = {}
        """By tenant: attempts that the store has."""
        self._open: dict[Key, dict[str, Attempt]] = {}
        self._in_order: dict[Key, list[Attempt]] = {}
        self.attempts_at: dict[Number, set[str]] = {}
        self.attempts_by_lead: dict[str, set[str]] = {}
        for lead in self.leads.values():
            self.index_lead(lead)
        for attempt in self.attempts.values():
            self.index_attempt(attempt)
        self.serial = max(
            (
                self.serial,
                *(campaign.serial for campaign in self.campaigns.values()),
                *(lead.serial for lead in self.leads.values()),
                *(attempt.serial for attempt in self.attempts.values()),
                *(word.serial for word in self.words.values()),
            )
        )

    def index_lead(self, lead: Lead) -> None:
        """After it came in hand, changed, or left."""
        row, hopper = lead.row_id, self.hopper(lead.key)
        if lead.in_hopper:
            hopper.add(lead)
        else:
            hopper.remove(row)
        for number in lead.record.numbers:
            at = (lead.record.tenant, number.number)
            if lead.held:
                self.leads_at.setdefault(at, set()).add(row)
            else:
                _discard(self.leads_at, at, row)

    def forget_lead(self, lead: Lead) -> None:
        row = lead.row_id
        self.hopper(lead.key).remove(row)
        for number in lead.record.numbers:
            _discard(self.leads_at, (lead.record.tenant, number.number), row)
        self.leads.pop(row, None)

    def index_attempt(self, attempt: Attempt) -> None:
        self.attempts_at.setdefault((attempt.tenant, attempt.number), set()).add(attempt.attempt_id)
        self.attempts_by_lead.setdefault(attempt.lead_row, set()).add(attempt.attempt_id)
        key, id_ = attempt.key, attempt.attempt_id
        over = attempt.state.is_over
        _member(self.attempts_of.setdefault(key, {}), id_, attempt, not (over and attempt.disposed))
        _member(self._open.setdefault(key, {}), id_, attempt, not over)
        _member(self.kept.setdefault(attempt.tenant, {}), id_, attempt, attempt.kept_s > 0.0)
        self._in_order.pop(key, None)

    def forget_attempt(self, attempt: Attempt) -> None:
        self.attempts_of.get(attempt.key, {}).pop(attempt.attempt_id, None)
        self._open.get(attempt.key, {}).pop(attempt.attempt_id, None)
        self.kept.get(attempt.tenant, {}).pop(attempt.attempt_id, None)
        self._in_order.pop(attempt.key, None)
        self.attempts.pop(attempt.attempt_id, None)
        _discard(self.attempts_at, (attempt.tenant, attempt.number), attempt.attempt_id)
        _discard(self.attempts_by_lead, attempt.lead_row, attempt.attempt_id)

    # -- reading -----------------------------------------------------------------------------------
    def hopper(self, key: Key) -> Hopper:
        found = self.hoppers.get(key)
        if found is None:
            found = self.hoppers[key] = Hopper()
        return found

    def of(self, key: Key) -> CampaignSetup:
        """The campaign's setup; one that never dials, when its file is gone."""
        return self.setup.campaigns.get(key) or CampaignSetup(*key)

    def open_attempts(self, key: Key) -> list[Attempt]:
        """Those that are not over, the oldest first. To be read only."""
        found = self._in_order.get(key)
        if found is None:
            open_ = self._open.get(key, {})
            found = sorted(open_.values(), key=lambda one: (one.dialed_s, one.attempt_id))
            self._in_order[key] = found
        return found

    def tally(self, campaign: Campaign) -> Tally:
        setup = self.of(campaign.key)
        limits = setup.law().overall.abandonment
        windows = {(window, from_s): counts for window, from_s, counts in campaign.windows}
        return Tally(limits, campaign.tally_s, setup.reviewed, windows=windows)

    def standing(self, campaign: Campaign, now_s: float) -> tuple[Standing, int] | None:
        """The tightest limit of abandoned calls, and how many more it allows; None where nothing limits."""
        kept = self._standings.get(campaign.key)
        if kept is not None and kept[0] is campaign.windows and now_s < kept[1]:
            return kept[2]
        found = [(one, one.spare) for one in self.tally(campaign).standing(now_s)]
        tightest = min(found, key=lambda one: (one[1], one[0].limit.most), default=None)
        until_s = min((one.until_s for one, _ in found), default=inf)
        self._standings[campaign.key] = (campaign.windows, until_s, tightest)
        return tightest

    def pacer(self, key: Key) -> Pacer:
        """What paces this campaign; afresh, when what was learnt is another method's."""
        found = self.pacers.get(key)
        if found is None:
            settings = self.of(key).pacing
            found = self.pacers[key] = METHODS[settings.method](settings)
            learnt = self.learnt.get(f"{key[0]}/{key[1]}")
            if learnt is not None:
                try:
                    found.restore(learnt.body)
                except CannotRestore:
                    found = self.pacers[key] = METHODS[settings.method](settings)
        return found

    def record_of(self, aggregate: Aggregate) -> Record | None:
        kind, row = aggregate
        if kind == "lead":
            return self.leads.get(row)
        if kind == "attempt":
            return self.attempts.get(row)
        if kind == "dnc":
            return self.words.get(row)
        if kind == "pacer":
            return self.learnt.get(row)
        tenant, _, name = row.partition("/")
        return self.campaigns.get((tenant, name)) if kind == "campaign" else self.identities.get((tenant, name))

    def put(self, record: Record) -> None:
        """In the place of what was there; the indexes are the caller's."""
        if isinstance(record, Lead):
            self.leads[record.row_id] = record
        elif isinstance(record, Attempt):
            self.attempts[record.attempt_id] = record
        elif isinstance(record, Campaign):
            self.campaigns[record.key] = record
        elif isinstance(record, Identity):
            self.identities[record.tenant, record.number] = record
        elif isinstance(record, Word):
            self.words[record.row_id] = record
        else:
            self.learnt[record.row_id] = record
            self.pacers.pop((record.tenant, record.campaign), None)

    def drop(self, aggregate: Aggregate) -> None:
        """What was not there before."""
        kind, row = aggregate
        tenant, _, name = row.partition("/")
        if kind == "lead":
            self.leads.pop(row, None)
        elif kind == "attempt":
            self.attempts.pop(row, None)
        elif kind == "dnc":
            self.words.pop(row, None)
        elif kind == "pacer":
            self.learnt.pop(row, None)
            self.pacers.pop((tenant, name), None)
        elif kind == "identity":
            self.identities.pop((tenant, name), None)
        else:
            self.campaigns.pop((tenant, name), None)


K = TypeVar("K")


def _member(index: dict[str, Attempt], id_: str, attempt: Attempt, belongs: bool) -> None:
    if belongs:
        index[id_] = attempt
    else:
        index.pop(id_, None)


def _discard(index: dict[K, set[str]], key: K, row: str) -> None:
    rows = index.get(key)
    if rows is not None:
        rows.discard(row)
        if not rows:
            del index[key]
