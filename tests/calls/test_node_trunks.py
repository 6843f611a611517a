"""Trunks between two real nodes, and the numbers that must work when nothing else does."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest

from engine.node_connections import ami_settings
from telephony.ami.client import AmiClient
from telephony.node.installation import Installation
from telephony.node.ports import free_port
from telephony.node.render import RELOADED_MODULES, render
from telephony.node.settings import Device, Emergency, Registration, Trunk
from telephony.softphone.client import Softphone
from tests.ari_listener import AriListener, ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.sip_raw import RawSip, Registrar, offer

pytestmark = pytest.mark.asterisk


ODD = "#[a]; b\\;c\"d'\\ --;=>\u00f1\u20ac${X}\\"
"""Everything that means something in Asterisk's files, and bytes beyond ASCII."""


async def test_a_trunk_that_registers_receives_the_carriers_calls(
    asterisk_node: AsteriskNode, asterisk_installation: Installation, tmp_path: Path
) -> None:
    """The session's node plays the carrier: we register there as its device Luis. Another carrier gave us a password
    that its own registrar here checks."""
    account = asterisk_node.device("main-luis")
    other = Registrar("34911", ODD)
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
            Trunk(
                name="main-other",
                host="127.0.0.1",
                port=other.port,
                registration=Registration(username="34911", password=ODD),
                qualify_s=0,
            ),
        ),
    )
    try:
        assert await asyncio.to_thread(other.is_convinced), "the password did not reach Asterisk as it is"
        until = time.monotonic() + 30
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
        other.close()


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


@pytest.fixture
async def help_desk(
    asterisk_installation: Installation, tmp_path: Path
) -> AsyncIterator[tuple[AsteriskNode, Softphone, Softphone]]:
    """A node, a phone on it, and who answers emergency calls behind its carrier."""
    async with Softphone.start() as carrier, Softphone.start() as ana:
        listening = await carrier.listen("carrier")
        port = int(listening.rpartition(":")[2])
        trunk = Trunk(name="main-carrier", host="127.0.0.1", port=port, match=("127.0.0.9",), qualify_s=0)
        node = started(
            asterisk_installation,
            tmp_path / "node",
            devices=(Device(name="main-ana"),),
            trunks=(trunk,),
            emergency=Emergency(trunk="main-carrier", numbers=("112", "061")),
        )
        try:
            await ana.register("main-ana", node.device("main-ana").secret, port=node.settings.sip_port)
            yield node, ana, carrier
        finally:
            node.launcher.stop()


async def test_an_emergency_number_reaches_its_trunk_at_once_when_there_is_no_engine(
    help_desk: tuple[AsteriskNode, Softphone, Softphone],
) -> None:
    _, ana, carrier = help_desk
    dialled = time.monotonic()
    call = await ana.call("112")
    helper = await carrier.incoming()
    assert time.monotonic() - dialled < 40.0, "a caller without an engine is held for a minute"
    assert "112" in str(helper.incoming)
    await helper.answer()
    await call.until("confirmed")


async def until_away(node: AsteriskNode, trunk: str) -> None:
    client = AmiClient(ami_settings(node.settings), lambda fact: None)
    await client.start()
    async with asyncio.timeout(20):
        while (seen := await client.carrier(trunk)) is None or seen.status != "unreachable":
            await asyncio.sleep(0.1)
    await client.close()


