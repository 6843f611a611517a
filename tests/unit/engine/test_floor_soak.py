"""A busy floor in virtual time: router, interactions, lanes and a fake node together, with everything people do to
each other at random. In the end everybody agrees about everything, and nothing is left."""

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import replace

import pytest

from acd.router import Router
from acd.setup import AgentSetup, Announcements, QueueSetup, ServiceLevel, Setup
from core.agent_facts import AgentActed, DeviceChanged, WrapUpActed
from core.assignment import AssignmentState
from core.decisions import InteractionClosed, InteractionOpened, StayChanged, StayEnded, WorkEnded
from core.leg import EndReason
from core.line_facts import LineUsed
from core.queue_facts import QueueJoined, StayActed
from core.talk_facts import ConversationActed, SupervisionActed
from engine import snapshots
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRule, OutboundRules
from engine.config.queue_prompts import QueuePrompts
from engine.interaction import Surroundings
from engine.lanes import Lanes
from engine.metrics import Metrics
from engine.recovery import Reconciler
from engine.routing import ROWS, Routing
from engine.routing_metrics import RoutingMetrics
from engine.runtime import Runtime
from ivr.loader import Context, load
from ivr.prompts import Prompt
from telephony.fake.control import FakeCallControl
from tests.unit.engine.runtime_house import Bank, Book, Resolver
from tests.virtual_time import LoopClock, run

FLOWS = {
    "flows/desk.yaml": """
flow: desk
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: sales, keys: {"9": bye}, answered: thanks, next: bye}
  thanks: {type: play, prompt: {sound: thanks}, next: bye}
  bye: {type: hangup}
""",
    "flows/line.yaml": """
flow: line
languages: [es]
start: hold
nodes:
  hold: {type: agent, do: hold_line, refused: bye}
  bye: {type: hangup}
""",
    "flows/pay.yaml": """
flow: pay
languages: [es]
start: card
nodes:
  card: {type: collect, prompt: {sound: card}, digits: 4, into: card, sensitive: yes, next: bye,
         no_input: {retries: 0, then: bye}, no_match: {then: bye}}
  bye: {type: hangup}
""",
}
AGENTS = ("ana", "eva", "luis", "marta", "nora", "omar")
DEVICES = {name: f"main-100{n}" for n, name in enumerate(AGENTS, 1)}
ON_LINES = ("nora", "omar")
OUTSIDE = "+34911234567"


def surroundings():
    sounds = {"es": frozenset({"thanks", "card", "sorry", "place", "beep"})}
    context = Context(languages=("es",), queues=frozenset({("main", "sales")}), sounds=sounds)
    loaded = load(FLOWS, context)
    assert loaded.release is not None, str(loaded.problems)
    texts = QueuePrompts(
        position=Prompt({"sound": "place"}), whisper=Prompt({"sound": "beep"}), returned=Prompt({"sound": "sorry"})
    )
    queue = {
        "ring_s": 10,
        "wrap_up_s": 5,
        "refused_again_s": 5,
        "no_agents": "wait",
        "record_percent": 50,
        "announcements": Announcements(every_s=20, position=True),
        "service_level": ServiceLevel(short_abandon_s=1),
    }
    setup = Setup(
        agents={("main", name): AgentSetup("main", name, device=device) for name, device in DEVICES.items()},
        queues={
            ("main", "sales"): QueueSetup("main", "sales", max_wait_s=90, overflow_to="support", **queue),
            ("main", "support"): QueueSetup("main", "support", max_wait_s=120, **queue),
        },
    )
    numbers = NumberPlan(
        {"145": Route("main", "line", "", "145")}, (), {"main": Route("main", "desk", "", "default", is_default=True)}
    )
    return Surroundings(
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        numbers=numbers,
        outbound=OutboundRules(
            rules=(OutboundRule("all", ("+",), "main-t"),), devices=frozenset({*DEVICES.values(), "main-2000"})
        ),
        routing=setup,
        queue_prompts={("main", name): texts for name in ("sales", "support")},
    )


class RoutedBook(Book):
    """Rows and decisions of the router too."""

    def __init__(self):
        super().__init__()
        self.rows, self.routed = {}, []

    def write_routed(self, routed):
        self.routed.append(routed)
        for name, body in routed.rows:
            if body is None:
                self.rows.pop(name, None)
            else:
                self.rows[name] = body
        return len(self.routed)

    def decisions(self, kind):
        everything = itertools.chain(self.written, self.routed)
        return [decision for each in everything for decision in each.decisions if isinstance(decision, kind)]


