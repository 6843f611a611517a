"""Who asked to be forgotten is forgotten by either database; nobody else is."""

import pytest
from sqlalchemy import func, select

from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord, Promise
from core.lead_store import Save
from store.sql.lead_erasure import ErasedLeads, erase_leads, jobs_of
from store.sql.lead_models import LeadNumberRow
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import attempt, opened_database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_person_is_forgotten_with_all_her_numbers(request, kind, tmp_path):
    async with opened_database(request, kind, tmp_path) as database:
        store = SqlLeadStore(database)
        people = {"l1": ("+34911000001", "+34611000001"), "l2": ("+34911000002",), "l3": ("+34911000001",)}
        states = {"l3": LeadState.DIALING}
        leads = [
            LeadRecord(
                lead_id,
                "main",
                "spring",
                tuple(map(LeadNumber, numbers)),
                name="Ana",
                state=states.get(lead_id, LeadState.WAITING),
                promise=Promise("promise", "2026-12-01", 1.0, 2.0, "90.00"),
            )
            for lead_id, numbers in people.items()
        ]
        await store.save([Save(lead.lead_id, 1, lead=lead) for lead in leads])
        tried = [
            attempt(f"a-{lead_id}", lead_id, numbers[0], 5.0, answers={"job": "nurse"})
            for lead_id, numbers in people.items()
        ]
        await store.save([Save(each.attempt_id, 1, attempt=each) for each in tried])
        assert await erase_leads(database, "other", ["+34911000001"]) == ErasedLeads()
        assert await erase_leads(database, "main", ["anonymous"]) == ErasedLeads()
        forgotten = await erase_leads(database, "main", ["+34911000001"])
        assert (forgotten.leads, forgotten.in_hand) == (("l1",), ("l3",))
        assert forgotten.attempts == 2
        blank = await store.lead("main", "l1", 0.0)
        assert (blank.record.numbers, blank.record.promise) == ((), None)
        assert [each.answers for each in blank.history] == [{}]
        assert [each.answers for each in (await store.lead("main", "l2", 0.0)).history] == [{"job": "nurse"}]
        assert (await store.lead("main", "l2", 0.0)).record.name == "Ana"
        async with database.begin() as connection:
            assert await connection.scalar(select(func.count()).select_from(LeadNumberRow)) == 2
        assert await jobs_of(database, "main") == ([], [])
