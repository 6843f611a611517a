"""A caller on one Asterisk and an agent whose phone is registered at another one: real both, one engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from core.decisions import StayEnded
from core.leg_commands import OriginateLeg
from engine.home import Home
from telephony.node.ports import free_settings
from telephony.softphone import ear
from telephony.softphone.calls import PhoneCall, Recording
from telephony.softphone.client import Softphone
from tests.callers import Caller, registered
from tests.phone_fixture import tone_wav
from tests.system_fixture import System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOWS = {
    "desk": """
flow: desk
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: sales, answered: bye, next: bye, no_agents: bye}
  bye: {type: hangup}
""",
    "line": """
flow: line
languages: [es]
start: hold
nodes:
  hold: {type: agent, do: hold_line, refused: bye}
  bye: {type: hangup}
""",
    "follow": """
flow: follow
languages: [es]
start: follow
nodes:
  follow: {type: agent, do: supervise, value: ana, refused: bye}
  bye: {type: hangup}
""",
    "pause": """
flow: pause
languages: [es]
start: pause
nodes:
  pause: {type: wait, seconds: 120, music: default, next: bye}
  bye: {type: hangup}
""",
}
CALLER_HZ, AGENT_HZ = 700.0, 1300.0
PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Sites:
    """`far`: what the other node runs on. Ana's phone 1002 registers there, the caller's 1001 here."""

    system: System
    far: dict[str, Any]
    agent: Softphone
    caller: Softphone
    place: Path
    recordings: dict[PhoneCall, Recording] = field(default_factory=dict)

    async def do(self, fact: str, **fields: Any) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(self.system.home.control_socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as client:
            answer = (await client.post("/acd/do", json={"fact": fact, "fields": fields})).json()
            assert answer == {"ok": True}, answer

    async def ana(self, what: Callable[[dict[str, Any]], object], within_s: float = 30.0) -> None:
        """Returns when the board shows her so."""
        view: dict[str, Any] = {}
        try:
            async with asyncio.timeout(within_s):
                while not what(view := (await self.system.ask("GET", "/acd/snapshot"))["agents"][0]):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{view}\n{self.system.log(4000)}") from None

    async def call(self) -> Caller:
        caller = await Caller.dial(self.system, self.caller, "100", self.place)
        self.recordings[caller.call] = caller.recording
        return caller

    async def rung(self, account: str = "main-1002") -> PhoneCall:
        call = await self.agent.incoming(account=account)
        await call.answer()
        await call.until("confirmed")
        self.recordings[call] = await call.record(self.place / f"agent-{len(self.recordings)}.wav")
        return call

    async def talk(self, one: PhoneCall, other: PhoneCall, within_s: float = 30.0) -> None:
        for call, hz in ((one, CALLER_HZ), (other, AGENT_HZ)):
            await call.play(tone_wav(self.place / f"{hz:g}.wav", hz, seconds=0.7), loop=True)
        await self.hears(one, AGENT_HZ, within_s=within_s)
        await self.hears(other, CALLER_HZ, within_s=within_s)

    async def hears(self, call: PhoneCall, *tones_hz: float, within_s: float = 30.0) -> None:
        """Returns when she has heard each; several sound at once."""
        began_s = time.monotonic()
        while not all(self._hears(call, hz, 0.6 / len(tones_hz)) for hz in tones_hz):
            assert time.monotonic() < began_s + within_s, f"not heard: {tones_hz}\n{self.system.log(3000)}"
            await asyncio.sleep(0.1)

    def _hears(self, call: PhoneCall, hz: float, share: float) -> bool:
        try:
            return bool(ear.tone_spans(ear.load(self.recordings[call].path), hz, share=share))
        except ValueError:  # nothing of it has reached the file yet
            return False

    async def far_ari(self, what: str) -> list[dict[str, Any]]:
        auth = ("engine", self.far["secrets"]["ari_engine"])
        url = f"http://127.0.0.1:{self.far['http_port']}/ari"
        async with httpx.AsyncClient(base_url=url, auth=auth, trust_env=False, timeout=30) as client:
            body: list[dict[str, Any]] = (await client.get(f"/{what}")).json()
            return body

    def dialed(self, caller: Caller) -> list[str]:
        records = self.system.journal(caller.interaction_id)
        return [c.endpoint for record in records for c in record.commands if isinstance(c, OriginateLeg)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    place = tmp_path_factory.mktemp("relay")
    ports = free_settings(place / "ports")
    node = {
        "node": "far",
        "port": ports.http_port,
        "manager_port": ports.ami_port,
        "recordings": str(place / "far/spool/recording"),
        "relay_host": "127.0.0.1",
        "relay_port": ports.sip_port,
        "rtp_first": ports.rtp_start,
        "rtp_last": ports.rtp_end,
        "state": str(place / "far"),
    }
    files = {
        "config/agents.yaml": 'agents:\n  ana: {name: Ana, device: "1002"}\n'
        '  marta: {name: Marta, device: "1004", supervises: yes, queues: []}\n',
        "config/devices/1002.yaml": 'device: "1002"\nnode: far\n',
        "config/devices/1004.yaml": 'device: "1004"\nnode: far\n',
        "config/queues/sales.yaml": "queue: sales\nring_s: 5\nwrap_up_s: 0\nrefused_again_s: 0\nannouncements: {}\n",
        "config/numbers/100.yaml": 'number: "100"\nflow: desk\n',
        "config/numbers/145.yaml": 'number: "145"\nflow: line\n',
        "config/numbers/147.yaml": 'number: "147"\nflow: follow\n',
        "config/numbers/146.yaml": 'number: "146"\nflow: pause\n',
    }
    with contextlib.ExitStack() as running:

        def prepare(home: Home) -> None:
            site = home.project / "config/site.yaml"
            site.write_text(site.read_text().replace("sip:\n", "sip:\n  relay_host: 127.0.0.1\n", 1))
            running.enter_context(far_node(home, place / "far.json"))

        async with (
            systems(place) as up,
            Softphone.start(rate_hz=8000, rtp_ports=(33000, 400)) as agent,
            Softphone.start(rate_hz=8000, rtp_ports=(33400, 400)) as caller,
        ):
            system = await up(FLOWS, files, site=f"nodes: [{json.dumps(node)}]", prepare=prepare)
            far = json.loads((place / "far.json").read_text())
            for device in far["devices"]:
                await agent.register(device["name"], device["secret"], port=far["sip_port"])
            await registered(system, caller, "main-1001")
            both = Sites(system, far, agent, caller, place)
            await both.ana(lambda view: view["reachable"], 40)
            await both.do("AgentActed", tenant="main", agent_id="ana", action="log_in")
            yield both


@contextlib.contextmanager
def far_node(home: Home, exported: Path) -> Iterator[None]:
    """The other node, a process of its own, on what `centralita node export` wrote. Returns when it answers."""
    cli = Path(sys.executable).with_name("centralita")
    export = [cli, "node", "export", "far", "--to", exported, "--project", home.project]
    subprocess.run(export, check=True, env={**os.environ, "CENTRALITA_STATE": str(home.state)})
    run = [sys.executable, "-m", "telephony.node", "run", exported]
    process = subprocess.Popen(run, cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("node far:"):
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest_asyncio.fixture(loop_scope="module")
async def ready(sites: Sites) -> AsyncIterator[Sites]:
    """Ana is ready. Afterwards nobody is left at either node."""
    await sites.ana(lambda view: view["looks"] in ("not_ready", "ready"))
    await sites.do("AgentActed", tenant="main", agent_id="ana", action="ready")
    yield sites
    for call in sites.recordings:
        await call.hangup()
    sites.recordings.clear()
    await sites.system.until_idle(30)
    async with asyncio.timeout(30):
        while await sites.far_ari("channels") or await sites.far_ari("bridges"):
            await asyncio.sleep(0.05)


async def test_they_talk_across_and_either_may_end_it(ready: Sites) -> None:
    for who_ends in ("caller", "agent"):
        caller = await ready.call()
        ana = await ready.rung()
        await ready.ana(lambda view: view["looks"] == "talking")
        assert ready.dialed(caller) == ["relay:far/main-1002"]
        assert ana.incoming is not None
        assert "1001" in str(ana.incoming), "the phone shows who calls"
        await ready.talk(caller.call, ana)
        await (caller.call if who_ends == "caller" else ana).hangup()
        await caller.gone()
        await ana.until("disconnected")
        await ready.ana(lambda view: view["looks"] == "ready")
        ends = [d.how for d in ready.system.decisions(caller.interaction_id) if isinstance(d, StayEnded)]
        assert ends == ["answered"]


async def test_keys_of_the_far_phone_put_on_hold(ready: Sites) -> None:
    caller = await ready.call()
    ana = await ready.rung()
    await ready.ana(lambda view: view["looks"] == "talking")
    await ready.talk(caller.call, ana)  # the whole way is open
    await ana.dtmf("*1")
    await ready.ana(lambda view: view["looks"] == "hold")
    await ana.dtmf("*1")
    await ready.ana(lambda view: view["looks"] == "talking")


async def test_a_phone_that_says_no_and_one_that_rings_out(ready: Sites) -> None:
    caller = await ready.call()
    ringing = await ready.agent.incoming(account="main-1002")
    await ringing.hangup(code=486)
    again = await ready.agent.incoming(account="main-1002")
    await again.until("disconnected", timeout_s=30)
    await ready.ana(lambda view: (view["looks"], view["reason"]) == ("not_ready", "rona"))
    await caller.hang_up()


async def test_a_line_held_at_the_other_node_is_not_put_into_a_bridge_here(ready: Sites) -> None:
    line = await ready.agent.call(f"sip:145@127.0.0.1:{ready.far['sip_port']}", account="main-1002")
    ready.recordings[line] = await line.record(ready.place / "line.wav")
    await ready.ana(lambda view: view["line"])
    caller = await ready.call()
    ana = await ready.rung()
    await ready.talk(caller.call, ana)
    assert ready.dialed(caller) == ["relay:far/main-1002"]


async def test_a_supervisor_who_calls_in_at_the_other_node_is_rung_and_hears_both(ready: Sites) -> None:
    caller = await ready.call()
    ana = await ready.rung()
    await ready.talk(caller.call, ana)
    asking = await ready.agent.call(f"sip:147@127.0.0.1:{ready.far['sip_port']}", account="main-1004")
    await asking.until("disconnected")
    marta = await ready.rung("main-1004")
    await ready.hears(marta, CALLER_HZ, AGENT_HZ)
    await marta.hangup()
    await ana.hangup()
    await caller.gone()


async def test_an_engine_that_stays_away_leaves_nobody_waiting_at_the_other_node(ready: Sites) -> None:
    """The phone of the other node calls in there: its supervisor is here."""
    supervisor = ready.system.supervisor
    usual = supervisor.plan
    call = await ready.agent.call(f"sip:146@127.0.0.1:{ready.far['sip_port']}", account="main-1002")
    await ready.system.until(lambda body: [row["node"] for row in body["interactions"]] == ["pause"])
    await call.until("confirmed")
    pid = ready.system.engine_pid
    supervisor.plan = replace(usual, absence_s=2.0)
    os.kill(pid, signal.SIGSTOP)
    try:
        await call.until("disconnected", timeout_s=30)
        async with asyncio.timeout(20):
            while not any("sent to overflow" in text and "1 at far" in text for text in ready.system.told):
                await asyncio.sleep(0.05)
    finally:
        supervisor.plan = usual
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    await ready.system.until_idle()


async def test_the_engine_dies_and_they_talk_on(ready: Sites) -> None:
    caller = await ready.call()
    ana = await ready.rung()
    await ready.ana(lambda view: view["looks"] == "talking")
    ready.system.kill_engine()
    await ready.talk(caller.call, ana)
    await ready.system.until(lambda body: body["ready"], 40)
    await ready.ana(lambda view: view["looks"] == "talking")
    await ana.hangup()
    await caller.gone()
