"""Queue stays and agents' work in the tables: each once, whoever dies when; over SQLite and PostgreSQL."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from core.decisions import FloorSteered, Supervised
from core.line_facts import LineParty
from store.sql.accounts import AuditLog
from store.sql.database import Database
from store.sql.projector import Projector
from store.sql.repositories import Segments
from store.sql.routing_repositories import AgentWork, Outcomes, QueueStays, Worked
from tests.contract.projection_stage import NOW_S, Call, Diary, contents

WORKED = {"ring_s": 1.5, "talk_s": 60.0, "hold_s": 5.0, "consult_s": 2.0, "wrap_up_s": 30.0}


def us(seconds: float) -> int:
    return int((NOW_S + seconds) * 1e6)


async def served(diary: Diary, call: Call, waited_s: float = 2.0) -> None:
    agent = f"{call.id}-a"
    await diary.write(
        call.arrives(),
        call.answered(),
        call.queues(),
        call.rings(agent),
        call.talks(agent),
        call.answers(agent, waited_s=waited_s),
        call.hangs_up(agent),
        call.begins_wrap_up(),
        call.hangs_up(),
        call.is_wrapped_up(**WORKED),
    )


async def project(diary: Diary, database: Database) -> None:
    await Projector(diary.reader, database, pytest.fail).catch_up()


async def test_a_stay_and_the_work_it_led_to(diary: Diary, database: Database) -> None:
    await served(diary, Call("i-1"))
    await project(diary, database)
    (stay,) = await QueueStays(database).of("main", "i-1")
    assert (stay.queue, stay.how, stay.agent_id, stay.in_target) == ("sales", "answered", "eva", 1)
    assert (stay.waited_us, stay.ended_us) == (2_000_000, us(6))
    (work,) = await AgentWork(database).of("main", "i-1")
    assert (work.agent_id, work.how, work.disposition) == ("eva", "customer_hung_up", "sold/new")
    parts = (work.ring_us, work.talk_us, work.hold_us, work.consult_us, work.wrap_up_us)
    assert parts == (1_500_000, 60_000_000, 5_000_000, 2_000_000, 30_000_000)
    assert await QueueStays(database).of("acme", "i-1") == []
    assert await AgentWork(database).of("acme", "i-1") == []


async def test_wrap_up_is_a_stretch_of_the_contact_though_that_has_ended(diary: Diary, database: Database) -> None:
    await served(diary, Call("i-1"))
    await project(diary, database)
    found = {s.kind: (s.subject_id, s.started_us, s.ended_us) for s in await Segments(database).of("main", "i-1")}
    assert found["wrap_up"] == ("main/eva/i-1", us(8), us(10))


async def test_what_a_supervisor_keyed_is_in_the_audit_log_once(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    did = Supervised("i-1", "main", "marta", "whisper", ("eva",), "main-1003")
    refused = Supervised("", "main", "eva", "listen", (), "main-1002", "you do not supervise by phone")
    await diary.write(call.arrives(), call.entry(LineParty("i-1", "c9", "digit", digit="2"), [did, refused]))
    await project(diary, database)
    await Projector(diary.reader, database, pytest.fail).rebuild()
    await project(diary, database)
    second, first = await AuditLog(database).page("main")
    said = {"action": "whisper", "agents": ["eva"], "device": "main-1003", "supervisor": "marta"}
    assert (first.login, first.address, first.action, first.subject, json.loads(first.detail), first.result) == (
        *("marta", "phone", "SupervisionActed", "interaction i-1"),
        *(said, "ok"),
    )
    assert (second.login, second.subject, second.result, second.at_us) == ("eva", "interaction", "refused", us(2))
    assert await AuditLog(database).page("acme") == []


async def test_what_a_supervisor_did_to_the_floor_by_phone_is_there_as_if_the_desk_had_been_asked(
    diary: Diary, database: Database
) -> None:
    call = Call("i-1")
    did = FloorSteered("main", "marta", "QueueActed", "queue sales", "close", "main-1003")
    refused = FloorSteered("main", "eva", "AgentActed", "agent 77", "ready", "main-1002", "there is no agent")
    await diary.write(call.arrives(), call.entry(LineParty("i-1", "c9", "digit", digit="2"), [did, refused]))
    await project(diary, database)
    second, first = await AuditLog(database).page("main")
    said = {"action": "close", "device": "main-1003"}
    assert (first.login, first.address, first.action, first.subject, json.loads(first.detail), first.result) == (
        *("marta", "phone", "QueueActed", "queue sales"),
        *(said, "ok"),
    )
    assert (second.login, second.action, second.subject, second.result) == ("eva", "AgentActed", "agent 77", "refused")


async def test_queues_and_agents_are_summed_up_by_tenant_and_time(diary: Diary, database: Database) -> None:
    await served(diary, Call("i-1"), waited_s=2.0)
    await served(diary, Call("i-2", at_s=NOW_S + 1000), waited_s=200.0)
    await served(diary, Call("i-3", tenant="acme"))
    await project(diary, database)
    stays = await QueueStays(database).outcomes("main", within_us=180_000_000)
    assert stays == {"sales": Outcomes({"answered": (2, 202_000_000)}, 1, 1)}
    assert stays["sales"].total == 2
    assert (await QueueStays(database).outcomes("main", to_us=us(500)))["sales"].total == 1
    assert await QueueStays(database).outcomes("nobody") == {}
    work = await AgentWork(database).totals("main")
    assert work == {"eva": Worked(2, 2, 3_000_000, 120_000_000, 10_000_000, 4_000_000, 60_000_000)}
    assert await AgentWork(database).totals("main", from_us=us(5000)) == {}
    assert await AgentWork(database).dispositions("main") == {("sales", "sold/new"): 2}


async def test_time_away_from_the_phone_is_told_apart(diary: Diary, database: Database) -> None:
    for n, virtual_s in enumerate((0.0, 100.0, 60.5)):
        call = Call(f"i-{n}", at_s=NOW_S + 10 * n)
        await diary.write(call.arrives(), call.queues(), call.answers("a", waited_s=120.0, virtual_s=virtual_s))
    await project(diary, database)
    stays = [(await QueueStays(database).of("main", f"i-{n}"))[0] for n in range(3)]
    assert [(stay.virtual, stay.virtual_us) for stay in stays] == [(0, 0), (1, 100_000_000), (1, 60_500_000)]
    sales = (await QueueStays(database).outcomes("main"))["sales"]
    assert (sales.virtual, sales.virtual_us, sales.total) == (2, 160_500_000, 3)


async def test_stays_from_before_the_column_were_on_the_line_as_far_as_is_known(url: str) -> None:
    """Upgraded where rows are already: they are kept."""
    database = Database(url)
    await database.upgrade()
    async with database.begin() as connection:
        for column in ("virtual", "virtual_us"):
            await connection.execute(text(f"ALTER TABLE queue_stays DROP COLUMN {column}"))
        await connection.execute(text("DROP TABLE survey_answers"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        row = "('s', 'i', 'main', 'sales', 'answered', 'eva', 1, 5000000, 7)"
        await connection.execute(text(f"INSERT INTO queue_stays VALUES {row}"))
    await database.upgrade()
    (stay,) = await QueueStays(database).of("main", "i")
    assert (stay.waited_us, stay.virtual, stay.virtual_us) == (5_000_000, 0, 0)
    await database.close()


async def test_what_nobody_answered_is_offered_work_without_a_conversation(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    await diary.write(call.arrives(), call.is_wrapped_up(how="rona", ring_s=20.0))
    await project(diary, database)
    assert await AgentWork(database).totals("main") == {"eva": Worked(1, 0, 20_000_000, 0, 0, 0, 0)}


async def test_the_tables_can_be_built_again_and_are_the_same(diary: Diary, database: Database) -> None:
    for n in range(3):
        await served(diary, Call(f"i-{n}", at_s=NOW_S + 100 * n))
    projector = Projector(diary.reader, database, pytest.fail)
    await projector.catch_up()
    before = await contents(database)
    assert len(before["queue_stays"]) == len(before["agent_work"]) == 3
    await projector.rebuild()
    await projector.catch_up()
    assert await contents(database) == before


async def test_what_happened_after_the_contacts_beginning_was_pruned_counts_too(
    diary: Diary, database: Database
) -> None:
    call = Call("i-1")
    call.arrives()
    await diary.write(call.answers("a"), call.is_wrapped_up(**WORKED))
    await project(diary, database)
    assert len(await QueueStays(database).of("main", "i-1")) == 1
    assert len(await AgentWork(database).of("main", "i-1")) == 1
