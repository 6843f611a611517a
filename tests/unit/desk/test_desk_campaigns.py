"""Campaigns over the API: seen, started, refused in words; leads shown to one agent; numbers not called again."""

from __future__ import annotations

import json

import pytest

from desk.access import Admitted
from desk.api.live import Sight
from desk.live.board import Board
from desk.roles import Principal, Role

START = {"action": "start"}
CAMPAIGN = "/v1/campaigns/renewals"


def _asked(desk, fact):
    return [fields for name, fields in desk.fake.done if name == fact]


@pytest.fixture
def manager(desk):
    return desk.as_role(Role.CAMPAIGN_MANAGER)


async def test_a_campaign_is_seen_with_what_pacing_decided(desk, manager):
    desk.fake.dialer.pace("renewals", count=3, why="4 ready agents, 3.1 lines each", dialing=3, connected=4)
    desk.fake.dialer.count("renewals", abandonment={"live": 120, "abandoned": 2, "ratio": 2 / 120, "spare": 1})
    await desk.heard()
    (seen,) = (await manager.get("/v1/campaigns")).json()["campaigns"]
    assert (seen["campaign"], seen["state"], seen["lines"]["dialing"]) == ("renewals", "stopped", 3)
    assert seen["abandonment"][0]["abandoned"] == 2
    detail = (await manager.get(CAMPAIGN)).json()
    assert [(each["count"], each["why"]) for each in detail["decisions"]] == [(3, "4 ready agents, 3.1 lines each")]
    assert (await manager.get("/v1/campaigns/nothing")).status_code == 404


@pytest.mark.usefixtures("shown")
async def test_it_is_started_the_board_shows_it_at_once_and_nobody_to_dial_is_told(desk, manager):
    empty = (await manager.post(f"{CAMPAIGN}/action", START)).json()
    assert empty["told"].startswith("there is no lead to dial, renewals is empty")
    desk.fake.dialer.count("renewals", leads={"new": 40})
    assert (await manager.post(f"{CAMPAIGN}/action", START)).json() == {"ok": True, "told": ""}
    assert desk.services.hub.board.campaign("main", "renewals")["state"] == "running"
    asked = {"tenant": "main", "campaign": "renewals", "action": "start", "by": "campaign_manager"}
    assert _asked(desk, "CampaignActed") == [asked, asked]
    assert desk.fake.dialer.campaigns["acme", "renewals"]["state"] == "stopped"


async def test_a_key_starts_it_once(desk, manager):
    desk.fake.dialer.count("renewals", leads={"new": 40})
    for _ in range(2):
        assert (await manager.post(f"{CAMPAIGN}/action", START, Idempotency_Key="k1")).status_code == 200
    assert len(_asked(desk, "CampaignActed")) == 1


async def test_what_was_done_is_written_down_without_anybodys_number(desk, manager):
    await manager.post(f"{CAMPAIGN}/action", {"action": "pause"})
    await manager.post("/v1/do-not-call", {"number": "+34600112233", "why": "wrote to us"})
    await desk.services.audit.flush()
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    assert [(each["action"], each["subject"], each["result"]) for each in entries] == [
        ("NumberListed", "do-not-call", "ok"),
        ("CampaignActed", "campaign renewals", "refused"),
    ]
    assert "600112233" not in json.dumps(entries)


async def test_an_agent_dials_by_hand_and_is_told_why_not(desk):
    ana = desk.agent("ana")
    asked = await ana.post(f"{CAMPAIGN}/manual", {"number": "+34 600-11 22 33"})
    assert asked.json() == {"ok": True}
    for typed in ("0034600112233", "600 11 22 33"):
        assert (await ana.post(f"{CAMPAIGN}/manual", {"number": typed})).json() == {"ok": True}
    assert {each["called"] for each in _asked(desk, "ManualAsked")} == {"+34600112233"}
    for number, why in (("112", "emergency number: dial it at your phone"), ("hello", "not a number")):
        refused = await ana.post(f"{CAMPAIGN}/manual", {"number": number})
        assert (refused.status_code, why in refused.json()["detail"]) == (409, True)
    assert (await desk.agent("").post(f"{CAMPAIGN}/manual", {"number": "+34600112233"})).status_code == 422


async def test_under_rules_of_ones_own_a_number_is_typed_as_in_the_sites_country(desk):
    desk.fake.dialer.campaigns["main", "renewals"]["packs"] = ["ours"]
    desk.fake.dialer.count("renewals")
    ana = desk.agent("ana")
    await desk.heard()
    assert (await ana.post(f"{CAMPAIGN}/manual", {"number": "600 11 22 33"})).json() == {"ok": True}
    assert [each["called"] for each in _asked(desk, "ManualAsked")] == ["+34600112233"]
    refused = await ana.post(f"{CAMPAIGN}/manual", {"number": "112"})
    assert "emergency number: dial it at your phone" in refused.json()["detail"]


