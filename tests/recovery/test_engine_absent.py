"""The engine stays away: the supervisor sends waiting callers to overflow, and nobody listens to silence."""

import asyncio
import contextlib
import os
import signal

import pytest

from telephony.softphone import ear
from tests.recovery.test_engine_kill import FLOW


@contextlib.contextmanager
def frozen(running):
    pid = running.engine_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # one that hangs for long is killed
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
async def caller(system, softphone):
    running = await system({"hold": FLOW}, absence_s=3.0, site="absence: {retry_s: 1, tries: 3}")
    await softphone.register("main-1001", running.account("main-1001"), port=running.node.sip_port)
    call = await softphone.call(f"sip:100@{running.sip}")
    await call.until("confirmed")
    await running.until(lambda body: [row["node"] for row in body["interactions"]] == ["code"])
    return running, call


async def test_a_frozen_engine_does_not_keep_its_callers(caller, tmp_path):
    running, call = caller
    heard = await call.record(tmp_path / "heard.wav")
    with frozen(running):
        await call.until("disconnected", timeout_s=30)
    assert any("overflow" in text for text in running.told)
    assert any(stretch.is_sound for stretch in ear.stretches(ear.load(await heard.saved())))
    await running.until_idle(30)


FORWARD = """
flow: forward
languages: [es]
start: ring
nodes:
  ring: {type: transfer, to: "device:1002", ring_s: 120, answered: bye, busy: bye, no_answer: bye, failed: bye}
  bye: {type: hangup}
"""


async def test_whoever_hears_a_phone_ring_is_not_left_to_its_tone(system, softphones):
    running = await system({"forward": FORWARD}, absence_s=3.0)
    ana, luis = await softphones(), await softphones()
    for phone, name in ((ana, "main-1001"), (luis, "main-1002")):
        await phone.register(name, running.account(name), port=running.node.sip_port)
    call = await ana.call(f"sip:100@{running.sip}")
    await call.until("confirmed")
    await luis.incoming()
    with frozen(running):
        await call.until("disconnected", timeout_s=30)
    assert any("overflow" in text for text in running.told)
    await running.until_idle(30)


async def test_two_people_who_talk_do_not_miss_the_engine(system, softphones):
    running = await system({"hold": FLOW}, absence_s=2.0)
    ana, luis = await softphones(), await softphones()
    for phone, name in ((ana, "main-1001"), (luis, "main-1002")):
        await phone.register(name, running.account(name), port=running.node.sip_port)
    await luis.auto_answer(after_ms=100)
    call = await ana.call(f"sip:1002@{running.sip}")
    other = await luis.incoming()
    await call.until("confirmed")
    await running.until(lambda body: [row["state"] for row in body["interactions"]] == ["connected"])
    async with asyncio.timeout(30):  # the engine decided it; Asterisk has yet to do it
        while [len(bridge["channels"]) for bridge in await running.ari("bridges")] != [2]:
            await asyncio.sleep(0.05)
    with frozen(running):
        await asyncio.sleep(6)
        assert len(await running.ari("channels")) == 2
        assert not any("overflow" in text for text in running.told)
    await running.until(lambda body: body["ready"])
    await call.hangup()
    await other.until("disconnected")
    await running.until_idle()


async def test_a_frozen_engine_is_killed_and_a_fresh_one_serves(caller):
    running, call = caller
    pid = running.engine_pid
    os.kill(pid, signal.SIGSTOP)
    await running.until(lambda body: body["ready"] and running.engine_pid != pid and not body["interactions"], 60)
    await call.until("disconnected")
