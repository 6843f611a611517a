"""The campaign's demo: forty simulated people are really dialed through Asterisk, three agents talk on held lines.

What is told is what happened on the wire: the people's side says who rang, answered and hung up, the engine's who had
them. In the end every lead is compared with both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadRecord
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.demo.campaign_stage import AGENTS, CAMPAIGN, HANGS_UP_SOON, Somebody
from engine.demo.people import Call, People
from engine.home import Home, SecretBox
from engine.node_settings import LOOPBACK, node_settings
from engine.supervisor import Plan, Supervisor
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore
from telephony.node.installation import find
from telephony.node.settings import NodeSettings
from telephony.softphone.client import Softphone

_WITHIN_S = 300.0
_LOOK_EVERY_S = 0.25
_SOLD_EVERY = 3
"""One of so many customers buys."""
Tell = Callable[[str, str], None]
"""Who (`people`, `agent`, `pacing`, `engine`), and what, as it happens."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one lead. `calls`: how often her phone really rang; `wrong`: what does not fit, empty when all
    does."""

    who: Somebody
    lead: LeadRecord | None
    attempt: AttemptRecord | None
    calls: int
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    lines: list[Line]
    view: dict[str, Any]

    @property
    def wrong(self) -> list[Line]:
        return [line for line in self.lines if line.wrong]

    @property
    def within_cap(self) -> bool:
        return all(limit["ratio"] <= limit["most"] for limit in self.view["abandonment"])

    @property
    def waits_s(self) -> list[float]:
        """From answer to agent, sorted."""
        attempts = [line.attempt for line in self.lines if line.attempt is not None]
        return sorted(
            one.connected_s - one.answered_s
            for one in attempts
            if one.connected_s is not None and one.answered_s is not None
        )

    @property
    def greeted_waits_s(self) -> list[float]:
        """From the end of her greeting to the agent."""
        attempts = [line.attempt for line in self.lines if line.attempt is not None]
        return [
            one.connected_s - one.greeted_s
            for one in attempts
            if one.connected_s is not None and one.greeted_s is not None
        ]


async def play(home: Home, everybody: list[Somebody], people: People, tell: Tell) -> Shown:
    """Runs the whole campaign and tears everything down.

    Raises:
        NodeError, OSError: Asterisk or the engine did not start.
        TimeoutError: it did not come to an end.
    """
    loaded = load(read_sources(home.project))
    if loaded.configuration is None:
        raise OSError(f"the shipped definitions have errors:\n{loaded.problems}")
    node = node_settings(home, loaded.configuration, SecretBox(home.state / "secrets.json"), LOOPBACK)
    supervisor = Supervisor(Plan(home, node, find(), 30.0, ("projection",), media_workers=1), lambda text: None)
    tell("engine", "starting Asterisk and the engine")
    await supervisor.start()
    try:
        async with Softphone.start() as phone, _Engine(home) as engine:
            await _hold_lines(phone, node, engine, tell)
            await engine.until_heard()
            show = _Show(engine, everybody, tell)
            people.on_change = show.call_changed
            await engine.do("/dialer/do", "CampaignActed", tenant="main", campaign=CAMPAIGN, action="start", by="demo")
            tell("engine", f"campaign {CAMPAIGN} started: {len(everybody)} people, {len(AGENTS)} agents on held lines")
            async with asyncio.timeout(_WITHIN_S):
                view = await show.until_over()
            await engine.do("/dialer/do", "CampaignActed", tenant="main", campaign=CAMPAIGN, action="stop", by="demo")
        return Shown(await _compared(home, everybody, people), view)
    finally:
        tell("engine", "stopping everything")
        await supervisor.stop()


class _Engine:
    """Its control socket."""

    def __init__(self, home: Home) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(home.control_socket))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=10.0)

    async def __aenter__(self) -> _Engine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def ask(self, path: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self._http.get(path)).json()
        return body

    async def until_heard(self) -> None:
        """A media worker is there: whoever is dialed before is taken for a person."""
        async with asyncio.timeout(30.0):
            while True:
                if "centralita_media_workers 0.0" not in (await self._http.get("/metrics")).text:
                    return
                await asyncio.sleep(_LOOK_EVERY_S)

    async def do(self, path: str, fact: str, **fields: Any) -> None:
        """Raises OSError with the engine's words when it refuses."""
        answer = await self._http.post(path, json={"fact": fact, "fields": fields})
        if answer.status_code != 200:
            raise OSError(f"the engine refused {fact}: {answer.text}")


async def _hold_lines(phone: Softphone, node: NodeSettings, engine: _Engine, tell: Tell) -> None:
    """Each agent logs in, dials *455 and keeps that call: a conversation then needs no ringing."""
    secrets = {device.name: device.secret for device in node.devices}
    for agent, device in AGENTS.items():
        account = f"main-{device}"
        await phone.register(account, secrets[account], port=node.sip_port)
        await engine.do("/acd/do", "AgentActed", tenant="main", agent_id=agent, action="log_in")
        call = await phone.call(f"sip:*455@127.0.0.1:{node.sip_port}", account=account)
        await call.until("confirmed")
        tell("agent", f"{agent.title()} logs in and holds her line open")
    async with asyncio.timeout(30.0):
        while True:
            agents = (await engine.ask("/acd/snapshot"))["agents"]
            if all(agent["line"] for agent in agents):
                break
            await asyncio.sleep(_LOOK_EVERY_S)
    for agent in AGENTS:
        await engine.do("/acd/do", "AgentActed", tenant="main", agent_id=agent, action="ready")


