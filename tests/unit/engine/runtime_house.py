"""The runtime between a fake node and a journal in memory, in virtual time."""

import asyncio
import contextlib

import pytest

from core.decisions import InteractionClosed, Noted
from core.events import HttpReplied
from core.media import Sound
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRule, OutboundRules
from engine.interaction import Surroundings
from engine.lanes import Lanes
from engine.metrics import Metrics
from engine.recovery import Reconciler
from engine.runtime import Runtime
from ivr.loader import Context, load
from telephony.fake.control import FakeCallControl
from tests.virtual_time import LoopClock, run

FLOW = """
flow: desk
languages: [es]
start: main
defaults:
  error: {prompt: {sound: sorry}, then: bye}
nodes:
  main:
    type: menu
    prompt: {sound: welcome}
    keys: {"1": luis, "2": pay, "3": code, "4": mail, "5": ticket, "6": text, "7": ring_back, "8": how_busy}
    first_digit_s: 5
    no_input: {retries: 1, prompt: {sound: silent}, then: bye}
    no_match: {prompt: {sound: wrong}, then: bye}
  luis: {type: transfer, to: "device:1002", failed: main, busy: main, no_answer: main, answered: bye}
  pay: {type: http, method: POST, url: "https://bank.example/pay", timeout_s: 3, next: paid}
  paid: {type: play, prompt: {sound: paid}, next: main}
  code: {type: collect, prompt: {sound: code}, digits: 4, between_digits_s: 3, into: code, next: bye,
         no_input: {then: bye}, no_match: {then: bye}}
  mail: {type: record, mailbox: sales, silence_s: 3, next: bye}
  ticket: {type: ticket, subject: "Broken", into: number, next: paid}
  text: {type: message, channel: sms, to: "{{ caller }}", text: "Hola", failed: main, next: paid}
  ring_back: {type: callback, prompt: {sound: number}, confirm: {prompt: {sound: this_one}}, next: paid,
              no_input: {then: bye}, no_match: {then: bye}}
  how_busy: {type: queue_status, queue: sales, no_agents: paid, next: bye}
  bye: {type: hangup, prompt: {sound: bye}}
"""
LUIS = "device:main-1002"


class Resolver:
    """Every part is a file of its name."""

    def known(self, parts):
        return [f"/{part.name}" if isinstance(part, Sound) else "tone:beep" for part in parts]

    async def resolve(self, parts, secret=False):
        return self.known(parts)

    def forget(self, media):
        pass


class Book:
    """A journal in memory whose disk a test may stop."""

    def __init__(self):
        self.written, self.started, self.done, self.after = [], [], {}, []
        self.healthy = True
        self.disk = asyncio.Event()
        self.disk.set()

    def write(self, written, before):
        self.written.append(written)
        return len(self.written)

    async def durable(self, seq):
        await self.disk.wait()

    async def command_started(self, command_id, interaction_id, what, subject_id):
        await self.disk.wait()
        self.started.append((what, subject_id))

    def command_done(self, command_id, outcome):
        self.done[command_id] = outcome

    def write_state(self, name, event, at_s, body):
        return len(self.written)

    def write_after(self, interaction_id, event):
        self.after.append((interaction_id, event))
        return len(self.written)

    def events(self, kind):
        return [written.event for written in self.written if isinstance(written.event, kind)]

    def notes(self, what):
        return [d.why for w in self.written for d in w.decisions if isinstance(d, Noted) and d.what == what]

    def outcomes(self):
        return [d.outcome for w in self.written for d in w.decisions if isinstance(d, InteractionClosed)]


class Bank:
    """Answers after a second."""

    def __init__(self):
        self.asked = []

    def send(self, command, report, done):
        self.asked.append(command)

        def answer():
            done("200")
            report(HttpReplied(command.interaction_id, command.request_id, 200))

        asyncio.get_running_loop().call_later(1.0, answer)


class House:
    """Everything between a fake node and a book in memory."""

    def __init__(self, around, max_interactions=10):
        self.clock, self.book, self.bank, self.metrics = LoopClock(), Book(), Bank(), Metrics()
        self.runtime = Runtime(
            clock=self.clock,
            book=self.book,
            surroundings=around,
            http=self.bank,
            metrics=self.metrics,
            max_interactions=max_interactions,
            on_overflow=lambda: self.reconciler.node_back("fake"),
        )
        self.node = FakeCallControl(self.runtime.put, self.clock, on_gap=self._gap, admit=self.runtime.admit)
        self.kept = []
        self.runtime.lanes = Lanes(self.node, self.node, Resolver(), self.runtime.put, self._keep)
        self.reconciler = Reconciler(self.runtime, self.node, self.clock, lambda name: None)

    async def _keep(self, command):
        self.kept.append(command.recording_id)

    def _gap(self, node, what):
        if what == "back":
            self.reconciler.node_back(node)

    async def until(self, what, within_s=60.0):
        async with asyncio.timeout(within_s):
            while not what():
                await asyncio.sleep(0.05)

    async def calls(self, called="100"):
        """Somebody who hears the welcome."""
        party = self.node.arrive(called)
        await self.until(lambda: party.playing or party.ended)
        return party

    def at(self, party):
        interaction = self.runtime.interactions.get(f"i-{party.leg_id}")
        return interaction.run.node_id if interaction is not None else None

    def left_behind(self):
        """What should be nothing when nobody is there."""
        runtime = self.runtime
        tasks = {name for name in runtime._dispatch._tasks if not name.done()}
        return (
            runtime.interactions,
            runtime._open.legs,
            len(runtime.timers),
            tasks,
            len(runtime.lanes),
            self.node.bridges,
        )


NOTHING = ({}, {}, 0, set(), 0, {})


@contextlib.asynccontextmanager
async def open_house(around, **options):
    house = House(around, **options)
    running = asyncio.create_task(house.node.run())
    await asyncio.sleep(0)
    try:
        yield house
        for party in list(house.node.parties.values()):
            party.hang_up()
        await asyncio.sleep(30)
        assert house.left_behind() == NOTHING
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await house.reconciler.close()
        await house.runtime.lanes.close()
        await house.runtime.close()


@pytest.fixture(scope="module")
def around():
    context = Context(languages=("es",), hosts=frozenset({"bank.example"}), devices=frozenset({("main", "1002")}))
    loaded = load({"flows/desk.yaml": FLOW}, context)
    assert loaded.release is not None, str(loaded.problems)
    return Surroundings(
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        numbers=NumberPlan({}, (), {"main": Route("main", "desk", "", "default")}),
        outbound=OutboundRules(rules=(OutboundRule("all", ("+",), "main-t"),), devices=frozenset({"main-1002"})),
    )


def in_virtual_time(scenario):
    """The test is a coroutine function of a house."""

    def test(around):
        async def main():
            async with open_house(around) as house:
                await scenario(house)

        run(main())

    return test
