"""Campaigns at work on a whole system: simulated people behind a real trunk, agents' phones, leads in a real database.

The list of a campaign is called like it; the people of all lists are numbered through.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.sip_phones import Behaviour, Phone, close, phones
from core.lead_record import LeadNumber, LeadRecord, StagedLead
from core.lead_store import Save
from engine.demo.people import People, Person
from engine.home import Home
from store.sql.database import LEADS, Database, upgrade
from store.sql.leads import SqlLeadStore
from tests.system_fixture import System, Systems, systems

AGENTS = ("1001", "1002", "1003")
PACK = """
kind: dialing
pack: lab
title: For tests
countries: any
rules:
  abandonment: {type: abandonment, most: 3%, window: {days: 30}, law: Ours, read: 2026-11-22, review_by: 2036-11-22}
  ring: {type: ring, least_s: 2, law: Ours, read: 2026-11-22, review_by: 2036-11-22}
  in_time:
    {type: agent_within, within_s: 2, since: answer, law: Ours, read: 2026-11-22, review_by: 2036-11-22}
  drop: {type: drop, allowed: [message, hang_up], law: Ours, read: 2026-11-22, review_by: 2036-11-22}
"""
CAMPAIGN = """
campaign: {name}
mode: {mode}
purpose: service
packs: [{pack}]
lists: [{name}]
queue: sales
drop: {{action: hang_up}}
ring_s: {ring_s}
retry: {{busy: never, no_answer: never, failed: never, invalid: never, customer_hung_up: never, abandoned: never,
  cancelled: {{after: 10m}}}}
pacing: {{held_lines: no, {pacing}}}
"""
RULES = """
rules:
  - {name: spain, prefixes: ["+34"], trunk: carrier, caller: "+34910000001"}
"""
FLOW = "flow: desk\nlanguages: [es]\nstart: bye\nnodes:\n  bye: {type: hangup}\n"


def number_of(n: int) -> str:
    """The nth lead's number: one that a Spanish mobile may have."""
    return f"+34612{n:06}"


def campaign(
    name: str, mode: str = "progressive", pacing: str = "max_lines: 50", ring_s: float = 6.0, pack: str = "lab"
) -> str:
    """Its YAML. `pack`: `lab` allows 3% of answers to be abandoned, `unlimited` all of them."""
    return CAMPAIGN.format(name=name, mode=mode, pacing=pacing, ring_s=ring_s, pack=pack)


def lead(n: int, list_id: str) -> LeadRecord:
    return LeadRecord(f"lead-{n:03}", "main", list_id, (LeadNumber(number_of(n)),), basis="contract")


