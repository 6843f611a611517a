"""kill -9 the engine with callers talking, ringing and queued: talk goes on, places and waited time are kept, the
phone that rang is settled, presence stays, wrap-up ends in time."""

import asyncio
import json

from typer.testing import CliRunner

from bench.sip_phones import Behaviour, Callers, close, phones
from core.decisions import StayEnded
from core.offer_facts import OfferFailed, OfferMade
from engine.cli.app import app
from tests.recovery.routing_floor import Floor, looks

AGENTS = """
agents:
  ana: {name: Ana, device: "1001"}
  eva: {name: Eva, device: "1002"}
  luis: {name: Luis, device: "1003"}
  marta: {name: Marta, device: "1004"}
"""
FILES = {
    "config/agents.yaml": AGENTS,
    "config/not_ready.yaml": "reasons:\n  lunch: {title: {es: Comida}}\n",
    "config/queues/sales.yaml": "queue: sales\nring_s: 20\nwrap_up_s: 300\nannouncements: {}\n",
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
QUEUED = 4


async def test_a_killed_engine_loses_no_place_and_no_talk(system):
    running = await system({"desk": FLOW}, files=FILES)
    loop = asyncio.get_running_loop()
    server, behaviour = ("127.0.0.1", running.node.sip_port), [Behaviour(talk_s=60.0)]
    accounts = {name: running.account(name) for name in ("main-1001", "main-1002", "main-1003", "main-1004")}
    made = await phones(accounts, server, lambda: behaviour[0], lambda phone, at_s: None, lambda phone, at_s: None)
    _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, "77"), local_addr=("127.0.0.2", 0))
    floor = Floor(running, callers)
    try:
        await _in_full_swing(floor, behaviour)
        before, agents_before, waiting_before = await floor.board()
        bridges_before = {bridge["id"]: set(bridge["channels"]) for bridge in await running.ari("bridges")}
        await running.saved()
        killed = running.engine_pid
        running.kill_engine()
        await running.until(lambda body: body["ready"] and running.engine_pid != killed)
        after, agents, waiting = await floor.board()

        assert after["epoch"] != before["epoch"]
        kept = ("interaction_id", "joined_s", "waited_before_s", "queue", "priority")
        assert [[stay[name] for name in kept] for stay in waiting] == [
            [stay[name] for name in kept] for stay in waiting_before
        ]
        assert [stay["position"] for stay in waiting] == list(range(1, 2 + QUEUED))
        assert agents.keys() == agents_before.keys() == {"ana", "eva", "luis", "marta", "noa"}
        same = ("presence", "reason", "device", "since_s")
        for name, agent in agents.items():
            assert [agent[key] for key in same] == [agents_before[name][key] for key in same]
        assert [looks(agents)[name] for name in ("ana", "eva", "marta")] == ["talking", "talking", "wrap_up"]
        ends_s = {
            name: [w["wrap_up_ends_s"] for w in each["marta"]["assignments"]]
            for name, each in (("before", agents_before), ("after", agents))
        }
        assert ends_s["after"] == ends_s["before"]
        bridges = {bridge["id"]: set(bridge["channels"]) for bridge in await running.ari("bridges")}
        assert {id_: legs for id_, legs in bridges.items() if len(legs) == 2} == {
            id_: legs for id_, legs in bridges_before.items() if len(legs) == 2
        }
        assert len(callers.open) == 2 + 1 + QUEUED, "nobody was hung up on"

        await _resolved(floor, waiting_before)
        _read_in_a_terminal(running, waiting_before[1]["interaction_id"])
    finally:
        for call_id in list(callers.open):
            callers.hang_up(call_id)
        await running.until_idle()
        close(made)
        callers.close()
    ends = [d.how for i in running.interactions() for d in running.decisions(i) if isinstance(d, StayEnded)]
    assert len(ends) == 4 + QUEUED
    assert "lost" not in ends


