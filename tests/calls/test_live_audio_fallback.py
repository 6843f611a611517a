"""An Asterisk without WebSocket media."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.events import AudioVerdict, LegArrived
from core.leg_commands import ListenToLeg
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.installation import Installation
from telephony.node.settings import Device
from telephony.softphone.client import Softphone
from tests.asterisk_fixture import started
from tests.contract.control_stage import Facts, ari_settings
from tests.contract.live_audio_stage import media_workers, worker_processes
from tests.phone_fixture import tone_wav


@pytest.mark.asterisk
async def test_a_node_that_cannot_do_websocket_media_is_asked_for_rtp(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    older = replace(asterisk_installation, modules=asterisk_installation.modules - {"chan_websocket.so"})
    node = await asyncio.to_thread(started, older, tmp_path / "node", devices=(Device(name="main-caller"),))
    facts = Facts()
    try:
        with worker_processes(tmp_path, 1) as processes:
            async with media_workers(processes, 1) as workers, Softphone.start(rate_hz=8000) as phone:
                control = AsteriskCallControl(
                    [ari_settings(node.settings)], facts.sink, lambda name, what: None, workers=workers
                )
                await control.start()
                await phone.register("main-caller", node.device("main-caller").secret, port=node.settings.sip_port)
                call = await phone.call("900100200")
                leg_id = (await facts.next(LegArrived)).leg_id
                await control.answer(leg_id)
                await call.until("confirmed")
                await control.listen(ListenToLeg(leg_id, "l1", "level", {"for_s": "0.1"}))
                await call.play(tone_wav(tmp_path / "tone.wav", 440.0, seconds=0.6))
                assert (await facts.next(AudioVerdict, leg_id)).evidence.startswith("440 Hz")
                await call.hangup()
                await control.close()
    finally:
        await asyncio.to_thread(node.launcher.stop)
