"""A house that calls people, for tests of whole systems: campaigns, leads in the store, a trunk with people behind it.

    async with calling(up, CAMPAIGNS, behave) as house:       # `up` as `tests.system_fixture.systems` gives it
        await house.line("ana")                               # her held line, ready
        await house.leads("spring", "+34911000001")
        await house.act("spring", "start")
        attempt = await house.attempt("+34911000001")         # when it is over: core.lead_record.AttemptRecord

Everybody has a number that says what she does; see `bench.sip_people.Person`. Times are the loop's seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from bench.sip_people import Line, People, Person, answering, lines
from bench.sip_phones import Behaviour, Phone
from core.attempt import OPEN_ATTEMPTS, AttemptState
from core.lead_record import AttemptRecord, LeadNumber, LeadRecord
from core.lead_store import Save
from store.sql.database import LEADS, Database, upgrade
from store.sql.lead_models import AttemptRow
from store.sql.lead_rows import attempt_of
from store.sql.leads import SqlLeadStore
from tests.callers import prompt
from tests.system_fixture import System, Systems

IDENTITY = "+34910100100"
HELD = "145"
LEAST_RING_S = 3.0
PACK = f"""
kind: dialing
pack: tests
title: For tests
countries: any
rules:
  abandonment: {{type: abandonment, most: 100, window: {{days: 1}}, law: None, read: 2026-11-22, review_by: 2099-01-01}}
  ring: {{type: ring, least_s: {LEAST_RING_S:g}, law: None, read: 2026-11-22, review_by: 2099-01-01}}
  in_time: {{type: agent_within, within_s: 2, since: answer, law: None, read: 2026-11-22, review_by: 2099-01-01}}
  message: {{type: drop, allowed: [message, hang_up], opt_out: yes, law: None, read: 2026-11-22, review_by: 2099-01-01}}
"""
FLOWS = {
    "held": "flow: held\nstart: hold\nnodes:\n"
    "  hold: {type: agent, do: hold_line, refused: bye}\n  bye: {type: hangup}\n",
    "sorry": f"""
flow: sorry
languages: [es]
start: message
nodes:
  message:
    type: menu
    prompt: "{prompt("sierra", 2.0)}"
    keys: {{"9": never}}
    first_digit_s: 3
    no_input: {{retries: 0, then: bye}}
    no_match: {{then: bye}}
  never: {{type: do_not_call, next: listed}}
  listed: {{type: hangup, prompt: "{prompt("eco")}"}}
  bye: {{type: hangup, prompt: "{prompt("nueve")}"}}
""",
    "notice": f"""
flow: notice
languages: [es]
start: message
variables: {{word: ""}}
nodes:
  message: {{type: play, prompt: "{prompt("victor", 1.0)}", next: bye}}
  bye: {{type: hangup}}
