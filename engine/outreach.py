"""Everything that campaigns need around the engine's one inbox, in one place: the store of leads and its keeper, the
do-not-call lists, what people see and ask.

async with opened_leads(home, site.database) as leads: ...
outreach = Outreach(runtime, journal, leads, feed, http, box.get)
outreach.restore()                    after the interactions are back
routes = outreach.routes()            on the control socket
await outreach.run()                  a task for the engine's life
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import Route

from core.decisions import Decision
from core.dialing import DialerFact, LeadsSaved, LeadsStaged, NoticeTaken
from core.errors import StoreUnavailable
from core.events import TimerFired
from core.lead_store import LeadStore
from core.table import Transition
from desk.lists.registers import registers_at_hand
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.setup import DialerSetup
from engine.acd_feed import Feed
from engine.campaigns import ROWS, Campaigns, QueueKey
from engine.dialer_api import DialerApi
from engine.dialer_metrics import DialerMetrics
from engine.dialer_views import CAMPAIGN, CampaignViews
from engine.floor import RouterFloor
from engine.home import Home
from engine.lead_keeper import LeadKeeper
from engine.metrics import Metrics
from engine.number_lists import Registers, read_lists
from engine.routing import Routing, RoutingBook
from engine.runtime import Runtime
from engine.webhooks import ROWS as HOOK_ROWS
from engine.webhooks import Http, Webhooks
from store.cipher import HOUSE
from store.entry import Entry, StateRow
from store.errors import StoreError
from store.journal import Journal
from store.sql.database import LEADS, Database, upgrade
from store.sql.lead_rows import AWAY
from store.sql.leads import SqlLeadStore

log = logging.getLogger("centralita.leads")

_AGAIN_S = 10.0

Key = tuple[str, str]
"""Kind and id of something on the board."""

__all__ = ["CAMPAIGN", "Leads", "Outreach", "dialing", "opened_leads"]


@dataclass(frozen=True, slots=True)
class Leads:
    """`store`: where leads are. `prepare` brings its tables to this release; blocking, called in a thread, again after
    it raised. `registers`: the national do-not-call registers."""

    store: LeadStore
    prepare: Callable[[], None] = lambda: None
    registers: Registers = dict


@contextlib.asynccontextmanager
async def opened_leads(home: Home, database: str) -> AsyncIterator[Leads]:
    """The store of leads in the site's database, or in a file of its own in the state directory. Nothing is connected
    until it is needed."""
    url = database or home.leads_url
    store = SqlLeadStore(Database(url, LEADS))
    try:
        yield Leads(store, partial(upgrade, url, LEADS), partial(registers_at_hand, home.state))
    finally:
        await store.close()


def dialing(
    setup: DialerSetup,
    routing: Routing,
    book: RoutingBook,
    metrics: Metrics,
    on_transition: Callable[[Transition, float], None],
) -> Campaigns:
    """The dialer over this router's agents. It knows no do-not-call list yet, and dials nobody before it does."""
    dialer = Dialer(setup, DoNotCallBook(), RouterFloor(routing.router))
    campaigns = Campaigns(dialer, book, DialerMetrics(metrics.registry), on_transition)
    campaigns.lists_read = False
    return campaigns


