"""What came before of the person an agent talks with."""

from __future__ import annotations

from desk import contacts
from store.sql.models import InteractionRow


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


async def test_that_an_agents_phone_rang_for_her_is_no_contact_of_hers(desk):
    rows = [("before", "inbound", 1), ("line-main-spring-1", "internal", 2), ("dial-main-spring-1", "outbound", 3)]
    async with desk.services.database.session() as session, session.begin():
        session.add_all(interaction(*row) for row in rows)
    found = await contacts.history(desk.services, "main", "dial-main-spring-1")
    assert [past.row.interaction_id for past in found] == ["before"]