class Floor:
    def __init__(self, seed):
        self.chance, self.hand = random.Random(seed), random.Random(-seed)
        self.around = surroundings()
        self.clock, self.book, self.metrics = LoopClock(), RoutedBook(), Metrics()
        self.node = FakeCallControl(
            lambda event: self.runtime.put(event),
            self.clock,
            on_gap=self._gap,
            admit=lambda arrival: self.runtime.admit(arrival),
        )
        self.begin()
        self.kept, self.callers, self.lines = [], [], []
        self.refused = Counter()
        for device in DEVICES.values():
            self.node.on_dial(f"device:{device}", self._rings)
        self.node.on_dial("device:main-2000", self._rings)
        self.node.on_dial(f"trunk:main-t/{OUTSIDE}", self._rings)

    def begin(self):
        """An engine."""
        self.router = Router(self.around.routing)
        self.runtime = Runtime(
            clock=self.clock,
            book=self.book,
            surroundings=self.around,
            http=Bank(),
            metrics=self.metrics,
            max_interactions=1000,
            on_overflow=lambda: None,
            routing=Routing(self.router, self.book, RoutingMetrics(Metrics().registry)),
        )
        self.runtime.lanes = Lanes(self.node, self.node, Resolver(), lambda event: self.runtime.put(event), self._keep)
        self.reconciler = Reconciler(self.runtime, self.node, self.clock, lambda name: None)

    async def end(self):
        await self.reconciler.close()
        await self.runtime.lanes.close()
        await self.runtime.close()

    async def kill(self, every_s, times):
        """The engine dies, with every command that was under way; another one takes over what the journal knows."""
        for _ in range(times):
            await asyncio.sleep(every_s)
            kept = [snapshots.dump(interaction) for interaction in self.runtime.interactions.values()]
            rows = {name: body for name, body in self.book.rows.items() if name.startswith(ROWS)}
            self.node.cut()
            await self.end()
            await asyncio.sleep(self.chance.uniform(0.1, 3))
            self.begin()
            for body in kept:
                self.runtime.adopt(snapshots.load(body))
            self.runtime.restore_routing(rows)
            self.node.mend()

    async def _keep(self, command):
        self.kept.append(command.recording_id)

    def _gap(self, node, what):
        if what == "back":
            self.reconciler.node_back(node)

    def ask(self, fact):
        if why := self.runtime.ask(fact):
            self.refused[why.split(":")[0][:30]] += 1
        return why

    # -- what people do
    def _rings(self, party):
        chance = self.chance
        party.later(0.2, party.ring)
        how = chance.random()
        if how < 0.75:
            party.later(chance.uniform(0.5, 6), party.answer)
        elif how < 0.85:
            party.later(chance.uniform(0.5, 4), party.decline)
        if how < 0.1:
            vanishes = (EndReason.FAILED, 44)
            party.later(chance.uniform(10, 40), lambda: party.hang_up(*vanishes))
        elif how < 0.5:
            party.later(chance.uniform(10, 90), party.hang_up)

    async def arrive(self, count, every_s):
        for _ in range(count):
            await asyncio.sleep(self.chance.expovariate(1 / every_s))
            caller = self.node.arrive("100")
            self.callers.append(caller)
            caller.later(self.chance.uniform(5, 150), caller.hang_up)
            if self.chance.random() < 0.1:
                caller.later(self.chance.uniform(1, 20), lambda caller=caller: caller.press("9"))

    async def meddle(self, seconds):
        """Agents at their desks: ready again after a RONA, holds, transfers, consultations."""
        until_s = self.clock.now_s() + seconds
        actions = ("hold", "resume", "mute", "swap", "complete", "conference", "cancel_consult", "hang_up")
        targets = ("agent:eva", "agent:nora", "queue:support", "queue:sales", "device:2000", OUTSIDE, "flow:pay")
        while self.clock.now_s() < until_s:
            await asyncio.sleep(self.chance.uniform(0.2, 2))
            for name in AGENTS:
                if self.chance.random() < 0.3:
                    self.ask(AgentActed("main", name, "ready"))
            self.steer()
            talking = [i for i in self.runtime.interactions.values() if i.talk is not None and i.talk.agents]
            if not talking:
                continue
            interaction = self.chance.choice(talking)
            if self.chance.random() < 0.2:
                action = self.chance.choice(("listen", "whisper", "barge", "take_over", "stop"))
                self.ask(SupervisionActed(interaction.interaction_id, "boss", action, "main-2000"))
                continue
            action, target = self.chance.choice(actions), ""
            if self.chance.random() < 0.5:
                action, target = self.chance.choice(("transfer", "consult", "consult")), self.chance.choice(targets)
            agent_id = self.chance.choice(interaction.talk.agents)
            self.ask(ConversationActed(interaction.interaction_id, agent_id, action, target))

    def steer(self):
        """A supervisor moves one who waits, or gives her another priority."""
        stays = self.router.stays()
        if stays and self.hand.random() < 0.15:
            stay = self.hand.choice(stays)
            about = (stay.interaction_id, stay.stay_id, "main")
            action, queue = self.hand.choice(("move", "prioritise")), self.hand.choice(("sales", "support"))
            self.ask(StayActed(*about, action, queue, self.hand.randrange(5)))

    async def break_down(self, every_s, times):
        """The connection to the node breaks for a moment: everything is adopted again."""
        for _ in range(times):
            await asyncio.sleep(every_s)
            self.node.cut()
            await asyncio.sleep(self.chance.uniform(0.1, 3))
            if self.callers and self.chance.random() < 0.7:
                alive = [caller for caller in self.callers if caller.ended is None]
                if alive:
                    self.chance.choice(alive).hang_up()
            self.node.mend()

    def open(self):
        for device in DEVICES.values():
            self.runtime.ask(DeviceChanged(device, True))
        for name in AGENTS:
            assert self.ask(AgentActed("main", name, "log_in")) == ""
            assert self.ask(AgentActed("main", name, "ready")) == ""
        for name in ON_LINES:
            self.lines.append(self.node.arrive("145", caller="1005", entry=DEVICES[name]))

    async def go_home(self):
        """Whoever is still there hangs up; wrap-ups end; lines are hung up."""
        for caller in self.callers:
            caller.hang_up()
        await asyncio.sleep(20)
        alive = [line for line in self.lines if line.ended is None]
        assert len(self.runtime.interactions) == len(alive), list(self.runtime.interactions.values())
        for interaction in self.runtime.interactions.values():
            assert interaction.line is not None
            assert interaction.line.talking_in == "", "every line came back"
        for key in self.around.routing.agents:
            for work in self.router.assignments(key).values():
                assert work.state is AssignmentState.WRAP_UP, work
                self.ask(WrapUpActed(work.interaction_id, "main", key[1], finish=True))
            assert not self.router.assignments(key)
        for line in alive:
            line.hang_up()
        await asyncio.sleep(15)

    def nothing_is_left(self):
        assert self.runtime.interactions == {}
        assert self.node.bridges == {}
        assert [party for party in self.node.parties.values() if party.ended is None] == []
        assert self.runtime.work() == {"timers": 0, "lanes": 0, "waiting_for_disk": 0}
        assert [name for name in self.book.rows if name.startswith("acd:stay")] == []
        joins = [w.fact.stay_id for w in self.book.routed if isinstance(w.fact, QueueJoined)]
        ends = Counter(ended.stay_id for ended in self.book.decisions(StayEnded))
        assert ends == Counter(dict.fromkeys(joins, 1)), "every stay ends in exactly one way"
        assert len(self.book.decisions(InteractionClosed)) == len(self.book.decisions(InteractionOpened))
        assert self.metrics.refused_events._value.get() == 0
        lent = {w.event.leg_id: w.event.talking_in for w in self.book.written if isinstance(w.event, LineUsed)}
        assert not any(lent.values())