async def test_an_emergency_call_goes_over_the_next_carrier_when_the_first_is_gone_or_takes_no_calls(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    async with (
        Softphone.start() as busy,
        Softphone.start() as strict,
        Softphone.start() as spare,
        Softphone.start() as ana,
    ):
        ports = [
            int((await each.listen(name)).rpartition(":")[2])
            for each, name in ((busy, "busy"), (strict, "strict"), (spare, "spare"))
        ]
        node = started(
            asterisk_installation,
            tmp_path / "node",
            devices=(Device(name="main-ana"),),
            trunks=tuple(
                Trunk(name=name, host="127.0.0.1", port=port, match=(match,), qualify_s=watched, caller_number=shown)
                for name, port, match, watched, shown in (
                    ("main-gone", free_port(), "127.0.0.7", 1, "+34911000007"),
                    ("main-busy", ports[0], "127.0.0.8", 0, "+34911000008"),
                    ("main-strict", ports[1], "127.0.0.10", 0, None),
                    ("main-spare", ports[2], "127.0.0.9", 0, "+34911000009"),
                )
            ),
            emergency=Emergency(trunk="main-gone", failover=("main-busy", "main-strict", "main-spare")),
        )
        try:
            await ana.register("main-ana", node.device("main-ana").secret, port=node.settings.sip_port)
            await until_away(node, "main-gone")
            call = await ana.call("112")
            first = await busy.incoming()
            assert "+34911000008" in str(first.incoming)
            await first.hangup(code=503)
            await (await strict.incoming()).hangup(code=403)
            helper = await spare.incoming()
            assert "+34911000009" in str(helper.incoming), "each carrier sees its own number"
            await helper.answer()
            await call.until("confirmed")
            await call.hangup()
        finally:
            node.launcher.stop()


@pytest.mark.parametrize("user", ["engine", "supervisor"])
async def test_an_emergency_call_that_the_engine_cannot_take_still_reaches_its_trunk(
    help_desk: tuple[AsteriskNode, Softphone, Softphone], user: str
) -> None:
    """Whether it is turned away at the door or swept out behind a dead engine: help does not wait for either."""
    node, ana, carrier = help_desk
    with AriListener(node) as engine:
        call = await ana.call("112")
        arrived = await asyncio.to_thread(engine.next, "StasisStart")
        leg = arrived["channel"]["id"]
        sent = ari(node, "POST", f"channels/{leg}/continue", user=user, context="overflow", extension="s", priority="1")
        assert sent.status_code == 204
        helper = await carrier.incoming()
        assert "112" in str(helper.incoming)
        await helper.answer()
        await call.until("confirmed")


class Ami:
    """A manager connection by hand: `ask` returns `Success` or `Error`."""

    def __init__(self, node: AsteriskNode) -> None:
        self._socket = socket.create_connection(("127.0.0.1", node.settings.ami_port), timeout=30)
        self._told = self._socket.makefile("rwb")
        assert self.ask("Login", f"Username: centralita\nSecret: {node.settings.secrets.ami}") == "Success"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._told.close()
        self._socket.close()

    def ask(self, action: str, headers: str = "") -> str:
        text = f"Action: {action}\n{headers}".strip().replace("\n", "\r\n")
        self._told.write(text.encode() + b"\r\n\r\n")
        self._told.flush()
        line = ""
        while not line.startswith("Response:"):
            line = self._told.readline().decode().strip()
        return line.removeprefix("Response: ")


def test_ami_neither_dials_nor_runs_commands(asterisk_node: AsteriskNode) -> None:
    with Ami(asterisk_node) as ami:
        assert ami.ask("Ping") == ami.ask("CoreStatus") == "Success"
        assert ami.ask("Originate", "Channel: PJSIP/main-ana\nApplication: Echo") == "Error"
        assert ami.ask("Command", "Command: core show version") == "Error"
        assert ami.ask("Redirect", "Channel: x\nContext: devices\nExten: 1\nPriority: 1") == "Error"
        assert ami.ask("UpdateConfig", "SrcFilename: pjsip.conf\nDstFilename: pjsip.conf") == "Error"


async def test_a_reload_brings_new_devices_and_trunks_and_leaves_calls_alone(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    ana, luis = Device(name="main-ana"), Device(name="main-luis")
    node = started(asterisk_installation, tmp_path / "node", devices=(ana,))
    try:
        async with Softphone.start() as phone:
            await phone.register("main-ana", ana.secret, port=node.settings.sip_port)
            call = await phone.call("900123456")
            await call.until("confirmed")

            trunk = Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0)
            more = node.settings.model_copy(update={"devices": (ana, luis), "trunks": (trunk,)})
            render(more, asterisk_installation)
            with Ami(node) as ami:
                for module in RELOADED_MODULES:
                    assert ami.ask("Reload", f"Module: {module}") == "Success"

            await phone.register("main-luis", luis.secret, port=node.settings.sip_port)
            with AriListener(node) as engine, RawSip(node.settings.sip_port, "127.0.0.2") as carrier:
                carrier.send(carrier.message("INVITE", "sip:911@127.0.0.1", body=offer("127.0.0.2")))
                arrived = [(await asyncio.to_thread(engine.next, "StasisStart"))["args"][2] for _ in range(2)]
            assert sorted(arrived) == ["main-ana", "main-carrier"]
            assert call.state == "confirmed"
    finally:
        node.launcher.stop()
