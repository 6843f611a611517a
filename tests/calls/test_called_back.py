"""Callers hang up and keep their places; agents consult others, supervisors listen by phone: real Asterisk, real
engine, a carrier, and what everybody heard."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.exc import SQLAlchemyError

from bench.sip_people import Call, Person, Voice
from core.decisions import FloorSteered, Moved, StayEnded, Supervised
from store.sql.accounts import AuditLog
from store.sql.database import Database
from telephony.softphone import ear
from telephony.softphone.client import Softphone
from tests.callers import Caller, prompt, registered
from tests.calls.hearing import Heard, tones
from tests.outbound import House, calling
from tests.phone_fixture import tone_wav
from tests.system_fixture import systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOWS = {
    "desk": f"""
flow: desk
languages: [es]
start: wait
nodes:
  wait: {{type: queue, queue: sales, keys: {{"5": call_me}}, closed: promised, next: bye}}
  call_me:
    type: callback
    prompt: "{prompt("hotel")}"
    confirm: {{prompt: "{prompt("quebec")}"}}
    no_input: {{then: wait}}
    no_match: {{then: wait}}
    next: promised
  promised: {{type: hangup, prompt: "{prompt("delta")}"}}
  bye: {{type: hangup}}
"""
}
FLOWS["soon"] = FLOWS["desk"].replace("flow: desk", "flow: soon").replace("queue: sales", "queue: soon")
FLOWS["supervisor_phone"] = (Path(__file__).parents[2] / "flows/supervisor_phone.yaml").read_text()
FILES = {
    "config/agents.yaml": """
agents:
  ana: {name: Ana, device: "1001", code: 2001}
  eva: {name: Eva, device: "1002"}
  sue: {name: Sue, device: "1004", queues: [], supervises: yes}
