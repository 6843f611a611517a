"""Leads on their way between the dialer and the store: what was dialed is saved, who comes next is staged.

    dialer --saves-->   keep()    batches, in order     --> store  --> LeadsSaved  --> inbox
           --wanted-->  want()    one per campaign      --> store  --> LeadsStaged --> inbox
    start: do-not-call lists, what a crash left unsaved, leads marked for nobody; only then is anybody staged

While the store is away the dialer goes on with the leads it has, and everything waits here and in the journal: nothing
is lost, nobody new is staged, and `away` says so. An ended attempt lies in the journal until the store has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from core.clock import Clock
from core.dialing import LeadActed, LeadsSaved, LeadsStaged, ManualAsked
from core.errors import StoreUnavailable
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord, StagedLead
from core.lead_store import LeadStore, Save, Staging

log = logging.getLogger("centralita.leads")

BATCH = 500
"""Rows in one transaction."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
"""How long the store is left alone after it refused: at first, and at most."""
FAULT_AGAIN_S = 30.0
"""A campaign whose leads cannot be staged because of a fault asks again after this."""
Key = tuple[str, str]
"""(tenant, campaign)."""
T = TypeVar("T")


class Listener(Protocol):
    """What the keeper tells the dialer, by the inbox or at once."""

    def put(self, fact: LeadsStaged | LeadsSaved) -> None: ...

    async def read_lists(self, store: LeadStore) -> None:
        """Reads the do-not-call lists: only when they are known may anybody be dialed. May raise StoreUnavailable."""
        ...

    def held(self) -> Collection[tuple[str, str]]:
        """(tenant, lead_id) of every lead the dialer has in hand, with everything told so far taken in."""
        ...


