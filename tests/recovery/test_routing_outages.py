"""People talk, wait and ring while the engine loses sight of Asterisk, and while Asterisk itself dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from core.decisions import InteractionClosed, LegJoined, StayEnded
from core.events import LegEnded
from core.leg import EndReason
from engine import running_node
from engine.supervisor import Supervisor
from telephony.node.ports import free_settings
from tests.recovery.routing_floor import Agents, Floor, Stays, looks
from tests.system_fixture import System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

AGENTS = {"ana": "1001", "eva": "1002", "luis": "1003", "marta": "1004"}
FILES = {
    "config/agents.yaml": "agents:\n"
    + "".join(f'  {name}: {{name: {name.title()}, device: "{device}"}}\n' for name, device in AGENTS.items()),
    "config/not_ready.yaml": "reasons:\n  lunch: {title: {es: Comida}}\n",
    "config/queues/sales.yaml": "queue: sales\nring_s: 40\nwrap_up_s: 5\nannouncements: {}\n",
    "config/devices/1003.yaml": 'device: "1003"\n',
    "config/devices/1004.yaml": 'device: "1004"\n',
}
FLOW = """
flow: desk
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: sales, next: bye}
  bye: {type: hangup}
"""
CUT_S = 10.0
_EVENTS = b"GET /ari/events"


@dataclass
class Cable:
    """Between Asterisk's HTTP port and whoever asks. What may be cut in it is the engine's event socket."""

    port: int
    behind: int
    whole: bool = True
    _sockets: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            first = await reader.read(65536)
            events = first.startswith(_EVENTS)
            if events and not self.whole:
                return
            back, there = await asyncio.open_connection("127.0.0.1", self.behind)
            there.write(first)
            if events:
                self._sockets |= {writer, there}
            await asyncio.gather(self._copy(reader, there), self._copy(back, writer))
        except OSError:
            pass
        finally:
            for end in {writer, there} - {None}:
                assert end is not None
                self._sockets.discard(end)
                end.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    def cut(self) -> None:
        self.whole = False
        for end in list(self._sockets):
            end.transport.abort()

    def mend(self) -> None:
        self.whole = True

    async def take_away(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()


@dataclass
class House:
    system: System
    cable: Cable
    callers: Callers
    phones: dict[str, Phone]
    next_call: Behaviour = field(default_factory=lambda: Behaviour(talk_s=90.0))

    @property
    def floor(self) -> Floor:
        return Floor(self.system, self.callers)

    async def calls(self, *agents: str, **behaviour: Any) -> None:
        """Each of them becomes ready and is rung for a new caller, and does as told."""
        self.next_call = Behaviour(**{"talk_s": 90.0, **behaviour})
        look = "talking" if behaviour.get("what", "answer") == "answer" and not self.next_call.ring_s else "ringing"
        for name in agents:
            await self.floor.do(name, "ready")
            self.callers.call()
            await self.floor.until(lambda agents, _, name=name: agents[name]["looks"] == look)

    async def wait(self, count: int) -> None:
        """More callers, for whom nobody is there."""
        _, _, waiting = await self.floor.board()
        for number in range(len(waiting), len(waiting) + count):
            self.callers.call()
            await self.floor.until(lambda _, waiting, number=number: len(waiting) == number + 1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    place = tmp_path_factory.mktemp("outages")
    cables: list[Cable] = []

    async def lay_cable(supervisor: Supervisor) -> None:
        """The engine is told the cable's port; Asterisk listens behind it."""
        node = supervisor.plan.node
        behind = free_settings(place / "ports").http_port
        supervisor.launcher.settings = node.model_copy(update={"http_port": behind})
        cables.append(Cable(node.http_port, behind))
        await cables[0].lay()

    async with systems(place) as up:
        system = await up({"desk": FLOW}, FILES, before_start=lay_cable)
        # By this an Asterisk that is started again goes.
        running_node.save(system.home, system.supervisor.launcher.settings)
        server, loop = ("127.0.0.1", system.node.sip_port), asyncio.get_running_loop()
        accounts = {f"main-{device}": system.account(f"main-{device}") for device in AGENTS.values()}
        _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, "77"), local_addr=("127.0.0.2", 0))
        there = House(system, cables[0], callers, {})
        made = await phones(accounts, server, lambda: there.next_call, _unheard, _unheard)
        there.phones = dict(zip(AGENTS, made, strict=True))
        try:
            await there.floor.until(lambda agents, _: all(agent["reachable"] for agent in agents.values()))
            for name in AGENTS:
                await there.floor.do(name, "log_in")
            yield there
        finally:
            close(made)
            callers.close()
            await cables[0].take_away()