""",
    "config/queues/sales.yaml": "queue: sales\nring_s: 10\nwrap_up_s: 0\nno_agents: wait\nannouncements: {}\n"
    f"callback: {{retry_s: 10, attempts: 3, ring_back: either}}\nprompts: {{back: '{prompt('foxtrot')}'}}\n",
    "config/devices/1003.yaml": 'device: "1003"\n',
    "config/devices/1004.yaml": 'device: "1004"\n',
    "config/numbers/100.yaml": 'number: "100"\nflow: desk\n',
    "config/numbers/101.yaml": 'number: "101"\nflow: soon\n',
    "config/numbers/star46.yaml": 'range: ["*460000", "*469999"]\nflow: supervisor_phone\n',
    "config/numbers/star47.yaml": 'number: "*47"\nflow: supervisor_phone\n',
}
FILES["config/queues/soon.yaml"] = (
    FILES["config/queues/sales.yaml"]
    .replace("queue: sales", "queue: soon")
    .replace("callback: {", "callback: {first: customer, ")
)
HER_HZ, AGENT_HZ, CALLER_HZ, EXPERT_HZ, SUPERVISOR_HZ = 700.0, 1300.0, 620.0, 1730.0, 2570.0
TALKERS = (AGENT_HZ, CALLER_HZ, EXPERT_HZ, SUPERVISOR_HZ)
ANSWERS, RINGS, EXPERT = "+34911000200", "+34911000180", "+34911000300"


@dataclass
class Place:
    house: House
    phone: Softphone
    folder: Path
    ears: dict[float, Voice | Heard] = field(default_factory=dict)
    """Who talks now, by the tone he speaks."""
    before: int = 0

    async def away(self, number: str, dialed: str = "100") -> Caller:
        """A caller who waits, asks to be called at that number, and hangs up when it is promised."""
        caller = await self.dial(dialed)
        for _ in range(3):
            await caller.at("wait")
            await caller.press("5")
            await caller.at("call_me")
            await caller.hears("hotel")
            await caller.press(f"{number.removeprefix('+34')}#")
            if await self.is_read_back(caller):
                break
        await caller.hears("quebec")
        await caller.press("1")
        await caller.hears("delta")
        await caller.call.until("disconnected")
        await self.stays(lambda stay: stay["mode"] == "virtual")
        return caller

    async def is_read_back(self, caller: Caller) -> bool:
        """Whether what she typed came through. Asterisk may lose a key where everything stands still for a moment, and
        then she waits again, and types it once more."""
        async with asyncio.timeout(30.0):
            while not caller.has_heard("quebec"):
                (row,) = [
                    row
                    for row in (await self.house.system.status())["interactions"]
                    if row["id"] == caller.interaction_id
                ]
                if row["node"] == "wait":
                    return False
                await asyncio.sleep(0.1)
        return True

    async def dial(self, number: str, account: str = "main-1003") -> Caller:
        return await Caller.dial(self.house.system, self.phone, number, self.folder, account=account)

    async def talk(self) -> Caller:
        """A caller talks with Ana."""
        line = self.house.held.get("ana") or await self.house.line("ana", AGENT_HZ)
        await self.agent("ready")
        caller = await self.dial("100")
        self.ears = {AGENT_HZ: line.voice, CALLER_HZ: await Heard.speak(caller, CALLER_HZ, self.folder)}
        await self.hear({CALLER_HZ: {AGENT_HZ}, AGENT_HZ: {CALLER_HZ}})
        return caller

    async def hear(self, wanted: dict[float, set[float]], without: dict[float, set[float]] | None = None) -> None:
        """Returns when at one moment each hears these talkers and no other; whoever is in `without`, and may hear
        music, not those."""
        heard: dict[float, set[float]] = {}

        def so() -> bool:
            heard.update({hz: tones(self.ears[hz], TALKERS) for hz in (*wanted, *(without or {}))})
            together = all(heard[hz] == others for hz, others in wanted.items())
            return together and not any(heard[hz] & others for hz, others in (without or {}).items())

        try:
            await self.house.until(so, 30.0)
        except AssertionError:
            raise AssertionError(f"heard: {heard}, and not {wanted}\n{self.house.system.log(4000)}") from None

    def forget(self, number: str) -> None:
        """Calls to that number until now."""
        self.before = len(self.house.people.of(number))

    async def reached(self, number: str) -> Call:
        """The call to that number since, answered: from then on its voice is the one that is heard."""
        people = self.house.people
        await self.house.until(lambda: any(each.answered_s for each in people.of(number)[self.before :]), 40.0)
        return people.of(number)[-1]

    async def agent(self, looks: str) -> None:
        async def so() -> bool:
            return await self.house.looks("ana") == looks

        await self.house.until_async(so, 30.0, f"Ana is not {looks}")

    async def act(self, caller: Caller, action: str, target: str = "", agent_id: str = "ana") -> None:
        told = await self.house.post(
            "/acd/do",
            "ConversationActed",
            interaction_id=caller.interaction_id,
            agent_id=agent_id,
            action=action,
            target=target,
        )
        assert told == {"ok": True}, told

    async def stays(self, what: Any, within_s: float = 40.0) -> None:
        """Returns when there is one stay, and it is so. An engine that is not there is waited for."""

        async def seen() -> bool:
            try:
                stays = (await self.house.system.ask("GET", "/acd/snapshot"))["stays"]
            except (httpx.HTTPError, OSError):
                return False
            return len(stays) == 1 and bool(what(stays[0]))

        await self.house.until_async(seen, within_s, "the stay is not so")

    async def new_engine(self) -> None:
        """The engine is killed; returns when the next one has found all that is going on."""
        system = self.house.system
        old = system.engine_pid
        system.kill_engine()
        await system.until(lambda body: body["ready"] and system.engine_pid != old, 60.0)

    async def audited(self, subject: str, wanted: list[tuple[str, str]]) -> None:
        """Returns when the audit log in SQL has these (action, result) of that subject, from phones, in that order."""
        database, found = Database(self.house.system.home.database_url), list[tuple[str, str]]()

        async def so() -> bool:
            with contextlib.suppress(SQLAlchemyError):  # its tables are made while we look
                rows = [row for row in await AuditLog(database).page("main", limit=200) if row.subject == subject]
                asked = [(json.loads(row.detail), row) for row in reversed(rows) if row.address == "phone"]
                assert all(row.action == "SupervisionActed" and row.login == "sue" for _, row in asked)
                found[:] = [(detail["action"], row.result) for detail, row in asked]
            return found == wanted

        try:
            await self.house.until_async(so, 40.0, "the audit log does not say so")
        except AssertionError as late:
            raise AssertionError(f"{found}, and not {wanted}\n{late}") from None
        finally:
            await database.close()

    def ends(self, caller: Caller) -> list[tuple[str, bool]]:
        found = self.house.system.decisions(caller.interaction_id)
        return [(each.how, each.virtual) for each in found if isinstance(each, StayEnded)]

    def moves(self, caller: Caller) -> list[str]:
        """What became of the callback, in order."""
        found = self.house.system.decisions(caller.interaction_id)
        return [
            each.transition.new for each in found if isinstance(each, Moved) and each.transition.thing == "callback"
        ]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("called_back")

    def behave(number: str) -> Person:
        if number == RINGS:
            return Person("ring")
        return Person(hz=EXPERT_HZ if number.lstrip("+") == EXPERT.lstrip("+") else HER_HZ)

    async with (
        systems(folder) as up,
        calling(up, {}, behave, flows=FLOWS, files=FILES, workers=("projection",)) as house,
        Softphone.start(rate_hz=8000, rtp_ports=(34000, 400)) as phone,
    ):
        await registered(house.system, phone, "main-1003")
        await registered(house.system, phone, "main-1004")
        yield Place(house, phone, folder)


async def test_who_hung_up_is_called_back_after_a_crash_and_talks_with_an_agent(place: Place) -> None:
    house = place.house
    caller = await place.away(ANSWERS)
    house.system.kill_engine()
    await place.stays(lambda stay: stay["mode"] == "virtual")
    await house.system.until(lambda body: body["ready"])
    line = await house.line("ana", AGENT_HZ)
    call = await house.called(ANSWERS)
    await house.until(lambda: call.answered_s)
    await house.until(lambda: call.voice.audible_s(call.answered_s, AGENT_HZ))
    await house.until(lambda: line.voice.audible_s(call.answered_s, HER_HZ))
    house.people.hang_up(call)
    await house.idle()
    assert len(house.people.of(ANSWERS)) == 1
    assert place.ends(caller) == [("answered", True)]
    assert place.moves(caller) == ["waiting", "calling", "back", "reached"]


async def test_who_rings_back_while_her_phone_rings_has_her_agent(place: Place) -> None:
    house = place.house
    await house.presence("ana", "not_ready")
    caller = await place.away(RINGS)
    await house.presence("ana", "ready")
    ours = await house.called(RINGS)
    line = house.held["ana"]
    since_s = asyncio.get_running_loop().time()
    hers = await place.phone.call(f"sip:100@{house.system.sip}", account="main-1003")
    heard = await hers.record(place.folder / "back.wav")
    await hers.until("confirmed")
    await hers.play(tone_wav(place.folder / "hers.wav", HER_HZ, seconds=0.7), loop=True)
    await house.until(lambda: line.voice.audible_s(since_s, HER_HZ))
    await house.until(lambda: _hears(heard.path, AGENT_HZ))
    await house.until(lambda: ours.is_over)
    await hers.hangup()
    await house.idle()
    assert place.ends(caller) == [("answered", True)]
    assert place.moves(caller) == ["waiting", "calling", "back", "reached"]


async def test_a_customer_who_is_called_first_waits_no_longer_for_her_agent(place: Place) -> None:
    house = place.house
    line = house.held.get("ana") or await house.line("ana", AGENT_HZ)
    await house.presence("ana", "not_ready")
    caller = await place.away(ANSWERS, "101")
    place.forget(ANSWERS)
    await house.presence("ana", "ready")
    call = await place.reached(ANSWERS)
    await house.until(lambda: call.voice.audible_s(call.answered_s, AGENT_HZ), 30.0)
    await house.until(lambda: line.voice.audible_s(call.answered_s, HER_HZ), 30.0)
    house.people.hang_up(call)
    await house.idle()
    assert place.ends(caller) == [("answered", True)]
    assert place.moves(caller)[-2:] == ["back", "reached"]


async def test_an_agent_asks_somebody_outside_swaps_brings_all_together_and_leaves(place: Place) -> None:
    house, her, ana, expert = place.house, CALLER_HZ, AGENT_HZ, EXPERT_HZ
    caller = await place.talk()
    await place.act(caller, "mute")
    await place.hear({her: set(), ana: {her}})
    await place.act(caller, "unmute")
    await place.hear({her: {ana}, ana: {her}})
    place.forget(EXPERT)
    await place.act(caller, "consult", EXPERT)
    place.ears[expert] = (await place.reached(EXPERT)).voice
    await place.hear({ana: {expert}, expert: {ana}}, {her: {ana, expert}})
    await place.act(caller, "swap")
    await place.hear({ana: {her}, her: {ana}}, {expert: {ana, her}})
    await place.act(caller, "conference")
    await place.hear({ana: {her, expert}, her: {ana, expert}, expert: {ana, her}})
    await place.act(caller, "complete")
    await place.hear({her: {expert}, expert: {her}}, {ana: {her, expert}})
    await place.agent("ready")
    await caller.call.hangup()
    await house.idle()


async def test_a_supervisor_calls_in_whispers_barges_in_takes_over_and_hands_on(place: Place) -> None:
    house, her, ana, sue, expert = place.house, CALLER_HZ, AGENT_HZ, SUPERVISOR_HZ, EXPERT_HZ
    vain = await place.dial("*462001", "main-1004")
    await house.until(lambda: "nobody" in vain.visits(), 30.0)
    await vain.hang_up()
    caller = await place.talk()
    supervisor = await place.dial("*462001", "main-1004")
    place.ears[sue] = await Heard.speak(supervisor, SUPERVISOR_HZ, place.folder)
    hers = place.ears[her]
    assert isinstance(hers, Heard)
    await place.hear({sue: {her, ana}, her: {ana}, ana: {her}})
    await supervisor.press("2")
    await place.hear({sue: {her, ana}, her: {ana}, ana: {her, sue}})
    assert not hers.ever(sue), "a whisper is for the agent alone"
    await supervisor.press("3")
    await place.hear({sue: {her, ana}, her: {ana, sue}, ana: {her, sue}})
    await supervisor.press("1")
    await place.hear({sue: {her, ana}, her: {ana}, ana: {her}})
    await place.new_engine()  # who talks and who listens notice nothing of it
    await place.hear({sue: {her, ana}, her: {ana}, ana: {her}})
    await supervisor.press("4")
    await place.hear({sue: {her}, her: {sue}}, {ana: {her, sue}})
    await place.agent("ready")
    # Handed on outside, by the outbound rule: her own call is over with that.
    place.forget(EXPERT)
    await place.act(caller, "transfer", EXPERT, "sue")
    call = await place.reached(EXPERT)
    place.ears[expert] = call.voice
    await place.hear({her: {expert}, expert: {her}})
    await supervisor.call.until("disconnected", timeout_s=30.0)
    house.people.hang_up(call)
    await caller.call.until("disconnected", timeout_s=30.0)
    await house.idle()
    told = [
        (each.supervisor_id, each.action, each.agents, bool(each.refused))
        for one in (vain, supervisor, caller)
        for each in house.system.decisions(one.interaction_id)
        if isinstance(each, Supervised)
    ]
    actions = ("listen", "whisper", "barge", "listen", "take_over")
    assert told == [("sue", "listen", ("ana",), True), *(("sue", action, ("ana",), False) for action in actions)]
    await place.audited("interaction", [("listen", "refused")])
    await place.audited(f"interaction {caller.interaction_id}", [(action, "ok") for action in actions])


async def test_a_supervisor_steers_the_floor_by_phone(place: Place) -> None:
    house = place.house
    if "ana" not in house.held:
        await house.line("ana", AGENT_HZ)
    await house.presence("ana", "ready")
    call = await place.dial("*47", "main-1004")
    await call.at("floor")
    for keys, reached in (("1", "which_queue"), ("1", "what_queue"), ("2", "floor")):
        await call.press(keys)
        await call.at(reached)
    vain = await place.dial("100")
    await vain.closed()
    assert place.ends(vain) == [("closed", False)]
    for keys, reached in (("1", "which_queue"), ("1", "what_queue"), ("3", "floor")):
        await call.press(keys)
        await call.at(reached)
    for keys, reached in (("2", "which_agent"), ("2001#", "what_presence"), ("2", "floor")):
        await call.press(keys)
        await call.at(reached)
    await place.agent("not_ready")
    waiting = await place.dial("100")
    await waiting.at("wait")
    await place.stays(lambda stay: stay["interaction_id"] == waiting.interaction_id)
    for keys, reached in (("1", "which_queue"), ("1", "what_queue"), ("4", "what_longest"), ("1", "floor")):
        await call.press(keys)
        await call.at(reached)
    await place.stays(lambda stay: stay["priority"] == 1000)
    await waiting.hang_up()
    await call.hang_up()
    await house.idle()
    steered = [each for each in house.system.decisions(call.interaction_id) if isinstance(each, FloorSteered)]
    asked = [("QueueActed", "queue sales", "close"), ("QueueActed", "queue sales", "by_hours")]
    asked.append(("AgentActed", "agent ana", "not_ready"))
    asked.append(("StayActed", f"interaction {waiting.interaction_id}", "prioritise"))
    assert [(each.asked, each.subject, each.action) for each in steered] == asked
    assert {(each.supervisor_id, each.device, each.refused) for each in steered} == {("sue", "main-1004", "")}


def _hears(path: Path, hz: float) -> bool:
    try:
        return bool(ear.tone_spans(ear.load(path), hz))
    except ValueError:  # nothing of it has reached the file yet
        return False
