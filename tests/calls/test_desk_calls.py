"""The desk beside the real engine: an agent logs in over REST, a real phone rings, a supervisor sees all of it live,
and neither the engine's death nor the desk's own loses anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from desk.live.board import Board
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.desk_file import admin_link, save_for_desk
from engine.home import Home, SecretBox
from telephony.softphone.client import Softphone
from telephony.softphone.errors import RegistrationFailed
from tests.browser_phone import Browser
from tests.callers import Caller, registered
from tests.phone_fixture import tone_wav
from tests.system_fixture import System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOW = """
flow: desk
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: sales, next: bye, no_agents: bye}
  bye: {type: hangup}
"""
SPARE = FLOW.replace("flow: desk", "flow: spare").replace("queue: sales", "queue: spare")
FILES = {
    "config/agents.yaml": 'agents:\n  ana: {name: Ana, device: "1001", queues: [sales]}\n',
    "config/queues/spare.yaml": "queue: spare\nno_agents: wait\nwrap_up_s: 0\nannouncements: {}\n",
    "config/numbers/101.yaml": 'number: "101"\nflow: spare\n',
    "config/queues/sales.yaml": """
queue: sales
title: Ventas
wrap_up_s: 60
dispositions: sales
disposition_required: yes
record_percent: 100
script: Greet and ask for the name.
announcements: {}
""",
    "config/dispositions.yaml": "dispositions:\n  sales:\n    sold: {title: Sold}\n    not_now: {title: Not now}\n",
    "config/not_ready.yaml": "reasons:\n  lunch: {title: Lunch}\n",
    "config/numbers/100.yaml": 'number: "100"\nflow: desk\n',
    "config/devices/1003.yaml": 'device: "1003"\n',
    "config/devices/1009.yaml": 'device: "1009"\nwebrtc: yes\n',
}
PASSWORD = "three green bottles"
CALLER_HZ, AGENT_HZ = 700.0, 1300.0


class Place:
    """The system, its phones, and people at the desk: `ana` is an agent, `sue` supervises."""

    def __init__(self, system: System, agent: Softphone, caller: Softphone, place: Path) -> None:
        self.system, self.agent, self.caller, self.place = system, agent, caller, place
        self.base = f"http://127.0.0.1:{json.loads((system.home.state / 'desk.json').read_text())['port']}"
        self.http = httpx.AsyncClient(base_url=self.base, trust_env=False, timeout=30, verify=False)
        self.tokens: dict[str, str] = {}

    async def log_in(self, login: str) -> None:
        answer = await self.http.post("/v1/session/login", json={"login": login, "password": PASSWORD})
        self.tokens[login] = answer.json()["access_token"]

    async def ask(self, login: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        return await self.http.request(method, path, json=body, headers=headers)

    async def do(self, login: str, path: str, **body: Any) -> None:
        answer = await self.ask(login, "POST", path, body)
        assert answer.json() == {"ok": True}, answer.text

    @asynccontextmanager
    async def watching(self, login: str, after: Board | None = None) -> AsyncIterator[Watcher]:
        query = f"?epoch={after.epoch}&after={after.seq}" if after else ""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        uri = self.base.replace("http", "ws") + f"/v1/live{query}"
        async with connect(uri, additional_headers=headers, proxy=None) as socket:
            yield Watcher(socket, after)


class Watcher:
    def __init__(self, socket: Any, board: Board | None = None) -> None:
        self.socket, self.board, self.up, self.snapshots, self.seen = socket, board or Board(), True, 0, []  # type: ignore[var-annotated]

    async def until(self, what: Callable[[Watcher], object], within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not what(self):
                message = json.loads(await self.socket.recv())
                match message["type"]:
                    case "snapshot":
                        self.snapshots += 1
                        self.board.reset(message)
                    case "event":
                        self.seen.append(message["seq"])
                        self.board.apply(message)
                    case "engine":
                        self.up = message["up"]

    def ana(self) -> dict[str, Any]:
        return self.board.agent("main", "ana") or {"looks": "", "reason": ""}

    def talk(self, interaction_id: str) -> dict[str, Any]:
        return self.board.talk("main", interaction_id) or {}

    async def looks(self, looks: str) -> dict[str, Any]:
        await self.until(lambda w: w.ana()["looks"] == looks)
        return self.ana()


def _desk_file(home: Home) -> None:
    configuration = load(read_sources(home.project)).configuration
    assert configuration is not None
    home.prepare()
    save_for_desk(home, configuration)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    directory = tmp_path_factory.mktemp("desk")
    async with (
        systems(directory) as up,
        Softphone.start(rate_hz=8000, rtp_ports=(34000, 200)) as agent,
        Softphone.start(rate_hz=8000, rtp_ports=(34200, 200)) as caller,
    ):
        system = await up({"desk": FLOW, "spare": SPARE}, FILES, workers=("projection", "desk"), prepare=_desk_file)
        await registered(system, agent, "main-1001")
        await registered(system, agent, "main-1002")
        await registered(system, caller, "main-1003")
        async with asyncio.timeout(60):
            while not (link := admin_link(system.home)):
                await asyncio.sleep(0.1)
        found = Place(system, agent, caller, directory)
        form = {"login": "root", "password": PASSWORD}
        assert (await _first_admin(found, link, form)).status_code == 303
        found.http.cookies.clear()
        await found.log_in("root")
        for login, role, agent_id in (("ana", "agent", "ana"), ("sue", "supervisor", "")):
            body = {"login": login, "password": PASSWORD, "role": role, "agent_id": agent_id, "tenant": "main"}
            assert (await found.ask("root", "POST", "/v1/accounts", body)).status_code == 201
            await found.log_in(login)
        yield found
        await found.http.aclose()


async def _first_admin(place: Place, link: str, form: dict[str, str]) -> httpx.Response:
    """The link may be there a moment before the desk listens."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await place.http.post(link, data=form)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)