""",
}
FILES = {
    "config/agents.yaml": 'agents:\n  ana: {name: Ana, device: "1001"}\n  eva: {name: Eva, device: "1002"}\n',
    "config/queues/sales.yaml": "queue: sales\nring_s: 5\nwrap_up_s: 0\nrefused_again_s: 0\nannouncements: {}\n",
    "config/numbers/145.yaml": f'number: "{HELD}"\nflow: held\n',
    "config/compliance/tests.yaml": PACK,
    "config/outbound.yaml": "rules: [{name: spain, prefixes: ['+34'], trunk: people}]\n",
}


def campaign(name: str, mode: str, *more: str) -> str:
    """Its YAML; `more`: further lines."""
    serves = "flow: notice\npacing: {max_lines: 20}" if mode == "agentless" else "queue: sales"
    lines_ = (
        f"campaign: {name}",
        f"mode: {mode}",
        "purpose: service",
        "packs: [tests]",
        f"lists: [{name}]",
        serves,
        f"caller_ids: [{{name: all, numbers: ['{IDENTITY}']}}]",
        "retry: {busy: never, no_answer: never, failed: never, abandoned: never, customer_hung_up: never, "
        "cancelled: never}",
        *more,
    )
    return "\n".join(lines_) + "\n"


@dataclass
class House:
    system: System
    people: People
    database: Database
    store: SqlLeadStore
    held: dict[str, Line] = field(default_factory=dict)
    _saved: int = 0

    async def post(self, path: str, fact: str, **fields: Any) -> dict[str, Any]:
        transport = httpx.AsyncHTTPTransport(uds=str(self.system.home.control_socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as client:
            answer: dict[str, Any] = (await client.post(path, json={"fact": fact, "fields": fields})).json()
            return answer

    async def act(self, name: str, action: str) -> None:
        told = await self.post("/dialer/do", "CampaignActed", tenant="main", campaign=name, action=action, by="test")
        assert told["ok"] is True, told  # one without leads is told so beside it

    async def presence(self, agent_id: str, action: str) -> None:
        told = await self.post("/acd/do", "AgentActed", tenant="main", agent_id=agent_id, action=action)
        assert told == {"ok": True}, told

    async def line(self, agent_id: str, hz: float = 1300.0) -> Line:
        """She logs in, is ready, and her line is held open."""
        device = {"ana": "main-1001", "eva": "main-1002"}[agent_id]
        host, _, port = self.system.sip.partition(":")
        (line,) = await lines({device: self.system.account(device)}, (host, int(port)), "127.0.0.1", lambda _: hz, HELD)
        self.held[agent_id] = line
        await self.presence(agent_id, "log_in")
        await self.presence(agent_id, "ready")
        return line

    @contextlib.asynccontextmanager
    async def phone(self, agent_id: str, behaviour: Behaviour) -> AsyncIterator[Phone]:
        """She is ready at a phone that rings and does that, and logs out afterwards."""
        device = {"ana": "main-1001", "eva": "main-1002"}[agent_id]
        host, _, port = self.system.sip.partition(":")
        made = Phone(
            device,
            self.system.account(device),
            (host, int(port)),
            lambda: behaviour,
            lambda *_: None,
            lambda *_: None,
            40_000,
        )
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: made, local_addr=("127.0.0.1", 0)
        )
        try:
            async with asyncio.timeout(30):
                await made.registered.wait()
            await self.presence(agent_id, "log_in")
            await self.presence(agent_id, "ready")
            yield made
        finally:
            await self.presence(agent_id, "log_out")
            transport.close()

    async def campaigns(self) -> list[dict[str, Any]]:
        """As the control socket shows them."""
        views: list[dict[str, Any]] = (await self.system.ask("GET", "/dialer/snapshot"))["campaigns"]
        return views

    async def talks(self, agent_id: str) -> bool:
        """Whether she has somebody whom a campaign called."""
        return (await self.looks(agent_id)) == "talking"

    async def looks(self, agent_id: str) -> str:
        """What she looks like on the board."""
        agents = (await self.system.ask("GET", "/acd/snapshot"))["agents"]
        return next(str(each["looks"]) for each in agents if each["agent_id"] == agent_id)

    async def leads(self, name: str, *numbers: str, **fields: str) -> None:
        """One lead a number, its id the number without `+`."""
        records = [
            LeadRecord(
                lead_id=number.lstrip("+"),
                tenant="main",
                list_id=name,
                numbers=(LeadNumber(number),),
                zone="Europe/Madrid",
                basis="contract",
                fields=fields,
            )
            for number in numbers
        ]
        await self.store.save([Save(f"lead:{each.lead_id}", 1, lead=each) for each in records])
        told = await self.post("/dialer/do", "ListsChanged", tenant="main")
        assert told == {"ok": True}, told

    async def attempts(self, number: str = "") -> list[AttemptRecord]:
        """Those that are over, as the store has them."""
        async with self.database.begin() as connection:
            rows = (await connection.execute(select(AttemptRow.__table__))).mappings().all()
        every = [attempt_of(row) for row in rows]
        over = [each for each in every if AttemptState(each.state) not in OPEN_ATTEMPTS]
        return [each for each in over if number in ("", each.number)]

    async def attempt(self, number: str, within_s: float = 40.0) -> AttemptRecord:
        """The one of this number, once it is over."""
        await self.until_async(lambda: self.attempts(number), within_s, f"no attempt of {number} is over")
        (found,) = await self.attempts(number)
        return found

    async def until_async(self, what: Callable[[], Any], within_s: float, why: str) -> Any:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not (found := await what()):
            assert loop.time() < until_s, f"{why} within {within_s} s\n{self.system.log(4000)}"
            await asyncio.sleep(0.05)
        return found

    async def until(self, what: Callable[[], Any], within_s: float = 30.0) -> Any:
        async def asked() -> Any:
            return what()

        return await self.until_async(asked, within_s, "it did not come to that")

    async def called(self, number: str, within_s: float = 30.0) -> Any:
        """The call to her, once her phone is asked to ring."""
        return (await self.until(lambda: self.people.of(number), within_s))[-1]

    async def quiet(self, line: Line, for_s: float = 0.6) -> None:
        """Returns when nothing has been heard on her line for so long."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(for_s)
        await self.until(lambda: line.voice.heard_hz(loop.time() - for_s) == 0.0)

    async def idle(self, within_s: float = 30.0) -> None:
        """Nobody but the held lines is in the house, and nothing is left of anybody else."""
        held = len(self.held)
        await self.system.until(lambda body: body["ready"] and len(body["interactions"]) == held, within_s)
        await self.system.saved()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 30.0
        while len(left := await self.system.ari("channels")) != held or await self.system.ari("bridges"):
            assert loop.time() < until_s, f"left behind in Asterisk: {left}"
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def calling(
    up: Systems,
    campaigns: Mapping[str, str],
    behave: Callable[[str], Person],
    host: str = "127.0.0.1",
    **options: Any,
) -> AsyncIterator[House]:
    """`campaigns`: id -> YAML."""
    people = await answering(host, 0, behave)
    assert people._transport is not None
    port = people._transport.get_extra_info("sockname")[1]
    trunk = f"trunk: people\nhost: {host}\nport: {port}\naddresses: [127.0.0.77]\ncaller: '+34910100199'\ndtmf: info\n"
    files = {f"config/campaigns/{name}.yaml": text for name, text in campaigns.items()}
    options["files"] = {**FILES, **options.get("files", {}), **files, "config/trunks/people.yaml": trunk}
    options["flows"] = {**FLOWS, **options.get("flows", {})}
    try:
        system = await up(**options)
        await asyncio.to_thread(upgrade, system.home.leads_url, LEADS)  # the engine may not have come to it yet
        database = Database(system.home.leads_url, LEADS)
        house = House(system, people, database, SqlLeadStore(database))
        try:
            yield house
        finally:
            for line in house.held.values():
                line.voice.close()
                if line._transport is not None:
                    line._transport.close()
            await house.store.close()
    finally:
        people.close()
