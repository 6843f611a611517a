"""Our own phones call each other: no flow, ringback, two-way audio, busy is busy."""

import asyncio

import pytest

from telephony.softphone import ear
from telephony.softphone.errors import CallEnded
from tests.callers import so_far
from tests.phone_fixture import tone_wav
from tests.recovery.test_engine_kill import FLOW


async def test_two_phones_hear_each_other_and_a_restart_between_does_not_part_them(system, softphones, tmp_path):
    running = await system({"hold": FLOW})
    ana, luis = await softphones(), await softphones()
    for phone, name in ((ana, "main-1001"), (luis, "main-1002")):
        await phone.register(name, running.account(name), port=running.node.sip_port)

    await luis.auto_reject(486)
    busy = await ana.call(f"sip:1002@{running.sip}")
    with pytest.raises(CallEnded) as ended:
        await busy.until("confirmed")
    assert ended.value.code == 486
    await luis.incoming()
    await running.until_idle()

    await luis.auto_answer_off()
    call = await ana.call(f"sip:1002@{running.sip}")
    ringing = await call.record(tmp_path / "ringback.wav")
    other = await luis.incoming()
    async with asyncio.timeout(30):  # the caller hears it ring
        while ear.first_sound_s(so_far(ringing.path)) is None:
            await asyncio.sleep(0.05)
    await other.answer()
    await call.until("confirmed")
    await call.stop_recording()
    await ringing.saved()
    running.kill_engine()
    await running.until(lambda body: body["ready"] and [row["state"] for row in body["interactions"]] == ["connected"])
    heard = await call.record(tmp_path / "ana.wav"), await other.record(tmp_path / "luis.wav")
    await call.play(tone_wav(tmp_path / "700.wav", 700.0, seconds=2.0), loop=True)
    await other.play(tone_wav(tmp_path / "1300.wav", 1300.0, seconds=2.0), loop=True)
    async with asyncio.timeout(30):  # they hear each other
        while not (ear.tone_spans(so_far(heard[0].path), 1300.0) and ear.tone_spans(so_far(heard[1].path), 700.0)):
            await asyncio.sleep(0.1)
    await call.hangup()
    await other.until("disconnected")
    await running.until_idle()
