"""The WebSocket: a snapshot, every change once and in order, through cuts, restarts and slow readers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from core.clock import VirtualClock
from desk.live import hub as hubs
from desk.live.board import Board
from desk.roles import Role
from tests.unit.desk.desk_stage import desks


class Watcher:
    """Keeps what a client would keep."""

    def __init__(self, socket):
        self.socket = socket
        self.board = Board()
        self.seen = []
        self.snapshots = 0
        self.up = []

    async def take(self):
        message = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
        if message["type"] == "snapshot":
            self.snapshots += 1
            self.board.reset(message)
        elif message["type"] == "event":
            self.seen.append(message["seq"])
            self.board.apply(message)
        elif message["type"] == "engine":
            self.up.append(message["up"])

    async def until(self, what):
        while not what(self):
            await self.take()


@asynccontextmanager
async def watching(desk, person, **query):
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    uri = desk.base.replace("http", "ws") + f"/v1/live?{asked}"
    async with connect(uri, additional_headers={"Authorization": f"Bearer {person.token}"}, proxy=None) as socket:
        yield Watcher(socket)


def _presence(desk, agent_id, action, tenant="main"):
    desk.fake.do("AgentActed", {"tenant": tenant, "agent_id": agent_id, "action": action})


async def test_a_supervisor_gets_a_snapshot_and_then_every_change_in_order(desk):
    async with watching(desk, desk.as_role(Role.SUPERVISOR)) as watcher:
        await watcher.until(lambda w: w.snapshots)
        _presence(desk, "ana", "log_in")
        _presence(desk, "ana", "ready")
        interaction_id = desk.fake.arrive("sales")
        desk.fake.accept("ana")
        desk.fake.hang_up(interaction_id)
        await watcher.until(lambda w: w.board.seq == desk.fake.seq)
    assert watcher.seen == sorted(set(watcher.seen))
    assert watcher.board.things["agent"] == {k: v for k, v in desk.fake.agents.items() if k[0] == "main"}
    assert watcher.board.agent("main", "ana")["looks"] == "wrap_up"
    assert watcher.board.queue("main", "sales")["today"]["answered"] == 1


async def test_an_agent_sees_herself_and_the_queues_and_a_viewer_no_people(desk):
    async with watching(desk, desk.agent("ana")) as ana, watching(desk, desk.as_role(Role.CLIENT_VIEWER)) as viewer:
        for watcher in (ana, viewer):
            await watcher.until(lambda w: w.snapshots)
        for agent_id in ("ana", "bob"):
            _presence(desk, agent_id, "log_in")
        _presence(desk, "eve", "log_in", tenant="acme")
        desk.fake.arrive("sales")
        for watcher in (ana, viewer):
            await watcher.until(lambda w: (w.board.queue("main", "sales") or {}).get("waiting") == 1)
    assert set(ana.board.things["agent"]) == {("main", "ana")}
    assert (ana.board.stays(), viewer.board.stays(), viewer.board.agents()) == ([], [], [])
    assert set(viewer.board.things["queue"]) == {("main", "sales"), ("main", "support")}


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(desk):
    supervisor = desk.as_role(Role.SUPERVISOR)
    async with watching(desk, supervisor) as watcher:
        await watcher.until(lambda w: w.snapshots)
        _presence(desk, "ana", "log_in")
        await watcher.until(lambda w: w.board.seq == desk.fake.seq)
    last, seen = watcher.board.seq, len(watcher.seen)
    _presence(desk, "bob", "log_in")
    _presence(desk, "bob", "ready")
    await desk.heard()
    async with watching(desk, supervisor, epoch=watcher.board.epoch, after=last) as again:
        await again.until(lambda w: w.seen and w.seen[-1] == desk.fake.seq)
    assert (again.snapshots, again.seen[0] > last, seen > 0) == (0, True, True)
    assert len(again.seen) == desk.fake.seq - last


@pytest.mark.parametrize("query", [{"epoch": "e0", "after": 3}, {"epoch": "e1", "after": 10**9}, {"after": 2}])
async def test_who_comes_back_with_something_else_gets_a_snapshot(desk, query):
    async with watching(desk, desk.as_role(Role.SUPERVISOR), **query) as watcher:
        await watcher.until(lambda w: w.snapshots)
        assert watcher.board.agent("main", "ana")


async def test_a_cut_stream_is_resumed_and_a_restarted_engine_shown_anew(desk):
    async with watching(desk, desk.as_role(Role.SUPERVISOR)) as watcher:
        await watcher.until(lambda w: w.snapshots)
        desk.fake.cut()
        _presence(desk, "ana", "log_in")
        await watcher.until(lambda w: w.board.agent("main", "ana")["presence"] == "not_ready")
        assert watcher.snapshots == 1
        desk.fake.restart()
        _presence(desk, "bob", "log_in")
        await watcher.until(lambda w: w.board.epoch == "e2" and w.board.agent("main", "bob")["presence"] == "not_ready")
    assert watcher.snapshots == 2


async def test_without_a_token_or_with_an_old_one_the_socket_says_why(tmp_path, empty_database):
    clock = VirtualClock()
    async with desks(tmp_path, empty_database, clock=clock) as desk:
        async with watching(desk, desk.nobody()) as watcher:
            with pytest.raises(ConnectionClosed) as closed:
                await watcher.until(lambda w: False)
        assert closed.value.rcvd.code == 4401
        async with watching(desk, desk.agent("ana"), tenant="acme") as watcher:
            with pytest.raises(ConnectionClosed) as closed:
                await watcher.until(lambda w: False)
        assert closed.value.rcvd.code == 4403
        async with watching(desk, desk.agent("ana")) as watcher:
            await watcher.until(lambda w: w.snapshots)
            clock.advance(601)
            _presence(desk, "ana", "log_in")
            with pytest.raises(ConnectionClosed) as closed:
                await watcher.until(lambda w: False)
        assert closed.value.rcvd.code == 4401


async def test_who_does_not_read_is_dropped_and_holds_nobody_up(desk, monkeypatch):
    monkeypatch.setattr(hubs, "BEHIND", 20)
    hub = desk.services.hub
    with hub.subscribe(lambda event: True) as slow:
        for _ in range(30):
            _presence(desk, "ana", "log_in")
            _presence(desk, "ana", "log_out")
        await desk.heard()
        assert slow.waiting == 20
        with pytest.raises(hubs.TooSlow):
            await slow.next()


async def test_a_page_of_another_site_opens_no_socket(desk):
    headers = {"Cookie": f"{desk.services.cookies.access}={desk.agent('ana').token}", "Origin": "https://evil.example"}
    uri = desk.base.replace("http", "ws") + "/v1/live"
    async with connect(uri, additional_headers=headers, proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 30)
    assert closed.value.rcvd.code == 4403


async def test_a_wait_goes_on_growing_after_the_engine_told_of_it(desk):
    desk.fake.arrive("sales")
    queue = desk.fake.queues["main", "sales"]
    queue.update(waits_since_s=queue["waits_since_s"] - 600.0, longest_wait_s=1.0)
    desk.fake._tell("queue", "sales", "main", queue)
    await desk.heard()
    supervisor = desk.as_role(Role.SUPERVISOR)
    sales, support = (await supervisor.get("/v1/queues")).json()["queues"]
    assert (sales["longest_wait_s"] >= 600.0, support["longest_wait_s"]) == (True, 0.0)
    assert (await supervisor.get("/v1/queues/sales")).json()["longest_wait_s"] >= 600.0
