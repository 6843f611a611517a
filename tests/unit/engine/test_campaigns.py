"""The dialer in the engine: rows and decisions in the journal, nobody hurt by a fault; a crash anywhere dials nobody
twice and loses nobody."""

import random
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.agent_facts import AgentActed, DeviceChanged
from core.attempt import AttemptState
from core.commands import StartTimer
from core.decisions import Noted
from core.dialing import (
    DIALER,
    AttemptCancelled,
    AttemptDisposed,
    AttemptProgressed,
    AttemptWanted,
    CampaignActed,
    LeadsStaged,
    ManualAsked,
    NumberListed,
)
from core.events import TimerFired
from core.lead import LeadState
from core.lead_record import StagedLead
from core.lead_store import Save
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.memory_store import MemoryLeadStore
from dialer.setup import DialerSetup
from engine.campaigns import ROWS, TICK_AGAIN_S, Campaigns, is_dialed
from engine.dialer_metrics import DialerMetrics
from engine.floor import RouterFloor
from tests.unit.dialer.house import START_S, campaign, record

AGENTS = ("ana", "eva", "luis")
LEADS = 25


def now(coroutine):
    """The result of what waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


class Book:
    """Rows as the journal would hold them."""

    def __init__(self):
        self.written, self.rows = [], {}

    def write_routed(self, routed):
        self.written.append(routed)
        for name, body in routed.rows:
            if body is None:
                self.rows.pop(name, None)
            else:
                self.rows[name] = body
        return len(self.written)


class Keeper:
    def __init__(self):
        self.saves, self.wanted = {}, {}

    def keep(self, saves):
        for save in saves:
            if save.id not in self.saves or self.saves[save.id].serial <= save.serial:
                self.saves[save.id] = save

    def want(self, wanted):
        for each in wanted:
            self.wanted[each.campaign] = each


class House:
    """Agents are the router's; interactions are what `open` says of them; a store that answers when told to."""

    def __init__(self, seed=0, **more):
        self.chance, self.now_s = random.Random(seed), START_S
        agents = {("main", name): AgentSetup("main", name, device=f"main-{name}") for name in AGENTS}
        self.router = Router(Setup("r1", agents, {("main", "sales"): QueueSetup("main", "sales", wrap_up_s=0.0)}))
        for name in AGENTS:
            for fact in (
                DeviceChanged(f"main-{name}", True),
                AgentActed("main", name, "log_in"),
                AgentActed("main", name, "ready"),
            ):
                self.router.handle(fact, self.now_s)
        setup = campaign(held_lines=False, **more)
        self.setup = DialerSetup("r1", {setup.key: setup})
        self.store, self.book = MemoryLeadStore(), Book()
        for n in range(LEADS):
            now(self.store.save([Save(f"seed:{n}", 0, lead=record(n))]))
        self.open, self.dialed = {}, []
        self.begin()

    def begin(self):
        """An engine's life."""
        self.timers, self.keeper, self.dirty = {}, Keeper(), []
        dialer = Dialer(self.setup, DoNotCallBook(), RouterFloor(self.router))
        self.campaigns = Campaigns(dialer, self.book, DialerMetrics(CollectorRegistry()))
        self.campaigns.keeper = self.keeper
        rows = {name: body for name, body in self.book.rows.items() if name.startswith(ROWS)}
        self.follow(self.campaigns.restore(rows, self.open.__contains__, self.now_s))

    def crash(self):
        """Nothing is left but rows, interactions and the store. Some interactions did not survive."""
        for interaction_id in list(self.open):
            if self.chance.random() < 0.2:
                del self.open[interaction_id]
        self.begin()
        self.store_saves()
        now(self.store.unstage_unknown(self.campaigns.dialer.held()))

    def do(self, fact):
        consequences = self.campaigns.take(fact, None, self.now_s)
        self.follow(consequences)
        return consequences.refused

    def follow(self, consequences):
        for command in consequences.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
            else:
                self.timers.pop(command.timer_id, None)
        for fact in consequences.facts:
            if isinstance(fact, AttemptWanted):
                assert fact.lead_id not in {each.lead_id for each, _ in self.open.values()}, "in two hands"
                self.open[fact.interaction_id] = (fact, AttemptState.DIALING)
                self.dialed.append(fact)
            elif isinstance(fact, AttemptCancelled) and fact.interaction_id in self.open:
                self.progress(fact.interaction_id, "cancel")

    def progress(self, interaction_id, event, **more):
        wanted, _ = self.open[interaction_id]
        if event not in ("ringing", "answered", "connect"):
            del self.open[interaction_id]
        else:
            self.open[interaction_id] = (wanted, AttemptState("connected" if event == "connect" else event))
        assert not self.do(AttemptProgressed(interaction_id, wanted.attempt_id, event, **more))

    def wait(self, seconds):
        self.now_s += seconds
        for timer_id, due_s in sorted(self.timers.items()):
            if due_s <= self.now_s:
                del self.timers[timer_id]
                self.do(TimerFired(DIALER, timer_id))

    def go_on(self, seconds=10):
        for _ in range(seconds):
            self.wait(1.0)
            self.store_stages()

    def store_saves(self):
        if self.keeper.saves:
            saves, self.keeper.saves = list(self.keeper.saves.values()), {}
            self.do(now(self.store.save(saves)))

    def store_stages(self):
        self.store_saves()
        wanted, self.keeper.wanted = self.keeper.wanted, {}
        for each in wanted.values():
            self.do(now(self.store.stage(replace(each, now_s=self.now_s))))

    def step(self):
        """Something happens."""
        kind = self.chance.choices(
            ("progress", "wait", "save", "stage", "crash"), weights=(12, 8, 4, 4, 1)
        )[0]  # fmt: skip
        match kind:
            case "progress" if self.open:
                self.progress_one()
            case "wait":
                self.wait(self.chance.choice((0.5, 2.0, 10.0)))
            case "save":
                self.store_saves()
            case "stage":
                self.store_stages()
            case "crash":
                self.crash()

    def progress_one(self):
        interaction_id = self.chance.choice(sorted(self.open))
        wanted, state = self.open[interaction_id]
        match state:
            case AttemptState.DIALING:
                event = self.chance.choice(("ringing", "busy", "failed"))
            case AttemptState.RINGING:
                event = self.chance.choice(("answered", "answered", "no_answer"))
            case AttemptState.ANSWERED:
                event = self.chance.choice(("connect", "connect", "connect", "no_agent", "hung_up"))
            case _:
                event = "hung_up"
        self.progress(interaction_id, event, agent_id="ana" if event == "connect" else "")
        if event == "hung_up" and state is AttemptState.CONNECTED:
            self.do(AttemptDisposed(interaction_id, wanted.attempt_id, "ana", "sold"))


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_anywhere_dials_nobody_twice_and_loses_nobody(seed):
    house = House(seed)
    house.do(CampaignActed("main", "c1", "start"))
    for _ in range(400):
        house.step()
    for _ in range(400):  # until all is over
        if house.open:
            house.progress_one()
        house.wait(1.0)
        house.store_stages()
    house.do(CampaignActed("main", "c1", "stop"))
    for _ in range(35):  # as long as an agent may take to say what came of it, who is gone with her conversation
        house.wait(60.0)
        house.store_saves()
    leads = [now(house.store.lead("main", f"l{n:05}", 0.0)) for n in range(LEADS)]
    assert not house.open
    assert {lead.record.state for lead in leads} <= {
        LeadState.DONE,
        LeadState.WAITING,
        LeadState.EXHAUSTED,
        LeadState.NEW,
    }
    attempts = {attempt.attempt_id: attempt for lead in leads for attempt in lead.history}
    assert sorted(attempts) == sorted({wanted.attempt_id for wanted in house.dialed})
    assert len(house.dialed) == len(attempts), "no attempt has the name of another"
    assert all(AttemptState(attempt.state).is_over for attempt in attempts.values())
    assert sum(lead.record.attempts for lead in leads) == len(attempts)
    assert not [name for name in house.book.rows if name.startswith(("dial:lead:", "dial:attempt:"))]


