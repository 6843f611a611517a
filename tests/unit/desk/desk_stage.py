"""A desk beside an engine in memory: real HTTP, real SQLite, cheap password hashes.

async def test_something(desk):
    ana = await desk.agent("ana")                # logged in, over HTTP
    await ana.post("/v1/agents/ana/presence", {"action": "log_in"})
    desk.fake.arrive("sales")
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher

from core.clock import VirtualClock
from desk import acts, idempotency
from desk.api import system
from desk.app import make_app
from desk.fake_engine import FakeEngine, serving
from desk.roles import Principal, Role
from desk.services import Services
from desk.settings import Settings
from store.sql.database import LEADS, upgrade

_NO_TLS = ssl.create_default_context()
"""Made once: it takes longer than most tests."""
PASSWORD = "a horse and a battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Person:
    """Somebody with an access token."""

    def __init__(self, base: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.token = token
        self.http = httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=60, verify=_NO_TLS)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.http.post(path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.http.patch(path, json=body)


@dataclass
class Desk:
    services: Services
    fake: FakeEngine
    base: str
    people: list[Person] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def nobody(self) -> Person:
        return self._person(Person(self.base))

    def as_role(self, role: Role, tenant: str = "main", agent_id: str = "", login: str = "") -> Person:
        """Somebody without an account: for what needs no database."""
        return self._person(Person(self.base, self.token(role, tenant, agent_id, login)))

    def token(self, role: Role, tenant: str = "main", agent_id: str = "", login: str = "") -> str:
        """Of a login of its own."""
        login = login or role.value
        principal = Principal(f"p-{login}", login, login, tenant, role, agent_id, f"login-{next(self.numbers)}")
        return self.services.tokens.access(principal, self.services.clock.now_s())

    def agent(self, agent_id: str = "ana", tenant: str = "main") -> Person:
        return self.as_role(Role.AGENT, tenant, agent_id, login=agent_id)

    async def account(self, login: str, role: Role = Role.AGENT, tenant: str = "main", agent_id: str = "") -> str:
        row = await self.services.people.add(
            None, "", login=login, password=PASSWORD, tenant=tenant, role=role, agent_id=agent_id
        )
        return row.account_id

    async def log_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        return await self.nobody().post("/v1/session/login", {"login": login, "password": password})

    async def until(self, what: Callable[[], object], within_s: float = 30.0) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not what():
            assert loop.time() < until_s, "not in time"
            await asyncio.sleep(0.005)

    async def heard(self) -> None:
        """The desk knows all that the engine told."""
        await self.until(lambda: self.services.hub.board.seq == self.fake.seq and self.services.hub.engine_up)

    def _person(self, person: Person) -> Person:
        self.people.append(person)
        return person


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("desk") / "centralita.db"
    upgrade(f"sqlite:///{path}")
    upgrade(f"sqlite:///{path.with_name('dialer.db')}", LEADS)
    return path


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """The desk waits for its database longer than a busy machine stands still, not just as long as a person would."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(idempotency, "_PATIENCE_S", 20.0)
        changed.setattr(system, "ANSWERS_WITHIN_S", 20.0)
        yield


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked is answered when the board shows what came of it, however slow the machine. What shows nothing there
    would be waited for so long as well."""
    monkeypatch.setattr(acts, "SHOWN_WITHIN_S", 20.0)


@contextlib.asynccontextmanager
async def desks(
    state: Path, empty: Path, fake: FakeEngine | None = None, clock: VirtualClock | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    """A desk with two queues and two agents of `main`, one of each of `acme`."""
    if not (state / "centralita.db").exists():
        shutil.copy(empty, state / "centralita.db")
        shutil.copy(empty.with_name("dialer.db"), state / "dialer.db")
    fake = fake or _floor()
    listening = socket.create_server(("127.0.0.1", 0))
    # uvloop, which serves live, does so by itself; asyncio does not, and then most answers take 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    services = Services.make(
        Settings(state, port=port, tenants=("main", "acme"), **settings), clock=clock, hasher=CHEAP
    )
    app = make_app(services)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    async with serving(fake, services.settings.engine_socket):
        work = asyncio.create_task(server.serve(sockets=[listening]))
        desk = Desk(services, fake, f"http://127.0.0.1:{port}")
        try:
            await desk.heard()
            yield desk
        finally:
            for person in desk.people:
                await person.http.aclose()
            server.should_exit = True
            await asyncio.gather(work, return_exceptions=True)
            listening.close()


def _floor() -> FakeEngine:
    fake = FakeEngine()
    for tenant, agents in (("main", ("ana", "bob")), ("acme", ("eve",))):
        for queue in ("sales", "support"):
            fake.add_queue(queue, tenant=tenant)
        for agent in agents:
            fake.add_agent(agent, tenant=tenant, queues=("sales", "support"))
        fake.dialer.add_campaign("renewals", tenant=tenant)
    return fake


@pytest.fixture
async def desk(tmp_path: Path, empty_database: Path) -> AsyncIterator[Desk]:
    with patient():
        async with desks(tmp_path, empty_database) as opened:
            yield opened
