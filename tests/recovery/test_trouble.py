"""Bad input, bad neighbours, bad luck, on one whole system: each hurts nobody but, at most, the one caller it hit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.decisions import InteractionClosed
from telephony.softphone.client import Softphone
from tests.callers import Caller, registered, words_in
from tests.http_host import HttpHost, bomb, drip, endless, html, json_reply, redirect
from tests.phone_fixture import tone_wav
from tests.recovery.trouble_flows import BAD_HOSTS, EARLY, EVERYWHERE, INNER, STAYS, greeting, web
from tests.sip_raw import RawSip, offer
from tests.sipp import Callers, Leavers
from tests.system_fixture import System, systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

NUMBERS = {"200": "everywhere", "210": "web", "220": "greeting", "230": "early"}
CAPACITY = 60


@dataclass(slots=True)
class House:
    system: System
    ana: Softphone
    luis: Softphone
    http: HttpHost
    place: Path
    calls: list[Caller] = field(default_factory=list)

    async def call(self, number: str, phone: Softphone | None = None) -> Caller:
        caller = await Caller.dial(self.system, phone or self.ana, number, self.place)
        self.calls.append(caller)
        return caller

    async def witness(self) -> Caller:
        """Somebody who is in a call while something bad happens, and must not notice."""
        caller = await self.call("200", self.luis)
        await caller.hears("hotel")
        return caller

    async def does_not_notice(self, witness: Caller, within_s: float = 30.0) -> None:
        """She presses a key and hears what it leads to (`bench.ivr` measures how soon)."""
        await witness.press("7")
        await witness.hears("quebec", within_s)
        await witness.press("1")
        await witness.at("door", within_s)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    place = tmp_path_factory.mktemp("trouble")
    ana, luis = Softphone.start(rate_hz=8000), Softphone.start(rate_hz=8000)
    async with HttpHost() as http, systems(place) as up, ana, luis:
        host = f"127.0.0.1:{http.port}"
        flows = {"everywhere": EVERYWHERE.replace("HOST", host), "inner": INNER}
        flows |= {"web": web().replace("HOST", host), "greeting": greeting("papa"), "early": EARLY}
        files = {
            f"config/numbers/{number}.yaml": f'number: "{number}"\nflow: {flow}\n' for number, flow in NUMBERS.items()
        }
        files["config/http.yaml"] = (
            f"hosts:\n- {{host: 127.0.0.1, port: {http.port}, http: yes, private: yes}}\n"
            "- {host: evil.test, http: yes}\n"
        )
        http.answers["/slow"] = json_reply({"value": "1"}, after_s=6)
        site = f"max_interactions: {CAPACITY}\nabsence: {{retry_s: 1, tries: 20}}"
        system = await up(flows, files, site, workers=("projection",))
        await registered(system, ana, "main-1001")
        await registered(system, luis, "main-1002")
        yield House(system, ana, luis, http, place)


@pytest_asyncio.fixture(loop_scope="module")
async def house(open_house: House) -> AsyncIterator[House]:
    """After each test nobody is there, and nothing of them: no channel, bridge, timer, task, request, file."""
    yield open_house
    for caller in open_house.calls:
        await caller.call.hangup()
    open_house.calls.clear()
    system = open_house.system
    await system.until_idle(40)
    await system.until(lambda body: not any(count for name, count in body["work"].items() if name != "tasks"))
    await system.nothing_in_the_spool()


async def test_a_caller_may_hang_up_in_every_node(house: House) -> None:
    keys = list(STAYS)
    for several in (keys[n : n + 4] for n in range(0, len(keys), 4)):
        callers = [(key, await house.call("200")) for key in several]
        for key, caller in callers:
            if key:
                await caller.press(key)
            await caller.at(STAYS[key])
        for _, caller in callers:
            await caller.hang_up()
            # Who hangs up during the goodbye may be a moment late for it.
            assert closed_as(caller)[0] in {"caller_hung_up", *(["completed"] if caller.visits()[-1] == "bye" else [])}
        house.calls.clear()
    assert not [call for call in house.luis.events if call.matches("call_state", {"state": "confirmed"})]


async def test_a_caller_may_hang_up_while_recording_reviewing_talking_and_before_being_answered(house: House) -> None:
    mailbox = house.system.home.voicemail / "main" / "sales"
    speaker = await house.call("200")
    await speaker.press("5")
    await speaker.hears("zulu")
    await speaker.is_recorded()
    await speaker.call.play(tone_wav(house.place / "says.wav", 700.0, seconds=2.0))
    await speaker.call.played()
    await speaker.hang_up()
    await _holds(mailbox, 1)  # who spoke has left a message

    reviewer = await house.call("200")
    await reviewer.press("5")
    await reviewer.hears("zulu")
    await reviewer.is_recorded()
    await reviewer.call.play(house.place / "says.wav")
    await reviewer.call.played()
    await reviewer.press("#")
    await reviewer.hears("siete")
    await reviewer.hang_up()
    await _holds(mailbox, 2)

    await house.luis.auto_answer(0)
    talker = await house.call("200")
    await talker.press("6")
    await house.system.until(lambda body: [row["state"] for row in body["interactions"]] == ["connected"])
    there = await house.luis.incoming()
    while there.state == "disconnected":
        there = await house.luis.incoming()
    await talker.hang_up()
    await there.until("disconnected")
    await house.luis.auto_answer_off()

    early = await house.call("230")
    await early.hears("julieta")
    assert early.call.state == "early"
    await early.hang_up()
    assert closed_as(early) == ["caller_hung_up"]


async def _holds(mailbox: Path, count: int) -> None:
    """Returns when there are so many messages: they are filed after the end of the call."""
    async with asyncio.timeout(30):
        while len(list(mailbox.glob("*.wav.sealed"))) < count:
            await asyncio.sleep(0.05)
    assert len(list(mailbox.glob("*.wav.sealed"))) == count


async def test_a_hundred_callers_hang_up_at_any_moment_of_anything(house: House, tmp_path: Path) -> None:
    chance = random.Random(7)
    calls = [("200", f"{chance.choice('1234567890*')}{chance.choice('12345678#')}") for _ in range(100)]
    witness = await house.witness()
    leavers = Leavers(tmp_path, house.system.sip, calls, longest_s=2.0)
    await leavers.start(rate=40)
    try:
        for _ in range(3):
            await house.does_not_notice(witness)
        await leavers.served()
    finally:
        await leavers.stop()
    await witness.hang_up()
    await house.system.until(lambda body: not body["interactions"], 40)
    outcomes = {outcome for row in house.system.interactions()[:100] for outcome in closed(house.system, row)}
    assert outcomes <= {"caller_hung_up", "completed"}, outcomes


async def test_a_storm_of_digits_is_taken_and_nobody_else_notices(house: House, tmp_path: Path) -> None:
    chance = random.Random(8)
    codes = ["".join(chance.choice("0123456789*#") for _ in range(300)) for _ in range(10)]
    witness = await house.witness()
    storm = Callers(tmp_path, house.system.sip, codes, wait_s=1, number="210", between_s=0)
    await storm.start(rate=50)
    try:
        for _ in range(3):
            await house.does_not_notice(witness)
        await storm.served()
    finally:
        await storm.stop()
    await witness.hang_up()


async def test_a_host_that_misbehaves_costs_its_caller_one_apology(house: House) -> None:
    house.http.answers |= {
        "/drip": drip(),
        "/endless": endless(),
        "/redirect": redirect(f"http://127.0.0.1:{house.system.node.http_port}/ari/channels"),
        "/html": html(),
        "/bomb": bomb(),
    }
    witness = await house.witness()
    callers = {}
    for key, name in list(BAD_HOSTS.items())[:4]:
        callers[name] = await house.call("210")
        await callers[name].press(key)
    await house.does_not_notice(witness)
    for name, caller in callers.items():
        await caller.hears("eco")
        await caller.hang_up()
        assert (name, "error") in caller.branches()
    for key, name in list(BAD_HOSTS.items())[4:]:
        caller = await house.call("210")
        await caller.press(key)
        await caller.hears("eco")
        await caller.hang_up()
        assert (name, "error") in caller.branches()
    await house.does_not_notice(witness)
    await witness.hang_up()


async def test_junk_and_floods_from_strangers_and_too_many_callers_leave_the_others_alone(
    house: House, tmp_path: Path
) -> None:
    witness = await house.witness()
    chance = random.Random(9)
    with RawSip(house.system.node.sip_port, "127.0.0.9") as stranger:
        for n in range(300):
            stranger.send(chance.randbytes(chance.randrange(1, 1400)))
            stranger.send(b"INVITE sip:200@x SIP/2.0\r\nVia: " + b"A" * 3000 + b"\r\n\r\n")
            stranger.send(stranger.message("INVITE", "sip:200@127.0.0.1", user=f"u{n}", body=offer()))
            if n % 100 == 0:
                await house.does_not_notice(witness)
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", house.system.node.sip_port), 2) as tcp:
        tcp.sendall(chance.randbytes(20_000))
    # The carrier may call; more at a time than there is room for is turned away at the door.
    flood = Leavers(tmp_path, house.system.sip, [("200", "7")] * (CAPACITY + 60), 13.0, shortest_s=11.0)
    await flood.start(rate=100)
    try:
        open_: list[int] = []

        def is_full(body: dict[str, Any]) -> bool:
            open_.append(len(body["interactions"]))
            return open_[-1] >= CAPACITY

        await house.system.until(is_full)
        await house.does_not_notice(witness)
        await flood.served()
        assert max(open_) == CAPACITY
    finally:
        await flood.stop()
    await witness.hang_up()


async def test_callers_go_on_while_sql_is_locked_and_sql_catches_up(house: House) -> None:
    await house.system.until(lambda body: body["projection"]["lag_events"] == 0, 30)
    file = f"{house.system.home.state}/centralita.db"
    rogue = sqlite3.connect(file, timeout=30, isolation_level=None)
    rogue.execute("BEGIN EXCLUSIVE")
    try:
        caller = await house.call("220")
        await caller.hears("papa")
        await caller.press("1")
        await caller.gone()
        await house.system.until(lambda body: body["projection"]["lag_events"] > 0)
        assert (await house.system.status())["ready"]
        await asyncio.sleep(2)
    finally:
        rogue.execute("ROLLBACK")
        rogue.close()
    await house.system.until(lambda body: body["projection"]["lag_events"] == 0, 40)
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        query = "SELECT outcome FROM interactions WHERE interaction_id = ?"
        assert db.execute(query, (caller.interaction_id,)).fetchall() == [("completed",)]


async def test_a_reload_takes_all_or_nothing_and_callers_finish_on_what_they_began_with(house: House) -> None:
    system, flow = house.system, house.system.home.project / "flows" / "greeting.yaml"
    before = (await system.status())["release"]
    old = await house.call("220")
    await old.hears("papa")

    flow.write_text(greeting("sierra").replace("type: menu", "type: memu"))
    answer = await system.reload()
    assert (answer["reloaded"], answer["release"]) == (False, before)
    assert any("flows/greeting.yaml:7:" in problem and "menu" in problem for problem in answer["problems"])
    (house.system.home.project / "config" / "huge.yaml").write_text("a: [" + "1, " * 4_000_000)
    assert (await system.reload())["reloaded"] is False

    # An engine that starts while the files are broken serves what served last, and says so.
    killed = system.engine_pid
    system.kill_engine()
    body = await system.until(lambda body: body["ready"] and system.engine_pid != killed, 30)
    assert body["release"] == before
    body = await system.until(lambda body: body["problems"], 30)
    assert any("flows/greeting.yaml:7:" in problem for problem in body["problems"])
    (house.system.home.project / "config" / "huge.yaml").unlink()

    flow.write_text(greeting("sierra"))
    answer = await system.reload()
    assert answer["reloaded"], answer
    assert answer["release"] != before
    new = await house.call("220")
    await new.hears("sierra")
    killed = system.engine_pid
    system.kill_engine()
    body = await system.until(lambda body: body["ready"] and system.engine_pid != killed, 30)
    assert body["release"] == answer["release"]
    assert body["problems"] == []
    await old.press("1")
    await new.press("1")
    await old.gone()
    await new.gone()
    assert words_in(await old.heard()) == ["papa"], "asked again after each restart, but never by the new flow"
    assert words_in(await new.heard()) == ["sierra"]


async def test_whatever_number_is_dialled_somebody_answers(house: House) -> None:
    for number in ("999999", "*55#", "hello", "0" * 60):
        caller = await house.call(number)
        await caller.hears("hotel")
        await caller.hang_up()


async def test_an_asterisk_that_freezes_for_some_seconds_loses_nobody(house: House) -> None:
    caller = await house.call("200")
    await caller.hears("hotel")
    pid = house.system.supervisor.launcher.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(4)
    os.kill(pid, signal.SIGCONT)
    await house.does_not_notice(caller)
    await caller.hang_up()
    again = await house.call("220")
    await again.hang_up()
    assert house.system.supervisor.launcher.pid == pid


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_an_asterisk_that_dies_or_hangs_is_started_again(
    house: House, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.supervisor.ASTERISK_HANGS_AFTER_S", 5.0)
    launcher = house.system.supervisor.launcher
    pid = launcher.pid
    assert pid is not None
    # Phones of its own: they wait long for answers that never come.
    async with Softphone.start(rate_hz=8000) as ana, Softphone.start(rate_hz=8000) as luis:
        await registered(house.system, ana, "main-1001")
        await registered(house.system, luis, "main-1002")
        await luis.auto_answer(0)
        waiting = await Caller.dial(house.system, ana, "200", house.place)
        talking = await Caller.dial(house.system, ana, "200", house.place)
        await talking.press("6")
        await house.system.until(lambda body: "connected" in [row["state"] for row in body["interactions"]])
        os.kill(pid, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
        await house.system.until(lambda body: launcher.pid not in (None, pid) and body["ready"], 60)
        await house.system.until(lambda body: not body["interactions"])
        for caller in (waiting, talking):
            await caller.closed()
            assert closed_as(caller) == ["lost"]
    await registered(house.system, house.ana, "main-1001")
    await registered(house.system, house.luis, "main-1002")
    again = await house.call("200")
    await again.hears("hotel")
    await again.hang_up()


def closed(system: System, interaction_id: str) -> list[str]:
    return [d.outcome for d in system.decisions(interaction_id) if isinstance(d, InteractionClosed)]


def closed_as(caller: Caller) -> list[str]:
    """How her interaction was closed: exactly one word."""
    return closed(caller.system, caller.interaction_id)
