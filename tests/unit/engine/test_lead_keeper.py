"""Leads between dialer and store: saved once and in order, staged when all is settled, none lost while it is away."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from core.dialing import LeadActed, LeadsSaved, LeadsStaged, ManualAsked
from core.errors import StoreUnavailable
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord
from core.lead_store import ListShare, Save, Staging
from dialer.memory_store import MemoryLeadStore
from engine import lead_keeper
from engine.clock import AnchoredClock
from engine.lead_keeper import LeadKeeper

NOW_S = 1_800_000_000.0


def record(n, **more):
    return LeadRecord(f"l{n}", "main", "spring", (LeadNumber(f"+3461200000{n}"),), **more)


def staging(count=2, campaign="c1"):
    return Staging("main", campaign, (ListShare("spring"),), count, NOW_S)


class Listener:
    """What the dialer would do, as far as the keeper sees it."""

    def __init__(self):
        self.told, self.known, self.lists_read = [], set(), 0

    def put(self, fact):
        self.told.append(fact)

    def of(self, kind):
        return [fact for fact in self.told if isinstance(fact, kind)]

    async def read_lists(self, store):
        _ = [each async for each in store.listed()]
        self.lists_read += 1

    def held(self):
        return self.known


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(lead_keeper, "FIRST_WAIT_S", 0.005)
    monkeypatch.setattr(lead_keeper, "LONGEST_WAIT_S", 0.01)


@contextlib.asynccontextmanager
async def kept(store=None):
    store = store or MemoryLeadStore()
    listener = Listener()
    keeper = LeadKeeper(store, listener, AnchoredClock())
    task = asyncio.create_task(keeper.run())
    try:
        yield store, keeper, listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(what):
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.002)


async def seed(store, *records):
    await store.save([Save(f"seed:{each.lead_id}", 0, lead=each) for each in records])


async def test_leads_are_staged_and_saved():
    async with kept() as (store, keeper, listener):
        await seed(store, record(1), record(2), record(3))
        keeper.want([staging(2)])
        await until(lambda: listener.of(LeadsStaged))
        (staged,) = listener.of(LeadsStaged)
        assert [each.record.lead_id for each in staged.leads] == ["l1", "l2"]
        done = replace(staged.leads[0].record, state=LeadState.DONE)
        keeper.keep([Save("lead:main/l1", 5, lead=done)])
        await until(lambda: listener.of(LeadsSaved))
        assert listener.of(LeadsSaved) == [LeadsSaved((("lead:main/l1", 5),))]
        assert (await store.lead("main", "l1", 0.0)).record.state is LeadState.DONE
        assert keeper.unsaved == 0


async def test_a_newer_change_takes_the_place_of_an_older_one_that_waits():
    store = MemoryLeadStore()
    store.away = "testing"
    async with kept(store) as (store, keeper, listener):
        for serial, state in ((1, LeadState.WAITING), (3, LeadState.DONE), (2, LeadState.CALLBACK)):
            keeper.keep([Save("lead:main/l1", serial, lead=record(1, state=state))])
        assert keeper.unsaved == 1
        store.away = ""
        await until(lambda: listener.of(LeadsSaved))
        assert listener.of(LeadsSaved) == [LeadsSaved((("lead:main/l1", 3),))]


async def test_while_the_store_is_away_nobody_is_staged_and_nothing_is_lost():
    async with kept() as (store, keeper, listener):
        await seed(store, record(1), record(2))
        await until(lambda: keeper.ready)
        store.away = "the disk is gone"
        keeper.want([staging(2)])
        keeper.keep([Save("attempt:a1", 1)])
        await until(lambda: keeper.away)
        assert "disk" in keeper.away
        await asyncio.sleep(0.05)
        assert not listener.told
        assert keeper.unsaved == 1
        store.away = ""
        await until(lambda: listener.of(LeadsStaged) and listener.of(LeadsSaved))
        assert not keeper.away
        assert isinstance(listener.told[0], LeadsSaved), "saved first: what it holds and what is read have to fit"


async def test_at_a_start_leads_in_nobodys_hand_wait_again_before_anybody_is_staged():
    store = MemoryLeadStore()
    await seed(store, record(1), record(2))
    await store.stage(staging(2))
    async with kept(store) as (store, keeper, listener):
        listener.known = {("main", "l2")}
        keeper.want([staging(2)])
        await until(lambda: listener.of(LeadsStaged))
        assert listener.lists_read == 1
        assert [each.record.lead_id for each in listener.of(LeadsStaged)[0].leads] == ["l1"]


async def test_a_staging_whose_answer_never_came_marks_nobody_for_ever():
    class Forgetful(MemoryLeadStore):
        """Marks the leads, and the answer is lost on its way."""

        fails = 1

        async def stage(self, wanted):
            staged = await super().stage(wanted)
            if self.fails:
                self.fails -= 1
                raise StoreUnavailable("the connection broke")
            return staged

    async with kept(Forgetful()) as (store, keeper, listener):
        await seed(store, record(1), record(2))
        keeper.want([staging(2)])
        await until(lambda: listener.of(LeadsStaged))
        assert [each.record.lead_id for each in listener.of(LeadsStaged)[0].leads] == ["l1", "l2"]


async def test_one_row_that_cannot_be_kept_holds_up_no_other():
    class Picky(MemoryLeadStore):
        async def save(self, saves):
            if any(each.id == "attempt:bad" for each in saves):
                raise ValueError("a fault of ours")
            return await super().save(saves)

    async with kept(Picky()) as (_, keeper, listener):
        keeper.keep([Save("attempt:a1", 1), Save("attempt:bad", 1), Save("attempt:a2", 1)])
        await until(lambda: keeper.unsaved == 0)
        saved = {id_ for told in listener.of(LeadsSaved) for id_, _ in told.saved}
        assert saved == {"attempt:a1", "attempt:a2"}


async def test_a_campaign_that_cannot_be_staged_by_a_fault_asks_again_later():
    class Faulty(MemoryLeadStore):
        async def stage(self, wanted):
            raise ValueError("a fault of ours")

    async with kept(Faulty()) as (_, keeper, listener):
        keeper.want([staging()])
        await until(lambda: listener.of(LeadsStaged))
        (told,) = listener.of(LeadsStaged)
        assert told.leads == ()
        assert told.next_s > 0.0


async def test_what_is_asked_about_a_lead_is_asked_with_her_record():
    async with kept() as (store, keeper, listener):
        await seed(store, record(1))
        asked = []

        def ask(fact):
            asked.append(fact)
            return ""

        assert await keeper.with_lead(LeadActed("main", "c1", "l1", "opt_out"), ask) == ""
        assert asked[-1].lead.record.lead_id == "l1"
        assert "l9" in await keeper.with_lead(LeadActed("main", "c1", "l9", "opt_out"), ask)
        listener.known = {("main", "l1")}
        await keeper.with_lead(LeadActed("main", "c1", "l1", "finish"), ask)
        assert asked[-1].lead is None, "the dialer has her: its record is the newer one"
        listener.known = set()
        await keeper.with_lead(ManualAsked("main", "c1", "ana", "+34612000001"), ask)
        assert asked[-1].lead.record.lead_id == "l1"
        await keeper.with_lead(ManualAsked("main", "c1", "ana", "+34911222333"), ask)
        nobodys = asked[-1].lead.record
        assert (nobodys.list_id, nobodys.numbers[0].number) == ("", "+34911222333")
        store.away = "gone"
        with pytest.raises(StoreUnavailable):
            await keeper.with_lead(LeadActed("main", "c1", "l1", "opt_out"), ask)
