"""Every route and every role: who gets in is what the table says, and nothing is left out of it."""

from __future__ import annotations

import re

import pytest
from starlette.routing import BaseRoute, WebSocketRoute

from desk.access import NEEDS, Own
from desk.app import ROUTERS, make_app
from desk.roles import ALLOWED, EVERY_TENANT, Permission, Role
from desk.services import Services
from desk.settings import Settings
from desk.web import GuardedRoute


def _keys(route: BaseRoute) -> set[tuple[str, str]]:
    if isinstance(route, WebSocketRoute):
        return {("WS", route.path)}
    assert isinstance(route, GuardedRoute), f"{route} goes around the guard"
    return {(method, route.path_format) for method in route.methods}


@pytest.fixture
def routes(tmp_path):
    app = make_app(Services.make(Settings(tmp_path)))
    found = set()
    for router in ROUTERS:
        for route in router.routes:
            found |= _keys(route)
    for route in app.routes:
        # Where a framework keeps included routers apart, they have no path of their own.
        if getattr(route, "path", None) is not None:
            found |= _keys(route)
    return found


def test_every_route_has_its_entry_and_every_entry_its_route(routes):
    assert routes == set(NEEDS)


def test_every_permission_says_who_has_it():
    assert set(ALLOWED) == set(Permission)
    assert ALLOWED[Permission.SELF] == set(Role)
    assert ALLOWED[Permission.NOBODY] == set()


def test_only_what_logs_in_or_paints_the_login_page_is_open():
    assert {path for (_, path), need in NEEDS.items() if need.permission is None} == {
        "/v1/session/login",
        "/v1/session/refresh",
        "/login",
        "/language",
        "/renew",
        "/first/{secret}",
        "/static/{path}",
    }


_GUARDED = sorted(key for key, need in NEEDS.items() if need.permission is not None and key[0] != "WS")
_NAMES = {
    "agent_id": "bob",
    "queue": "sales",
    "stay_id": "i-1.s1",
    "interaction_id": "i-1",
    "offer_id": "i-1.o2",
    "account_id": "p-1",
    "campaign": "renewals",
    "attempt_id": "a-1",
    "lead_id": "lead-1",
    "upload_id": "u-0123456789abcdef",
    "list_id": "spring",
    "job_id": "j00000000000",
    "action": "cancel",
    "mailbox": "sales",
    "name": "20260310T120000Z-i-1",
}


def _path(template: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: _NAMES[match[1]], template)


async def _status(person, method: str, template: str, token: str = "", **params: str) -> int:
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    answer = await person.http.request(method, _path(template), params=params, headers=headers, json={})
    return answer.status_code


async def test_every_route_is_closed_to_who_has_no_token(desk):
    nobody = desk.nobody()
    nobody.http.headers["accept"] = "application/json"
    for method, template in _GUARDED:
        assert await _status(nobody, method, template) == 401, (method, template)


@pytest.mark.parametrize("role", Role)
async def test_a_role_gets_in_where_the_table_says_and_nowhere_else(desk, role):
    wrong, person = [], desk.nobody()
    for method, template in _GUARDED:
        need = NEEDS[method, template]
        assert need.permission is not None
        # Logging out ends a login: each request has one of its own.
        status = await _status(person, method, template, desk.token(role, agent_id="ana"))
        # What is somebody else's is as closed as if it were nobody's; an offer that is over says so.
        refused = {403} if need.own not in (Own.OFFER, Own.PREVIEW) else {403, 404}
        if (status in (401, 403)) if role in ALLOWED[need.permission] else (status not in refused):
            wrong.append((method, template, status))
    assert wrong == []


@pytest.mark.parametrize("role", Role)
async def test_no_role_reaches_another_tenant(desk, role):
    person = desk.as_role(role, agent_id="ana")
    for method, template in _GUARDED:
        for tenant in ("acme", EVERY_TENANT):
            assert await _status(person, method, template, tenant=tenant) == 403, (method, template)


async def test_an_agent_reaches_her_own_and_only_her_own(desk):
    for agent_id in ("ana", "bob"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": "log_in"})
    desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "ready"})
    interaction_id = desk.fake.arrive("sales")
    await desk.heard()
    ana, bob, eve = desk.agent("ana"), desk.agent("bob"), desk.agent("ana", tenant="acme")
    path = f"/v1/interactions/{interaction_id}"
    assert [(await each.get(path)).status_code for each in (ana, bob, eve)] == [200, 403, 403]
    offer_id = desk.fake.agents["main", "ana"]["assignments"][0]["offer_id"]
    assert [(await each.post(f"/v1/offers/{offer_id}/refuse")).status_code for each in (bob, eve, ana)] == [
        403,
        403,
        200,
    ]
    desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "ready"})
    desk.fake.accept("ana")
    await desk.heard()
    hold = {"action": "hold"}
    assert [(await each.post(f"{path}/actions", hold)).status_code for each in (bob, eve, ana)] == [403, 403, 200]
    presence = {"action": "not_ready", "reason": "break"}
    assert [
        (await each.post("/v1/agents/bob/presence", presence)).status_code
        for each in (ana, eve, desk.as_role(Role.QUALITY), desk.as_role(Role.SUPERVISOR), bob)
    ] == [403, 403, 403, 200, 200]


async def test_who_belongs_to_no_agent_is_told_how_to(desk):
    answer = await desk.agent("").post("/v1/agents/ana/presence", {"action": "ready"})
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "no agent belongs to this login: an admin sets which",
    )


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.ADMIN, "an admin may not do this"),
        (Role.CLIENT_VIEWER, "a client viewer may not do this"),
    ],
)
async def test_who_may_not_is_told_as_what(desk, role, said):
    answer = await desk.as_role(role).post("/v1/campaigns/renewals/manual", {"number": "600112233"})
    assert (answer.status_code, answer.json()["detail"]) == (403, said)


async def test_an_admin_of_every_tenant_sees_them_all_or_one(desk):
    chief = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT)

    async def tenants(**params):
        return {agent["tenant"] for agent in (await chief.get("/v1/agents", **params)).json()["agents"]}

    assert await tenants() == {"main", "acme"}
    assert await tenants(tenant="acme") == {"acme"}
    mine = await desk.as_role(Role.SUPERVISOR, tenant="acme").get("/v1/agents")
    assert {agent["agent_id"] for agent in mine.json()["agents"]} == {"eve"}


async def test_a_cookie_needs_the_page_behind_it(desk):
    token = desk.agent("ana").token
    login = desk.nobody().http
    login.cookies.set(desk.services.cookies.access, token)
    path, body = "/v1/agents/ana/presence", {"action": "log_in"}
    assert (await login.post(path, json=body)).json()["type"] == "urn:centralita:csrf"
    csrf = {"x-csrf-token": desk.services.tokens.csrf("login-1")}
    elsewhere = csrf | {"origin": "https://evil.example"}
    assert (await login.post(path, json=body, headers=elsewhere)).status_code == 403
    assert (await login.post(path, json=body, headers=csrf | {"sec-fetch-site": "cross-site"})).status_code == 403
    assert (await login.post(path, json=body, headers=csrf | {"origin": desk.base})).status_code == 200
    assert (await login.get("/v1/session/me")).json()["agent_id"] == "ana"
