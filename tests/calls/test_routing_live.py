"""The running engine and its floor, over the control socket: a reload moves nobody, a phone that is gone is not rung,
whoever watches misses nothing, machines can read how it goes. Real Asterisk, real engine, one system for all."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from core.decisions import StayEnded
from engine.cli.app import app
from telephony.softphone.client import Softphone
from tests.system_fixture import CARRIER, System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOW = """
flow: desk
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: QUEUE, next: bye}
  bye: {type: hangup}
"""
LEFTOVER = FLOW.replace("QUEUE", "old").replace("flow: desk", "flow: leftover")
SALES = "queue: sales\nwrap_up_s: 0\nno_agents: wait\nannouncements: {}\n"
OLD = "queue: old\nwrap_up_s: 0\nno_agents: wait\nfallback: sales\nannouncements: {}\n"
AGENTS = 'agents:\n  ana: {name: Ana, device: "1001"}\n  eva: {name: Eva, device: "1002"}\n'
FILES = {
    "config/agents.yaml": AGENTS,
    "config/queues/sales.yaml": SALES,
    "config/queues/old.yaml": OLD,
    "config/numbers/77.yaml": 'number: "77"\nflow: desk\n',
    "config/numbers/78.yaml": 'number: "78"\nflow: leftover\n',
}


class Floor:
    def __init__(self, system: System, made: list[Phone], callers: Callers, others: Callers) -> None:
        self.system, self.phones, self.callers, self.others = system, made, callers, others

    def socket(self, read_s: float = 30.0) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(uds=str(self.system.home.control_socket), verify=False)
        timeout = httpx.Timeout(30.0, read=read_s)
        return httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=timeout)

    async def do(self, agent: str, action: str) -> None:
        fields = {"tenant": "main", "agent_id": agent, "action": action}
        async with self.socket() as client:
            answer = await client.post("/acd/do", json={"fact": "AgentActed", "fields": fields})
        assert answer.json() == {"ok": True}, answer.text

    async def board(self) -> dict[str, Any]:
        return await self.system.ask("GET", "/acd/snapshot")

    async def until(self, what: Callable[[dict[str, Any]], object], within_s: float = 30.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while not what(board := await self.board()):
                await asyncio.sleep(0.05)
        return board

    async def go_home(self) -> None:
        for callers in (self.callers, self.others):
            for call_id in list(callers.open):
                callers.hang_up(call_id)
        for agent in ("ana", "eva"):
            await self.do(agent, "log_out")
        await self.system.until_idle()


def agent(board: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in board["agents"] if each["agent_id"] == name)


def places(board: dict[str, Any]) -> list[tuple[str, float]]:
    return [(stay["interaction_id"], stay["joined_s"]) for stay in sorted(board["stays"], key=lambda s: s["position"])]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    loop = asyncio.get_running_loop()
    async with systems(tmp_path_factory.mktemp("floor")) as up:
        flows = {"desk": FLOW.replace("QUEUE", "sales"), "leftover": LEFTOVER}
        system = await up(flows, files=FILES)
        server = ("127.0.0.1", system.node.sip_port)
        accounts = {name: system.account(name) for name in ("main-1001", "main-1002")}
        made = await phones(accounts, server, lambda: Behaviour(talk_s=600.0), lambda p, s: None, lambda p, s: None)
        _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, "77"), local_addr=(CARRIER, 0))
        _, others = await loop.create_datagram_endpoint(lambda: Callers(server, "78"), local_addr=(CARRIER, 0))
        try:
            yield Floor(system, made, callers, others)
        finally:
            close(made)
            callers.close()
            others.close()


@pytest_asyncio.fixture(loop_scope="module")
async def floor(shared: Floor) -> AsyncIterator[Floor]:
    await shared.until(lambda board: all(each["reachable"] for each in board["agents"]))
    yield shared
    await shared.go_home()


async def test_a_reload_moves_nobody_and_a_removed_queue_drains_where_it_said(floor: Floor) -> None:
    project: Path = floor.system.home.project
    for _ in range(3):
        floor.callers.call()
        await asyncio.sleep(0.2)
    floor.others.call()
    before = await floor.until(lambda board: len(board["stays"]) == 4)
    moved = next(stay for stay in before["stays"] if stay["queue"] == "old")
    try:
        project.joinpath("config/queues/sales.yaml").write_text(SALES + "strategy: round_robin\npriority: 3\n")
        project.joinpath("config/queues/old.yaml").unlink()
        project.joinpath("flows/leftover.yaml").unlink()
        project.joinpath("config/numbers/78.yaml").unlink()
        told = await floor.system.reload()
        assert told["reloaded"], told
        after = await floor.until(lambda board: {stay["queue"] for stay in board["stays"]} == {"sales"})
        kept = [place for place in places(after) if place[0] != moved["interaction_id"]]
        assert kept == [place for place in places(before) if place[0] != moved["interaction_id"]]
        there = next(stay for stay in after["stays"] if stay["interaction_id"] == moved["interaction_id"])
        waited_s = after["now_s"] - there["joined_s"] + there["waited_before_s"]
        assert waited_s == pytest.approx(after["now_s"] - moved["joined_s"], abs=0.5), "it takes its waited time along"
        order = [interaction_id for interaction_id, _ in places(after)]
        await floor.do("ana", "log_in")
        await floor.do("ana", "ready")
        board = await floor.until(lambda board: agent(board, "ana")["looks"] == "talking")
        assert agent(board, "ana")["assignments"][0]["interaction_id"] == order[0]
    finally:
        for name, text in FILES.items():
            project.joinpath(name).write_text(text)
        project.joinpath("flows/leftover.yaml").write_text(LEFTOVER)
    assert (await floor.system.reload())["reloaded"]


async def test_a_broken_reload_changes_nothing(floor: Floor) -> None:
    floor.callers.call()
    before = await floor.until(lambda board: len(board["stays"]) == 1)
    path = floor.system.home.project / "config/queues/sales.yaml"
    path.write_text("queue: sales\nskills: 'nonsense >='\n")
    told = await floor.system.reload()
    path.write_text(SALES)
    assert not told["reloaded"]
    assert places(await floor.board()) == places(before)


async def test_a_phone_that_is_gone_is_not_rung_until_it_is_back(floor: Floor) -> None:
    system = floor.system
    async with Softphone.start() as phone:
        await phone.register("main-1002", system.account("main-1002"), port=system.node.sip_port)
        await floor.do("eva", "log_in")
        await floor.do("eva", "ready")
        await phone.unregister()
        await floor.until(lambda board: not agent(board, "eva")["reachable"])
        floor.callers.call()
        board = await floor.until(lambda board: len(board["stays"]) == 1)
        await asyncio.sleep(0.5)
        assert [stay["state"] for stay in (await floor.board())["stays"]] == ["waiting"]
        assert agent(board, "eva")["presence"] != "logged_out"
        await phone.register("main-1002", system.account("main-1002"), port=system.node.sip_port)
        await floor.until(lambda board: agent(board, "eva")["reachable"])
        if agent(await floor.board(), "eva")["presence"] != "ready":
            await floor.do("eva", "ready")
        await (await phone.incoming()).answer()
        await floor.until(lambda board: agent(board, "eva")["looks"] == "talking")
        await floor.go_home()
    floor.phones[1].register()


async def test_whoever_watches_hears_every_change_and_begins_anew_with_another_engine(floor: Floor) -> None:
    snapshot = await floor.board()
    heard: list[dict[str, Any]] = []

    async def listen() -> None:
        async with (
            floor.socket() as client,
            client.stream("GET", f"/acd/events?epoch={snapshot['epoch']}&after={snapshot['seq']}") as answer,
        ):
            async for line in answer.aiter_lines():
                heard.append(json.loads(line))

    listening = asyncio.create_task(listen())
    await floor.do("ana", "log_in")
    await floor.do("ana", "ready")
    floor.callers.call()
    board = await floor.until(lambda board: agent(board, "ana")["looks"] == "talking")
    interaction_id = agent(board, "ana")["assignments"][0]["interaction_id"]
    wanted = {("agent", "ana"), ("queue", "sales"), ("talk", interaction_id)}

    def told() -> dict[tuple[str, str], dict[str, Any]]:
        """The last that was heard of each."""
        return {(line["kind"], line["id"]): line["value"] for line in heard if "seq" in line}

    async with asyncio.timeout(30):
        while not (
            wanted <= told().keys()
            and told()["agent", "ana"]["looks"] == "talking"
            and (told()["queue", "sales"]["available"], told()["queue", "sales"]["logged_in"]) == (0, 1)
        ):
            await asyncio.sleep(0.05)
    changes = [line for line in heard if "seq" in line]
    assert [line["seq"] for line in changes] == list(range(snapshot["seq"] + 1, changes[-1]["seq"] + 1))

    killed = floor.system.engine_pid
    floor.system.kill_engine()
    with pytest.raises(httpx.HTTPError):
        await asyncio.wait_for(listening, 30)
    await floor.system.until(lambda body: body["ready"] and floor.system.engine_pid != killed)
    async with floor.socket() as client:
        again = await client.get(f"/acd/events?epoch={snapshot['epoch']}&after={changes[-1]['seq']}")
    assert [json.loads(line) for line in again.text.splitlines()] == [{"reset": True}]
    assert agent(await floor.board(), "ana")["looks"] == "talking"


async def test_an_engine_that_is_asked_to_stop_does_not_wait_for_who_watches(floor: Floor) -> None:
    snapshot = await floor.board()
    asked = floor.system.engine_pid
    async with (
        floor.socket() as client,
        client.stream("GET", f"/acd/events?epoch={snapshot['epoch']}&after={snapshot['seq']}") as answer,
    ):
        os.kill(asked, signal.SIGTERM)
        async with asyncio.timeout(40):
            assert [line async for line in answer.aiter_lines() if "ping" not in line] == []
    await floor.system.until(lambda body: body["ready"] and floor.system.engine_pid != asked)


async def test_machines_read_how_it_goes(floor: Floor) -> None:
    floor.callers.call()
    floor.callers.call()
    await floor.until(lambda board: len(board["stays"]) == 2)
    async with floor.socket() as client:
        text = (await client.get("/metrics")).text
    assert 'centralita_queue_waiting{queue="sales",tenant="main"} 2.0' in text
    assert 'centralita_agents{looks="logged_out",tenant="main"} 2.0' in text
    for call_id in list(floor.callers.open):
        floor.callers.hang_up(call_id)
    await floor.until(lambda board: not board["stays"])
    async with floor.socket() as client, asyncio.timeout(30):
        while not ('how="short_abandoned"' in text or 'how="abandoned"' in text):
            text = (await client.get("/metrics")).text


async def test_another_asterisk_finds_everybody_at_work(floor: Floor) -> None:
    """Calls die with it. Agents stay where they were, wrap up what was cut off, and are rung again."""
    await floor.do("ana", "log_in")
    await floor.do("ana", "ready")
    floor.callers.call()
    await floor.until(lambda board: agent(board, "ana")["looks"] == "talking")
    floor.callers.call()
    await floor.until(lambda board: len(board["stays"]) == 1)
    killed = floor.system.supervisor.launcher.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    await floor.system.until(lambda body: body["ready"] and not body["interactions"], 40)
    floor.callers.open.clear()
    floor.callers._dialogs.clear()
    board = await floor.until(lambda board: agent(board, "ana")["looks"] == "ready" and not board["stays"])
    assert agent(board, "ana")["presence"] == "ready"
    for phone in floor.phones:
        phone.registered.clear()
    async with asyncio.timeout(30):  # what comes while Asterisk still loads is dropped without an answer
        while late := [phone for phone in floor.phones if not phone.registered.is_set()]:
            for phone in late:
                phone.register()
            await asyncio.sleep(0.5)
    await floor.until(lambda board: all(each["reachable"] for each in board["agents"]))
    floor.callers.call()
    await floor.until(lambda board: agent(board, "ana")["looks"] == "talking")


async def test_every_stay_ended_once(floor: Floor) -> None:
    floor.callers.call()
    await floor.until(lambda board: len(board["stays"]) == 1)
    await floor.go_home()
    system = floor.system
    ends: dict[str, int] = {}
    for interaction_id in system.interactions():
        for decision in system.decisions(interaction_id):
            if isinstance(decision, StayEnded):
                ends[decision.stay_id] = ends.get(decision.stay_id, 0) + 1
    assert ends
    assert set(ends.values()) == {1}
    runner = CliRunner(env={"CENTRALITA_STATE": str(system.home.state)})
    replayed = await asyncio.to_thread(runner.invoke, app, ["replay", "-p", str(system.home.project), "--json"])
    counts = json.loads(replayed.output)["counts"]
    assert counts.get("same", 0) > 0
    assert not counts.get("differs"), replayed.output[-3000:]
