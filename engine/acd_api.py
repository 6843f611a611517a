"""Routing over the control socket: the board and what changes on it, what people ask of it, and why.

GET  /acd/snapshot               {epoch, seq, now_s, agents, queues, stays, talks, campaigns}
GET  /acd/events?epoch=&after=   NDJSON: {seq, kind, id, tenant, value}, {ping}, {reset}
POST /acd/do {fact, fields}      {ok}, or 409 {ok, why}; 422 for what nobody can ask
GET  /acd/explain/ID             why this agent, this wait
GET  /acd/contact/ID             who it is, for whom it concerns
GET  /acd/setup                  what people choose from: reasons, dispositions, scripts and forms of campaigns
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.agent_facts import AgentActed, WrapUpActed
from core.offer_facts import OfferRefused
from core.queue_facts import QueueActed, StayActed
from core.talk_facts import ConversationActed, SupervisionActed
from engine.acd_feed import Feed
from engine.asking import answer, done, read_fact, refused
from engine.contact_card import contact_card
from engine.dialer_views import CampaignViews
from engine.routing_story import tell
from engine.routing_views import Views, flows_view, setup_view
from engine.runtime import Runtime
from engine.supervision import to_leave
from store.errors import StoreError
from store.journal import Journal

log = logging.getLogger("centralita.acd_api")

PersonsRequest = AgentActed | OfferRefused | WrapUpActed | QueueActed | StayActed | ConversationActed | SupervisionActed
REQUESTS: dict[str, type[PersonsRequest]] = {cls.__name__: cls for cls in PersonsRequest.__args__}
"""What people may ask for."""
WRITTEN_WITHIN_S = 1.0
"""Who asks what happened waits no longer than this for the disk to have it."""


@dataclass(slots=True)
class AcdApi:
    runtime: Runtime
    journal: Journal
    feed: Feed
    views: Views
    campaigns: CampaignViews | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/acd/snapshot", self.snapshot),
            Route("/acd/events", self.events),
            Route("/acd/do", self.do, methods=["POST"]),
            Route("/acd/explain/{interaction_id}", self.explain),
            Route("/acd/contact/{interaction_id}", self.contact),
            Route("/acd/setup", self.setup),
        ]

    async def snapshot(self, request: Request) -> Response:
        now_s = self.runtime.clock.now_s()
        board = self.views.board(now_s)
        stays = [(("stay", stay["stay_id"]), stay["tenant"]) for stay in board["stays"]]
        talks = [(("talk", talk["interaction_id"]), talk["tenant"]) for talk in board["talks"]]
        seq = self.feed.begin([*stays, *talks])
        campaigns = self.campaigns.all(now_s) if self.campaigns is not None else []
        return answer({"epoch": self.feed.epoch, "seq": seq, "now_s": now_s, **board, "campaigns": campaigns})

    async def events(self, request: Request) -> Response:
        epoch, after = request.query_params.get("epoch", ""), request.query_params.get("after", "")
        lines = self.feed.lines(epoch, int(after) if after.isdecimal() and len(after) < 19 else -1)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def do(self, request: Request) -> Response:
        fact = await read_fact(request, REQUESTS)
        if isinstance(fact, Response):
            return fact
        if isinstance(fact, SupervisionActed):
            for first in to_leave(fact, self.runtime.interactions, self.runtime.surroundings):
                self.runtime.ask(first)
        return await done(self.runtime.ask(fact), self.journal)

    async def explain(self, request: Request) -> Response:
        interaction_id = request.path_params["interaction_id"]
        await self._written()
        told = await asyncio.to_thread(tell, self.journal.reader, interaction_id)
        now_s = self.runtime.clock.now_s()
        told["now"] = self.views.explain_now(interaction_id, now_s)
        if not told["offers"] and not told["stays"] and told["now"] is None and not told["known"]:
            return refused(404, "no such interaction")
        return answer(told)

    async def contact(self, request: Request) -> Response:
        interaction_id = request.path_params["interaction_id"]
        await self._written()
        interaction = self.runtime.interactions.get(interaction_id)
        run = interaction.run if interaction is not None else None
        records = await self.journal.show(interaction_id)
        card = contact_card(records, run.language if run is not None else "")
        if card is None:
            return refused(404, "no such interaction")
        dialer, now_s = self.runtime.campaigns.dialer, self.runtime.clock.now_s()
        desk = dialer.desk_of(interaction_id, now_s, card["variables"]) or {}
        said = {"script": desk.get("script", {}), "script_drawn": desk.get("script_drawn", "")}
        return answer({**card, **said, "answers": desk.get("answers", {}), "promise": desk.get("promise")})

    async def setup(self, request: Request) -> Response:
        campaigns = self.campaigns.setup() if self.campaigns is not None else []
        around = self.runtime.surroundings
        chosen = {**setup_view(self.runtime.routing.setup), "flows": flows_view(around.releases[around.release_id])}
        return answer({**chosen, "campaigns": campaigns})

    async def _written(self) -> None:
        """What happened until now can be read; a disk that does not answer is not waited for long."""
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                await self.journal.durable(self.journal.last_seq)
        except (TimeoutError, StoreError):
            log.warning("the journal is behind: what is shown may lack the last moments")
