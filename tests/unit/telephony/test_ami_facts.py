"""AMI's events in our words, and what we refuse to write."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CommandRefused, DeadlineExceeded, NodeUnavailable
from telephony.ami.client import AmiClient, AmiSettings
from telephony.ami.facts import (
    AmiFact,
    ContactChanged,
    LegQuality,
    NodeBooted,
    RegistrationChanged,
    fact_from,
)
from tests.held_port import HeldPort


def told(**headers: str) -> AmiFact | None:
    return fact_from("n1", headers)


def test_a_node_that_has_booted() -> None:
    assert told(event="FullyBooted", uptime="3", lastreload="3") == NodeBooted("n1", 3)


def test_a_phone_that_can_be_reached() -> None:
    assert told(event="ContactStatus", contactstatus="Reachable", endpointname="main-ana", roundtripusec="1500") == (
        ContactChanged("n1", "main-ana", "reachable", 0.0015)
    )
    assert told(event="ContactStatus", contactstatus="Removed", aor="main-ana") == (
        ContactChanged("n1", "main-ana", "removed")
    )


def test_a_carrier_that_rejects_us() -> None:
    assert told(event="Registry", username="34911", domain="sip:carrier", status="Rejected", cause="403") == (
        RegistrationChanged("n1", "34911", "sip:carrier", "rejected", "403")
    )


def test_how_a_leg_sounds() -> None:
    report = {
        "event": "RTCPReceived",
        "uniqueid": "node-1-17.3",
        "rtt": "0.0200",
        "reportcount": "1",
        "report0fractionlost": "64",
        "report0cumulativelost": "12",
        "report0iajitter": "80",
    }
    assert told(**report) == LegQuality("n1", "node-1-17.3", 0.02, 0.25, 12, 0.01)
    assert told(**(report | {"reportcount": "0"})) is None
    assert told(event="RTCPReceived", reportcount="1") is None


@given(st.dictionaries(st.sampled_from(["event", "uptime", "roundtripusec", "rtt", "reportcount"]), st.text()))
def test_no_event_raises(headers: dict[str, str]) -> None:
    for name in ("FullyBooted", "ContactStatus", "Registry", "RTCPReceived", headers.get("event", "")):
        fact_from("n1", {"uniqueid": "1", **headers, "event": name})


# -- the client, against a manager of the test's own --------------------------------------------------
class Manager:
    """Answers logins and whatever `answers` holds; keeps every line it reads."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.logins = 0
        self.silent: set[str] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._place = HeldPort()
        self.port = self._place.port

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._place.socket())

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    def close(self) -> None:
        self._place.close()

    def drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while block := await self._block(reader):
            action, action_id = block.get("Action", ""), block.get("ActionID", "")
            if action == "Login":
                self.logins += 1
            if action in self.silent:
                continue
            writer.write(f"Response: Success\r\nActionID: {action_id}\r\nMessage: Done\r\n\r\n".encode())

    async def _block(self, reader: asyncio.StreamReader) -> dict[str, str]:
        block: dict[str, str] = {}
        try:
            while line := (await reader.readline()).decode():
                if line == "\r\n":
                    return block
                self.lines.append(line.strip())
                name, _, value = line.strip().partition(": ")
                block[name] = value
        except (OSError, asyncio.CancelledError):
            return {}
        return {}


@pytest.fixture
async def manager() -> AsyncIterator[Manager]:
    manager = Manager()
    await manager.listen()
    yield manager
    await manager.stop()
    manager.close()


@contextlib.asynccontextmanager
async def connected(manager: Manager, **settings: Any) -> AsyncIterator[AmiClient]:
    client = AmiClient(
        AmiSettings("n1", "u", "p", port=manager.port, reconnect_s=1, **{"deadline_s": 30.0, **settings}),
        lambda fact: None,
    )
    assert await client.start(timeout_s=30.0)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def client(manager: Manager) -> AsyncIterator[AmiClient]:
    async with connected(manager) as client:
        yield client


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.02)


async def until_connected(client: AmiClient, wanted: bool) -> None:
    await until(lambda: client.is_connected is wanted)


async def test_only_what_is_listed_is_reloaded(client: AmiClient, manager: Manager) -> None:
    await client.reload("res_pjsip.so")
    assert "Module: res_pjsip.so" in manager.lines
    with pytest.raises(CommandRefused):
        await client.reload("res_pjsip.so\r\nAction: Originate")  # type: ignore[arg-type]
    assert not [line for line in manager.lines if "Originate" in line]


async def test_a_value_cannot_be_a_second_header(client: AmiClient, manager: Manager) -> None:
    with pytest.raises(CommandRefused, match="control character"):
        await client._ask("Filter", Operation="Add\r\nAction: Command")
    with pytest.raises(CommandRefused, match="not for AMI"):
        await client._ask("Originate", Channel="PJSIP/1")
    with pytest.raises(CommandRefused):
        AmiClient(AmiSettings("n1", "u", "p\r\nx: y"), lambda fact: None)
    assert not [line for line in manager.lines if line.startswith(("Action: Command", "Action: Originate"))]


async def test_an_answer_that_does_not_come_is_a_deadline(manager: Manager) -> None:
    manager.silent.add("CoreStatus")
    async with connected(manager, deadline_s=0.3) as client:
        with pytest.raises(DeadlineExceeded):
            await client.health()


async def test_a_reload_may_take_longer_than_any_other_action(manager: Manager) -> None:
    manager.silent |= {"Reload", "CoreStatus"}
    async with connected(manager, deadline_s=0.2, reload_within_s=1.0) as client:
        asking = asyncio.create_task(client.reload("pbx_config.so"))
        with pytest.raises(DeadlineExceeded, match="CoreStatus"):
            await client.health()
        assert not asking.done(), "Asterisk asks name servers meanwhile"
        with pytest.raises(DeadlineExceeded, match="Reload in 1 s"):
            await asking


async def test_after_a_broken_connection_it_comes_back_and_sends_nothing_again(manager: Manager) -> None:
    manager.silent.add("Reload")
    async with connected(manager, deadline_s=2.0, reload_within_s=2.0) as client:
        asking = asyncio.create_task(client.reload("pbx_config.so"))
        await until(lambda: "Action: Reload" in manager.lines)
        manager.drop()
        await until_connected(client, False)
        with pytest.raises(NodeUnavailable):
            await client.health()
        with pytest.raises(DeadlineExceeded):
            await asking
        await until_connected(client, True)
        await client.health()
        assert manager.logins == 2
        assert manager.lines.count("Action: Reload") == 1


async def test_closed_is_closed(manager: Manager) -> None:
    client = AmiClient(AmiSettings("n1", "u", "p", port=manager.port, reconnect_s=2), lambda fact: None)
    assert await client.start(timeout_s=30.0)
    manager.drop()
    await until_connected(client, False)
    await client.close()
    await asyncio.sleep(2.5)
    assert manager.logins == 1


async def test_without_a_manager_it_says_so_and_tries_on(manager: Manager) -> None:
    await manager.stop()
    client = AmiClient(AmiSettings("n1", "u", "p", port=manager.port, reconnect_s=1), lambda fact: None)
    assert not await client.start(timeout_s=0.2)
    with pytest.raises(NodeUnavailable):
        await client.contacts()
    await manager.listen()
    await until_connected(client, True)
    await client.close()
