"""Following conversations: for whom, from which phone, refused in words, written down; unseen by who is listened to."""

from __future__ import annotations

import json

import pytest

from desk.access import Admitted
from desk.api.live import Sight
from desk.live.board import Board
from desk.pages.supervision import followed, said
from desk.roles import ALLOWED, EVERY_TENANT, Permission, Principal, Role

LISTEN = {"action": "listen", "device": "1009"}


@pytest.fixture
async def path(desk):
    """Ana talks."""
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    await desk.heard()
    return f"/v1/interactions/{interaction_id}/supervision"


def _asked(desk):
    return [fields for fact, fields in desk.fake.done if fact == "SupervisionActed"]


def _talk(desk):
    (talk,) = desk.fake.talks.values()
    return talk


def test_only_supervisors_and_admins_may():
    assert ALLOWED[Permission.SUPERVISE] == {Role.SUPERVISOR, Role.ADMIN}


async def test_she_listens_switches_takes_over(desk, path):
    sue = desk.as_role(Role.SUPERVISOR, login="sue")
    assert (await sue.post(path, LISTEN)).json() == {"ok": True}
    assert _talk(desk)["supervisor"] == {"supervisor_id": "@sue", "mode": "listen", "up": False}
    early = await sue.post(path, {"action": "take_over"})
    assert (early.status_code, early.json()["detail"].startswith("listen to it first")) == (409, True)
    desk.fake.answer_supervisor(path.split("/")[3])
    await desk.heard()
    for action in ("whisper", "barge"):
        assert (await sue.post(path, {"action": action})).status_code == 200
        assert _talk(desk)["supervisor"]["mode"] == action
    assert (await sue.post(path, {"action": "take_over"})).status_code == 200
    assert [party["agent_id"] for party in _talk(desk)["parties"]] == ["@sue"]
    assert desk.fake.agents["main", "ana"]["looks"] == "wrap_up"
    assert _asked(desk)[0]["device"] == "main-1009"


async def test_who_took_over_is_on_the_board_as_talking_logged_in_or_not(desk, path):
    sue = desk.as_role(Role.SUPERVISOR, login="sue")
    await sue.post(path, LISTEN)
    desk.fake.answer_supervisor(path.split("/")[3])
    await desk.heard()
    board = desk.services.hub.board
    assert {each["agent_id"] for each in board.people("main")} == {each["agent_id"] for each in board.agents("main")}
    await sue.post(path, {"action": "take_over"})
    await desk.heard()
    (shown,) = (each for each in board.people("main") if each["agent_id"] == "@sue")
    assert (shown["name"], shown["looks"], shown["guest"]) == ("sue", "talking", True)
    assert [work["queue"] for work in shown["assignments"]] == ["sales"]
    assert all(each["agent_id"] != "@sue" for each in board.agents("main"))
    talk = _talk(desk)
    talk["parties"][0]["agent_id"] = "bob"
    desk.fake._tell("talk", talk["interaction_id"], "main", talk)
    await desk.heard()
    (bob,) = (each for each in board.people("main") if each["agent_id"] == "bob")
    assert (bob["presence"], bob["looks"], bob["looks_since_s"]) == ("logged_out", "talking", talk["began_s"])
    assert all(each["agent_id"] != "@sue" for each in board.people("main"))


async def test_she_stops_and_somebody_else_may_follow(desk, path):
    sue, max_ = (desk.as_role(Role.SUPERVISOR, login=login) for login in ("sue", "max"))
    await sue.post(path, LISTEN)
    refused = await max_.post(path, LISTEN)
    assert (refused.status_code, refused.json()["detail"]) == (409, "@sue follows this conversation already")
    assert (await max_.post(path, {"action": "stop"})).status_code == 409
    assert (await sue.post(path, {"action": "stop"})).status_code == 200
    assert (await max_.post(path, LISTEN)).status_code == 200


async def test_her_own_phone_rings_and_without_one_she_is_asked(desk, path):
    bob = desk.as_role(Role.SUPERVISOR, agent_id="bob", login="rob")
    unknown = await desk.as_role(Role.SUPERVISOR).post(path, {"action": "listen"})
    assert (unknown.status_code, unknown.json()["detail"]) == (422, "say which phone is yours")
    wrong = await bob.post(path, {"action": "listen", "device": "acme-1001"})
    assert (wrong.status_code, wrong.json()["detail"]) == (409, "there is no phone 'main-acme-1001' to ring you at")
    assert (await bob.post(path, {"action": "listen"})).status_code == 200
    device = desk.fake.agents["main", "bob"]["device"]
    assert [(each["supervisor_id"], each["device"]) for each in _asked(desk)] == [("bob", device)]


