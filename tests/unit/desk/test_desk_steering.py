"""Moving who waits and giving her priority: for whom, once, refused in words, written down."""

from __future__ import annotations

import pytest

from desk.live.board import Board
from desk.roles import ALLOWED, EVERY_TENANT, Permission, Role


@pytest.fixture
async def waits(desk):
    """Somebody waits for sales, and rings at Ana's; the path of her stay."""
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    desk.fake.agents["main", "ana"]["queues"] = ["sales"]
    desk.fake.arrive("sales")
    await desk.heard()
    (stay_id,) = desk.fake.stays
    return f"/v1/stays/{stay_id}"


def _stay(desk):
    (stay,) = desk.fake.stays.values()
    return stay


def _asked(desk):
    return [fields for fact, fields in desk.fake.done if fact == "StayActed"]


def test_who_leads_and_who_administers_may():
    assert ALLOWED[Permission.STEER_STAYS] == {Role.SUPERVISOR, Role.COORDINATOR, Role.ADMIN}


async def test_she_is_moved_with_her_time_and_nothing_rings_any_more(desk, waits):
    began_s = _stay(desk)["joined_s"]
    sue = desk.as_role(Role.SUPERVISOR, login="sue")
    assert (await sue.post(f"{waits}/queue", {"queue": "support"})).json() == {"ok": True}
    stay = _stay(desk)
    assert (stay["queue"], stay["state"]) == ("support", "waiting")
    assert stay["joined_s"] - stay["waited_before_s"] == pytest.approx(began_s)
    assert desk.fake.agents["main", "ana"]["assignments"] == []
    (fields,) = _asked(desk)
    assert (fields["by"], fields["action"], fields["interaction_id"]) == ("@sue", "move", stay["interaction_id"])
    await desk.heard()
    (shown,) = (await sue.get("/v1/stays")).json()["stays"]
    assert (shown["queue"], shown["stay_id"]) == ("support", stay["stay_id"])
    gone = await sue.post(f"{waits}/queue", {"queue": "sales"})
    assert (gone.status_code, gone.json()["detail"].startswith("nobody waits here any more")) == (404, True)


def test_who_has_waited_longest_comes_first_wherever_it_was():
    board = Board()
    for stay_id, joined_s, before_s in (("late", 90.0, 0.0), ("moved", 100.0, 60.0), ("early", 50.0, 0.0)):
        stay = {"stay_id": stay_id, "joined_s": joined_s, "waited_before_s": before_s}
        board.things["stay"]["main", stay_id] = stay
    assert [stay["stay_id"] for stay in board.stays("main")] == ["moved", "early", "late"]


async def test_with_another_priority_she_goes_on_ringing(desk, waits):
    assert (await desk.as_role(Role.COORDINATOR).post(f"{waits}/priority", {"priority": 3})).status_code == 200
    assert (_stay(desk)["priority"], _stay(desk)["state"]) == (3, "offered")


@pytest.mark.parametrize(
    ("what", "body", "status", "said"),
    [
        ("queue", {"queue": "sales"}, 409, "this contact waits in sales already"),
        ("queue", {"queue": "nowhere"}, 409, "there is no queue nowhere"),
        ("queue", {}, 422, "queue"),
        ("priority", {"priority": -1}, 422, "greater than or equal to 0"),
        ("priority", {"priority": 1001}, 422, "less than or equal to 1000"),
        ("priority", {}, 422, "priority"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(desk, waits, what, body, status, said):
    answer = await desk.as_role(Role.SUPERVISOR).post(f"{waits}/{what}", body)
    assert answer.status_code == status
    assert said in answer.text
    assert (_stay(desk)["queue"], _stay(desk)["priority"], _stay(desk)["state"]) == ("sales", 0, "offered")


async def test_asked_twice_with_one_key_it_is_done_once(desk, waits):
    sue = desk.as_role(Role.SUPERVISOR)
    both = [await sue.post(f"{waits}/queue", {"queue": "support"}, Idempotency_Key="k1") for _ in range(2)]
    assert [answer.json() for answer in both] == [{"ok": True}] * 2
    assert both[1].headers["idempotency-replayed"] == "true"
    assert len(_asked(desk)) == 1


async def test_who_waits_for_another_tenant_is_not_there(desk, waits):
    body = {"priority": 3}
    assert (await desk.as_role(Role.SUPERVISOR, tenant="acme").post(f"{waits}/priority", body)).status_code == 404
    root = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT, login="root")
    assert (await root.post(f"{waits}/priority?tenant=acme", body)).status_code == 404
    assert _asked(desk) == []
    assert (await root.post(f"{waits}/priority?tenant=main", body)).status_code == 200


async def test_who_did_it_is_written_down(desk, waits):
    await desk.account("root", Role.ADMIN)
    sue = desk.as_role(Role.SUPERVISOR, login="sue")
    await sue.post(f"{waits}/queue", {"queue": "nowhere"})
    await sue.post(f"{waits}/queue", {"queue": "support"})
    await desk.until(lambda: not desk.services.audit._waiting)
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    written = [each for each in entries if each["action"] == "StayActed"]
    assert {(each["login"], each["result"], each["detail"]["queue"]) for each in written} == {
        ("sue", "refused", "nowhere"),
        ("sue", "ok", "support"),
    }
    assert {each["detail"]["from"] for each in written} == {"sales"}


async def test_the_page_refuses_in_its_own_language(desk, waits):
    sue = desk.as_role(Role.SUPERVISOR)
    path, spanish = waits.replace("/v1/", "/board/"), {"accept-language": "es"}
    answer = await sue.http.post(path, data={"queue": "sales"}, headers=spanish)
    assert (answer.status_code, answer.json()["detail"]) == (409, "este contacto ya espera en sales")
    desk.fake.do("QueueActed", {"tenant": "main", "queue": "support", "action": "close"})
    answer = await sue.http.post(path, data={"queue": "support"}, headers=spanish)
    assert answer.json()["detail"] == "la cola support está cerrada: ábrela antes"
    assert (await sue.http.post(path, data={"priority": ""}, headers=spanish)).status_code == 422
    answer = await sue.http.post(path, data={"priority": "5"})
    assert (answer.status_code, _stay(desk)["priority"]) == (200, 5)
