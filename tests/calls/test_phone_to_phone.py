"""Our own phones call each other: no flow, ringback, two-way audio, busy is busy."""

import pytest

from telephony.softphone import ear
from telephony.softphone.errors import CallEnded
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

    await luis.auto_answer(after_ms=400)
    call = await ana.call(f"sip:1002@{running.sip}")
    ringing = await call.record(tmp_path / "ringback.wav")
    other = await luis.incoming()
    await call.until("confirmed")
    await call.stop_recording()
    assert ear.first_sound_s(ear.load(await ringing.saved())) is not None, "the caller hears it ring"
    running.kill_engine()
    await running.until(lambda body: body["ready"] and [row["state"] for row in body["interactions"]] == ["connected"])
    heard = await call.record(tmp_path / "ana.wav"), await other.record(tmp_path / "luis.wav")
    await call.play(tone_wav(tmp_path / "700.wav", 700.0, seconds=2.0))
    await other.play(tone_wav(tmp_path / "1300.wav", 1300.0, seconds=2.0))
    await call.played()
    await call.hangup()
    await other.until("disconnected")
    sounds = [ear.load(await recording.saved()) for recording in heard]
    assert ear.tone_spans(sounds[0], 1300.0)
    assert ear.tone_spans(sounds[1], 700.0)
    await running.until_idle()
