"""Audio that nobody on the way can hear: SRTP phones and carriers, and browsers' phones over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from core.events import LegArrived, LegEnded, LegUp
from core.leg import EndReason
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.installation import Installation
from telephony.node.settings import Device
from telephony.softphone import ear
from telephony.softphone.errors import CallEnded
from tests.ari_listener import ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.browser_phone import OFFER, Browser
from tests.callers import so_far
from tests.contract.control_stage import Facts, ari_settings
from tests.phone_fixture import Phones, tone_wav

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def node(asterisk_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskNode]:
    running = started(
        asterisk_installation,
        tmp_path_factory.mktemp("encrypted"),
        devices=(
            Device(name="main-secret", srtp=True),
            Device(name="main-open"),
            Device(name="main-browser", webrtc=True),
        ),
    )
    yield running
    running.launcher.stop()


@contextlib.asynccontextmanager
async def engine(node: AsteriskNode) -> AsyncIterator[tuple[AsteriskCallControl, Facts]]:
    facts = Facts()
    control = AsteriskCallControl([ari_settings(node.settings)], facts.sink, lambda name, what: None)
    await control.start()
    try:
        yield control, facts
    finally:
        await control.close()


def is_encrypted(node: AsteriskNode, leg_id: str) -> bool:
    told = ari(node, "GET", f"channels/{leg_id}/variable", variable="CHANNEL(rtp,secure)").json()
    return bool(told["value"] == "1")


async def test_an_encrypted_phone_and_an_open_one_talk(node: AsteriskNode, softphones: Phones, tmp_path: Path) -> None:
    async with engine(node) as (control, facts):
        phone, port = await softphones(rate_hz=8000), node.settings.sip_port
        await phone.register("main-secret", node.device("main-secret").secret, port=port, srtp=True)
        await phone.register("main-open", node.device("main-open").secret, port=port)
        calls, legs = [], []
        for account in ("main-secret", "main-open"):  # one after the other: which leg is whose shows by its being new
            calls.append(await phone.call("100", account=account))
            legs.append((await facts.next(LegArrived, count=len(calls))).leg_id)
        for leg_id, call in zip(legs, calls, strict=True):
            await control.answer(leg_id)
            await call.until("confirmed")
        assert [is_encrypted(node, leg_id) for leg_id in legs] == [True, False]
        await control.bridge("b1", legs)
        heard = [await call.record(tmp_path / f"{n}.wav") for n, call in enumerate(calls)]
        for n, call in enumerate(calls):
            await call.play(tone_wav(tmp_path / f"tone-{n}.wav", 500.0 + 400 * n, seconds=1.0), loop=True)
        async with asyncio.timeout(30):  # each hears the other
            while not (ear.tone_spans(so_far(heard[0].path), 900.0) and ear.tone_spans(so_far(heard[1].path), 500.0)):
                await asyncio.sleep(0.1)
        await control.destroy_bridge("b1")
        for call in calls:
            await call.hangup()
        for leg_id in legs:
            await facts.next(LegEnded, leg_id)


async def test_who_would_send_it_in_the_open_gets_no_call(node: AsteriskNode, softphones: Phones) -> None:
    async with engine(node) as (_, facts):
        phone = await softphones()
        await phone.register("main-secret", node.device("main-secret").secret, port=node.settings.sip_port)
        call = await phone.call("100")
        with pytest.raises(CallEnded) as ended:
            await call.until("confirmed")
        assert ended.value.code == 488
        assert facts.of(LegUp, "") == []


# -- browsers ------------------------------------------------------------------------------------------
async def test_a_browsers_phone_registers_and_is_answered_with_encrypted_audio(node: AsteriskNode) -> None:
    uri = f"ws://127.0.0.1:{node.settings.http_port}/ws"
    async with engine(node) as (control, facts), connect(uri, subprotocols=["sip"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "sip"
        browser = Browser(socket, "main-browser", node.device("main-browser").secret)
        assert (await browser.request("REGISTER", "sip:centralita.test"))[0] == 200
        calling = asyncio.create_task(browser.request("INVITE", "sip:100@centralita.test", OFFER))
        arrived = await facts.next(LegArrived)
        assert (arrived.called, arrived.entry) == ("100", "main-browser")
        await control.answer(arrived.leg_id)
        code, answer = await calling
        # (Asterisk has no ICE candidates on loopback, so nothing of ICE is in its answer here.)
        assert code == 200
        assert "UDP/TLS/RTP/SAVPF" in answer
        assert re.search(r"a=fingerprint:sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}", answer, re.IGNORECASE)
        assert re.search(r"a=setup:(?:active|passive)", answer)
        assert "a=rtpmap:111 opus/48000/2" in answer or "a=rtpmap:8 PCMA/8000" in answer
        await control.hang_up(arrived.leg_id, EndReason.HUNG_UP_BY_US)
        await facts.next(LegEnded, arrived.leg_id)


async def test_a_browsers_phone_without_its_secret_stays_outside(node: AsteriskNode) -> None:
    uri = f"ws://127.0.0.1:{node.settings.http_port}/ws"
    async with connect(uri, subprotocols=["sip"]) as socket:  # type: ignore[list-item]
        assert (await Browser(socket, "main-browser", "not-the-secret").request("REGISTER", "sip:centralita.test"))[
            0
        ] in (401, 403)
