"""A connection that comes back, its requests and their deadlines, against a WebSocket server of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, basic_auth, serve

from core.errors import DeadlineExceeded, EventRefused, NodeUnavailable
from telephony.ari.connection import AriConnection
from telephony.ari.connection_state import CONNECTION_TABLE, ConnectionEvent, ConnectionState
from telephony.ari.messages import ChannelHold, Event
from telephony.ari.settings import AriSettings
from tests.held_port import HeldPort

Handler = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]
PATIENT_S = 30.0
"""Of whoever tests no deadline: a machine that stands still for a second is no stuck Asterisk."""
IMPATIENT = {"deadline_s": 0.3, "rescue_s": 0.3}


async def reply(peer: ServerConnection, request: dict[str, Any], status: int = 204) -> None:
    await peer.send(json.dumps({"type": "RESTResponse", "request_id": request["request_id"], "status_code": status}))


class Peer:
    """Plays Asterisk: `on_request` answers; `peers` are the connections there are."""

    def __init__(self, tmp_path: Path) -> None:
        self.on_request: Handler = reply
        self.on_connect: Callable[[ServerConnection], Awaitable[None]] | None = None
        self.requests: list[dict[str, Any]] = []
        self.peers: list[ServerConnection] = []
        self.paths: list[str] = []
        self.events: list[Event] = []
        self.states: list[ConnectionState] = []
        self.slow: list[str] = []
        self.heard = 0
        self._server: Server | None = None
        self._tmp_path = tmp_path
        self._place = HeldPort()
        self.port = self._place.port

    async def listen(self) -> None:
        self._server = await serve(
            self._serve,
            sock=self._place.socket(),
            process_request=basic_auth(credentials=("engine", "secret")),
            ping_interval=None,
            close_timeout=0.1,
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def close(self) -> None:
        self._place.close()

    async def _serve(self, peer: ServerConnection) -> None:
        self.peers.append(peer)
        assert peer.request is not None
        self.paths.append(peer.request.path)
        if self.on_connect is not None:
            await self.on_connect(peer)
        with contextlib.suppress(Exception):
            async for text in peer:
                request = json.loads(text)
                self.requests.append(request)
                await self.on_request(peer, request)

    def _hear(self) -> None:
        self.heard += 1

    def connection(self, hears: bool = False, **changes: Any) -> AriConnection:
        fields: dict[str, Any] = {
            "node": "n1",
            "user": "engine",
            "password": "secret",
            "recordings_dir": self._tmp_path,
            "scratch_dir": self._tmp_path,
            "port": self.port,
            "deadline_s": PATIENT_S,
            "rescue_s": PATIENT_S,
            "reconnect_max_s": 0.2,
        }
        settings = AriSettings(**(fields | changes))
        heard = self._hear if hears else None
        return AriConnection(settings, "app", self.events.append, self.states.append, self.slow.append, heard)


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    peer = Peer(tmp_path)
    await peer.listen()
    yield peer
    await peer.stop()
    peer.close()


@contextlib.asynccontextmanager
async def opened(connection: AriConnection) -> AsyncIterator[AriConnection]:
    connection.start()
    try:
        await until(lambda: connection.is_open)
        yield connection
    finally:
        await connection.close()


async def until(true: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_request_is_answered(peer: Peer) -> None:
    async with opened(peer.connection()) as connection:
        response = await connection.request("POST", "channels/1/answer", "1", b'{"a":1}')
    assert response.status_code == 204
    assert peer.requests[0]["method"] == "POST"
    assert peer.requests[0]["message_body"] == '{"a":1}'
    assert peer.requests[0]["content_type"] == "application/json"


async def test_the_password_is_in_no_url_and_in_no_log(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with opened(peer.connection()) as connection:
        await connection.request("GET", "channels")
    (path,) = peer.paths
    assert re.fullmatch(r"/ari/events\?app=app-[0-9a-f]{8}&subscribeAll=false", path)
    ours = [record.getMessage() for record in caplog.records if record.name != "websockets.server"]
    assert ours
    assert not [line for line in ours if "secret" in line or "Authorization" in line]
    assert "secret" not in repr(peer.connection()._settings)


async def test_answers_may_come_in_any_order(peer: Peer) -> None:
    held: list[dict[str, Any]] = []

    async def backwards(connection: ServerConnection, request: dict[str, Any]) -> None:
        held.append(request)
        if len(held) == 3:
            for status, one in enumerate(reversed(held), start=200):
                await reply(connection, one, status)

    peer.on_request = backwards
    async with opened(peer.connection()) as connection:
        answers = await asyncio.gather(*(connection.request("GET", str(n)) for n in range(3)))
    assert [answer.status_code for answer in answers] == [202, 201, 200]


async def test_without_an_answer_the_owner_may_free_the_oldest_and_then_it_fails(peer: Peer) -> None:
    freed: list[str] = []

    async def silent(connection: ServerConnection, request: dict[str, Any]) -> None:
        return

    peer.on_request = silent
    async with opened(peer.connection(**IMPATIENT)) as connection:
        first = connection.request("POST", "a", "leg-1")
        second = connection.request("POST", "b", "leg-2")
        first.add_done_callback(lambda over: freed.extend(peer.slow))
        with pytest.raises(DeadlineExceeded, match="may have happened"):
            await first
        with pytest.raises(DeadlineExceeded):
            await second
        assert freed == peer.slow == ["leg-1"], "freed first, and once"
        await until(lambda: len(peer.peers) == 2 and connection.is_open)


async def test_a_socket_that_answers_slowly_but_answers_is_left_alone(peer: Peer) -> None:
    """Asterisk is overloaded, not stuck: stopping prompts or connecting anew would only add to it."""
    release: list[tuple[ServerConnection, dict[str, Any]]] = []

    async def queue(connection: ServerConnection, request: dict[str, Any]) -> None:
        release.append((connection, request))

    peer.on_request = queue
    async with opened(peer.connection(deadline_s=1.8, rescue_s=0.2)) as connection:
        answers = [connection.request("GET", str(n), f"leg-{n}") for n in range(6)]
        await until(lambda: len(release) == 6)
        for _ in range(6):
            await asyncio.sleep(0.6)
            await reply(*release.pop(0))
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert connection.is_open
    assert peer.slow == []
    assert len(peer.peers) == 1
    assert [type(result) for result in results[-2:]] == [DeadlineExceeded, DeadlineExceeded]


async def test_what_is_freed_in_time_succeeds_and_keeps_its_socket(peer: Peer) -> None:
    async def after_a_while(connection: ServerConnection, request: dict[str, Any]) -> None:
        await until(lambda: bool(peer.slow))
        await reply(connection, request)

    peer.on_request = after_a_while
    async with opened(peer.connection(deadline_s=0.3)) as connection:
        assert (await connection.request("POST", "a", "leg-1")).status_code == 204
    assert len(peer.peers) == 1


async def test_an_answer_that_comes_too_late_is_dropped(peer: Peer) -> None:
    async with opened(peer.connection()) as connection:
        await connection.request("GET", "a")
        await reply(peer.peers[0], {"request_id": "1"})
        await reply(peer.peers[0], {"request_id": "999"})
        assert (await connection.request("GET", "b")).status_code == 204


async def test_not_connected_means_not_sent(peer: Peer) -> None:
    connection = peer.connection()
    with pytest.raises(NodeUnavailable, match="was not sent"):
        connection.request("GET", "channels")


async def test_a_broken_connection_leaves_its_requests_unknown_and_comes_back(peer: Peer) -> None:
    async def slam(connection: ServerConnection, request: dict[str, Any]) -> None:
        connection.transport.abort()

    peer.on_request = slam
    async with opened(peer.connection()) as connection:
        with pytest.raises(DeadlineExceeded, match="may have happened"):
            await connection.request("POST", "a")
        peer.on_request = reply
        await until(lambda: connection.is_open)
        assert (await connection.request("GET", "b")).status_code == 204
    assert peer.states == [
        ConnectionState.CONNECTING,
        ConnectionState.OPEN,
        ConnectionState.WAITING,
        ConnectionState.CONNECTING,
        ConnectionState.OPEN,
        ConnectionState.CLOSED,
    ]


async def test_it_waits_for_a_server_that_is_not_there_yet(peer: Peer) -> None:
    await peer.stop()
    connection = peer.connection()
    connection.start()
    await asyncio.sleep(0.3)
    assert not connection.is_open
    await peer.listen()
    await until(lambda: connection.is_open)
    await connection.close()


async def test_a_wrong_password_is_said(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    connection = peer.connection(password="wrong")
    connection.start()
    await until(lambda: "check its user and password" in caplog.text)
    await connection.close()


async def test_a_half_open_connection_is_given_up(peer: Peer) -> None:
    async with opened(peer.connection(ping_s=0.2)) as connection:
        peer.peers[0].transport.pause_reading()
        await until(lambda: ConnectionState.WAITING in peer.states)
        await until(lambda: connection.is_open)


async def test_one_that_breaks_with_its_first_bytes_comes_back(peer: Peer) -> None:
    """The end, or somebody taking our name, may come in the same segment as the handshake."""
    first = True

    async def at_once(connection: ServerConnection) -> None:
        nonlocal first
        if first:
            first = False
            connection.transport.write(b"\x88\x02\x03\xe8")
            connection.transport.abort()

    peer.on_connect = at_once
    async with opened(peer.connection()) as connection:
        await until(lambda: len(peer.peers) == 2 and connection.is_open)
        assert (await connection.request("GET", "a")).status_code == 204


async def test_a_live_connection_answers_pings_and_stays(peer: Peer) -> None:
    async with opened(peer.connection(ping_s=1.2)):
        await asyncio.sleep(3.0)
    assert len(peer.peers) == 1


async def test_who_lost_its_name_does_not_fight_for_it(peer: Peer) -> None:
    async with opened(peer.connection()) as connection:
        await peer.peers[0].send(json.dumps({"type": "ApplicationReplaced", "application": "app"}))
        await until(lambda: connection.state is ConnectionState.STOLEN)
        await asyncio.sleep(0.5)
        assert connection.state is ConnectionState.STOLEN
        with pytest.raises(NodeUnavailable):
            connection.request("GET", "channels")
    assert len(peer.peers) == 1


async def test_each_connection_for_requests_has_a_name_of_its_own_and_that_for_events_the_one_name(peer: Peer) -> None:
    """Asterisk may take away with the former connection what the next one of that name has just got."""
    for hears in (False, True):
        async with opened(peer.connection(hears=hears)) as connection:
            await peer.peers[-1].close()
            await until(lambda: ConnectionState.WAITING in peer.states)
            await until(lambda: connection.is_open)
        peer.states.clear()
    assert len(set(peer.paths)) == 3
    assert peer.paths[2:] == ["/ari/events?app=app&subscribeAll=false"] * 2


async def echo(peer: ServerConnection, request: dict[str, Any]) -> None:
    event = request["uri"].removeprefix("events/user/").partition("?")[0]
    await reply(peer, request)
    await peer.send(json.dumps({"type": "ChannelUserevent", "eventname": event, "application": "app"}))


async def test_it_asks_for_an_event_and_again_and_again(peer: Peer) -> None:
    peer.on_request = echo
    async with opened(peer.connection(hears=True, ping_s=1.0)) as connection:
        connection.listen()
        await until(lambda: peer.heard >= 3)
        assert connection.is_open
    assert {request["uri"] for request in peer.requests} == {"events/user/centralita-echo?application=app"}
    assert ConnectionState.WAITING not in peer.states
    assert peer.events == []


@pytest.mark.parametrize("deaf", [False, True])
async def test_who_hears_no_event_any_more_comes_anew(peer: Peer, deaf: bool) -> None:
    """Asterisk still answers what is asked, and has switched its events off; in that moment or later."""
    peer.on_request = reply if deaf else echo
    async with opened(peer.connection(hears=True, ping_s=0.5)) as connection:
        connection.listen()
        await until(lambda: deaf or peer.heard > 0)
        peer.on_request = reply
        await until(lambda: ConnectionState.WAITING in peer.states)
        peer.on_request = echo
        peer.heard = 0
        await until(lambda: connection.is_open)
        await until(lambda: peer.heard > 0)


async def test_who_stands_still_for_a_while_and_tells_then_is_deaf_to_nothing(peer: Peer) -> None:
    async def late(connection: ServerConnection, request: dict[str, Any]) -> None:
        await asyncio.sleep(2.2)
        await echo(connection, request)

    peer.on_request = late
    async with opened(peer.connection(hears=True, ping_s=2.0)) as connection:
        connection.listen()
        await until(lambda: peer.heard >= 1)
    assert ConnectionState.WAITING not in peer.states


async def test_nonsense_on_the_wire_hurts_nobody(peer: Peer) -> None:
    async with opened(peer.connection()) as connection:
        for text in ("", "{", "null", '{"type":"StasisStart"}', '{"type":"New"}', "é" * 70_000):
            await peer.peers[0].send(text)
        await peer.peers[0].send(['{"type":"ChannelHold",', '"channel":{"id":"1"}}'])
        assert (await connection.request("GET", "a")).status_code == 204
    assert [type(event) for event in peer.events] == [ChannelHold]


async def test_a_bug_behind_one_event_does_not_cost_the_connection(peer: Peer) -> None:
    def stumble(event: Event) -> None:
        raise KeyError("bug")

    broken = peer.connection()
    broken._on_event = stumble
    async with opened(broken) as connection:
        await peer.peers[0].send('{"type":"ChannelHold","channel":{"id":"1"}}')
        assert (await connection.request("GET", "a")).status_code == 204
    assert len(peer.peers) == 1


async def test_closing_fails_what_waits_and_leaves_no_task(peer: Peer) -> None:
    async def silent(connection: ServerConnection, request: dict[str, Any]) -> None:
        return

    peer.on_request = silent
    async with opened(peer.connection()) as connection:
        waiting = connection.request("GET", "a")
    with pytest.raises(DeadlineExceeded):
        await waiting
    assert not [task for task in asyncio.all_tasks() if "ari n1" in task.get_name()]


async def test_no_error_repeats_the_digits_that_were_sent(peer: Peer) -> None:
    connection = peer.connection()
    with pytest.raises(NodeUnavailable) as refused:
        connection.request("POST", "channels/1/dtmf?dtmf=4929123412341234")
    assert "4929" not in str(refused.value)


@pytest.mark.parametrize("state", list(ConnectionState))
def test_what_cannot_happen_is_refused_and_the_end_is_final(state: ConnectionState) -> None:
    for event in ConnectionEvent:
        try:
            after, _ = CONNECTION_TABLE.advance("c", state, event)
        except EventRefused:
            assert state not in (ConnectionState.CLOSED,)
            continue
        if state is ConnectionState.CLOSED:
            assert after is ConnectionState.CLOSED
        if state is ConnectionState.STOLEN:
            assert after in (ConnectionState.STOLEN, ConnectionState.CLOSED)