async def soak(seed, callers, gaps, kills=0):
    floor = Floor(seed)
    running = asyncio.create_task(floor.node.run())
    await asyncio.sleep(0)
    try:
        floor.open()
        seconds = callers * 4.0
        trouble = floor.break_down(seconds / (gaps + 1), gaps), floor.kill(seconds / (kills + 1), kills)
        await asyncio.gather(floor.arrive(callers, 4.0), floor.meddle(seconds + 60), *trouble)
        await floor.go_home()
        floor.nothing_is_left()
        return floor
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await floor.end()


async def reload_during_her_call():
    """Her phone is taken out of the configuration while she calls from it."""
    floor = Floor(1)
    running = asyncio.create_task(floor.node.run())
    await asyncio.sleep(0)
    try:
        assert floor.ask(AgentActed("main", "ana", "log_in")) == ""
        call = floor.node.arrive("100", entry="main-1001")
        await asyncio.sleep(5)
        used = floor.router.agent(("main", "ana")).on_phone
        outbound = floor.runtime.surroundings.outbound
        without = replace(outbound, devices=outbound.devices - {"main-1001"})
        floor.runtime.surroundings = replace(floor.runtime.surroundings, outbound=without)
        call.hang_up()
        await asyncio.sleep(5)
        assert floor.runtime.interactions == {}
        return used, floor.router.agent(("main", "ana")).on_phone
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await floor.end()


def test_a_phone_that_goes_during_its_call_is_in_use_no_longer_than_that():
    used, after = run(reload_during_her_call())
    assert len(used) == 1
    assert after == ()


@pytest.mark.parametrize(("seed", "gaps", "kills"), [(1, 0, 0), (2, 2, 0), (3, 0, 3)])
def test_a_busy_floor_comes_to_rest(seed, gaps, kills):
    floor = run(soak(seed, callers=40, gaps=gaps, kills=kills))
    hows = Counter(ended.how for ended in floor.book.decisions(StayEnded))
    assert hows["answered"] > 20
    assert floor.book.decisions(WorkEnded)
    assert {bool(each.queue) for each in floor.book.decisions(StayChanged)} == {True, False}, "moved and prioritised"