async def test_an_agent_takes_a_call_and_writes_down_what_came_of_it(place: Place) -> None:
    async with place.watching("sue") as sue:
        await sue.until(lambda w: w.snapshots)
        await place.do("ana", "/v1/agents/ana/presence", action="log_in")
        await place.do("ana", "/v1/agents/ana/presence", action="not_ready", reason="lunch")
        await sue.until(lambda w: w.ana()["reason"] == "lunch")
        refused = await place.ask("ana", "POST", "/v1/agents/ana/presence", {"action": "not_ready", "reason": "sleep"})
        assert refused.status_code == 409
        assert "sleep" in refused.json()["detail"]
        await place.do("sue", "/v1/agents/ana/presence", action="ready")
        await sue.looks("ready")
        caller = await Caller.dial(place.system, place.caller, "100", place.place)
        await sue.looks("ringing")
        path = f"/v1/interactions/{caller.interaction_id}"
        card = (await place.ask("ana", "GET", path)).json()
        assert (card["tenant"], card["path"][-1]) == ("main", "desk.wait")
        call = await place.agent.incoming(account="main-1001", timeout_s=20.0)
        await call.answer()
        await sue.looks("talking")
        await _follows(place, sue, caller.interaction_id)
        for action, paused in (("pause_recording", True), ("resume_recording", False)):
            await place.do("ana", f"{path}/actions", action=action)
            await sue.until(lambda w, paused=paused: w.talk(caller.interaction_id)["recording_paused"] is paused)
        await place.do("ana", f"{path}/actions", action="hold")
        await sue.looks("hold")
        await place.do("ana", f"{path}/actions", action="resume")
        await place.do("ana", f"{path}/wrap-up", note="wants a second line")
        await place.do("ana", f"{path}/actions", action="hang_up")
        await sue.looks("wrap_up")
        no = await place.ask("ana", "POST", f"{path}/wrap-up", {"finish": True})
        assert (no.status_code, "disposition" in no.json()["detail"]) == (409, True)
        await place.do("ana", f"{path}/wrap-up", disposition="sold", finish=True)
        await sue.looks("ready")
        assert sue.seen == sorted(set(sue.seen))
        await caller.closed()
        notes: list[str] = []
        async with asyncio.timeout(30):  # of a contact that is over SQL tells, which follows
            while notes != ["wants a second line"]:
                await asyncio.sleep(0.1)
                notes = [note["text"] for note in (await place.ask("sue", "GET", path)).json().get("notes", ())]
        explained = (await place.ask("sue", "GET", f"{path}/explain")).json()
        assert explained["offers"]
        assert (await place.ask("ana", "GET", path)).status_code == 403


