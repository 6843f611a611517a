"""What is asked of all attempts of a campaign, alike of both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.sql.lead_exports import answered_fields
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import NOW_S, attempt, opened_database, save


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_every_field_that_was_ever_answered_is_known(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened_database(request, kind, tmp_path) as database:
        assert await answered_fields(database, "main", "c1", 0.0) == []
        tried = [
            attempt("a", "ana", "+34600000001", NOW_S, answers={"offer": "12m", "ñ": "x"}),
            attempt("b", "eva", "+34600000002", NOW_S + 1.0),
            attempt("c", "eva", "+34600000002", NOW_S + 2.0, answers={"sum": "5.00", "offer": "24m"}),
            attempt("d", "eva", "+34600000002", NOW_S, campaign="c2", answers={"other": "1"}),
            attempt("e", "zoe", "+34600000003", NOW_S, tenant="acme", answers={"theirs": "1"}),
        ]
        await SqlLeadStore(database).save([save(each) for each in tried])
        assert await answered_fields(database, "main", "c1", 0.0) == ["offer", "sum", "ñ"]
        assert await answered_fields(database, "main", "c1", NOW_S + 1.5) == ["offer", "sum"]
