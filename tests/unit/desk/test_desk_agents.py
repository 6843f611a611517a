"""Agents added, changed and removed over the API: by whom, for which tenant, refused in which words."""

from __future__ import annotations

import json

import pytest

from desk.roles import ALLOWED, EVERY_TENANT, Permission, Role
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
    assert desk.fake.people.enrolled == {}


async def test_only_an_admin_lets_agents_supervise_by_phone(desk: Desk) -> None:
    boss, admin = desk.as_role(Role.COORDINATOR), desk.as_role(Role.ADMIN)
    assert (await boss.post("/v1/agents", EVA | {"supervises": True})).status_code == 403
    assert (await boss.post("/v1/agents", EVA | {"supervises": False})).status_code == 201
    assert (await boss.patch("/v1/agents/eva", {"supervises": True})).status_code == 403
    assert (await boss.patch("/v1/agents/eva", {"supervises": None, "code": "2007"})).status_code == 200
    granted = await admin.patch("/v1/agents/eva", {"supervises": True})
    assert (granted.status_code, granted.json()["agent"]["supervises"]) == (200, True)
    # What another could log in with, as her, is as good as the leave.
    for change in ({"code": "2008"}, {"pin": "9999"}, {"device": "1003"}, {"phone": "own"}, {"supervises": None}):
        refused = await boss.patch("/v1/agents/eva", change)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:centralita:forbidden"), change
    assert (await boss.post("/v1/agents/eva/phone")).status_code == 403
    seated = await boss.post("/v1/agents/eva/presence", {"action": "log_in", "device": "1003"})
    assert seated.status_code == 403
    assert (await boss.patch("/v1/agents/eva", {"queues": "all", "name": "Eva"})).status_code == 200
    assert desk.fake.people.enrolled["main", "eva"]["supervises"] is True
    assert (await boss.http.delete("/v1/agents/eva")).status_code == 200
    await desk.account("root", Role.ADMIN)
    await desk.services.audit.flush()
    entries = (await admin.get("/v1/audit")).json()["entries"]
    assert [each["result"] for each in entries if each["detail"] == {"change": "new_phone", "fields": []}] == [
        "refused"
    ]


@pytest.mark.parametrize("role", Role)
async def test_who_may_let_agents_supervise_is_what_the_table_says(desk: Desk, role: Role) -> None:
    asks, may = desk.as_role(role), ALLOWED[Permission.GRANT_SUPERVISION] & ALLOWED[Permission.MANAGE_AGENTS]
    granted = await asks.post("/v1/agents", EVA | {"supervises": True})
    assert granted.status_code == (201 if role in may else 403)
    assert (("main", "eva") in desk.fake.people.enrolled) is (role in may)


async def test_a_phone_of_her_own_is_told_once(desk: Desk) -> None:
    await desk.account("root", Role.ADMIN)
    admin = desk.as_role(Role.ADMIN)
    asked = EVA | {"phone": "own"}
    made, again = [await admin.post("/v1/agents", asked, Idempotency_Key="k1") for _ in range(2)]
    account = made.json()["sip"]
    assert (account["username"], account["password"]) == ("main-eva-0001", "secret-1")
    assert (again.status_code, again.json()["sip"], "secret-1" in again.text) == (201, None, False)
    assert made.json()["agent"] == again.json()["agent"]
    assert (made.json()["agent"]["phone"], made.json()["agent"]["device"]) == ("own", "eva-0001")
    assert (await admin.patch("/v1/agents/eva", {"name": "Eva"})).json()["sip"] is None
    other = (await admin.post("/v1/agents/eva/phone")).json()["sip"]
    assert other["username"] != account["username"]
    await desk.services.audit.flush()
    entries = (await admin.get("/v1/audit")).json()["entries"]
    told = [each["detail"] for each in entries if each["action"] == "AgentEnrolled"]
    assert told[0] == {"change": "new_phone", "fields": []}
    assert "secret-" not in json.dumps(entries)


async def test_a_page_that_shows_a_secret_is_not_kept_for_repeats(desk: Desk) -> None:
    admin = desk.as_role(Role.ADMIN)
    form, key = {"agent_id": "eva", "phone": "own", "serves": "all"}, {"Idempotency-Key": "k1"}
    made, again = [await admin.http.post("/agents", data=form, headers=key) for _ in range(2)]
    assert (made.status_code, "secret-1" in made.text) == (200, True)
    assert (again.status_code, again.text, again.headers["idempotency-replayed"]) == (200, "", "true")


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
