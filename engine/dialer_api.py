"""Campaigns over the control socket: how they stand, what people ask of them, and why a lead is (not) dialed.

GET  /dialer/snapshot                     {now_s, campaigns: [view]}; their changes are in the feed, kind `campaign`
GET  /dialer/campaign/TENANT/CAMPAIGN     view + {decisions: [run], store: {away, unsaved}}; `engine.pacing_runs`
POST /dialer/do {fact, fields}            {ok, told?}, or 409 {ok, why}; 422 for what nobody can ask. `told`: what who
                                          starts a campaign should know: it has nobody to dial
GET  /dialer/why/TENANT/LEAD              why she was or was not dialed, and when she next may be
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.dialing import CampaignActed, FormFilled, LeadActed, ListsChanged, ManualAsked, NumberListed, PreviewActed
from core.errors import StoreUnavailable
from engine.asking import answer, done, read_fact, refused
from engine.dialer_views import CampaignViews
from engine.lead_keeper import LeadKeeper
from engine.runtime import Runtime
from store.journal import Journal

PersonsRequest = CampaignActed | NumberListed | LeadActed | ManualAsked | PreviewActed | FormFilled | ListsChanged
REQUESTS: dict[str, type[PersonsRequest]] = {cls.__name__: cls for cls in PersonsRequest.__args__}
"""What people may ask for."""
_NOT_TYPED = frozenset({"lead"})
"""Fields that nobody may give: they come from the store."""
_STORE_WITHIN_S = 5.0


@dataclass(slots=True)
class DialerApi:
    runtime: Runtime
    journal: Journal
    keeper: LeadKeeper
    views: CampaignViews

    def routes(self) -> list[Route]:
        return [
            Route("/dialer/snapshot", self.snapshot),
            Route("/dialer/campaign/{tenant}/{campaign}", self.campaign),
            Route("/dialer/do", self.do, methods=["POST"]),
            Route("/dialer/why/{tenant}/{lead_id:path}", self.why),
        ]

    async def snapshot(self, request: Request) -> Response:
        now_s = self.runtime.clock.now_s()
        return answer({"now_s": now_s, "campaigns": self.views.all(now_s)})

    async def campaign(self, request: Request) -> Response:
        key = (request.path_params["tenant"], request.path_params["campaign"])
        now_s = self.runtime.clock.now_s()
        if self.views.view(key, now_s) is None:
            return refused(404, f"there is no campaign '{key[1]}'")
        await self.views.count(key)
        view = self.views.view(key, now_s)
        store = {"away": self.keeper.away, "away_s": self.keeper.away_s, "unsaved": self.keeper.unsaved}
        return answer({**(view or {}), "decisions": self.views.decisions(key), "store": store})

    async def do(self, request: Request) -> Response:
        fact = await read_fact(request, REQUESTS, _NOT_TYPED)
        if isinstance(fact, Response):
            return fact
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                why = await self._ask(fact)
        except (TimeoutError, StoreUnavailable):
            return refused(503, "the store of leads does not answer: try again when it is back")
        told = await self._told(fact) if not why else ""
        return await done(why, self.journal, told)

    async def why(self, request: Request) -> Response:
        tenant, lead_id = request.path_params["tenant"], request.path_params["lead_id"]
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                told = await self.views.why(tenant, lead_id)
        except (TimeoutError, StoreUnavailable):
            return refused(503, "the store of leads does not answer: try again when it is back")
        return answer(told) if told is not None else refused(404, f"there is no lead '{lead_id}'")

    async def _told(self, fact: PersonsRequest) -> str:
        if not isinstance(fact, CampaignActed) or fact.action != "start":
            return ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STORE_WITHIN_S):
                return await self.views.nobody((fact.tenant, fact.campaign))
        return ""

    async def _ask(self, fact: PersonsRequest) -> str:
        """Why it cannot be done; empty when it is."""
        if isinstance(fact, ListsChanged):
            self.keeper.look_again()
        if isinstance(fact, LeadActed | ManualAsked):
            return await self.keeper.with_lead(fact, self.runtime.ask)
        return self.runtime.ask(fact)
