"""What every store of lists promises those who import: SQLite, PostgreSQL, memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord
from core.list_store import ImportBatch, ImportJob, ImportState, ImportStopped, ImportTally, ListBusy, lead_id_of
from core.listed_leads import LISTED_AT_IMPORT
from dialer.memory_lists import MemoryListStore
from store.sql.lead_imports import SqlListStore
from tests.contract.lead_stage import NOW_S, attempt, lead, opened_database, save, staged_ids, state_of

_JOB = "j00000000001"


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
async def lists(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield MemoryListStore()
        return
    async with opened_database(request, request.param, tmp_path) as database:
        yield SqlListStore(database)


def job(job_id: str = _JOB, list_id: str = "spring", started_s: float = NOW_S) -> ImportJob:
    return ImportJob(job_id, "main", list_id, "leads.csv", "f00d", '{"a":1}', "w1", size=1000, started_s=started_s)


def row(number: int, job_id: str = _JOB, **more: Any) -> LeadRecord:
    return lead(lead_id_of(job_id, number), numbers=(LeadNumber(f"+346000{number:05d}"),), **more)


def batch(first: int, last: int, *added: LeadRecord, **more: Any) -> ImportBatch:
    values: dict[str, Any] = {"job_id": _JOB, "worker": "w1", "position": last * 10, "rejects_bytes": 0}
    values |= {"tally": ImportTally(added=len(added)), "now_s": NOW_S, "added": added}
    return ImportBatch(**{**values, **more, "rows_before": first - 1, "rows": last})


async def whole_import(lists: Any, *records: LeadRecord, job_id: str = _JOB, **more: Any) -> None:
    await lists.open_job(job(job_id))
    await lists.take(batch(1, len(records) or 1, *records, job_id=job_id, **more))
    while await lists.release("main", job_id, "w1", 2, NOW_S):
        pass
    await lists.end_job("main", job_id, ImportState.FINISHED, NOW_S + 5)


async def test_nobody_is_dialed_before_the_import_has_finished(lists: Any) -> None:
    opened = await lists.open_job(job(), campaign="c1")
    assert (opened.state, opened.rows) == (ImportState.RUNNING, 0)
    taken = await lists.take(batch(1, 3, row(1), row(2), row(3, state=LeadState.BLOCKED, reason="listed")))
    assert (taken.rows, taken.position, taken.tally.added) == (3, 30, 3)
    assert await staged_ids(lists) == []
    assert await lists.release("main", _JOB, "w1", 1, NOW_S)
    assert await staged_ids(lists) == [lead_id_of(_JOB, 1)]
    while await lists.release("main", _JOB, "w1", 100, NOW_S):
        pass
    done = await lists.end_job("main", _JOB, ImportState.FINISHED, NOW_S + 9)
    assert (done.state, done.released, done.finished_s) == (ImportState.FINISHED, 2, NOW_S + 9)
    assert await staged_ids(lists) == [lead_id_of(_JOB, 2)]
    assert await state_of(lists, lead_id_of(_JOB, 3)) is LeadState.BLOCKED
    found = await lists.lead("main", lead_id_of(_JOB, 2), 0.0)
    assert found.record == row(2, state=LeadState.STAGED)
    assert [(each.list_id, each.campaign, each.changed_s) for each in await lists.lists("main")] == [
        ("spring", "c1", NOW_S + 9)
    ]


async def test_a_batch_of_somebody_else_or_of_another_row_is_refused_whole(lists: Any) -> None:
    await lists.open_job(job())
    await lists.take(batch(1, 2, row(1), row(2)))
    for wrong in (batch(2, 3, row(3)), batch(3, 4, row(3), worker="w2"), batch(3, 4, row(3), job_id="j00000000009")):
        with pytest.raises(ImportStopped):
            await lists.take(wrong)
    assert await lists.counts("main", ["spring"]) == {LeadState.NEW: 2}
    with pytest.raises(ImportStopped):
        await lists.release("main", _JOB, "w2", 10, NOW_S)


async def test_a_job_that_was_killed_goes_on_where_it_stopped(lists: Any) -> None:
    await lists.open_job(job())
    await lists.take(batch(1, 2, row(1), row(2), rejects_bytes=77))
    resumed = await lists.resume_job("main", _JOB, "w2", NOW_S + 60)
    assert (resumed.rows, resumed.rejects_bytes, resumed.worker) == (2, 77, "w2")
    assert (resumed.settings, resumed.fingerprint, resumed.size) == ('{"a":1}', "f00d", 1000)
    with pytest.raises(ImportStopped):
        await lists.take(batch(3, 3, row(3)))
    taken = await lists.take(batch(3, 3, row(3), worker="w2"))
    assert taken.tally == ImportTally(added=3)
    assert await lists.job("main", _JOB) == taken
    assert await lists.job("acme", _JOB) is None


async def test_one_import_at_a_time_fills_a_list(lists: Any) -> None:
    await lists.open_job(job())
    with pytest.raises(ListBusy, match=_JOB):
        await lists.open_job(job("j00000000002", started_s=NOW_S + 10))
    assert await lists.job("main", "j00000000002") is None
    await lists.open_job(job("j00000000003", list_id="autumn", started_s=NOW_S + 10))
    await lists.open_job(job("j00000000004", started_s=NOW_S + 60))
    assert [each.job_id for each in await lists.jobs("main", "spring")] == ["j00000000004", _JOB]
    assert len(await lists.jobs("main")) == 3
    assert list(await lists.jobs("acme")) == []


async def test_a_cancelled_import_takes_nothing_more_and_can_be_resumed_or_undone(lists: Any) -> None:
    await lists.open_job(job())
    await lists.take(batch(1, 1, row(1)))
    await lists.end_job("main", _JOB, ImportState.CANCELLED, NOW_S, "by hand")
    with pytest.raises(ImportStopped):
        await lists.take(batch(2, 2, row(2)))
    with pytest.raises(ImportStopped):
        await lists.end_job("main", _JOB, ImportState.FINISHED, NOW_S)
    assert await staged_ids(lists) == []
    assert (await lists.resume_job("main", _JOB, "w1", NOW_S)).why == ""
    await lists.take(batch(2, 2, row(2)))
    undone = await lists.end_job("main", _JOB, ImportState.UNDONE, NOW_S)
    assert undone.state is ImportState.UNDONE
    assert await lists.undo("main", _JOB, 1) == 1
    assert await lists.undo("main", _JOB, 10) == 1
    assert await lists.undo("main", _JOB, 10) == 0
    assert await lists.counts("main", ["spring"]) == {}
    assert list(await lists.by_number("main", "+34600000001", 0.0)) == []
    with pytest.raises(ImportStopped):
        await lists.resume_job("main", _JOB, "w1", NOW_S)


async def test_leads_are_known_by_number_or_id_in_one_list_or_all(lists: Any) -> None:
    await whole_import(lists, row(1, external_id="A"), row(2))
    await lists.save([save(lead("other", list_id="autumn", numbers=(LeadNumber("+34600000002"),)))])

    async def known(*keys: Any, **more: Any) -> list[str]:
        return sorted(each.record.lead_id for each in await lists.known("main", *keys, **more))

    assert await known(["+34600000002", "+34999"], ["Z"]) == [lead_id_of(_JOB, 2), "other"]
    assert await known(["+34600000002"], [], list_id="spring") == [lead_id_of(_JOB, 2)]
    assert await known([], ["A"]) == [lead_id_of(_JOB, 1)]
    assert await known([], []) == []
    assert list(await lists.known("acme", ["+34600000002"], ["A"])) == []


async def test_a_second_import_changes_what_lists_say_and_nothing_else(lists: Any) -> None:
    await whole_import(lists, row(1, name="Ana"), row(2))
    await staged_ids(lists, 1)
    before = (await lists.lead("main", lead_id_of(_JOB, 1), 0.0)).record
    after = replace(before, name="Ana María", numbers=(LeadNumber("+34611111111"), *before.numbers), priority=9)
    await whole_import(lists, job_id="j00000000002", changed=((before, after),))
    found = (await lists.lead("main", before.lead_id, 0.0)).record
    assert found == after
    assert found.state is LeadState.STAGED
    assert len(await lists.by_number("main", "+34611111111", 0.0)) == 1
    in_hand = replace(before, state=LeadState.WAITING, attempts=1, numbers=(replace(before.numbers[0], attempts=1),))
    await lists.save([save(in_hand)])
    again = (await lists.lead("main", before.lead_id, 0.0)).record
    assert (again.name, again.priority, again.attempts) == ("Ana María", 9, 1)
    assert [(each.number, each.attempts) for each in again.numbers] == [("+34611111111", 0), ("+34600000001", 1)]


async def test_undoing_puts_back_what_was_changed_and_keeps_who_was_dialed(lists: Any) -> None:
    await whole_import(lists, row(1, name="Ana"))
    second = "j00000000002"
    before = (await lists.lead("main", lead_id_of(_JOB, 1), 0.0)).record
    after = replace(before, name="Wrong", numbers=(LeadNumber("+34699999999"),))
    await whole_import(lists, row(1, second), row(2, second), job_id=second, changed=((before, after),))
    await lists.save([save(row(2, second, state=LeadState.WAITING, attempts=1))])
    await lists.end_job("main", second, ImportState.UNDONE, NOW_S)
    while await lists.undo("main", second, 1):
        pass
    assert (await lists.lead("main", before.lead_id, 0.0)).record == before
    assert list(await lists.by_number("main", "+34699999999", 0.0)) == []
    assert await lists.lead("main", lead_id_of(second, 1), 0.0) is None
    assert await state_of(lists, lead_id_of(second, 2)) is LeadState.WAITING


async def test_undoing_leaves_alone_what_a_later_import_changed(lists: Any) -> None:
    await whole_import(lists, row(1, name="Ana"))
    first = (await lists.lead("main", lead_id_of(_JOB, 1), 0.0)).record
    for number, name in ((2, "Second"), (3, "Third")):
        now = (await lists.lead("main", first.lead_id, 0.0)).record
        await whole_import(lists, job_id=f"j0000000000{number}", changed=((now, replace(now, name=name)),))
    await lists.end_job("main", "j00000000002", ImportState.UNDONE, NOW_S)
    while await lists.undo("main", "j00000000002", 10):
        pass
    assert (await lists.lead("main", first.lead_id, 0.0)).record.name == "Third"
    await lists.end_job("main", "j00000000003", ImportState.UNDONE, NOW_S)
    while await lists.undo("main", "j00000000003", 10):
        pass
    assert (await lists.lead("main", first.lead_id, 0.0)).record.name == "Second"


async def test_a_list_is_deleted_but_for_who_is_in_hand_and_the_evidence(lists: Any) -> None:
    await whole_import(lists, *(row(n) for n in range(1, 6)))
    await lists.save([save(attempt("t1", lead_id_of(_JOB, 5), "+34600000005", NOW_S))])
    await staged_ids(lists, 1)
    deleted = 0
    while some := await lists.delete_leads("main", "spring", 2):
        deleted += some
    assert deleted == 4
    assert not await lists.delete_list("main", "spring")
    await lists.unstage("main", [lead_id_of(_JOB, 1)])
    assert await lists.delete_leads("main", "spring", 10) == 1
    assert await lists.delete_list("main", "spring")
    assert list(await lists.lists("main")) == []
    assert list(await lists.jobs("main")) == []
    assert [each.attempt_id async for each in lists.attempts("main")] == ["t1"]
    assert await lists.zones("main", ["spring"]) == []


async def test_leads_and_attempts_stream_out(lists: Any) -> None:
    await whole_import(lists, *(row(n) for n in range(1, 5)))
    await lists.save([save(lead("other", list_id="autumn"))])
    assert [each.lead_id async for each in lists.leads("main", "spring")] == [lead_id_of(_JOB, n) for n in range(1, 5)]
    tries = [
        attempt("b", "x", "+34600000001", NOW_S),
        attempt("a", "x", "+34600000001", NOW_S),
        attempt("c", "x", "+34600000001", NOW_S - 5, list_id="autumn"),
        attempt("d", "x", "+34600000001", NOW_S + 5, campaign="c0"),
    ]
    await lists.save([save(each) for each in tries])

    async def ids(**more: Any) -> list[str]:
        return [each.attempt_id async for each in lists.attempts("main", **more)]

    assert await ids() == ["d", "c", "a", "b"]
    assert await ids(campaign="c1", since_s=NOW_S) == ["a", "b"]
    assert await ids(list_id="autumn") == ["c"]


async def test_numbers_listed_by_hand_and_by_the_dialer_agree(lists: Any) -> None:
    mine = NumberListed("main", "+34600000001", by="admin", why="letter")
    campaign = NumberListed("main", "+34600000002", "c1", by="admin")
    assert await lists.put_listed([mine, campaign, mine], NOW_S) == 2
    assert await lists.put_listed([mine], NOW_S + 1) == 0
    asked = ["+34600000001", "+34600000002", "+34600000003"]
    assert set(await lists.listed_among("main", asked)) == {"+34600000001"}
    assert set(await lists.listed_among("main", asked, "c1")) == {"+34600000001", "+34600000002"}
    assert set(await lists.listed_among("acme", asked, "c1")) == set()
    assert set(await lists.listed_among("main", [], "c1")) == set()
    assert await lists.put_listed([replace(mine, listed=False)], NOW_S) == 1
    assert [each async for each in lists.listed()] == [campaign]
    await lists.save([save(replace(mine, by="caller", why=""), int(NOW_S * 1000) + 2)])
    assert set(await lists.listed_among("main", asked)) == {"+34600000001"}


async def test_whose_number_is_put_on_the_list_waits_no_longer(lists: Any) -> None:
    await lists.save([save(lead("a", numbers=(LeadNumber("+34600000001"),))), save(lead("b"))])
    said = NumberListed("main", "+34600000001", by="admin")
    await lists.put_listed([said], NOW_S)
    found = await lists.lead("main", "a", 0.0)
    assert (found.record.state.value, found.record.reason) == ("blocked", "rule do_not_call/main")
    assert (await lists.counts("main", ["spring"])) == {LeadState.BLOCKED: 1, LeadState.NEW: 1}
    await lists.put_listed([replace(said, listed=False)], NOW_S + 1)
    assert (await lists.counts("main", ["spring"])) == {LeadState.WAITING: 1, LeadState.NEW: 1}


async def test_who_may_be_called_again_waits_as_long_as_she_had_to(lists: Any) -> None:
    here = (LeadNumber("+34600000001"),)
    later = lead("later", numbers=here, state=LeadState.WAITING, reason="busy", not_before_s=NOW_S + 3600)
    imported = lead("imported", numbers=here, state=LeadState.BLOCKED, reason=LISTED_AT_IMPORT)
    await lists.save([save(later), save(imported)])
    said = NumberListed("main", "+34600000001", by="admin")
    await lists.put_listed([said], NOW_S)
    await lists.put_listed([replace(said, listed=False)], NOW_S + 1)
    assert await staged_ids(lists, now_s=NOW_S + 2) == ["imported"]
    assert await staged_ids(lists, now_s=NOW_S + 3600) == ["later"]
