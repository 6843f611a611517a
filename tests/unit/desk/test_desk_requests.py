"""What goes to the engine and what comes back: refusals in words, repeats done once, limits, headers."""

from __future__ import annotations

import asyncio

import pytest

from desk.roles import Role
from desk.web import MOST_BYTES

LOG_IN = {"action": "log_in"}
PRESENCE = "/v1/agents/ana/presence"


async def test_what_the_engine_refuses_is_told_in_its_words(desk):
    refused = await desk.agent("ana").post(PRESENCE, {"action": "ready"})
    assert (refused.status_code, refused.json()["detail"]) == (409, "log in first")


@pytest.mark.usefixtures("shown")
async def test_a_request_shows_on_the_board_when_it_is_answered(desk):
    ana = desk.agent("ana")
    assert (await ana.post(PRESENCE, LOG_IN)).json() == {"ok": True}
    assert (await ana.get("/v1/agents/ana")).json()["presence"] == "not_ready"


async def test_an_agent_logs_in_at_a_phone_of_her_own_tenant_whatever_she_types(desk):
    ana = desk.agent("ana")
    for typed in ("1001", "main-1001", "acme-1001"):
        await ana.post(PRESENCE, LOG_IN | {"device": typed})
    assert [fields["device"] for _, fields in desk.fake.done] == ["main-1001", "main-1001", "main-acme-1001"]


async def test_while_the_engine_is_away_requests_say_so_and_the_board_stands_still(desk):
    supervisor = desk.as_role(Role.SUPERVISOR)
    desk.fake.fails = True
    answer = await desk.agent("ana").post(PRESENCE, LOG_IN)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:centralita:engine_away")
    assert answer.headers["retry-after"] == "2"
    desk.fake.cut()
    assert len((await supervisor.get("/v1/agents")).json()["agents"]) == 2


async def test_an_idempotency_key_does_it_once(desk):
    ana = desk.agent("ana")
    answers = [await ana.post(PRESENCE, LOG_IN, Idempotency_Key="k1") for _ in range(3)]
    assert [answer.json() for answer in answers] == [{"ok": True}] * 3
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert len(desk.fake.done) == 1
    other = await ana.post(PRESENCE, {"action": "log_out"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["type"]) == (422, "urn:centralita:key_reused")
    await desk.agent("bob").post("/v1/agents/bob/presence", LOG_IN, Idempotency_Key="k1")
    assert len(desk.fake.done) == 2


async def test_a_key_outlives_the_desk_and_two_at_once_are_one(desk):
    ana = desk.agent("ana")
    both = await asyncio.gather(*(ana.post(PRESENCE, LOG_IN, Idempotency_Key="k1") for _ in range(2)))
    assert sorted(answer.status_code for answer in both) in ([200, 200], [200, 409])
    assert len(desk.fake.done) == 1
    desk.services.idempotency._memory.clear()
    assert (await ana.post(PRESENCE, LOG_IN, Idempotency_Key="k1")).headers["idempotency-replayed"] == "true"
    assert len(desk.fake.done) == 1


async def test_what_was_refused_may_be_tried_again_and_what_is_unknown_may_not(desk):
    ana = desk.agent("ana")
    assert (await ana.post(PRESENCE, {"action": "ready"}, Idempotency_Key="k1")).status_code == 409
    await ana.post(PRESENCE, LOG_IN)
    assert (await ana.post(PRESENCE, {"action": "ready"}, Idempotency_Key="k1")).status_code == 200
    desk.fake.fails = True
    assert (await ana.post(PRESENCE, {"action": "not_ready"}, Idempotency_Key="k2")).status_code == 503
    desk.fake.fails = False
    again = await ana.post(PRESENCE, {"action": "not_ready"}, Idempotency_Key="k2")
    assert (again.status_code, again.json()["type"]) == (409, "urn:centralita:outcome_unknown")


@pytest.mark.usefixtures("shown")
async def test_a_wrap_up_goes_through_from_talk_to_end(desk):
    ana = desk.agent("ana")
    for action in ("log_in", "ready"):
        await ana.post(PRESENCE, {"action": action})
    interaction_id = desk.fake.arrive("sales", name="Carmen")
    await desk.heard()
    assert (await ana.get(f"/v1/interactions/{interaction_id}")).json()["caller_name"] == "Carmen"
    desk.fake.accept("ana")
    await desk.heard()
    path = f"/v1/interactions/{interaction_id}"
    assert (await ana.post(f"{path}/wrap-up", {"note": "wants a second line"})).status_code == 200
    assert (await ana.post(f"{path}/actions", {"action": "hang_up"})).status_code == 200
    refused = await ana.post(f"{path}/wrap-up", {"finish": True})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "choose a disposition first: sold/new, sold/more, not_now, wrong",
    )
    assert (await ana.post(f"{path}/wrap-up", {"disposition": "sold/new", "finish": True})).status_code == 200
    assert (await ana.get("/v1/agents/ana")).json()["handled"] == 1
    assert (await ana.post(f"{path}/wrap-up", {"finish": True})).status_code == 403


async def test_explanations_stay_in_their_tenant(desk):
    interaction_id = desk.fake.arrive("sales")
    path = f"/v1/interactions/{interaction_id}/explain"
    await desk.heard()
    assert (await desk.as_role(Role.SUPERVISOR).get(path)).json()["interaction_id"] == interaction_id
    assert (await desk.as_role(Role.SUPERVISOR, tenant="acme").get(path)).status_code == 404
    assert (await desk.as_role(Role.SUPERVISOR).get("/v1/interactions/nothing/explain")).status_code == 404


async def test_what_is_malformed_is_a_problem_and_never_a_crash(desk):
    ana = desk.agent("ana")
    for content in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"action": "dance"}', b'{"action": ["ready"]}'):
        answer = await ana.http.post(PRESENCE, content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), content
    large = await ana.http.post(PRESENCE, content=b"x" * (MOST_BYTES + 1))
    assert large.status_code == 413

    async def chunks():
        for _ in range(MOST_BYTES // 1000 + 2):
            yield b"x" * 1000

    assert (await ana.http.post(PRESENCE, content=chunks())).status_code == 413
    assert (await ana.get("/v1/nothing")).json()["type"] == "urn:centralita:not_found"
    assert (await ana.http.delete("/v1/agents")).status_code == 405


async def test_a_closed_door_reads_nothing_of_the_body(desk):
    answer = await desk.nobody().http.post(PRESENCE, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 401


async def test_answers_carry_the_headers_that_protect_them_and_strange_hosts_get_none(desk):
    answer = await desk.agent("ana").get("/v1/session/me")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
    strange = await desk.nobody().http.get("/login", headers={"host": "evil.example"})
    assert (strange.status_code, strange.json()["type"]) == (400, "urn:centralita:bad_host")


async def test_health_tells_what_is_there(desk):
    body = (await desk.agent("ana").get("/v1/health")).json()
    assert (body["engine"], body["database"]) == (True, True)
    setup = (await desk.agent("ana").get("/v1/setup")).json()
    assert {each["tenant"] for each in setup["queues"]} == {"main"}
    assert {(each["tenant"], each["flow"]) for each in setup["flows"]} == {("main", "survey")}