async def _follows(place: Place, sue: Watcher, interaction_id: str) -> None:
    """Her own phone rings, she switches, and stops; the board says so all along."""
    path = f"/v1/interactions/{interaction_id}/supervision"

    def there(watcher: Watcher) -> dict[str, Any]:
        return (watcher.board.talk("main", interaction_id) or {}).get("supervisor") or {}

    nowhere = await place.ask("sue", "POST", path, {"action": "listen", "device": "9999"})
    assert (nowhere.status_code, "no phone 'main-9999'" in nowhere.json()["detail"]) == (409, True)
    assert (await place.ask("ana", "POST", path, {"action": "listen"})).status_code == 403
    await place.do("sue", path, action="listen", device="1002")
    phone = await place.agent.incoming(account="main-1002", timeout_s=20.0)
    await phone.answer()
    await sue.until(lambda w: there(w).get("up"))
    assert there(sue) == {"supervisor_id": "@sue", "mode": "listen", "up": True}
    await place.do("sue", path, action="barge")
    await sue.until(lambda w: there(w).get("mode") == "barge")
    await place.do("sue", path, action="stop")
    await phone.until("disconnected")
    await sue.until(lambda w: not there(w))


async def test_the_next_agent_reads_what_came_before(place: Place) -> None:
    async with place.watching("ana") as ana:
        await ana.looks("ready")
        caller = await Caller.dial(place.system, place.caller, "100", place.place)
        agent = await ana.looks("ringing")
        assert agent["assignments"][0]["interaction_id"] == caller.interaction_id
        path = f"/v1/interactions/{caller.interaction_id}/history"
        async with asyncio.timeout(30):
            while not (found := (await place.ask("ana", "GET", path)).json()["contacts"]):
                await asyncio.sleep(0.1)
        assert (found[0]["agent_id"], found[0]["disposition"]) == ("ana", "sold")
        offer_id = agent["assignments"][0]["offer_id"]
        ringing = await place.agent.incoming(account="main-1001", timeout_s=30.0)
        await place.do("ana", f"/v1/offers/{offer_id}/refuse")
        await ringing.until("disconnected")
        await ana.until(lambda w: not w.board.assignments("main", "ana"))
        await caller.hang_up()


async def test_a_supervisor_moves_a_caller_to_where_somebody_answers(place: Place) -> None:
    async with place.watching("sue") as sue:
        await sue.until(lambda w: w.snapshots)
        for action in ("log_in", "ready"):
            await place.do("sue", "/v1/agents/ana/presence", action=action)
        caller = await Caller.dial(place.system, place.caller, "101", place.place)
        await sue.until(lambda w: [stay["queue"] for stay in w.board.stays("main")] == ["spare"])
        (stay,) = sue.board.stays("main")
        path = f"/v1/stays/{stay['stay_id']}"
        assert (await place.ask("ana", "POST", f"{path}/queue", {"queue": "sales"})).status_code == 403
        await place.do("sue", f"{path}/priority", priority=2)
        await place.do("sue", f"{path}/queue", queue="sales")
        call = await place.agent.incoming(account="main-1001", timeout_s=30.0)
        await call.answer()
        await call.until("confirmed")
        await caller.call.until("confirmed")
        ana = Caller(place.system, call, caller.interaction_id, await call.record(place.place / "ana.wav"))
        for who, hz in ((caller.call, CALLER_HZ), (call, AGENT_HZ)):
            await who.play(tone_wav(place.place / f"{hz:g}.wav", hz), loop=True)
        await asyncio.gather(caller.hears_hz(AGENT_HZ, 0.3), ana.hears_hz(CALLER_HZ, 0.3))
        await sue.looks("talking")
        await _tells_who_moved_her(place, caller.interaction_id)
        await call.hangup()
        await sue.looks("wrap_up")
        wrap_up = f"/v1/interactions/{caller.interaction_id}/wrap-up"
        await place.do("ana", wrap_up, disposition="not_now", finish=True)
        await caller.closed()


async def _tells_who_moved_her(place: Place, interaction_id: str) -> None:
    """Two stays, the second with the time of the first, and in whose hand it was."""

    async def stays() -> list[dict[str, Any]]:
        told = await place.ask("sue", "GET", f"/v1/interactions/{interaction_id}/explain")
        return list(told.json()["stays"])

    found = await stays()
    async with asyncio.timeout(30):
        while [stay["how"] for stay in found] != ["overflowed", "answered"]:
            await asyncio.sleep(0.1)
            found = await stays()
    assert [stay["queue"] for stay in found] == ["spare", "sales"]
    assert [(each["by"], each.get("priority"), each.get("queue")) for each in found[0]["changes"]] == [
        ("@sue", 2, None),
        ("@sue", None, "sales"),
    ]
    assert found[1]["waited_before_s"] > 0
    assert found[1]["waited_s"] >= found[1]["waited_before_s"]