async def test_a_cut_of_ten_seconds_costs_nobody_talk_or_place(house: House) -> None:
    floor, callers = house.floor, house.callers
    await house.calls("ana", "eva")
    await house.calls("luis", what="ring")
    await house.calls("marta", ring_s=9.0)
    await house.wait(2)
    leaver = callers.call()
    _, _, before = await floor.until(lambda agents, waiting: len(waiting) == 5)
    _, were, _ = await floor.board()
    talk = await _talks(house.system)
    await house.system.until(lambda body: len(body["interactions"]) == 7)
    assert len(talk) == 2
    (ana_talks,) = (legs for bridge, legs in talk.items() if bridge.startswith(f"{_whose(were['ana'])}."))

    house.cable.cut()
    await house.system.until(lambda body: not body["commanding"])
    mended_s = asyncio.get_running_loop().time() + CUT_S
    house.phones["eva"].hang_up()
    await asyncio.sleep(1.0)
    callers.hang_up(leaver)
    while house.phones["marta"].answered == 0:
        await asyncio.sleep(0.1)
    assert looks((await floor.board())[1])["eva"] == "talking", "nobody could tell the engine"
    house.next_call = Behaviour(talk_s=90.0)
    await asyncio.sleep(mended_s - asyncio.get_running_loop().time())
    house.cable.mend()
    await house.system.until(lambda body: body["ready"])

    # Eva's caller is the first again, and is rung at Marta's, whose own call fell in the gap.
    _, agents, waiting = await floor.until(
        lambda agents, _: (agents["eva"]["looks"], agents["marta"]["looks"]) == ("wrap_up", "talking")
    )
    assert (agents["ana"]["looks"], agents["luis"]["looks"]) == ("talking", "ringing")
    for name in ("ana", "luis"):
        assert agents[name]["assignments"] == were[name]["assignments"]
    assert _whose(agents["marta"]) == _whose(were["eva"])
    assert [_place(stay) for stay in waiting] == [_place(stay) for stay in before[:-1]], "only who left is gone"
    talk_now = await _talks(house.system)
    assert [legs for legs in talk.values() if legs in talk_now.values()] == [ana_talks]
    assert len(callers.open) == 6

    # Eva's wrap-up ends, and the first of those who wait reaches her.
    _, agents, _ = await floor.until(lambda agents, waiting: agents["eva"]["looks"] == "talking")
    assert _whose(agents["eva"]) == _whose(were["marta"])
    await _everybody_goes_home(house)
    ends = Counter(
        d.how for i in house.system.interactions() for d in house.system.decisions(i) if type(d) is StayEnded
    )
    assert ends["answered"] == 4
    assert ends["lost"] == 1, "who left unseen: nobody can say any more why"
    assert ends.total() == 8


async def test_asterisk_killed_under_everybody_is_told_once_and_work_goes_on(house: House) -> None:
    floor, callers, system = house.floor, house.callers, house.system
    old = set(system.interactions())
    await house.calls("ana", "eva")
    await house.calls("luis", what="ring")
    await house.wait(2)
    house.next_call = Behaviour(talk_s=90.0)
    talkers = {work["interaction_id"] for a in (await floor.board())[1].values() for work in a["assignments"]}
    talkers -= {stay["interaction_id"] for stay in (await floor.board())[2]}
    pid = system.supervisor.launcher.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _, agents, _ = await floor.until(
        lambda agents, waiting: looks(agents)["ana"] == looks(agents)["eva"] == "wrap_up" and not waiting
    )
    assert [work["state"] for name in ("ana", "eva") for work in agents[name]["assignments"]] == ["wrap_up"] * 2
    await system.until(lambda body: system.supervisor.launcher.pid not in (None, pid) and body["ready"], 60)
    await system.until(lambda body: not body["interactions"])
    callers.open.clear()

    # Nobody touches anything: phones register as they do now and then, wrap-ups end, callers come.
    for phone in house.phones.values():
        phone.registered.clear()
    async with asyncio.timeout(30):
        while late := [phone for phone in house.phones.values() if not phone.registered.is_set()]:
            for phone in late:
                phone.register()
            await asyncio.sleep(0.5)
    _, agents, _ = await floor.until(
        lambda agents, _: all(agents[name]["looks"] == "ready" for name in ("ana", "eva", "luis"))
    )
    assert agents["marta"]["reason"] == "lunch", "who was at lunch is still at lunch"
    lost = set(system.interactions()) - old
    callers.call()
    await floor.until(lambda agents, _: "talking" in looks(agents).values())
    await _everybody_goes_home(house)

    assert len(lost) == 5
    for interaction_id in lost:
        decisions = system.decisions(interaction_id)
        assert [d.outcome for d in decisions if isinstance(d, InteractionClosed)] == ["lost"]
        ends = [d.how for d in decisions if isinstance(d, StayEnded)]
        assert ends == ["answered" if interaction_id in talkers else "lost"]
        legs = {d.leg_id for d in decisions if isinstance(d, LegJoined)}
        ended = {r.event.leg_id: r.event.reason for r in system.journal(interaction_id) if type(r.event) is LegEnded}
        assert ended.keys() == legs
        # The phone that rang may be told to stop before it is missed.
        assert set(ended.values()) <= {EndReason.LOST, EndReason.HUNG_UP_BY_US}
        assert EndReason.LOST in ended.values()


async def _talks(system: System) -> dict[str, frozenset[str]]:
    """The bridges in which two people are."""
    bridges = await system.ari("bridges")
    return {bridge["id"]: frozenset(bridge["channels"]) for bridge in bridges if len(bridge["channels"]) == 2}


def _whose(agent: dict[str, Any]) -> str:
    """Whose contact her one piece of work is."""
    (work,) = agent["assignments"]
    return str(work["interaction_id"])


def _place(stay: dict[str, Any]) -> tuple[str, float, float]:
    return stay["interaction_id"], stay["joined_s"], stay["waited_before_s"]


async def _everybody_goes_home(house: House) -> None:
    """And all agents go to lunch, so that the next test begins like this one."""
    for call_id in list(house.callers.open):
        house.callers.hang_up(call_id)
    await house.system.until_idle()

    def free(agents: Agents, waiting: Stays) -> bool:
        return not waiting and not any(agent["assignments"] for agent in agents.values())

    await house.floor.until(free)
    for name in AGENTS:
        await house.floor.do(name, "not_ready", reason="lunch")


def _unheard(phone: Phone, now_s: float) -> None:
    """What a phone saw, told to nobody."""