@dataclass
class _Show:
    """Tells what happens, and plays the agents: they write down what came of each conversation."""

    engine: _Engine
    everybody: list[Somebody]
    tell: Tell
    _talks_to: dict[str, Somebody | None] = field(default_factory=dict)
    """Interaction -> who it is."""
    _talking: dict[str, str] = field(default_factory=dict)
    _paced_s: float = 0.0
    _paced: str = ""
    _served: int = 0
    """Interaction -> whether a machine answered."""

    def __post_init__(self) -> None:
        self._by_number = {each.number: each for each in self.everybody}

    def call_changed(self, call: Call) -> None:
        who = self._by_number.get(call.number)
        name = who.name if who is not None else call.number
        if not call.is_open:
            ended = "is hung up on" if call.answered_s is not None else "rings no more"
            self.tell("people", f"{name} {'hangs up' if call.by_us else ended}")
        elif call.answered_s is not None:
            self.tell("people", f"{name} answers")
        else:
            self.tell("people", f"{name}'s phone rings ({call.number} sees {call.identity})")

    async def until_over(self) -> dict[str, Any]:
        while True:
            view = await self.engine.ask(f"/dialer/campaign/main/{CAMPAIGN}")
            self._tell_pacing(view["decisions"])
            for agent in (await self.engine.ask("/acd/snapshot"))["agents"]:
                await self._look_at(agent)
            left = sum(view["leads"][state] for state in ("new", "staged", "dialing", "waiting", "callback"))
            if not any(view["lines"].values()) and not left and not view["store"]["unsaved"]:
                return view
            await asyncio.sleep(_LOOK_EVERY_S)

    def _tell_pacing(self, decisions: list[dict[str, Any]]) -> None:
        for each in reversed(decisions):
            if each["at_s"] > self._paced_s:
                self._paced_s = each["at_s"]
                if each["why"] != self._paced:
                    self.tell("pacing", f"{each['count']} to dial: {each['why']}" if each["count"] else each["why"])
                self._paced = each["why"]

    async def _look_at(self, agent: dict[str, Any]) -> None:
        name = agent["agent_id"]
        works = {work["interaction_id"]: work for work in agent["assignments"]}
        for interaction_id, work in works.items():
            if work["state"] == "active" and self._talking.get(name) != interaction_id:
                self._talking[name] = interaction_id
                self.tell("agent", f"{name.title()} talks with {_name(await self._whom(interaction_id))}")
            elif work["state"] == "wrap_up" and not work["disposition"]:
                await self._write_down(name, interaction_id)

    async def _write_down(self, agent: str, interaction_id: str) -> None:
        whom = await self._whom(interaction_id)
        if whom is not None and whom.person.way == "machine":
            disposition = "other"
        elif whom is not None and whom.does == HANGS_UP_SOON:
            disposition = "not_interested"
        else:
            self._served += 1
            disposition = "not_interested" if self._served % _SOLD_EVERY else "sold/new"
        with contextlib.suppress(OSError):  # her wrap-up was just over
            fields = {"interaction_id": interaction_id, "tenant": "main", "agent_id": agent}
            await self.engine.do("/acd/do", "WrapUpActed", **fields, disposition=disposition, finish=True)
            self.tell("agent", f"{agent.title()} writes down for {_name(whom)}: {disposition}")

    async def _whom(self, interaction_id: str) -> Somebody | None:
        if interaction_id not in self._talks_to:
            card = await self.engine.ask(f"/acd/contact/{interaction_id}")
            called = (card.get("attempt") or {}).get("called", "")
            self._talks_to[interaction_id] = self._by_number.get(called)
        return self._talks_to[interaction_id]


def _name(whom: Somebody | None) -> str:
    return whom.name if whom is not None else "somebody"


async def _compared(home: Home, everybody: list[Somebody], people: People) -> list[Line]:
    """Each lead in the store beside the calls that really came."""
    store, lines = SqlLeadStore(Database(home.leads_url, LEADS)), []
    try:
        for who in everybody:
            staged = await store.lead("main", who.lead_id, 0.0)
            calls = len(people.calls_to(who.number))
            lead, history = (staged.record, staged.history) if staged is not None else (None, ())
            attempt = history[-1] if history else None
            lines.append(Line(who, lead, attempt, calls, _what_is_wrong(lead, len(history), calls)))
    finally:
        await store.close()
    return lines


def _what_is_wrong(lead: LeadRecord | None, attempts: int, calls: int) -> str:
    if lead is None:
        return "the lead is gone"
    if lead.state not in (LeadState.DONE, LeadState.EXHAUSTED, LeadState.BLOCKED):
        return f"the lead is {lead.state.value}: nobody has finished with it"
    return "" if attempts == calls else f"{attempts} attempts on record, {calls} calls on the wire"
