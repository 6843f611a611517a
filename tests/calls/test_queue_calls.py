"""Callers wait for agents and talk with them: real Asterisk, real engine, real phones, one system for all of these."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bench.sip_phones import Callers
from core.decisions import StayEnded
from core.talk_facts import TalkEnded
from engine.home import Home
from telephony.softphone import ear
from telephony.softphone.calls import PhoneCall, Recording
from telephony.softphone.client import Softphone
from tests.callers import Caller, pitch_hz, prompt, registered
from tests.phone_fixture import tone_wav
from tests.system_fixture import CARRIER, System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOWS = {
    "desk": f"""
flow: desk
languages: [es]
start: wait
nodes:
  wait: {{type: queue, queue: sales, keys: {{"9": mail}}, answered: survey, next: bye, no_agents: bye}}
  mail: {{type: hangup, prompt: "{prompt("eco")}"}}
  survey: {{type: hangup, prompt: "{prompt("sierra")}"}}
  bye: {{type: hangup, prompt: "{prompt("nueve")}"}}
""",
    "line": """
flow: line
languages: [es]
start: hold
nodes:
  hold: {type: agent, do: hold_line, refused: bye}
  bye: {type: hangup}
""",
}
FILES = {
    "config/agents.yaml": """
agents:
  ana: {name: Ana, device: "1001"}
  eva: {name: Eva, device: "1002"}
""",
    "config/queues/sales.yaml": f"""
queue: sales
title: Ventas
ring_s: 5
wrap_up_s: 60
refused_again_s: 0
service_level: {{short_abandon_s: 60}}
record_percent: 100
announcements: {{first_s: 1, every_s: 30, position: yes}}
prompts:
  position: "{prompt("papa")}"
  whisper: "{prompt("zulu", 0.3)}"
  returned: "{prompt("victor")}"
