"""The database stalls: agents go on working, who needs it is told, and what was done is written down afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import pytest

from desk.roles import Role
from tests.unit.desk.desk_stage import desks


@pytest.fixture
async def desk(tmp_path, empty_database):
    """As impatient as in earnest."""
    async with desks(tmp_path, empty_database) as opened:
        yield opened


@asynccontextmanager
async def stalled(desk):
    """Somebody holds the write lock of the file. Who has it now gets the loop's time to give it back."""
    connection = sqlite3.connect(desk.services.settings.state / "centralita.db", isolation_level=None, timeout=0)
    async with asyncio.timeout(30):
        while not connection.in_transaction:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                await asyncio.sleep(0.02)
    yield
    connection.execute("ROLLBACK")
    connection.close()


@pytest.mark.usefixtures("shown")
async def test_agents_work_while_the_database_stalls_and_the_audit_log_catches_up(desk):
    ana = desk.agent("ana")
    async with stalled(desk):
        async with asyncio.timeout(60):
            answer = await ana.post("/v1/agents/ana/presence", {"action": "log_in"}, Idempotency_Key="k1")
            again = await ana.post("/v1/agents/ana/presence", {"action": "log_in"}, Idempotency_Key="k1")
        assert (answer.json(), again.headers["idempotency-replayed"]) == ({"ok": True}, "true")
        assert (await desk.as_role(Role.SUPERVISOR).get("/v1/agents")).json()["agents"][0]["presence"] == "not_ready"
    assert len(desk.fake.done) == 1
    async with asyncio.timeout(30):
        while True:
            page = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()
            if "AgentActed" in [entry["action"] for entry in page["entries"]]:
                break
            await asyncio.sleep(0.1)


async def test_who_logs_in_meanwhile_is_told_to_try_again(desk):
    await desk.account("ana")
    async with stalled(desk):
        answer = await desk.log_in("ana")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:centralita:database_away")
    assert (await desk.log_in("ana")).status_code == 200
