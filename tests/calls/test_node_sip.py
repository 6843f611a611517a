"""Who gets into a node over SIP, and who does not; and what a flood of junk does to it (nothing)."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from telephony.softphone.client import Softphone
from telephony.softphone.errors import RegistrationFailed
from tests.ari_listener import ari
from tests.asterisk_fixture import AsteriskNode
from tests.sip_raw import RawSip, offer

pytestmark = pytest.mark.asterisk


def test_options_are_answered(asterisk_node: AsteriskNode) -> None:
    with RawSip(asterisk_node.settings.sip_port, "127.0.0.2") as carrier:
        assert carrier.request("OPTIONS", "sip:127.0.0.1").code == 200


def test_the_answers_do_not_tell_the_version(asterisk_node: AsteriskNode) -> None:
    with RawSip(asterisk_node.settings.sip_port) as stranger:
        answer = stranger.request("OPTIONS", "sip:127.0.0.1")
    assert asterisk_node.launcher.installation.version not in answer.text
    assert "Server" not in ari(asterisk_node, "GET", "asterisk/ping").headers


async def test_a_phone_registers_with_its_secret(asterisk_node: AsteriskNode) -> None:
    async with Softphone.start() as phone:
        told = await phone.register(
            "main-eva", asterisk_node.device("main-eva").secret, port=asterisk_node.settings.sip_port
        )
        assert told["expires_s"] >= 60
        async with asyncio.timeout(30):
            while ari(asterisk_node, "GET", "endpoints/PJSIP/main-eva").json()["state"] != "online":
                await asyncio.sleep(0.05)


async def test_a_phone_with_a_wrong_secret_is_refused(asterisk_node: AsteriskNode) -> None:
    async with Softphone.start() as phone:
        with pytest.raises(RegistrationFailed) as refused:
            await phone.register("main-eva", "not-the-secret", port=asterisk_node.settings.sip_port)
    assert refused.value.code in (401, 403)


async def test_a_phone_registers_over_tcp(asterisk_node: AsteriskNode) -> None:
    async with Softphone.start() as phone:
        port = asterisk_node.settings.sip_port
        await phone.register("main-eva", asterisk_node.device("main-eva").secret, port=port, transport="tcp")


@pytest.mark.parametrize("user", ["nobody", "anonymous", "main-carrier", "main-ana"])
def test_an_unknown_caller_is_challenged_and_gets_no_channel(asterisk_node: AsteriskNode, user: str) -> None:
    with RawSip(asterisk_node.settings.sip_port) as stranger:
        answer = stranger.request("INVITE", "sip:900123456@127.0.0.1", user=user, body=offer())
    assert answer.code == 401
    assert ari(asterisk_node, "GET", "channels").json() == []


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER"])
def test_no_other_method_is_a_way_in(asterisk_node: AsteriskNode, method: str) -> None:
    with RawSip(asterisk_node.settings.sip_port, "127.0.0.2") as carrier:
        assert carrier.request(method, "sip:900@127.0.0.1", headers="Event: presence\r\n").code >= 400


def test_junk_and_a_flood_of_invites_leave_it_working(asterisk_node: AsteriskNode, tmp_path: Path) -> None:
    chance = random.Random(7)
    port = asterisk_node.settings.sip_port
    with RawSip(port) as stranger:
        whole = stranger.message("INVITE", "sip:900@127.0.0.1", body=offer())
        for _ in range(300):
            stranger.send(chance.randbytes(chance.randrange(1, 1400)))
            stranger.send(whole[: chance.randrange(len(whole))])
            stranger.send(whole.replace(b"Content-Length: ", b"Content-Length: 99999999"))
            stranger.send(bytes(byte ^ (chance.random() < 0.02) for byte in whole))
    sipp = shutil.which("sipp")
    assert sipp, "package sip-tester"
    subprocess.run(
        f"{sipp} -sn uac 127.0.0.1:{port} -i 127.0.0.1 -r 400 -m 2000 -nostdin -timeout 60s -recv_timeout 500".split(),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    with RawSip(port, "127.0.0.2") as carrier:
        assert carrier.request("OPTIONS", "sip:127.0.0.1").code == 200
    assert asterisk_node.launcher.alive
    assert ari(asterisk_node, "GET", "channels").json() == []
