"""Admins and the accounts they manage; what the audit log says of it."""

from __future__ import annotations

import pytest

from desk.roles import EVERY_TENANT, Role
from tests.unit.desk.desk_stage import PASSWORD

NEW = {"login": "zoe", "password": "three green bottles", "role": "agent", "agent_id": "ana"}


async def test_an_admin_adds_a_person_who_can_then_log_in(desk):
    admin = desk.as_role(Role.ADMIN)
    made = await admin.post("/v1/accounts", NEW)
    assert made.status_code == 201
    assert "password" not in made.text
    assert (await desk.log_in("zoe", NEW["password"])).status_code == 200
    assert [each["login"] for each in (await admin.get("/v1/accounts")).json()["accounts"]] == ["zoe"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "short"}, 422),
        ({"password": "zoe is my name"}, 422),
        ({"password": "aaaaaaaaaaaaaaaa"}, 422),
        ({"login": "zoé"}, 422),
        ({"login": "a"}, 422),
        ({"role": "queen"}, 422),
        ({"role": "quality"}, 422),
        ({"tenant": "acme"}, 403),
        ({"tenant": "acme-es"}, 403),
        ({"tenant": EVERY_TENANT}, 403),
        ({"tenant": EVERY_TENANT, "role": "admin", "agent_id": ""}, 403),
        ({"more": 1}, 422),
    ],
)
async def test_what_cannot_be_an_account_says_why(desk, change, status):
    answer = await desk.as_role(Role.ADMIN).post("/v1/accounts", NEW | change)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


async def test_a_password_is_taken_as_it_is_typed(desk):
    typed = "  cami\u00f3n rojo y caro "
    assert (await desk.as_role(Role.ADMIN).post("/v1/accounts", NEW | {"password": typed})).status_code == 201
    assert (await desk.log_in("zoe", typed.strip())).status_code == 401
    assert (await desk.log_in("zoe", typed.replace("\u00f3", "o\u0301"))).status_code == 200


async def test_a_login_belongs_to_one(desk):
    chief = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)
    assert (await chief.post("/v1/accounts", NEW)).status_code == 201
    again = await chief.post("/v1/accounts", NEW | {"tenant": "acme"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:centralita:login_taken")


@pytest.mark.parametrize(("tenant", "status"), [("acme_es", 201), ("acme-es", 422), ("1st", 422), ("a" * 21, 422)])
async def test_an_account_is_of_a_tenant_as_the_files_name_them(desk, tenant, status):
    chief = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)
    assert (await chief.post("/v1/accounts", NEW | {"tenant": tenant})).status_code == status


async def test_an_admin_sees_and_changes_nobody_of_another_tenant(desk):
    theirs = await desk.account("eve", tenant="acme")
    admin = desk.as_role(Role.ADMIN)
    assert (await admin.get("/v1/accounts")).json()["accounts"] == []
    assert (await admin.get(f"/v1/accounts/{theirs}")).status_code == 404
    assert (await admin.patch(f"/v1/accounts/{theirs}", {"disabled": True})).status_code == 404
    assert (await admin.post(f"/v1/accounts/{theirs}/password", {"password": NEW["password"]})).status_code == 404


async def test_one_changes_ones_own_password_knowing_it(desk):
    account_id = await desk.account("ana", agent_id="ana")
    tokens = (await desk.log_in("ana")).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    http, path = desk.nobody().http, f"/v1/accounts/{account_id}/password"
    new = {"password": NEW["password"]}
    assert (await http.post(path, json=new, headers=headers)).status_code == 403
    assert (await http.post(path, json=new | {"current": PASSWORD}, headers=headers)).status_code == 200
    assert (await desk.log_in("ana")).status_code == 401
    assert (await desk.log_in("ana", NEW["password"])).status_code == 200


async def test_an_admin_cannot_lock_herself_out(desk):
    account_id = await desk.account("root", Role.ADMIN)
    headers = {"Authorization": f"Bearer {(await desk.log_in('root')).json()['access_token']}"}
    http = desk.nobody().http
    for change in ({"disabled": True}, {"role": "agent"}):
        assert (await http.patch(f"/v1/accounts/{account_id}", json=change, headers=headers)).status_code == 409


async def test_the_audit_log_tells_who_did_what_and_no_secret(desk):
    await desk.account("root", Role.ADMIN)
    headers = {"Authorization": f"Bearer {(await desk.log_in('root')).json()['access_token']}"}
    http = desk.nobody().http
    made = (await http.post("/v1/accounts", json=NEW, headers=headers)).json()
    await http.post(
        f"/v1/accounts/{made['account_id']}/password", json={"password": "another long one"}, headers=headers
    )
    await http.post("/v1/agents/ana/presence", json={"action": "log_in"}, headers=headers)
    await http.post("/v1/agents/ana/presence", json={"action": "log_out"}, headers=headers)
    await desk.services.audit.flush()
    page = (await http.get("/v1/audit", headers=headers)).json()
    entries = page["entries"][::-1]
    assert [(each["login"], each["action"], each["result"]) for each in entries] == [
        ("", "account_added", "ok"),
        ("root", "log_in", "ok"),
        ("root", "account_added", "ok"),
        ("root", "password_set", "ok"),
        ("root", "AgentActed", "ok"),
        ("root", "AgentActed", "ok"),
    ]
    assert entries[4]["subject"] == "agent ana"
    assert "bottles" not in str(page)
    assert "another" not in str(page)
    older = (await http.get("/v1/audit", params={"limit": 2}, headers=headers)).json()
    assert [each["audit_id"] for each in older["entries"]] == [each["audit_id"] for each in page["entries"][:2]]
    assert older["next"] == older["entries"][-1]["audit_id"]
