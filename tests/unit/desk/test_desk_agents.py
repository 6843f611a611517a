"""Agents added, changed and removed over the API: by whom, for which tenant, refused in which words."""

from __future__ import annotations

import json

from desk.roles import EVERY_TENANT, Role
from tests.unit.desk.desk_stage import Desk

EVA = {"agent_id": "eva", "name": "Eva Ruiz", "queues": ["sales"], "code": "2003", "pin": "4321"}


async def test_a_coordinator_adds_changes_and_removes_an_agent(desk: Desk) -> None:
    boss = desk.as_role(Role.COORDINATOR)
    made = await boss.post("/v1/agents", EVA)
    assert made.status_code == 201
    agent = made.json()["agent"]
    assert (agent["agent_id"], agent["name"], agent["queues"]) == ("eva", "Eva Ruiz", ["sales"])
    assert (agent["has_pin"], "4321" in made.text, agent["declared"]) == (True, False, "")
    await desk.heard()
    assert (await boss.get("/v1/agents/eva")).json()["presence"] == "logged_out"
    changed = await boss.patch("/v1/agents/eva", {"name": "Eva", "queues": "all", "code": None})
    assert changed.status_code == 200
    assert [changed.json()["agent"][key] for key in ("name", "queues", "code")] == ["Eva", "all", None]
    assert (await boss.get("/v1/agents/eva/definition")).json() == changed.json()["agent"]
    gone = await boss.http.delete("/v1/agents/eva")
    assert (gone.status_code, gone.json()) == (200, {"ok": True})
    await desk.heard()
    assert (await boss.get("/v1/agents/eva")).status_code == 404
    assert (await boss.get("/v1/agents/eva/definition")).status_code == 404
    assert (await boss.http.delete("/v1/agents/eva")).status_code == 404


async def test_who_stands_in_a_file_is_changed_there(desk: Desk) -> None:
    admin = desk.as_role(Role.ADMIN)
    for answer in (
        await admin.post("/v1/agents", {"agent_id": "ana"}),
        await admin.patch("/v1/agents/ana", {"name": "Another"}),
        await admin.http.delete("/v1/agents/ana"),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
        assert answer.json()["detail"].startswith("config/agents.yaml:")
    assert (await admin.get("/v1/agents/ana/definition")).json()["declared"].startswith("config/agents.yaml:")


async def test_everything_that_is_wrong_is_told_by_field(desk: Desk) -> None:
    answer = await desk.as_role(Role.ADMIN).post("/v1/agents", EVA | {"queues": ["sails", "suport"]})
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert told["type"] == "urn:centralita:agent_wrong"
    assert [(fault["field"], fault["what"]) for fault in told["faults"]] == [
        ("queues", "there is no queue 'sails'"),
        ("queues", "there is no queue 'suport'"),
    ]
    assert ("main", "eva") not in desk.fake.agents


async def test_what_cannot_be_an_agent_never_reaches_the_engine(desk: Desk) -> None:
    admin = desk.as_role(Role.ADMIN)
    for wrong in ({"agent_id": "Eva!"}, {"pin": "12"}, {"pin": "secret:eva"}, {"skills": {"x": 11}}, {"more": 1}):
        answer = await admin.post("/v1/agents", EVA | wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wrong
    # To listen to others is a supervisor's: whoever adds agents cannot give it.
    assert (await admin.post("/v1/agents", EVA | {"supervises": True})).status_code == 422
    assert desk.fake.people.enrolled == {}


async def test_each_tenant_has_its_own(desk: Desk) -> None:
    desk.fake.add_queue("sales", tenant="acme")
    theirs, chief = desk.as_role(Role.COORDINATOR, tenant="acme"), desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)
    assert (await theirs.post("/v1/agents", EVA)).status_code == 201
    assert (await desk.as_role(Role.COORDINATOR).patch("/v1/agents/eva", {"name": "x"})).status_code == 404
    assert (await desk.as_role(Role.COORDINATOR).post("/v1/agents?tenant=acme", EVA)).status_code == 403
    assert (await chief.post("/v1/agents?tenant=acme", EVA)).status_code == 409
    assert set(desk.fake.people.enrolled) == {("acme", "eva")}


async def test_a_key_adds_once(desk: Desk) -> None:
    admin = desk.as_role(Role.ADMIN)
    answers = [await admin.post("/v1/agents", EVA, Idempotency_Key="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (await admin.post("/v1/agents", EVA, Idempotency_Key="k2")).status_code == 409


async def test_the_audit_log_tells_which_fields_and_not_what_was_said(desk: Desk) -> None:
    await desk.account("root", Role.ADMIN)
    admin = desk.as_role(Role.ADMIN)
    await admin.post("/v1/agents", EVA)
    await admin.patch("/v1/agents/ana", {"name": "Another"})
    await desk.services.audit.flush()
    entries = [each for each in (await admin.get("/v1/audit")).json()["entries"] if each["action"] == "AgentEnrolled"]
    assert [(each["subject"], each["result"]) for each in entries] == [("agent ana", "refused"), ("agent eva", "ok")]
    assert entries[1]["detail"] == {"change": "add", "fields": ["code", "name", "pin", "queues"]}
    assert "4321" not in json.dumps(entries)
    assert "Ruiz" not in json.dumps(entries)


async def test_without_an_engine_nothing_is_promised(desk: Desk) -> None:
    desk.fake.fails = True
    answer = await desk.as_role(Role.ADMIN).post("/v1/agents", EVA)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
