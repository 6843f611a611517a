"""AMI on a real Asterisk: who is registered, how a call sounds, health, reload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import CommandRefused
from core.events import LegArrived
from telephony.ami.client import AmiClient, AmiSettings
from telephony.ami.facts import AmiFact, ContactChanged, LegQuality, NodeBooted
from telephony.control.asterisk import AsteriskCallControl
from tests.asterisk_fixture import AsteriskNode
from tests.contract.control_stage import Facts, ari_settings
from tests.phone_fixture import Phones, tone_wav

pytestmark = pytest.mark.asterisk


@pytest.fixture
def told() -> list[AmiFact]:
    return []


@pytest.fixture
async def ami(asterisk_node: AsteriskNode, told: list[AmiFact]) -> AsyncIterator[AmiClient]:
    settings = asterisk_node.settings
    client = AmiClient(
        AmiSettings(settings.name, "centralita", settings.secrets.ami, port=settings.ami_port), told.append
    )
    assert await client.start()
    yield client
    await client.close()


async def first(told: list[AmiFact], kind: type[AmiFact], timeout_s: float = 20.0) -> AmiFact:
    async with asyncio.timeout(timeout_s):
        while True:
            for fact in told:
                if isinstance(fact, kind):
                    return fact
            await asyncio.sleep(0.02)


async def test_a_node_in_good_health(ami: AmiClient, told: list[AmiFact]) -> None:
    health = await ami.health()
    assert health.version.startswith("22.")
    assert 0 < health.answered_in_s < 20
    assert isinstance(await first(told, NodeBooted), NodeBooted)
    assert await ami.registrations() == []
    await ami.contacts()
    await ami.reload("res_musiconhold.so")
    with pytest.raises(CommandRefused):
        await ami.reload("app_system.so")  # type: ignore[arg-type]


async def test_phones_that_come_are_told(
    ami: AmiClient, told: list[AmiFact], asterisk_node: AsteriskNode, softphones: Phones
) -> None:
    phone = await softphones()
    await phone.register("main-eva", asterisk_node.device("main-eva").secret, port=asterisk_node.settings.sip_port)
    changed = await first(told, ContactChanged)
    assert isinstance(changed, ContactChanged)
    assert changed.device == "main-eva"
    assert "main-eva" in [contact.device for contact in await ami.contacts()]


@pytest.mark.slow
async def test_how_a_call_sounds_is_told(
    ami: AmiClient, told: list[AmiFact], asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    facts = Facts()
    control = AsteriskCallControl([ari_settings(asterisk_node.settings)], facts.sink, lambda name, what: None)
    await control.start()
    try:
        phone = await softphones()
        await phone.register("main-eva", asterisk_node.device("main-eva").secret, port=asterisk_node.settings.sip_port)
        call = await phone.call("900100200")
        leg_id = (await facts.next(LegArrived)).leg_id
        await control.answer(leg_id)
        await call.until("confirmed")
        await call.play(tone_wav(tmp_path / "speech.wav", 700.0, seconds=20.0))
        sound = asterisk_node.settings.sounds_dirs[-1] / "long-20.wav"
        await control.play(leg_id, f"{leg_id}.1", [str(tone_wav(sound, 700.0, seconds=20.0).with_suffix(""))])
        quality = await first(told, LegQuality, timeout_s=15)
        assert isinstance(quality, LegQuality)
        assert quality.leg_id == leg_id
        assert 0 <= quality.lost_share < 0.5
        assert 0 <= quality.round_trip_s < 5, "seconds, not milliseconds"
        assert 0 <= quality.jitter_s < 5
        await call.hangup()
    finally:
        await control.close()