async def test_a_number_is_put_on_the_list_as_people_write_it(desk, manager):
    assert (await manager.post("/v1/do-not-call", {"number": "600 11 22 33"})).status_code == 200
    assert [each["called"] for each in _asked(desk, "NumberListed")] == ["+34600112233"]


async def test_an_agent_reads_how_her_attempt_goes_and_why_it_failed(desk):
    desk.fake.dialer.show_attempt("renewals", "ana", "over", outcome="failed", cause=34, why="the call failed: no room")
    await desk.heard()
    told = (await desk.agent("ana").get("/v1/agents/ana/dialing")).json()["attempts"]
    assert [(each["campaign"], each["phase"], each["why"], each["cause"]) for each in told] == [
        ("renewals", "over", "the call failed: no room", 34)
    ]
    assert (await desk.agent("bob").get("/v1/agents/ana/dialing")).status_code == 403
    assert (await desk.agent("bob").get("/v1/agents/bob/dialing")).json()["attempts"] == []
    desk.fake.dialer.show_attempt("renewals", "ana", "phone")
    await desk.heard()
    assert (await desk.agent("bob").post("/v1/previews/p-ana", {"action": "skip"})).status_code == 403


async def test_a_lead_is_dialed_by_who_is_shown_it_and_by_nobody_else(desk):
    attempt_id = desk.fake.dialer.show_lead("renewals", "ana", "Carmen Díaz")
    await desk.heard()
    dial = {"action": "dial"}
    for other in (desk.agent("bob"), desk.agent("ana", tenant="acme"), desk.as_role(Role.CAMPAIGN_MANAGER)):
        assert (await other.post(f"/v1/previews/{attempt_id}", dial)).status_code == 403
    assert (await desk.agent("ana").post(f"/v1/previews/{attempt_id}", dial)).json() == {"ok": True}
    over = await desk.agent("ana").post(f"/v1/previews/{attempt_id}", {"action": "skip"})
    assert (over.status_code, over.json()["detail"]) == (404, "this lead is no longer shown to you")


def _sight(role, agent_id=""):
    preview = {"attempt_id": "a-1", "agent_id": "ana", "called": "+34600112233"}
    board = Board()
    board.things["campaign"]["main", "renewals"] = view = {
        "tenant": "main",
        "campaign": "renewals",
        "previews": [preview],
    }
    return Sight(Admitted(Principal("p-1", "x", "X", "main", role, agent_id), "main"), board), view


@pytest.mark.parametrize(
    ("role", "agent_id", "sees", "concerned", "shown"),
    [
        (Role.AGENT, "ana", True, True, 1),
        (Role.AGENT, "bob", False, False, 0),
        (Role.CAMPAIGN_MANAGER, "", True, True, 1),
        (Role.PLANNER, "", True, True, 0),
        (Role.CLIENT_VIEWER, "", True, True, 0),
    ],
)
def test_who_is_shown_to_an_agent_is_seen_by_her_and_who_may_see_leads(role, agent_id, sees, concerned, shown):
    sight, view = _sight(role, agent_id)
    assert bool(sight.snapshot(True, 0.0)["campaigns"]) is sees
    event = {"kind": "campaign", "tenant": "main", "id": "renewals", "value": view, "concerns": ["ana"]}
    assert sight.sees_event(event) is concerned
    assert len(sight.shown("campaign", view)["previews"]) == shown
    assert not sight.sees_event({**event, "tenant": "acme"})


async def test_an_agents_page_is_not_woken_by_every_line_a_campaign_dials(desk):
    seen = []
    sight = Sight(Admitted(Principal("p-1", "ana", "Ana", "main", Role.AGENT, "ana"), "main"), desk.services.hub.board)
    with desk.services.hub.subscribe(lambda event: sight.sees_event(event) and not seen.append(event)):
        attempt_id = desk.fake.dialer.show_lead("renewals", "ana")
        for count in range(5):
            desk.fake.dialer.pace("renewals", count=count)
        desk.fake.dialer.do(
            "PreviewActed", {"tenant": "main", "agent_id": "ana", "attempt_id": attempt_id, "action": "skip"}
        )
        await desk.heard()
    assert [len(event["value"]["previews"]) for event in seen] == [1, 0]


async def _talks(desk, attempt=None):
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    interaction_id = desk.fake.arrive("sales")
    if attempt:
        desk.fake.contacts[interaction_id]["attempt"] = attempt
    desk.fake.accept("ana")
    await desk.heard()
    return interaction_id


