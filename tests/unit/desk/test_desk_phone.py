"""The WebSocket of browsers' phones: who has a login gets through to Asterisk's `/ws`, and to nothing else there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from core.clock import VirtualClock
from desk.api import phone
from desk.roles import ALLOWED, Permission, Role
from desk.tokens import ACCESS_S, REFRESH_S
from tests.held_port import HeldPort
from tests.unit.desk.desk_stage import desks

WITHIN_S = 30.0


class Asterisk:
    """What it is told comes back with `200 ` before it. `hang_up`: a message that makes it leave."""

    def __init__(self):
        self.paths, self.protocols, self.ended = [], [], 0

    async def __call__(self, connection):
        self.paths.append(connection.request.path)
        self.protocols.append(connection.subprotocol)
        try:
            async for said in connection:
                if said == "hang_up":
                    return
                await connection.send(b"200 " + said if isinstance(said, bytes) else f"200 {said}")
        finally:
            self.ended += 1

    async def until(self, what):
        async with asyncio.timeout(WITHIN_S):
            while not what(self):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def asterisks():
    there = Asterisk()
    async with serve(there, "127.0.0.1", 0, subprotocols=["sip"]) as server:
        host, port = server.sockets[0].getsockname()[:2]
        there.place = f"{host}:{port}"
        yield there


@pytest.fixture
async def asterisk():
    async with asterisks() as there:
        yield there


@pytest.fixture
async def desk(tmp_path, empty_database, asterisk):
    nobodys = HeldPort()
    phones = {"madrid": asterisk.place, "far": nobodys.place}
    async with desks(tmp_path, empty_database, phones=phones, clock=VirtualClock(1_700_000_000.0)) as opened:
        yield opened
    nobodys.close()


def dialed(desk, token="", query="", protocols=("sip",), **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    uri = desk.base.replace("http", "ws") + "/ws" + query
    return connect(uri, subprotocols=list(protocols) or None, additional_headers=headers, proxy=None)


async def _closed(opened) -> int:
    """The code it is closed with."""
    async with opened as browser:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(browser.recv(), WITHIN_S)
    return closed.value.rcvd.code


async def test_who_is_logged_in_speaks_sip_with_asterisk(desk, asterisk):
    async with dialed(desk, desk.agent("ana").token) as browser:
        assert browser.subprotocol == "sip"
        for said in ("REGISTER ñ", "REGISTER again"):
            await browser.send(said)
            assert await asyncio.wait_for(browser.recv(), WITHIN_S) == f"200 {said}"
        await browser.send(b"\x00\xff")
        assert await asyncio.wait_for(browser.recv(), WITHIN_S) == b"200 \x00\xff"
    await asterisk.until(lambda a: a.ended == 1)
    assert (asterisk.paths, asterisk.protocols) == (["/ws"], ["sip"])


async def test_a_page_of_ours_needs_no_more_than_its_cookie(desk):
    cookie = f"{desk.services.cookies.access}={desk.agent('ana').token}"
    async with dialed(desk, Cookie=cookie, Origin=desk.base) as browser:
        await browser.send("REGISTER")
        assert await asyncio.wait_for(browser.recv(), WITHIN_S) == "200 REGISTER"


async def test_nobody_else_gets_through(desk, asterisk):
    cookie = f"{desk.services.cookies.access}={desk.agent('ana').token}"
    assert await _closed(dialed(desk)) == 4401
    assert await _closed(dialed(desk, "not-a-token")) == 4401
    assert await _closed(dialed(desk, Cookie=cookie, Origin="https://evil.example")) == 4403
    assert await _closed(dialed(desk, desk.agent("ana").token, protocols=())) == 4400
    for role in set(Role) - ALLOWED[Permission.PHONE]:
        assert await _closed(dialed(desk, desk.token(role))) == 4403, role
    assert asterisk.paths == []


async def test_a_phone_at_another_node_names_it(desk, asterisk):
    token = desk.agent("ana").token
    assert await _closed(dialed(desk, token, "?node=nowhere")) == 4404
    assert await _closed(dialed(desk, token, "?node=far")) == 1013  # nobody listens there
    async with dialed(desk, token, "?node=madrid") as browser:
        await browser.send("REGISTER")
        assert await asyncio.wait_for(browser.recv(), WITHIN_S) == "200 REGISTER"
    assert asterisk.paths == ["/ws"]


async def test_when_asterisk_leaves_the_browser_is_told_to_come_back(desk, asterisk):
    async with dialed(desk, desk.agent("ana").token) as browser:
        await browser.send("hang_up")
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(browser.recv(), WITHIN_S)
    assert closed.value.rcvd.code == 1012


async def test_a_message_too_large_for_sip_ends_it(desk, asterisk):
    async with dialed(desk, desk.agent("ana").token) as browser:
        await browser.send("x" * phone.MOST_BYTES)
        assert len(await asyncio.wait_for(browser.recv(), WITHIN_S)) == phone.MOST_BYTES + 4
        await browser.send("x" * (phone.MOST_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(browser.recv(), WITHIN_S)
    assert closed.value.rcvd.code == 1009
    await asterisk.until(lambda a: a.ended == 1)


async def test_it_outlives_the_access_token_and_ends_with_the_login(desk, asterisk, monkeypatch):
    monkeypatch.setattr(phone, "LOOK_EVERY_S", 0.02)
    ana, bob = desk.agent("ana"), desk.agent("bob")
    async with dialed(desk, ana.token) as browser, dialed(desk, bob.token) as other:
        await asterisk.until(lambda a: len(a.paths) == 2)
        principal = desk.services.tokens.principal(ana.token, desk.services.clock.now_s())
        desk.services.clock.advance(ACCESS_S + 1)
        await browser.send("REGISTER")
        assert await asyncio.wait_for(browser.recv(), WITHIN_S) == "200 REGISTER"
        assert await _closed(dialed(desk, ana.token)) == 4401
        desk.services.tokens.end_login(principal.login_id, desk.services.clock.now_s())
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(browser.recv(), WITHIN_S)
        assert closed.value.rcvd.code == 4401
        await other.send("REGISTER")
        assert await asyncio.wait_for(other.recv(), WITHIN_S) == "200 REGISTER"
        desk.services.clock.advance(REFRESH_S)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(other.recv(), WITHIN_S)
        assert closed.value.rcvd.code == 4401


async def test_one_person_does_not_fill_asterisk(desk, asterisk, monkeypatch):
    monkeypatch.setattr(phone, "MOST_PER_PERSON", 1)
    ana = desk.agent("ana").token
    async with dialed(desk, ana):
        await asterisk.until(lambda a: len(a.paths) == 1)
        assert await _closed(dialed(desk, ana)) == 4429
        async with dialed(desk, desk.agent("bob").token) as browser:
            await browser.send("REGISTER")
            assert await asyncio.wait_for(browser.recv(), WITHIN_S) == "200 REGISTER"
    await desk.until(lambda: not desk.services.open_phones)