def test_leads_in_hand_are_rows_until_the_store_has_them():
    house = House()
    house.do(CampaignActed("main", "c1", "start"))
    house.store_stages()
    wanted = house.dialed[0]
    assert f"dial:lead:main/{wanted.lead_id}" in house.book.rows
    house.progress(wanted.interaction_id, "busy")
    assert f"dial:attempt:{wanted.attempt_id}" in house.book.rows
    house.store_saves()
    assert f"dial:lead:main/{wanted.lead_id}" not in house.book.rows


def test_the_journal_holds_whom_and_not_who():
    house = House()
    house.do(CampaignActed("main", "c1", "start"))
    house.store_stages()
    (staged,) = [routed.fact for routed in house.book.written if isinstance(routed.fact, LeadsStaged)]
    assert staged.leads
    assert all(lead.record.lead_id and not lead.record.numbers and not lead.history for lead in staged.leads)
    house.do(ManualAsked("main", "c1", "ana", "+34911222333", lead=StagedLead(record(99))))
    asked = house.book.written[-1].fact
    assert asked.lead is None or not asked.lead.record.numbers


def test_a_dialer_that_raises_hurts_nobody_and_ticks_again():
    house = House()
    house.do(CampaignActed("main", "c1", "start"))
    timer_id = next(iter(house.timers))
    house.campaigns.dialer.handle = lambda fact, now_s: 1 / 0
    refused = house.do(TimerFired(DIALER, timer_id))
    assert refused
    assert house.timers[timer_id] == house.now_s + TICK_AGAIN_S
    (why,) = house.book.written[-1].decisions
    assert isinstance(why, Noted)
    assert "ZeroDivisionError" in house.do(CampaignActed("main", "c1", "pause")) or refused