""",
    "config/queues/support.yaml": "queue: support\nwrap_up_s: 0\nannouncements: {}\n",
    "config/devices/1003.yaml": 'device: "1003"\n',
    "config/numbers/100.yaml": 'number: "100"\nflow: desk\n',
    "config/numbers/145.yaml": 'number: "145"\nflow: line\n',
}
CALLER_HZ, AGENT_HZ, BOSS_HZ = 700.0, 1300.0, 1900.0
_files = itertools.count()


@dataclass
class Floor:
    """Ana and Eva at their phones, one caller at hers, and what the board says."""

    system: System
    agents: Softphone
    caller: Softphone
    place: Path
    recordings: dict[PhoneCall, Recording] = field(default_factory=dict)

    async def post(self, fact: str, **fields: Any) -> dict[str, Any]:
        transport = httpx.AsyncHTTPTransport(uds=str(self.system.home.control_socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=15) as client:
            answer: dict[str, Any] = (await client.post("/acd/do", json={"fact": fact, "fields": fields})).json()
            return answer

    async def presence(self, action: str, *agents: str) -> None:
        for agent_id in agents:
            told = await self.post("AgentActed", tenant="main", agent_id=agent_id, action=action)
            assert told == {"ok": True}, told

    async def act(self, caller: Caller, action: str, target: str = "", agent_id: str = "ana") -> None:
        told = await self.post(
            "ConversationActed",
            interaction_id=caller.interaction_id,
            agent_id=agent_id,
            action=action,
            target=target,
            values={},
        )
        assert told == {"ok": True}, told

    async def looks(self, agent_id: str, looks: str, within_s: float = 30.0) -> dict[str, Any]:
        """Returns when the board shows her so: her view."""
        found: dict[str, Any] = {}

        def there(body: dict[str, Any]) -> bool:
            found.update(next(agent for agent in body["agents"] if agent["agent_id"] == agent_id))
            return bool(found["looks"] == looks)

        await self.board(there, within_s)
        return found

    async def board(self, what: Callable[[dict[str, Any]], bool], within_s: float = 30.0) -> None:
        body: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within_s):
                while not what(body := await self.system.ask("GET", "/acd/snapshot")):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not on the board: {body}\n{self.system.log(3000)}") from None

    async def call(self) -> Caller:
        caller = await Caller.dial(self.system, self.caller, "100", self.place)
        self.recordings[caller.call] = caller.recording
        return caller

    async def rung(self, name: str, answer: bool = True) -> PhoneCall:
        call = await self.agents.incoming(account=f"main-{name}", timeout_s=30.0)
        if answer:
            await call.answer()
            await call.until("confirmed")
            self.recordings[call] = await call.record(self.place / f"agent-{next(_files)}.wav")
        return call

    async def talk(self, one: PhoneCall, other: PhoneCall, within_s: float = 20.0) -> None:
        """Both say something that can be recognised until both have heard it."""
        began_s = await self._both_say(one, other)
        while not (self.hears(one, AGENT_HZ, began_s) and self.hears(other, CALLER_HZ, began_s)):
            heard = self.hears(one, AGENT_HZ, began_s), self.hears(other, CALLER_HZ, began_s)
            assert time.monotonic() < began_s + within_s, f"heard each other: {heard}\n{self.system.log(3000)}"
            await asyncio.sleep(0.1)
        await self._silence(one, other)

    async def overhears(self, listener: PhoneCall, *speakers: PhoneCall, within_s: float = 20.0) -> None:
        """`listener` hears each of them."""
        for call, hz in zip(speakers, (CALLER_HZ, AGENT_HZ), strict=True):
            began_s = time.monotonic()
            await call.play(self.tone(hz), loop=True)
            while not self.hears(listener, hz, began_s):
                assert time.monotonic() < began_s + within_s, f"{hz} Hz is not heard\n{self.system.log(3000)}"
                await asyncio.sleep(0.1)
            await self._silence(call)

    async def apart(self, one: PhoneCall, other: PhoneCall, within_s: float = 20.0) -> None:
        """Both speak, and for a whole second neither hears what the other says: Asterisk has parted them too."""
        until_s = await self._both_say(one, other) + within_s
        while True:
            since_s = time.monotonic()
            await asyncio.sleep(1.0)
            heard = self.hears(one, AGENT_HZ, since_s), self.hears(other, CALLER_HZ, since_s)
            if heard == (False, False):
                break
            assert since_s < until_s, f"heard each other: {heard}\n{self.system.log(3000)}"
        await self._silence(one, other)

    async def _both_say(self, one: PhoneCall, other: PhoneCall) -> float:
        began_s = time.monotonic()
        for call, hz in ((one, CALLER_HZ), (other, AGENT_HZ)):
            await call.play(self.tone(hz), loop=True)
        return began_s

    async def _silence(self, *calls: PhoneCall) -> None:
        for call in calls:
            await call.stop_playing()
        await asyncio.sleep(0.3)  # what is on its way

    def hears(self, call: PhoneCall, hz: float, since_s: float) -> bool:
        """Whether the phone has heard that tone since a monotonic moment."""
        recording = self.recordings[call]
        try:
            sound = ear.load(recording.path)
        except ValueError:  # nothing of it has reached the file yet
            return False
        return bool(ear.tone_spans(sound.between(max(0.0, since_s - recording.t_s), sound.seconds), hz))

    def tone(self, hz: float) -> Path:
        return tone_wav(self.place / f"{hz:g}.wav", hz, seconds=0.7)

    def ends(self, caller: Caller) -> list[str]:
        return [d.how for d in self.system.decisions(caller.interaction_id) if isinstance(d, StayEnded)]


def _soon_missed(home: Home) -> None:
    """A phone that sends nothing is gone after three seconds."""
    site = home.project / "config/site.yaml"
    site.write_text(site.read_text().replace("phone_vanished_s: 0", "phone_vanished_s: 3"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    place = tmp_path_factory.mktemp("queues")
    async with (
        systems(place) as up,
        Softphone.start(rate_hz=8000, rtp_ports=(33000, 400)) as agents,
        Softphone.start(rate_hz=8000, rtp_ports=(33400, 400)) as caller,
    ):
        system = await up(FLOWS, FILES, prepare=_soon_missed)
        for name in ("main-1001", "main-1002"):
            await registered(system, agents, name)
        await registered(system, caller, "main-1003")
        floor = Floor(system, agents, caller, place)
        await floor.board(lambda body: all(agent["reachable"] for agent in body["agents"]))
        await floor.presence("log_in", "ana", "eva")
        yield floor


@pytest_asyncio.fixture(loop_scope="module")
async def floor(open_floor: Floor) -> AsyncIterator[Floor]:
    """Ana is ready. After each test nobody is there any more, in the engine or in Asterisk."""
    await open_floor.presence("ready", "ana")
    yield open_floor
    for call in open_floor.recordings:
        await call.hangup()
    open_floor.recordings.clear()
    await open_floor.system.until_idle(30)
    body = await open_floor.system.ask("GET", "/acd/snapshot")
    for agent in body["agents"]:
        for work in agent["assignments"]:
            told = {"interaction_id": work["interaction_id"], "tenant": "main", "agent_id": agent["agent_id"]}
            assert await open_floor.post("WrapUpActed", **told, finish=True) == {"ok": True}
    await open_floor.presence("not_ready", "ana", "eva")


async def test_a_caller_reaches_an_agent_and_goes_on_to_the_survey(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.looks("ana", "talking")
    await floor.talk(caller.call, ana)
    await ana.hangup()
    await floor.looks("ana", "wrap_up")
    await caller.hears("sierra")
    await caller.gone()
    assert floor.ends(caller) == ["answered"]
    ((kept, _),) = (await floor.system.messages("talk.sales", caller.interaction_id)).values()
    said, heard = ear.load_channels(kept)
    assert ear.tone_spans(said, CALLER_HZ)
    assert ear.tone_spans(heard, AGENT_HZ)


async def test_hold_keeps_them_apart_and_resume_brings_them_together(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.looks("ana", "talking")
    await floor.act(caller, "hold")
    await floor.looks("ana", "hold")
    await floor.apart(caller.call, ana)
    await floor.act(caller, "resume")
    await floor.talk(caller.call, ana)
    await caller.hang_up()
    await ana.until("disconnected")
    await floor.looks("ana", "wrap_up")


async def test_a_blind_transfer_to_a_colleague(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.presence("ready", "eva")
    await floor.act(caller, "transfer", "agent:eva")
    await ana.until("disconnected")
    eva = await floor.rung("1002")
    await floor.talk(caller.call, eva)
    await floor.looks("ana", "wrap_up")
    await floor.looks("eva", "talking")
    await eva.hangup()
    await caller.hears("sierra")


async def test_a_consultation_and_an_attended_transfer(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.presence("ready", "eva")
    await floor.act(caller, "consult", "agent:eva")
    eva = await floor.rung("1002")
    await floor.looks("ana", "consulting")
    await floor.talk(ana, eva)
    await floor.apart(caller.call, eva)
    await floor.act(caller, "complete")
    await ana.until("disconnected")
    await floor.talk(caller.call, eva)


async def test_a_phone_that_rings_out_costs_the_caller_nothing(floor: Floor) -> None:
    caller = await floor.call()
    unanswered = await floor.rung("1001", answer=False)
    await unanswered.until("disconnected")
    agent = await floor.looks("ana", "not_ready")
    assert agent["reason"] == "rona"
    await caller.hears("papa")
    await floor.presence("ready", "ana")
    ana = await floor.rung("1001")
    await floor.talk(caller.call, ana)


async def test_a_caller_who_withholds_her_number_is_served(floor: Floor) -> None:
    host, _, port = floor.system.sip.partition(":")
    _, callers = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Callers((host, int(port)), "100"), local_addr=(CARRIER, 0)
    )
    placed = callers.call("anonymous")
    ana = await floor.rung("1001")
    await floor.looks("ana", "talking")
    assert "<sip:anonymous@" in ana.headers["From"]
    callers.hang_up(placed)
    await ana.until("disconnected")
    callers.close()


async def test_who_leaves_while_it_rings_stops_it_at_once(floor: Floor) -> None:
    caller = await floor.call()
    ringing = await floor.rung("1001", answer=False)
    await caller.hang_up()
    await ringing.until("disconnected")
    assert floor.ends(caller) == ["short_abandoned"]
    agent = await floor.looks("ana", "ready")
    assert agent["reason"] == "", "had it rung out, she would not be ready: `rona`"


async def test_a_key_leaves_the_queue_during_the_music(floor: Floor) -> None:
    await floor.presence("not_ready", "ana")
    caller = await floor.call()
    await caller.at("wait")
    await caller.press("9")
    await caller.hears("eco")
    await caller.gone()
    assert floor.ends(caller) == ["left_by_key"]


async def test_a_held_line_serves_one_caller_after_the_other(floor: Floor) -> None:
    line = await Caller.dial(floor.system, floor.agents, "145", floor.place, account="main-1001")
    floor.recordings[line.call] = line.recording
    await floor.board(lambda body: body["agents"][0]["line"])
    for _ in range(2):
        began_s = time.monotonic()
        caller = await floor.call()
        await floor.looks("ana", "talking")
        async with asyncio.timeout(20):  # the whisper
            while not floor.hears(line.call, pitch_hz("zulu"), began_s):
                await asyncio.sleep(0.1)
        await floor.talk(caller.call, line.call)
        await caller.hang_up()
        await floor.looks("ana", "wrap_up")
        (work,) = (await floor.looks("ana", "wrap_up"))["assignments"]
        told = {"interaction_id": work["interaction_id"], "tenant": "main", "agent_id": "ana"}
        assert await floor.post("WrapUpActed", **told, finish=True) == {"ok": True}
    await line.hang_up()
    await floor.board(lambda body: not body["agents"][0]["line"])


async def test_keys_on_the_phone_alone(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.looks("ana", "talking")
    await ana.dtmf("*1")
    await floor.looks("ana", "hold")
    await ana.dtmf("*1")
    await floor.looks("ana", "talking")
    await ana.dtmf("*0")
    await ana.until("disconnected")
    await caller.hears("sierra")


async def test_a_supervisor_listens_unheard_and_barges_in(floor: Floor) -> None:
    caller = await floor.call()
    ana = await floor.rung("1001")
    await floor.looks("ana", "talking")

    async def supervise(action: str) -> None:
        fields = {"interaction_id": caller.interaction_id, "supervisor_id": "boss", "action": action}
        assert await floor.post("SupervisionActed", **fields, device="main-1002") == {"ok": True}

    await supervise("listen")
    boss = await floor.rung("1002")
    await floor.overhears(boss, caller.call, ana)
    began_s = time.monotonic()
    await boss.play(floor.tone(BOSS_HZ), loop=True)
    await asyncio.sleep(1.0)
    assert not floor.hears(caller.call, BOSS_HZ, began_s)
    assert not floor.hears(ana, BOSS_HZ, began_s)
    await boss.stop_playing()
    await supervise("barge")
    await floor.talk(caller.call, boss)
    await boss.hangup()
    await floor.talk(caller.call, ana)


async def test_a_caller_whose_agent_vanishes_is_told_and_served_next(floor: Floor) -> None:
    """Her phone's registration goes first, which ends no conversation; then nothing more is heard of the phone. Nobody
    else is there, and yet the caller is not turned away."""
    await floor.presence("log_out", "eva")
    caller = await floor.call()
    first = await floor.rung("1001")
    await floor.looks("ana", "talking")
    after_her = await floor.call()
    await floor.agents.unregister("main-1001")
    await floor.board(lambda body: not next(a for a in body["agents"] if a["agent_id"] == "ana")["reachable"])
    await floor.talk(caller.call, first)
    os.kill(floor.agents.pid, signal.SIGSTOP)
    try:
        await caller.hears("victor")

        def at_the_head(body: dict[str, Any]) -> bool:
            waiting = sorted(body["stays"], key=lambda stay: stay["position"])
            return [stay["interaction_id"] for stay in waiting] == [caller.interaction_id, after_her.interaction_id]

        await floor.board(at_the_head)
    finally:
        os.kill(floor.agents.pid, signal.SIGCONT)
    await first.until("disconnected")
    await floor.presence("log_in", "eva")
    await floor.presence("ready", "eva")
    second = await floor.rung("1002")
    await floor.talk(caller.call, second)
    await registered(floor.system, floor.agents, "main-1001")
    await floor.board(lambda body: all(agent["reachable"] for agent in body["agents"]))
    await caller.hang_up()
    await after_her.hang_up()
    talks = [record.event for record in floor.system.journal(caller.interaction_id) if type(record.event) is TalkEnded]
    assert [(talk.agent_id, talk.how) for talk in talks][:1] == [("ana", "vanished")]
    assert floor.ends(caller) == ["answered", "answered"]
