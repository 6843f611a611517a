"""Campaigns over the control socket: how they stand, what people ask of them, and why a lead is (not) dialed.

GET  /dialer/snapshot                     {now_s, campaigns: [view]}; their changes are in the feed, kind `campaign`
GET  /dialer/campaign/TENANT/CAMPAIGN     view + {decisions: [{at_s, count, why, ...}], store: {away, unsaved}}
POST /dialer/do {fact, fields}            {ok}, or 409 {ok, why}; 422 for what nobody can ask
GET  /dialer/why/TENANT/LEAD              why she was or was not dialed, and when she next may be
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.dialing import CampaignActed, LeadActed, ListsChanged, ManualAsked, NumberListed, PreviewActed
from core.errors import StoreUnavailable
from engine.acd_api import Asked
from engine.dialer_views import CampaignViews
from engine.durably import DURABLE_WITHIN_S
from engine.lead_keeper import LeadKeeper
from engine.runtime import Runtime
from store.errors import StoreError
from store.journal import Journal

PersonsRequest = CampaignActed | NumberListed | LeadActed | ManualAsked | PreviewActed | ListsChanged
REQUESTS: dict[str, type[PersonsRequest]] = {cls.__name__: cls for cls in PersonsRequest.__args__}
"""What people may ask for."""
_NOT_TYPED = frozenset({"lead"})
"""Fields that nobody may give: they come from the store."""
_MOST_BYTES = 64 * 1024
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
        return _json({"now_s": now_s, "campaigns": self.views.all(now_s)})

    async def campaign(self, request: Request) -> Response:
        key = (request.path_params["tenant"], request.path_params["campaign"])
        now_s = self.runtime.clock.now_s()
        if self.views.view(key, now_s) is None:
            return _refused(404, f"there is no campaign '{key[1]}'")
        await self.views.count(key)
        view = self.views.view(key, now_s)
        store = {"away": self.keeper.away, "away_s": self.keeper.away_s, "unsaved": self.keeper.unsaved}
        return _json({**(view or {}), "decisions": self.views.decisions(key), "store": store})

    async def do(self, request: Request) -> Response:
        if int(request.headers.get("content-length") or 0) > _MOST_BYTES:
            return _refused(422, "the request is too long")
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
            kind = REQUESTS.get(asked.fact)
            if kind is None:
                return _refused(422, f"'{asked.fact}' cannot be asked for; only {', '.join(sorted(REQUESTS))}")
            if unknown := sorted(asked.fields.keys() - (set(kind.__dataclass_fields__) - _NOT_TYPED)):
                return _refused(422, f"{asked.fact} has no {', '.join(unknown)}")
            fact = msgspec.convert(asked.fields, type=kind)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            return _refused(422, str(error))
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                why = await self._ask(fact)
        except (TimeoutError, StoreUnavailable):
            return _refused(503, "the store of leads does not answer: try again when it is back")
        if why:
            return _refused(409, why)
        try:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self.journal.durable(self.journal.last_seq)
        except (TimeoutError, StoreError):
            return _refused(503, "it is done, but the journal does not reach the disk: free space on its disk")
        return _json({"ok": True})

    async def why(self, request: Request) -> Response:
        tenant, lead_id = request.path_params["tenant"], request.path_params["lead_id"]
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                told = await self.views.why(tenant, lead_id)
        except (TimeoutError, StoreUnavailable):
            return _refused(503, "the store of leads does not answer: try again when it is back")
        return _json(told) if told is not None else _refused(404, f"there is no lead '{lead_id}'")

    async def _ask(self, fact: PersonsRequest) -> str:
        """Why it cannot be done; empty when it is."""
        if isinstance(fact, ListsChanged):
            self.keeper.look_again()
        if isinstance(fact, LeadActed | ManualAsked):
            return await self.keeper.with_lead(fact, self.runtime.ask)
        return self.runtime.ask(fact)


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def _refused(status: int, why: str) -> Response:
    return _json({"ok": False, "why": why}, status)
