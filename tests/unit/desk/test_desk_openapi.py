"""The API does what its own description says, for requests of every kind, good and bad."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from desk.app import make_app
from desk.roles import EVERY_TENANT, Role
from desk.services import Services
from desk.settings import Settings
from tests.unit.desk.desk_stage import Desk, desks

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _description():
    with tempfile.TemporaryDirectory() as state:
        return make_app(Services.make(Settings(Path(state)))).openapi()


RAW = _description()
# Logging out would end the login that all of this asks with.
OPERATIONS = {
    f"{found.ok().method.upper()} {found.ok().path}": found.ok()
    for found in schemathesis.openapi.from_dict(RAW).exclude(path="/v1/session/logout").get_all_operations()
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, empty_database: Path):
    """A desk on a thread of its own: what asks here is not asynchronous."""
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    found: dict[str, Desk] = {}

    async def serve() -> None:
        async with desks(tmp_path_factory.mktemp("desk"), empty_database) as desk:
            for agent_id in ("ana", "bob"):
                desk.fake.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": "log_in"})
            desk.fake.arrive("sales")
            found["desk"] = desk
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(90)
    yield found["desk"]
    loop.call_soon_threadsafe(over.set)
    thread.join(60)
    loop.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_keeps_to_its_description(operation, mode, running):
    token = running.as_role(Role.ADMIN, tenant=EVERY_TENANT, login="root").token
    headers = {"Authorization": f"Bearer {token}"}

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=OPERATIONS[operation].as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(base_url=running.base, headers=headers, checks=CHECKS)

    ask()


def test_the_description_names_what_each_operation_needs():
    assert RAW["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert RAW["paths"]["/v1/agents"]["get"]["x-needs"] == "see_agents"
    assert RAW["paths"]["/v1/session/login"]["post"]["security"] == []
    for methods in RAW["paths"].values():
        for operation in methods.values():
            assert {"401", "403", "422", "503"} <= set(operation["responses"])
