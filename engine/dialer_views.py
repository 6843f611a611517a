"""How campaigns look to people: the dialer's own view, with what only the store or the journal knows beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from core.decisions import PacingDecided
from core.dialing import DialerFact
from core.errors import StoreUnavailable
from core.events import TimerFired
from core.lead import LeadState
from dialer.compliance.rules import Mode
from dialer.setup import Key
from dialer.turn import DialerOutcome
from engine.acd_feed import Feed
from engine.campaigns import Campaigns
from engine.lead_keeper import LeadKeeper
from engine.pacing_runs import PacingRuns

Plain = dict[str, Any]
CAMPAIGN = "campaign"
"""The kind under which the feed tells of campaigns."""
GATHER_S = 0.25
"""How soon watchers hear of a change."""
COUNT_EVERY_S = 15.0
"""How often the leads of running campaigns are counted for whoever watches; a look at one campaign counts at once."""
_FRESH_S = 2.0
_IDLE = "stopped"
_TO_DIAL = (LeadState.NEW, LeadState.WAITING, LeadState.CALLBACK, LeadState.STAGED, LeadState.DIALING)


def by_state(counts: Mapping[LeadState, int], dialing: int) -> dict[str, int]:
    """How many leads are in each state. The store knows who is in hand, and the dialer alone who of them is being
    dialed: it tells the store of nobody before it is over."""
    in_hand = counts.get(LeadState.STAGED, 0) + counts.get(LeadState.DIALING, 0)
    known = {state.value: counts.get(state, 0) for state in LeadState}
    now = min(dialing, in_hand)
    return {**known, LeadState.STAGED.value: in_hand - now, LeadState.DIALING.value: now}


class CampaignViews:
    """`feed` is told of campaigns that look different; `agents`: (tenant, agent) of everybody."""

    def __init__(
        self,
        campaigns: Campaigns,
        keeper: LeadKeeper,
        feed: Feed,
        agents: Callable[[], Iterable[tuple[str, str]]],
        now_s: Callable[[], float],
    ) -> None:
        self._campaigns = campaigns
        self._keeper = keeper
        self._feed = feed
        self._agents = agents
        self._now_s = now_s
        self._runs = PacingRuns()
        self._counts: dict[Key, tuple[float, dict[LeadState, int]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._seen: dict[Key, Plain] = {}
        campaigns.watchers.append(self._watch)

    def view(self, key: Key, now_s: float) -> Plain | None:
        """None when there is no such campaign."""
        status = self._campaigns.dialer.status(*key, now_s)
        if status is None:
            return None
        _, counts = self._counts.get(key, (0.0, {}))
        return {
            **status,
            "halted": self._campaigns.dialer.halted,
            "previews": self._previews(key[0], key[1], now_s) if status["previews"] else [],
            "leads": by_state(counts, status["leads"]["dialing"]),
        }

    def all(self, now_s: float) -> list[Plain]:
        views = (self.view(key, now_s) for key in sorted(self._campaigns.setup.campaigns))
        return [view for view in views if view is not None]

    def setup(self) -> list[Plain]:
        """What an agent's page needs of each campaign: titles, scripts, forms."""
        return [
            {
                "tenant": setup.tenant,
                "campaign": setup.campaign,
                "title": setup.title,
                "mode": setup.mode.value,
                "queue": setup.queue,
                "script": dict(setup.script),
                "form": [
                    {
                        "name": each.name,
                        "title": dict(each.title),
                        "type": each.kind,
                        "choices": list(each.choices),
                        "required": each.required,
                    }
                    for each in setup.form
                ],
            }
            for _, setup in sorted(self._campaigns.setup.campaigns.items())
        ]

    def decisions(self, key: Key) -> list[Plain]:
        """The last pacing decisions, those for the same reason as one, the newest first."""
        return self._runs.of(key)

    async def nobody(self, key: Key) -> str:
        """Why a campaign has nobody to dial, now or later, in words: counted at this moment. Empty: it has somebody, or
        needs no list, or the store does not answer."""
        setup = self._campaigns.setup.campaigns.get(key)
        if setup is None or not setup.lists or setup.mode is Mode.MANUAL:
            return ""
        lists = [share.list_id for share in setup.lists]
        try:
            found = await self._keeper.counts(setup.tenant, lists)
        except StoreUnavailable:
            return ""
        self._counts[key] = (self._now_s(), dict(found))
        if any(found.get(state) for state in _TO_DIAL):
            return ""
        total, named = sum(found.values()), ", ".join(lists)
        if not total:
            are = "is" if len(lists) == 1 else "are"
            return f"there is no lead to dial, {named} {are} empty: centralita lists import FILE --list {lists[0]}"
        return f"there is no lead to dial, all {total} of {named} are done, used up or blocked"

    async def count(self, key: Key) -> None:
        """Counts a campaign's leads, unless that was a moment ago; a store that does not answer leaves it as it is."""
        setup = self._campaigns.setup.campaigns.get(key)
        counted_s, _ = self._counts.get(key, (0.0, {}))
        if setup is None or self._now_s() - counted_s < _FRESH_S:
            return
        lists = [share.list_id for share in setup.lists]
        with suppress(StoreUnavailable):
            found = await self._keeper.counts(setup.tenant, lists) if lists else {}
            self._counts[key] = (self._now_s(), dict(found))

    async def keep_counting(self) -> None:
        """Until cancelled."""
        while True:
            now_s = self._now_s()
            for key in list(self._campaigns.setup.campaigns):
                if key not in self._counts or self._is_at_work(key, now_s):
                    await self.count(key)
            self._tell_later()
            await asyncio.sleep(COUNT_EVERY_S)

    async def why(self, tenant: str, lead_id: str) -> Plain | None:
        """Why a lead was or was not dialed; None: there is no such lead. Raises StoreUnavailable."""
        lead = await self._keeper.lead(tenant, lead_id)
        return None if lead is None else self._campaigns.dialer.why(lead, self._now_s())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _previews(self, tenant: str, campaign: str, now_s: float) -> list[Plain]:
        """Leads before agents who look at them."""
        return [
            {**shown, "agent_id": agent_id}
            for owner, agent_id in self._agents()
            if owner == tenant
            for shown in self._campaigns.dialer.previews(tenant, agent_id, now_s)
            if shown["campaign"] == campaign
        ]

    def _is_at_work(self, key: Key, now_s: float) -> bool:
        status = self._campaigns.dialer.status(*key, now_s)
        return status is not None and status["state"] != _IDLE

    def _watch(self, fact: DialerFact | TimerFired, outcome: DialerOutcome, now_s: float) -> None:
        for decision in outcome.decisions:
            if isinstance(decision, PacingDecided):
                self._runs.add(decision, now_s)
        if outcome.changed or outcome.decisions:
            self._tell_later()

    def _tell_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if not self._feed.is_watched():
            self._seen.clear()
            return
        now_s = self._now_s()
        views = {(view["tenant"], view["campaign"]): view for view in self.all(now_s)}
        fresh = [key for key in views.keys() | self._seen.keys() if views.get(key) != self._seen.get(key)]
        self._seen = views
        if fresh:
            self._feed.changed((CAMPAIGN, f"{tenant}/{campaign}") for tenant, campaign in sorted(fresh))