ATTEMPT = {
    "attempt_id": "a-1",
    "campaign": "renewals",
    "lead_id": "lead-1",
    "called": "+34699000111",
    "mode": "predictive",
}


async def test_who_asks_her_not_to_be_called_again_is_not(desk):
    interaction_id = await _talks(desk, ATTEMPT)
    path = f"/v1/interactions/{interaction_id}/do-not-call"
    assert (await desk.agent("bob").post(path)).status_code == 403
    assert (await desk.agent("ana").post(path)).json() == {"ok": True}
    assert desk.fake.dialer.listed == {("main", "", "+34699000111")}
    assert [(each["lead_id"], each["action"]) for each in _asked(desk, "LeadActed")] == [("lead-1", "opt_out")]


async def test_a_caller_may_ask_it_too_and_who_hides_her_number_cannot(desk):
    interaction_id = await _talks(desk)
    assert (await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/do-not-call")).status_code == 200
    assert desk.fake.dialer.listed == {("main", "", "+34600112233")}
    desk.fake.contacts[interaction_id]["caller"] = "anonymous"
    hidden = await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/do-not-call")
    assert hidden.status_code == 409


@pytest.mark.parametrize(("personal", "whose"), [(True, "ana"), (False, "")])
async def test_a_callback_promised_to_a_lead_is_the_dialers(desk, personal, whose):
    interaction_id = await _talks(desk, ATTEMPT)
    at_s = desk.services.hub.engine_now_s() + 3600
    body = {"callback_at_s": at_s, "personal": personal, "note": "after lunch"}
    answer = await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/wrap-up", body)
    assert answer.json() == {"ok": True}
    (promised,) = _asked(desk, "LeadActed")
    assert (promised["action"], promised["at_s"], promised["agent_id"]) == ("callback", at_s, whose)
    assert [each["callback_at_s"] for each in _asked(desk, "WrapUpActed")] == [0.0]
    late = await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/wrap-up", {"callback_at_s": 5.0})
    assert late.status_code == 422


async def test_a_callback_to_a_caller_stays_with_her_contact(desk):
    interaction_id = await _talks(desk)
    at_s = desk.services.hub.engine_now_s() + 3600
    await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/wrap-up", {"callback_at_s": at_s})
    assert [each["callback_at_s"] for each in _asked(desk, "WrapUpActed")] == [at_s]


async def test_the_form_of_the_campaign_is_filled_in_field_by_field(desk):
    interaction_id = await _talks(desk, ATTEMPT)
    path, ana = f"/v1/interactions/{interaction_id}/wrap-up", desk.agent("ana")
    answers = {"plan": "600", "sum": "90.50"}
    assert (await ana.post(path, {"answers": answers, "note": "in a hurry"})).json() == {"ok": True}
    (filled,) = _asked(desk, "FormFilled")
    assert (filled["attempt_id"], filled["agent_id"], filled["answers"], filled["complete"]) == (
        "a-1",
        "ana",
        answers,
        False,
    )
    seen = (await ana.get(f"/v1/interactions/{interaction_id}")).json()
    assert seen["answers"] == answers
    assert (await desk.agent("bob").post(path, {"answers": answers})).status_code == 403
    refused = await ana.post(path, {"answers": {"wish": "x"}, "note": "lost"})
    assert (refused.status_code, refused.json()["detail"].partition(":")[0]) == (409, "the form has no field 'wish'")
    assert [each["text"] for each in _asked(desk, "WrapUpActed")] == ["in a hurry"], "the note waits for the form"
    await desk.services.audit.flush()
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    assert "FormFilled" in {each["action"] for each in entries}
    assert "90.50" not in json.dumps(entries)


async def test_a_contact_is_not_finished_while_its_form_lacks_something(desk):
    interaction_id = await _talks(desk, ATTEMPT)
    path, ana = f"/v1/interactions/{interaction_id}/wrap-up", desk.agent("ana")
    body = {"disposition": "promise", "finish": True, "answers": {"sum": "5"}}
    refused = await ana.post(path, body)
    assert (refused.status_code, refused.json()["detail"]) == (409, "fill in first: pay_on")
    assert not _asked(desk, "WrapUpActed")


async def test_a_caller_has_no_form(desk):
    interaction_id = await _talks(desk)
    answer = await desk.agent("ana").post(f"/v1/interactions/{interaction_id}/wrap-up", {"answers": {"plan": "600"}})
    assert answer.status_code == 422


async def test_whether_a_promise_was_kept_is_told_by_who_may(desk, manager):
    for action in ("kept", "broken"):
        body = {"campaign": "renewals", "action": action}
        assert (await manager.post("/v1/leads/lead-1/actions", body)).json() == {"ok": True}
        assert (await desk.agent("ana").post("/v1/leads/lead-1/actions", body)).status_code == 403
    assert [each["action"] for each in _asked(desk, "LeadActed")] == ["kept", "broken"]


async def test_why_a_lead_was_not_dialed(desk, manager):
    desk.fake.dialer.explain("renewals", "lead-1", "it waits", blocks={"es/hours": "not before 9:00"})
    told = (await manager.get("/v1/leads/lead-1/why")).json()
    assert (told["lead_id"], told["numbers"][0]["blocks"][0]["rule"]) == ("lead-1", "es/hours")
    for person in (manager, desk.as_role(Role.CAMPAIGN_MANAGER, tenant="acme")):
        assert (await person.get("/v1/leads/lead-2/why")).status_code == 404


async def test_a_number_is_listed_and_taken_off_by_who_may(desk, manager):
    body = {"number": "+34600112233", "campaign": "renewals"}
    assert (await manager.post("/v1/do-not-call", body)).status_code == 200
    assert desk.fake.dialer.listed == {("main", "renewals", "+34600112233")}
    supervisor = desk.as_role(Role.SUPERVISOR)
    assert (await supervisor.post("/v1/do-not-call/remove", body)).status_code == 403
    assert (await manager.post("/v1/do-not-call/remove", body)).status_code == 200
    assert not desk.fake.dialer.listed
    refused = await manager.post("/v1/do-not-call", {"number": "600"})
    assert (refused.status_code, "E.164" in refused.json()["detail"]) == (409, True)
    assert (await manager.post("/v1/do-not-call", body | {"campaign": "nothing"})).status_code == 404


GOOD = """
campaign: survey
mode: progressive
purpose: survey
packs: [es]
lists: [autumn]
queue: sales
drop: {action: hang_up}
caller_ids:
  - {name: office, numbers: ["+34910100120"]}
"""


async def test_a_campaign_is_looked_at_before_it_is_put_in_its_place(desk, manager):
    async def faults(text):
        answer = await manager.post("/v1/campaigns/validate", {"text": text})
        assert answer.status_code == 200
        return answer.json()

    good = await faults(GOOD)
    assert (good["ok"], [each for each in good["faults"] if not each["warning"]]) == (True, [])
    (wrong,) = (await faults(GOOD.replace("queue: sales", "queue: nowhere")))["faults"]
    assert (wrong["line"], "nowhere" in wrong["what"], "sales" in wrong["hint"]) == (7, True, True)
    several = await faults(GOOD.replace("progressive", "telepathic").replace("purpose: survey", "purpose: fun"))
    assert not several["ok"]
    assert {each["line"] for each in several["faults"]} == {3, 4}
    for text in ("", "[", "campaign: [1]", "a: &a [*a, *a]", "\x00", "x: " + "y" * 49_000):
        assert not (await faults(text))["ok"]


async def test_a_campaign_is_written_when_asked_and_nothing_is_overwritten_unsaid(desk, manager):
    looked = (await manager.post("/v1/campaigns", {"text": GOOD})).json()
    assert (looked["ok"], looked["campaign"], looked["file"]) == (True, "survey", "")
    wrong = (await manager.post("/v1/campaigns", {"text": GOOD.replace("sales", "nowhere"), "write": True})).json()
    assert (wrong["ok"], wrong["file"]) == (False, "")
    assert not desk.fake.files
    written = (await manager.post("/v1/campaigns", {"text": GOOD, "write": True})).json()
    assert (written["ok"], written["file"]) == (True, "config/campaigns/survey.yaml")
    again = await manager.post("/v1/campaigns", {"text": GOOD + "title: B\n", "write": True})
    assert (again.status_code, "there already" in again.json()["detail"]) == (409, True)
    assert desk.fake.files == {"config/campaigns/survey.yaml": GOOD}
    replaced = await manager.post("/v1/campaigns", {"text": GOOD + "title: B\n", "write": True, "replace": True})
    assert replaced.json()["ok"]
    assert (await desk.as_role(Role.SUPERVISOR).post("/v1/campaigns", {"text": GOOD})).status_code == 403
    await desk.services.audit.flush()
    entries = (await desk.as_role(Role.ADMIN).get("/v1/audit")).json()["entries"]
    told = [(each["action"], each["subject"], each["result"]) for each in entries]
    assert told == [("CampaignWritten", "campaign survey", each) for each in ("ok", "refused", "ok")]
    assert "mode" not in json.dumps(entries)