async def test_an_agent_added_with_a_phone_of_her_own_talks_at_once_and_leaves_none(place: Place) -> None:
    asked = {"agent_id": "eva", "name": "Eva (ventas)", "queues": ["spare"], "phone": "own"}
    made = await place.ask("root", "POST", "/v1/agents?tenant=main", asked)
    assert made.status_code == 201, made.text
    account = made.json()["sip"]
    assert (account["server"], account["port"]) == (str(place.system.node.bind), place.system.node.sip_port)
    async with place.watching("sue") as sue, Softphone.start(rate_hz=8000, rtp_ports=(34400, 200)) as eva:
        await eva.register(account["username"], account["password"], port=account["port"])
        await sue.until(lambda w: w.snapshots)
        first = sue.board.epoch
        place.system.kill_engine()  # the next one knows her phone as well
        await sue.until(lambda w: w.board.epoch != first and w.up)
        for action in ("log_in", "ready"):
            await place.do("sue", "/v1/agents/eva/presence", action=action)
        caller = await Caller.dial(place.system, place.caller, "101", place.place)
        call = await eva.incoming(account=account["username"], timeout_s=30.0)
        await call.answer()
        await call.until("confirmed")
        await caller.call.until("confirmed")
        await sue.until(lambda w: (w.board.agent("main", "eva") or {}).get("looks") == "talking")
        assert (await place.ask("root", "DELETE", "/v1/agents/eva?tenant=main")).json() == {"ok": True}
        await _no_longer_registers(account)
        # What she is at goes on, in both directions, and ends as any call.
        hers = Caller(place.system, call, caller.interaction_id, await call.record(place.place / "eva.wav"))
        for who, hz in ((caller.call, CALLER_HZ), (call, AGENT_HZ)):
            await who.play(tone_wav(place.place / f"eva-{hz:g}.wav", hz), loop=True)
        await asyncio.gather(caller.hears_hz(AGENT_HZ, 0.3), hers.hears_hz(CALLER_HZ, 0.3))
        await call.hangup()
        await caller.gone()
        await sue.until(lambda w: w.board.agent("main", "eva") is None)
    kept = SecretBox(place.system.home.state / "secrets.json").named("device/")
    assert account["username"] not in kept


async def _no_longer_registers(account: dict[str, Any]) -> None:
    async with asyncio.timeout(60), Softphone.start(rate_hz=8000, rtp_ports=(34600, 50)) as late:
        with contextlib.suppress(RegistrationFailed):
            while True:
                await late.register(account["username"], account["password"], port=account["port"])


async def test_a_browsers_phone_gets_to_asterisk_through_the_desk(place: Place) -> None:
    uri = place.base.replace("http", "ws") + "/ws"
    secret = place.system.account("main-1009")
    headers = {"Authorization": f"Bearer {place.tokens['ana']}"}
    async with connect(uri, subprotocols=[Subprotocol("sip")], additional_headers=headers, proxy=None) as socket:
        stranger = Browser(socket, "main-1009", "not-the-secret")
        assert (await stranger.request("REGISTER", "sip:centralita.test"))[0] in (401, 403)
        phone = Browser(socket, "main-1009", secret)
        assert (await phone.request("REGISTER", "sip:centralita.test"))[0] == 200
    async with connect(uri, subprotocols=[Subprotocol("sip")], proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_neither_the_engines_death_nor_the_desks_loses_anything(place: Place) -> None:
    async with place.watching("sue") as sue:
        await sue.until(lambda w: w.snapshots)
        await place.do("sue", "/v1/agents/ana/presence", action="not_ready", reason="lunch")
        await sue.until(lambda w: w.ana()["reason"] == "lunch")
        first = sue.board.epoch
        place.system.kill_engine()
        await sue.until(lambda w: w.board.epoch != first and w.up)
        agent = await sue.looks("not_ready")
        assert agent["reason"] == "lunch"
        assert (await place.ask("sue", "GET", "/v1/agents")).json()["engine_up"]
    worker = next(each for each in place.system.supervisor.workers if each.name == "desk")
    old = worker.pid
    worker.kill()
    async with asyncio.timeout(60):
        while worker.pid in (old, None):
            await asyncio.sleep(0.05)
        while True:
            try:
                if (await place.ask("sue", "GET", "/v1/health")).json()["engine"]:
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    async with place.watching("sue", sue.board) as again:
        await place.do("sue", "/v1/agents/ana/presence", action="log_out")
        await again.looks("logged_out")
    async with asyncio.timeout(30):  # it answers before it has looked who may log in
        while admin_link(place.system.home) != "":
            await asyncio.sleep(0.1)