async def test_a_conversation_of_another_tenant_is_not_there(desk, path):
    elsewhere = desk.as_role(Role.SUPERVISOR, tenant="acme")
    assert (await elsewhere.post(path, LISTEN)).status_code == 404
    assert (await elsewhere.post(f"{path}?tenant=main", LISTEN)).status_code == 403
    root = desk.as_role(Role.ADMIN, tenant=EVERY_TENANT, login="root")
    assert (await root.post(f"{path}?tenant=acme", LISTEN)).status_code == 404
    assert (await root.post(f"{path}?tenant=main", LISTEN)).status_code == 200
    assert len(_asked(desk)) == 1


async def test_who_listened_is_written_down_and_so_is_who_was_refused(desk, path):
    await desk.account("root", Role.ADMIN)
    sue, max_ = (desk.as_role(Role.SUPERVISOR, login=login) for login in ("sue", "max"))
    await sue.post(path, LISTEN)
    await max_.post(path, {"action": "barge", "device": "1008"})
    await desk.until(lambda: not desk.services.audit._waiting)
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    listened = [
        (each["login"], each["tenant"], each["subject"], each["detail"]["action"], each["result"])
        for each in entries
        if each["action"] == "SupervisionActed"
    ]
    subject = f"interaction {path.split('/')[3]}"
    assert sorted(listened) == [
        ("max", "main", subject, "barge", "refused"),
        ("sue", "main", subject, "listen", "ok"),
    ]
    (detail,) = (each["detail"] for each in entries if each["login"] == "sue")
    assert detail == {"action": "listen", "supervisor": "@sue", "agents": ["ana"], "device": "main-1009"}
    assert "+34" not in json.dumps(entries)


@pytest.mark.parametrize(("role", "told"), [(Role.AGENT, False), (Role.SUPERVISOR, True)])
def test_an_agent_is_not_told_who_listens_to_her(role, told):
    there = {"supervisor_id": "@sue", "mode": "listen", "up": True}
    talk = {"tenant": "main", "interaction_id": "i-1", "supervisor": there}
    board = Board()
    board.things["talk"]["main", "i-1"] = talk
    work = {"interaction_id": "i-1", "state": "active"}
    board.things["agent"]["main", "ana"] = {"tenant": "main", "agent_id": "ana", "assignments": [work]}
    sight = Sight(Admitted(Principal("p-1", "x", "X", "main", role, "ana"), "main"), board)
    (seen,) = sight.snapshot(True, 0.0)["talks"]
    assert (seen["supervisor"] == there) is told
    assert (sight.shown("talk", talk) == talk) is told
    assert sight.shown("talk", None) is None


def test_a_card_shows_who_follows_its_conversation():
    there = {"supervisor_id": "bob", "mode": "whisper", "up": True}
    parties = [{"agent_id": "ana"}, {"agent_id": "eva"}]
    board = Board()
    for agent_id in ("ana", "eva", "bob"):
        work = [] if agent_id == "bob" else [{"interaction_id": "i-1", "state": "active"}]
        board.things["agent"]["main", agent_id] = {
            "tenant": "main",
            "agent_id": agent_id,
            "name": agent_id.title(),
            "assignments": work,
        }
    board.things["talk"]["main", "i-1"] = {"interaction_id": "i-1", "supervisor": there, "parties": parties}
    (shown,) = followed(board, "main", "bob").items()
    assert shown[0] == "ana"
    assert (shown[1].by, shown[1].mode, shown[1].mine) == ("Bob", "whisper", True)
    assert not followed(board, "main", "@sue")["ana"].mine
    assert followed(board, "main", "eva") == {}


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("@sue follows this conversation already", "sue ya sigue esta conversación"),
        ("there is no phone 'main-9' to ring you at", "no hay ningún teléfono «main-9» donde llamarte"),
        ("say which phone is yours", "di cuál es tu teléfono"),
        ("something else", "something else"),
    ],
)
def test_refusals_are_said_in_the_language_of_the_page(why, words):
    assert said(why, "es") == words
