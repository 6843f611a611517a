"""The database of leads goes away in the middle of a campaign and comes back: nothing is lost, nobody in two hands."""

import asyncio

from core.dialing import LeadsSaved, LeadsStaged
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadNumber, LeadRecord
from core.lead_store import ListShare, Save, Staging
from engine.clock import AnchoredClock
from engine.lead_keeper import LeadKeeper
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore

LEADS_THERE = 30


class Dialer:
    """Takes what is staged in hand, and saves each as dialed."""

    def __init__(self):
        self.told, self.hands = [], set()

    def put(self, fact):
        self.told.append(fact)
        if isinstance(fact, LeadsStaged):
            fresh = {each.record.lead_id for each in fact.leads}
            assert not fresh & self.hands, "in two hands"
            self.hands |= fresh

    async def read_lists(self, store):
        _ = [each async for each in store.listed()]

    def held(self):
        return {("main", lead_id) for lead_id in self.hands}


def lead(n):
    return LeadRecord(f"l{n:02}", "main", "spring", (LeadNumber(f"+346120000{n:02}"),))


def attempt(lead_id):
    return AttemptRecord(
        f"a-{lead_id}", "i", "main", "c", "spring", lead_id, "+34", "", "power", "busy", 1_800_000_000.0
    )


async def until(what, within_s=40.0):
    async with asyncio.timeout(within_s):
        while not what():
            await asyncio.sleep(0.02)


async def test_postgresql_gone_and_back(postgres_server):
    url = postgres_server.create_database("lead_outage")
    database = Database(url, LEADS)
    await database.upgrade()
    store = SqlLeadStore(database)
    await store.save([Save(f"seed:{n}", 0, lead=lead(n)) for n in range(LEADS_THERE)])
    dialer, clock = Dialer(), AnchoredClock()
    keeper = LeadKeeper(store, dialer, clock)
    task = asyncio.create_task(keeper.run())
    wanted = Staging("main", "c", (ListShare("spring"),), 10, clock.now_s())
    try:
        keeper.want([wanted])
        await until(lambda: dialer.hands)
        await asyncio.to_thread(postgres_server.stop)
        keeper.want([wanted])
        keeper.keep([Save(f"attempt:a-{each}", 1, attempt=attempt(each)) for each in sorted(dialer.hands)])
        done = [LeadRecord(each, "main", "spring", (), state=LeadState.DONE) for each in sorted(dialer.hands)]
        keeper.keep([Save(f"lead:{each.lead_id}", 1, lead=each) for each in done])
        await until(lambda: keeper.away)
        assert keeper.unsaved == 20
        assert len(dialer.told) == 1
        await asyncio.to_thread(postgres_server.start)
        await until(lambda: len([fact for fact in dialer.told if isinstance(fact, LeadsStaged)]) == 2)
        assert not keeper.away
        assert keeper.unsaved == 0
        saved = [id_ for fact in dialer.told if isinstance(fact, LeadsSaved) for id_, _ in fact.saved]
        assert len(saved) == len(set(saved)) == 20
        assert len(dialer.hands) == 20
        assert len((await store.lead("main", "l00", 0.0)).history) == 1
        counts = await store.counts("main", ["spring"])
        assert counts == {LeadState.DONE: 10, LeadState.STAGED: 10, LeadState.NEW: 10}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()
        if keeper.away:
            await asyncio.to_thread(postgres_server.start)
