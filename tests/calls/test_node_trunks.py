"""Trunks between two real nodes, and the numbers that must work when nothing else does."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from telephony.node.installation import Installation
from telephony.node.settings import Device, Emergency, Registration, Trunk
from telephony.softphone.client import Softphone
from tests.ari_listener import AriListener, ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.sip_raw import RawSip, offer

pytestmark = pytest.mark.asterisk


async def test_a_trunk_that_registers_receives_the_carriers_calls(
    asterisk_node: AsteriskNode, asterisk_installation: Installation, tmp_path: Path
) -> None:
    """The session's node plays the carrier: we register there as its device Luis."""
    account = asterisk_node.device("main-luis")
    ours = started(
        asterisk_installation,
        tmp_path / "node",
        name="node-2",
        trunks=(
            Trunk(
                name="main-carrier",
                host="127.0.0.1",
                port=asterisk_node.settings.sip_port,
                registration=Registration(username=account.name, password=account.secret, contact_user="34911000111"),
                qualify_s=0,
            ),
        ),
    )
    try:
        until = time.monotonic() + 5
        while ari(asterisk_node, "GET", "endpoints/PJSIP/main-luis").json()["state"] != "online":
            assert time.monotonic() < until, "the trunk did not register"
            await asyncio.sleep(0.05)
        with AriListener(asterisk_node), AriListener(ours) as engine:
            made = ari(asterisk_node, "POST", "channels", endpoint="PJSIP/main-luis", app="centralita")
            assert made.status_code == 200, made.text
            start = await asyncio.to_thread(engine.next, "StasisStart")
        assert start["args"] == ["arrived", "34911000111", "main-carrier", "trunk"]
    finally:
        ours.launcher.stop()


def test_a_carrier_that_writes_the_number_in_to_is_understood(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    trunk = Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0, dialled_from="to")
    node = started(asterisk_installation, tmp_path / "node", trunks=(trunk,))
    try:
        with AriListener(node) as engine, RawSip(node.settings.sip_port, "127.0.0.2") as carrier:
            message = carrier.message("INVITE", "sip:account@127.0.0.1", body=offer("127.0.0.2"))
            named = b'To: "Reception, main" <sip:+34911000222@carrier.example>'
            carrier.send(message.replace(b"To: <sip:account@127.0.0.1>", named))
            assert engine.next("StasisStart")["args"][1] == "+34911000222"
    finally:
        node.launcher.stop()


async def test_an_emergency_number_reaches_its_trunk_at_once_when_there_is_no_engine(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    async with Softphone.start() as carrier:
        listening = await carrier.listen("carrier")
        node = started(
            asterisk_installation,
            tmp_path / "node",
            devices=(Device(name="main-ana"),),
            trunks=(
                Trunk(
                    name="main-carrier",
                    host="127.0.0.1",
                    port=int(listening.rpartition(":")[2]),
                    match=("127.0.0.9",),
                    qualify_s=0,
                ),
            ),
            emergency=Emergency(trunk="main-carrier", numbers=("112", "061")),
        )
        try:
            async with Softphone.start() as ana:
                await ana.register("main-ana", node.device("main-ana").secret, port=node.settings.sip_port)
                dialled = time.monotonic()
                call = await ana.call("112")
                help_desk = await carrier.incoming(timeout_s=5)
                assert time.monotonic() - dialled < 2.0
                assert "112" in str(help_desk.incoming)
                await help_desk.answer()
                await call.until("confirmed")
        finally:
            node.launcher.stop()


def test_ami_neither_dials_nor_runs_commands(asterisk_node: AsteriskNode) -> None:
    with socket.create_connection(("127.0.0.1", asterisk_node.settings.ami_port), timeout=5) as ami:
        told = ami.makefile("rwb")

        def ask(text: str) -> str:
            told.write(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")
            told.flush()
            while not (line := told.readline().decode().strip()).startswith("Response:"):
                pass
            return line.removeprefix("Response: ")

        assert ask(f"Action: Login\nUsername: centralita\nSecret: {asterisk_node.settings.secrets.ami}") == "Success"
        assert ask("Action: Ping") == "Success"
        assert ask("Action: CoreStatus") == "Success"
        assert ask("Action: PJSIPShowRegistrationsOutbound") in ("Success", "Error")
        assert ask("Action: Originate\nChannel: PJSIP/main-ana\nApplication: Echo") == "Error"
        assert ask("Action: Command\nCommand: core show version") == "Error"
        assert ask("Action: Reload\nModule: res_pjsip.so") == "Success"