@dataclass
class Stage:
    """`database`: where leads are."""

    running: System
    people: People
    phones: list[Phone]
    database: str
    behaviour: list[Behaviour] = field(default_factory=lambda: [Behaviour(talk_s=3.0)])

    async def do(self, fact: str, path: str = "/dialer/do", **fields: Any) -> dict[str, Any]:
        transport = httpx.AsyncHTTPTransport(uds=str(self.running.home.control_socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as client:
            answer: dict[str, Any] = (await client.post(path, json={"fact": fact, "fields": fields})).json()
            return answer

    async def act(self, action: str, name: str = "spring") -> dict[str, Any]:
        return await self.do("CampaignActed", tenant="main", campaign=name, action=action, by="test")

    async def agent(self, agent_id: str, action: str, **more: str) -> None:
        told = await self.do("AgentActed", "/acd/do", tenant="main", agent_id=agent_id, action=action, **more)
        assert told == {"ok": True}, told

    async def view(self, name: str = "spring") -> dict[str, Any]:
        return await self.running.ask("GET", f"/dialer/campaign/main/{name}")

    async def until(
        self, what: Callable[[dict[str, Any]], object], name: str = "spring", within_s: float = 30.0
    ) -> dict[str, Any]:
        """The first view of the campaign for which `what` holds."""
        loop = asyncio.get_running_loop()
        until_s, view = loop.time() + within_s, {}
        while True:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                view = await self.view(name)
                if "lines" in view and what(view):
                    return view
            assert loop.time() < until_s, f"not within {within_s} s: {view}\n{self.running.log(3000)}"
            await asyncio.sleep(0.1)

    async def until_people(self, what: Callable[[People], object], within_s: float = 30.0) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not what(self.people):
            assert loop.time() < until_s, f"not within {within_s} s\n{self.running.log(3000)}"
            await asyncio.sleep(0.05)

    async def staged(self) -> dict[str, StagedLead]:
        """Every lead of every list as the store has it, with its attempts."""
        store = SqlLeadStore(Database(self.database, LEADS))
        try:
            found = [await store.lead("main", f"lead-{n:03}", 0.0) for n in range(len(self.people.people))]
        finally:
            await store.close()
        return {each.record.lead_id: each for each in found if each is not None}

    async def until_over(self, name: str = "spring", within_s: float = 60.0) -> dict[str, Any]:
        """Until nothing of a campaign is under way and its leads are all at an end, or wait; and the store has it."""
        return await self.until(
            lambda view: (
                not any(view["lines"].values())
                and not view["hopper"]
                and not sum(view["leads"][state] for state in ("new", "staged", "dialing"))
                and not view["store"]["unsaved"]
            ),
            name,
            within_s,
        )


@contextlib.asynccontextmanager
async def stages(
    place: Path,
    campaigns: Mapping[str, str],
    persons: Mapping[str, Sequence[Person]],
    database: str = "",
    files: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """A system whose campaigns (name -> YAML) are stopped; every agent is logged in and ready. `persons`: who is on
    which list; `database`: PostgreSQL's URL, else SQLite."""
    everybody = [(list_id, person) for list_id, each in persons.items() for person in each]
    people = People({number_of(n): person for n, (_, person) in enumerate(everybody)})
    await people.open("127.0.0.2")
    url: list[str] = []

    def seed(home: Home) -> None:
        home.state.mkdir(parents=True, exist_ok=True)
        url.append(database or home.leads_url)
        thread = threading.Thread(target=lambda: _seed(url[0], [lead(n, of) for n, (of, _) in enumerate(everybody)]))
        thread.start()
        thread.join()

    async with systems(place) as up:
        running = await _up(up, people, campaigns, files or {}, database, seed)
        stage = Stage(running, people, [], url[0])
        accounts = {f"main-{name}": running.account(f"main-{name}") for name in AGENTS}
        server = ("127.0.0.1", running.node.sip_port)
        quiet = (lambda phone, at_s: None, lambda phone, at_s: None)
        stage.phones = await phones(accounts, server, lambda: stage.behaviour[0], *quiet)
        try:
            await _registered(running, len(AGENTS))
            for name in AGENTS:
                await stage.agent(f"a{name}", "log_in")
                await stage.agent(f"a{name}", "ready")
            yield stage
        finally:
            close(stage.phones)
            people.close()


async def _up(
    up: Systems,
    people: People,
    campaigns: Mapping[str, str],
    files: Mapping[str, str],
    database: str,
    prepare: Callable[[Home], None],
) -> System:
    names = "\n".join(f'  a{name}: {{name: Agent {name}, device: "{name}"}}' for name in AGENTS)
    return await up(
        {"desk": FLOW},
        files={
            "config/agents.yaml": f"agents:\n{names}\n",
            "config/queues/sales.yaml": "queue: sales\nring_s: 8\nwrap_up_s: 1\nannouncements: {}\nauto_answer: yes\n",
            "config/trunks/carrier.yaml": f"trunk: carrier\nhost: 127.0.0.2\nport: {people.port}\n",
            "config/outbound.yaml": RULES,
            "config/compliance/lab.yaml": PACK,
            "config/compliance/unlimited.yaml": PACK.replace("pack: lab", "pack: unlimited").replace("3%", "100%"),
            **{f"config/campaigns/{name}.yaml": text for name, text in campaigns.items()},
            **{f"config/devices/{name}.yaml": f'device: "{name}"\n' for name in AGENTS},
            **files,
        },
        site=f"database: {database}\n" if database else "",
        prepare=prepare,
    )


def _seed(url: str, leads: Sequence[LeadRecord]) -> None:
    async def save() -> None:
        store = SqlLeadStore(Database(url, LEADS))
        try:
            await store.save([Save(f"seed-{each.lead_id}", 0, lead=each) for each in leads])
        finally:
            await store.close()

    upgrade(url, LEADS)
    asyncio.run(save())


async def _registered(running: System, count: int) -> None:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + 30
    while sum(agent["reachable"] for agent in (await running.ask("GET", "/acd/snapshot"))["agents"]) < count:
        assert loop.time() < until_s, running.log(2000)
        await asyncio.sleep(0.1)


__all__ = ["AGENTS", "Behaviour", "Person", "Stage", "campaign", "number_of", "stages"]
