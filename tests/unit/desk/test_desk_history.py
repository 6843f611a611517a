"""What came before of the person an agent talks with."""

from __future__ import annotations

from core.clock import VirtualClock
from desk import contacts
from desk.past_notes import KEPT_S, PastNotes
from store.sql.models import AgentWorkRow, InteractionRow


def interaction(interaction_id: str, direction: str, opened_us: int) -> InteractionRow:
    return InteractionRow(
        interaction_id=interaction_id,
        tenant="main",
        channel="voice",
        direction=direction,
        called="",
        caller="",
        contact_key_id="her",
        flow="",
        flow_version="",
        language="es",
        rule="",
        state="closed",
        opened_us=opened_us,
        outcome="answered",
    )


def talked(interaction_id: str) -> AgentWorkRow:
    spent_us = dict.fromkeys(("ring_us", "talk_us", "hold_us", "consult_us", "wrap_up_us", "ended_us"), 1)
    named = {"tenant": "main", "agent_id": "bob", "queue": "sales", "how": "customer_hung_up", "disposition": "sold"}
    return AgentWorkRow(work_id=f"w-{interaction_id}", interaction_id=interaction_id, **named, **spent_us)


async def test_that_an_agents_phone_rang_for_her_is_no_contact_of_hers(desk):
    rows = [("before", "inbound", 1), ("line-main-spring-1", "internal", 2), ("dial-main-spring-1", "outbound", 3)]
    async with desk.services.database.session() as session, session.begin():
        session.add_all(interaction(*row) for row in rows)
    found = await contacts.history(desk.services, "main", "dial-main-spring-1")
    assert [past.row.interaction_id for past in found] == ["before"]


async def _called_before(desk, *earlier):
    """Somebody whom ana talks with now, and who called before: with notes, as the engine has them."""
    for action in ("log_in", "ready"):
        desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})
    now = desk.fake.arrive("sales")
    desk.fake.accept("ana")
    for number, note in enumerate(earlier):
        desk.fake.contacts[f"before-{number}"] = {
            **desk.fake.contacts[now],
            "notes": [{"at_s": 1.0, "by": "bob", "text": note}],
        }
    rows = [(f"before-{number}", "inbound", number) for number in range(len(earlier))]
    menus = [(f"menu-{number}", "inbound", 50 + number) for number in range(3)]  # nobody talked with her
    async with desk.services.database.session() as session, session.begin():
        session.add_all(interaction(*row) for row in [*rows, *menus, (now, "inbound", 100)])
        session.add_all(talked(row[0]) for row in rows)
    await desk.heard()
    return now


async def test_who_takes_the_next_call_reads_what_was_noted_about_the_last_ones(desk):
    now = await _called_before(desk, *(f"wants {number} lines" for number in range(7)))
    ana = desk.agent("ana")
    page = (await ana.get("/agent")).text
    assert [number for number in range(7) if f"wants {number} lines" in page] == [2, 3, 4, 5, 6]
    told = (await ana.get(f"/v1/interactions/{now}/history")).json()["contacts"]
    assert told[3]["notes"] == [{"at_s": 1.0, "by": "bob", "text": "wants 6 lines"}]


async def test_notes_of_another_tenant_or_of_who_asked_to_be_forgotten_are_not_told(desk):
    now = await _called_before(desk, "hers", "forgotten")
    desk.fake.contacts["before-0"]["tenant"] = "acme"
    del desk.fake.contacts["before-1"]
    told = (await desk.agent("ana").get(f"/v1/interactions/{now}/history")).json()["contacts"]
    assert [each["notes"] for each in told] == [[]] * 5


async def test_notes_are_not_asked_for_anew_with_every_change_of_the_page(desk):
    await _called_before(desk, "wants a line")
    ana, clock = desk.agent("ana"), VirtualClock()
    desk.services.past_notes = PastNotes(desk.services.engine, clock)
    await ana.get("/agent")
    del desk.fake.contacts["before-0"]
    assert "wants a line" in (await ana.get("/agent/panel")).text
    clock.advance(KEPT_S)
    assert "wants a line" not in (await ana.get("/agent/panel")).text