class Outreach:
    """`feed` is told what looks different on the board. `secret(name)`: makes and keeps one."""

    def __init__(
        self,
        runtime: Runtime,
        journal: Journal,
        leads: Leads,
        feed: Feed,
        http: Http,
        secret: Callable[[str], str],
    ) -> None:
        self.runtime = runtime
        self.campaigns = runtime.campaigns
        self.keeper = LeadKeeper(leads.store, self, runtime.clock)
        self.campaigns.keeper = self.keeper
        self._journal = journal
        self._leads = leads
        self._prepared = False
        self._floor = RouterFloor(runtime.routing.router)
        self._feed = feed
        now_s = runtime.clock.now_s
        router = runtime.routing.router
        self.views = CampaignViews(self.campaigns, self.keeper, feed, lambda: router.setup.agents, now_s)
        self._webhooks = Webhooks(
            lambda: self.campaigns.setup,
            self.campaigns.dialer.status,
            http,
            lambda tenant, campaign: secret(f"webhook/{tenant}/{campaign}"),
            self._forget,
            now_s,
        )
        self._writing: set[asyncio.Task[None]] = set()
        self.campaigns.notices = self
        self.campaigns.metrics.watch(
            lambda: self.views.all(now_s()), lambda: self.keeper.away_s, lambda: self.keeper.unsaved
        )

    def restore(self) -> None:
        """The dialer as the journal kept it, after every open interaction was adopted. Nobody is dialed before the
        do-not-call lists are known."""
        rows = {row.name: row.body for row in self._journal.load_states(ROWS) if row.body is not None}
        runtime = self.runtime
        runtime.settle(self.campaigns.restore(rows, runtime.interactions.__contains__, runtime.clock.now_s()))

        self._webhooks.send(
            [(row.name, row.body) for row in self._journal.load_states(HOOK_ROWS) if row.body is not None]
        )

    def routes(self) -> list[Route]:
        return DialerApi(self.runtime, self._journal, self.keeper, self.views).routes()

    async def run(self) -> None:
        """Until cancelled. A fault in it stops nobody's calls, and is tried again."""
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self.keeper.run(), name="leads")
                    tasks.create_task(self.views.keep_counting(), name="count leads")
            except Exception:
                log.exception("campaigns have a fault: trying again in %g s", _AGAIN_S)
            await asyncio.sleep(_AGAIN_S)

    def board_changed(self, keys: Iterable[Key]) -> None:
        """Something on the board looks different: the feed is told, and the dialer when it was an agent."""
        keys = tuple(keys)
        self._feed.changed(keys)
        queues: set[QueueKey] = set()
        for kind, id_ in keys:
            if kind == "agent":
                tenant, _, agent_id = id_.partition("/")
                queues.update(self._floor.queues_of(tenant, agent_id))
        for fact in self.campaigns.stirred(queues):
            self.runtime.put(fact)

    def view(self, key: Key, now_s: float) -> dict[str, Any] | None:
        """A campaign (`tenant/campaign`) as the feed shows it."""
        tenant, _, campaign = key[1].partition("/")
        return self.views.view((tenant, campaign), now_s)

    async def close(self) -> None:
        self.views.close()
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._webhooks.close()

    # -- for notices -----------------------------------------------------------------------------------
    def rows(
        self, fact: DialerFact | TimerFired, decisions: Sequence[Decision], now_s: float
    ) -> Sequence[tuple[str, bytes]]:
        return self._webhooks.rows(fact, decisions, now_s)

    def written(self, seq: int, rows: Sequence[tuple[str, bytes]]) -> None:
        """Nobody is told of what a crash could still undo."""

        async def send() -> None:
            with contextlib.suppress(StoreError):
                await self._journal.durable(seq)
                self._webhooks.send(rows)

        task = asyncio.get_running_loop().create_task(send(), name="notices")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _forget(self, notice_id: str, why: str) -> None:
        gone = StateRow(f"{HOOK_ROWS}{notice_id}", 1, None)
        taken = NoticeTaken(notice_id, why)
        self._journal.append(Entry("", HOUSE, self.runtime.clock.now_s(), taken, states=(gone,)))

    # -- for the keeper --------------------------------------------------------------------------------
    def put(self, fact: LeadsStaged | LeadsSaved) -> None:
        self.runtime.put(fact)

    async def read_lists(self, store: LeadStore) -> None:
        if not self._prepared:
            try:
                await asyncio.to_thread(self._leads.prepare)
            except (SQLAlchemyError, *AWAY) as failure:
                raise StoreUnavailable(f"its tables cannot be made ready: {type(failure).__name__}") from failure
            self._prepared = True
        book = await read_lists(store, self._leads.registers, self.runtime.clock.now_s())
        self.runtime.settle(self.campaigns.change_lists(book, self.runtime.clock.now_s()))

    def held(self) -> Collection[tuple[str, str]]:
        self.runtime.handle_now()
        return self.campaigns.dialer.held()