def test_nobody_is_dialed_before_the_lists_are_known():
    house = House()
    house.campaigns.lists_read = False
    house.do(CampaignActed("main", "c1", "start"))
    house.store_stages()
    for _ in range(5):
        house.wait(1.0)
        house.store_stages()
    assert not house.dialed
    assert "do-not-call" in house.do(ManualAsked("main", "c1", "ana", "+34911222333"))
    house.follow(house.campaigns.change_lists(DoNotCallBook(built_s=house.now_s), house.now_s))
    house.go_on()
    assert house.dialed


def test_an_engine_that_takes_nothing_on_dials_nobody_and_burns_no_lead():
    house = House()
    house.campaigns.no_room = lambda: "the engine is stopping"
    house.do(CampaignActed("main", "c1", "start"))
    house.store_stages()
    house.wait(1.0)
    assert not house.dialed
    assert house.do(ManualAsked("main", "c1", "ana", "+34911222333")) == "the engine is stopping"
    house.campaigns.no_room = lambda: ""
    house.go_on()
    assert len(house.dialed) == len(AGENTS)


def test_a_number_heard_is_never_dialed_also_after_a_crash():
    house = House()
    listed = record(3).numbers[0].number
    house.do(NumberListed("main", listed))
    house.begin()  # nothing was saved
    house.do(CampaignActed("main", "c1", "start"))
    for _ in range(60):
        house.store_stages()
        if house.open:
            house.progress_one()
        house.wait(1.0)
    assert len(house.dialed) > 10
    assert listed not in {wanted.called for wanted in house.dialed}


def test_agents_who_change_stir_their_campaigns_once():
    house = House()
    first = house.campaigns.stirred([("main", "sales"), ("main", "other")])
    assert [fact.timer_id for fact in first] == ["dial:floor:main/sales"]
    assert not house.campaigns.stirred([("main", "sales")]), "one is under way"
    house.do(first[0])
    assert house.campaigns.stirred([("main", "sales")])
    assert is_dialed(first[0])


def test_a_restart_that_cannot_read_its_rows_goes_on_without():
    house = House()
    consequences = house.campaigns.restore({"dial:lead:main/x": b"nonsense"}, lambda _: False, house.now_s)
    assert not consequences.refused
    assert not house.do(CampaignActed("main", "c1", "start"))