class LeadKeeper:
    """`run` is a task for the engine's life. Everything else returns at once."""

    def __init__(self, store: LeadStore, listener: Listener, clock: Clock) -> None:
        self._store = store
        self._listener = listener
        self._clock = clock
        self._saves: dict[str, Save] = {}
        self._wanted: dict[Key, Staging] = {}
        self._work = asyncio.Event()
        self._alone = asyncio.Lock()
        """Who holds it may change what the store has marked, or look at it and act on it."""
        self._relist = False
        self._in_doubt = False
        """Whether leads may be marked for nobody: a staging whose answer never came."""
        self._away_since_s = 0.0
        self.away = ""
        """Why the store cannot be reached right now, in words; empty while it answers."""
        self.ready = False
        """Whether the start is over: lists loaded, leftovers settled."""

    # -- asked for one lead, with all that was tried --------------------------------------------------
    async def lead(self, tenant: str, lead_id: str) -> StagedLead | None:
        """Raises StoreUnavailable."""
        return await self._store.lead(tenant, lead_id, 0.0)

    async def counts(self, tenant: str, list_ids: Collection[str]) -> Mapping[LeadState, int]:
        """How many leads of these lists are in each state. Raises StoreUnavailable."""
        return await self._store.counts(tenant, list_ids)

    async def with_lead(self, fact: LeadActed | ManualAsked, ask: Callable[[LeadActed | ManualAsked], str]) -> str:
        """Asks what concerns one lead together with her record. Nothing is staged meanwhile, so she cannot get into a
        second hand. Why it cannot be done, in words. Raises StoreUnavailable."""
        if (fact.tenant, fact.lead_id) in self._listener.held():
            return ask(fact)
        if self.away:
            raise StoreUnavailable(self.away)
        async with self._alone:
            lead = await self._found(fact)
            if lead is None and fact.lead_id:
                return f"there is no lead '{fact.lead_id}'"
            return ask(replace(fact, lead=lead))

    async def _found(self, fact: LeadActed | ManualAsked) -> StagedLead | None:
        if fact.lead_id:
            return await self.lead(fact.tenant, fact.lead_id)
        if not isinstance(fact, ManualAsked):
            return None
        known = await self._store.by_number(fact.tenant, fact.called, 0.0)
        if known:
            return known[0]
        nobodys = LeadRecord(f"number:{fact.called}", fact.tenant, "", (LeadNumber(fact.called),))
        return await self.lead(fact.tenant, nobodys.lead_id) or StagedLead(nobodys)

    # -- the way to the store -------------------------------------------------------------------------
    @property
    def unsaved(self) -> int:
        return len(self._saves)

    @property
    def away_s(self) -> float:
        """How long the store has been away; 0 when it is there."""
        return self._clock.now_s() - self._away_since_s if self.away else 0.0

    def keep(self, saves: Iterable[Save]) -> None:
        """These must get to the store. A newer serial replaces one that still waits."""
        for save in saves:
            before = self._saves.get(save.id)
            if before is None or before.serial <= save.serial:
                self._saves[save.id] = save
        if self._saves:
            self._work.set()

    def want(self, wanted: Iterable[Staging]) -> None:
        """A campaign wants more leads. What it asked before and did not get yet is forgotten."""
        for staging in wanted:
            self._wanted[staging.tenant, staging.campaign] = staging
            self._work.set()

    def look_again(self) -> None:
        """Do-not-call lists have changed in the store: they are read anew."""
        self._relist = True
        self._work.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with self._alone:
            await self._begin()
        while True:
            await self._work.wait()
            self._work.clear()
            async with self._alone:
                await self._turn()

    async def _turn(self) -> None:
        await self._save_all()
        if self._relist:
            self._relist = False
            await self._persist(self._load_lists)
        await self._stage_all()

    async def _begin(self) -> None:
        await self._persist(self._load_lists)
        await self._save_all()
        await self._free()
        self.ready = True
        self._work.set()

    async def _free(self) -> None:
        """What is in hand now was in the journal; anything else the store has marked belongs to nobody."""
        freed = await self._persist(lambda: self._store.unstage_unknown(self._listener.held()))
        if freed:
            log.warning("%d leads were marked as staged and nobody had them: they wait again", freed)

    async def _load_lists(self) -> None:
        await self._listener.read_lists(self._store)

    async def _save_all(self) -> None:
        most = BATCH
        while self._saves:
            batch = list(self._saves.values())[:most]
            try:
                saved = await self._persist(partial(self._store.save, batch))
            except Exception:
                # One row may be at fault: the others get through one by one, and it stays in the journal.
                log.exception("the store cannot keep %s", batch[0].id if len(batch) == 1 else f"{len(batch)} rows")
                if len(batch) == 1:
                    del self._saves[batch[0].id]
                most = 1
                continue
            for save in batch:
                if self._saves.get(save.id) is save:  # else a newer one came meanwhile
                    del self._saves[save.id]
            self._listener.put(saved)

    async def _stage_all(self) -> None:
        """Each campaign in turn. A store that fails is not asked on behalf of the others either: all of them wait."""
        if self._in_doubt and self._wanted:
            await self._free()
            self._in_doubt = False
        for key in list(self._wanted):
            staging = self._wanted.pop(key, None)
            if staging is None:
                continue
            try:
                staged = await self._store.stage(staging)
                # Told with each of them, so that in the night nobody is staged to be put back.
                zones = await self._store.zones(staging.tenant, [share.list_id for share in staging.lists])
                staged = replace(staged, zones=tuple(zones))
            except StoreUnavailable as failure:
                self._wanted.setdefault(key, staging)
                self._in_doubt = True
                self._failed(failure)
                self._work.set()
                await asyncio.sleep(FIRST_WAIT_S)
                return
            except Exception:
                log.exception("no leads can be staged for %s", "/".join(key))
                again_s = self._clock.now_s() + FAULT_AGAIN_S
                staged = LeadsStaged(
                    *key, (), True, again_s, callback_s=again_s, promised=staging.promised, asked_s=staging.now_s
                )
            self._answered()
            self._listener.put(staged)

    async def _persist(self, what: Callable[[], Awaitable[T]]) -> T:
        """Tries until it is done: first soon, then less often."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                done = await what()
            except StoreUnavailable as failure:
                self._failed(failure)
                await asyncio.sleep(wait_s)
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)
            else:
                self._answered()
                return done

    def _failed(self, failure: StoreUnavailable) -> None:
        if not self.away:
            self._away_since_s = self._clock.now_s()
            log.error(
                "the store of leads is away (%s): campaigns go on with the leads they have, nobody new is staged, "
                "what is dialed meanwhile is in the journal",
                failure,
            )
        self.away = str(failure) or "it does not answer"

    def _answered(self) -> None:
        if self.away:
            log.warning("the store of leads is back after %.1f s; %d rows to save", self.away_s, len(self._saves))
        self.away = ""
