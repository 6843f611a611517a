"""A held line whose phone is killed without a BYE, in a campaign: real Asterisk, real engine, a real phone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bench.sip_people import Person
from engine.home import Home
from telephony.control.dead_lines import KNOWN_S
from telephony.softphone.client import Softphone
from tests.callers import registered
from tests.outbound import HELD, calling, campaign
from tests.system_fixture import systems

pytestmark = pytest.mark.asterisk

NUMBER, EVA_HZ = "+34911223200", 1300.0
WITHIN_S = 11.0
"""Five seconds, two looks, what she is told, and a busy machine; without any of it twenty."""


def _phones_send(home: Home) -> None:
    site = home.project / "config/site.yaml"
    site.write_text(site.read_text().replace("phone_vanished_s: 0", "phone_vanished_s: 20"))


async def test_who_is_put_through_to_a_dead_line_has_another_agent_within_seconds(tmp_path: Path) -> None:
    campaigns = {"talks": campaign("talks", "progressive", "drop: {action: message, flow: sorry}")}
    loop = asyncio.get_running_loop()
    async with (
        systems(tmp_path) as up,
        Softphone.start(rate_hz=8000) as phone,
        calling(up, campaigns, lambda number: Person(), prepare=_phones_send) as house,
    ):
        await registered(house.system, phone, "main-1001")
        await house.presence("ana", "log_in")
        call = await phone.call(HELD, account="main-1001")
        await call.until("confirmed")
        await house.presence("ana", "ready")
        await asyncio.sleep(KNOWN_S + 4)
        os.kill(phone.pid, signal.SIGKILL)
        killed_s = loop.time()
        await house.act("talks", "start")
        await house.leads("talks", NUMBER)
        her_call = await house.called(NUMBER)
        await house.until_async(lambda: house.talks("ana"), 10, "she was not put through to the dead line")
        await house.line("eva", EVA_HZ)
        await house.until(lambda: her_call.voice.audible_s(killed_s, EVA_HZ) or her_call.is_over)
        assert not her_call.is_over
        assert loop.time() - killed_s < WITHIN_S
        house.people.hang_up(her_call)
        assert (await house.attempt(NUMBER)).state == "completed"
        await house.system.until(lambda body: len(body["interactions"]) == 1, 30)