async def _in_full_swing(floor, behaviour):
    """Two talk, one wraps up, one phone rings, four wait."""
    await floor.until(lambda agents, waiting: all(agent["reachable"] for agent in agents.values()))
    await floor.enrols("noa", queues=["sales"], code="2009", pin="4321")
    for agent in ("ana", "eva", "marta"):
        await floor.do(agent, "log_in")
    await floor.do("marta", "ready")
    done = floor.callers.call()
    await floor.until(lambda agents, waiting: agents["marta"]["looks"] == "talking")
    floor.callers.hang_up(done)
    await floor.until(lambda agents, waiting: agents["marta"]["looks"] == "wrap_up")
    for agent in ("ana", "eva"):
        await floor.do(agent, "ready")
        floor.callers.call()
    await floor.until(
        lambda agents, waiting: {"ana", "eva"} <= {name for name, look in looks(agents).items() if look == "talking"}
    )
    behaviour[0] = Behaviour(what="ring")
    await floor.do("luis", "log_in")
    await floor.do("luis", "ready")
    for number in range(1 + QUEUED):
        floor.callers.call()
        await floor.until(lambda agents, waiting, number=number: len(waiting) == number + 1)
    await floor.until(lambda agents, waiting: agents["luis"]["looks"] == "ringing")
    behaviour[0] = Behaviour(talk_s=60.0)


async def _resolved(floor, waiting_before):
    """The phone that rang rings out: who it rang for is first again, and is served before all others."""
    running = floor.running
    first = waiting_before[0]["interaction_id"]
    _, agents, waiting = await floor.until(lambda agents, waiting: agents["luis"]["presence"] == "not_ready")
    assert (agents["luis"]["reason"], agents["luis"]["assignments"]) == ("rona", [])
    assert waiting[0]["interaction_id"] == first
    await floor.do("luis", "ready")
    order = [stay["interaction_id"] for stay in waiting_before]
    await floor.until(lambda agents, waiting: agents["luis"]["looks"] == "talking")
    (work,) = (await floor.board())[1]["luis"]["assignments"]
    assert work["interaction_id"] in order[:2], "the first one is not rung at the phone that refused her right away"
    await running.saved()
    events = [record.event for record in running.journal(first)]
    assert any(isinstance(event, OfferMade) for event in events)
    assert any(isinstance(event, OfferFailed) and event.how == "rona" for event in events)


def _read_in_a_terminal(running, interaction_id):
    """The board and the reasons, as an admin reads them."""
    runner, project = (
        CliRunner(env={"COLUMNS": "160", "CENTRALITA_STATE": str(running.home.state)}),
        ["-p", str(running.home.project)],
    )
    board = runner.invoke(app, ["watch", "--once", *project])
    assert board.exit_code == 0, board.output
    assert all(word in board.output for word in ("sales", "ana", "wrap up", "talking"))
    snapshot = json.loads(runner.invoke(app, ["watch", "--once", "--json", *project]).output)
    assert {agent["agent_id"] for agent in snapshot["agents"]} == {"ana", "eva", "luis", "marta", "noa"}
    listed = runner.invoke(app, ["agents", "list", *project]).output.splitlines()
    places = {line.split()[0]: line.split()[-1] for line in listed[1:]}
    declared = {name: f"config/agents.yaml:{line}" for line, name in enumerate(("ana", "eva", "luis", "marta"), 3)}
    assert places == {**declared, "noa": "API"}
    status = runner.invoke(app, ["status", *project])
    assert "waiting · agents: " in status.output
    told = runner.invoke(app, ["explain", interaction_id, *project])
    assert told.exit_code == 0, told.output
    assert "began to wait for queue sales" in told.output
    refused = runner.invoke(app, ["agents", "not-ready", "ana", "siesta", *project])
    assert refused.exit_code == 1
    paused = runner.invoke(app, ["agents", "not-ready", "ana", "lunch", *project])
    assert "not ready" in paused.output
