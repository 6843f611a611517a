"""What the journal says stands in the tables, once, whoever dies when; over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from sqlalchemy import update

import store.sql.projector as projector_module
from core.decisions import NodeEntered
from core.events import CommandRejected, DigitPressed, LegAdopted, LegEnded, RecordingFinished, RecordingKept
from core.leg import EndReason
from core.leg_commands import KeepRecording, StartTalkRecording, StopTalkRecording
from store.entry import Entry
from store.sql.database import Database
from store.sql.models import ProjectionStateRow
from store.sql.projector import Projector
from store.sql.repositories import Interactions, Legs, NodeVisits, Recordings, Segments
from tests.contract.projection_stage import NOW_S, Call, Diary, contents, many_calls, whole_call


def us(seconds: float) -> int:
    return int((NOW_S + seconds) * 1e6)


@pytest.fixture
async def projected(diary: Diary, database: Database) -> Database:
    await diary.write(*whole_call(Call("i-1")))
    projector = Projector(diary.reader, database, pytest.fail)
    assert await projector.catch_up() == 11
    assert (projector.seq, projector.lag_events) == (11, 0)
    return database


async def test_an_interaction_and_its_legs(projected: Database) -> None:
    interaction = await Interactions(projected).get("main", "i-1")
    assert interaction is not None
    assert (interaction.flow, interaction.flow_version, interaction.language) == ("reception", "v1", "es")
    assert (interaction.caller, interaction.called, interaction.contact_key_id) == ("+34600112233", "+34911", "ana")
    assert (interaction.state, interaction.outcome) == ("closed", "completed")
    assert (interaction.opened_us, interaction.closed_us) == (us(1), us(11))
    customer, agent = await Legs(projected).of("main", "i-1")
    assert (customer.role, customer.state, customer.joined_us, customer.up_us) == ("customer", "ended", us(1), us(2))
    assert (agent.role, agent.joined_us, agent.up_us, agent.ended_us) == ("agent", us(6), us(7), us(10))
    assert (agent.end_reason, agent.cause) == ("hung_up", 16)


async def test_segments_add_up(projected: Database) -> None:
    found = [(s.kind, s.detail, s.started_us, s.ended_us) for s in await Segments(projected).of("main", "i-1")]
    assert sorted(found, key=lambda each: (each[2], each[0])) == [
        ("flow", "reception", us(1), us(5)),
        ("ring", "customer", us(1), us(2)),
        ("wait", "sales", us(5), us(7)),
        ("ring", "agent", us(6), us(7)),
        ("talk", "agent", us(7), us(8)),
        ("hold", "agent", us(8), us(9)),
        ("talk", "agent", us(9), us(10)),
    ]
    totals = await Segments(projected).totals("main")
    assert totals == {
        "flow": (1, 4_000_000),
        "ring": (2, 2_000_000),
        "wait": (1, 2_000_000),
        "talk": (2, 2_000_000),
        "hold": (1, 1_000_000),
    }


async def test_the_path_and_the_recording(projected: Database) -> None:
    path = [
        (v.node, v.branch, v.target, v.entered_us, v.left_us) for v in await NodeVisits(projected).of("main", "i-1")
    ]
    assert path == [("menu", "2", "voicemail", us(2), us(3)), ("voicemail", "", "", us(3), None)]
    assert await NodeVisits(projected).branches("main", "reception") == {("menu", "2"): 1, ("voicemail", ""): 1}
    (recording,) = await Recordings(projected).of("main", "i-1")
    assert (recording.state, recording.mailbox, recording.ended_by) == ("kept", "sales", "digit")
    assert (recording.started_us, recording.finished_us, recording.duration_us) == (us(3), us(4), 7_250_000)
    assert json.loads(recording.labels) == {"who": "Ana", "über": "ñ"}
    assert [each.recording_id for each in await Recordings(projected).in_mailbox("main", "sales")] == ["i-1-r"]


async def test_a_conversations_recording_and_what_became_of_it(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    start = StartTalkRecording(call.leg, "i-1.r1")
    keep = KeepRecording(call.id, call.leg, "i-1.r1", "talk.sales", {"kind": "conversation"})
    begun = call.entry(DigitPressed(call.leg, "1"), [], [start])
    again = call.entry(LegAdopted(call.leg, up=True), [], [start])
    await diary.write(call.arrives(), call.answered(), begun, again)
    projector = Projector(diary.reader, database, pytest.fail)

    async def state() -> tuple[str, str, bool]:
        await projector.catch_up()
        (row,) = await Recordings(database).of("main", "i-1")
        return row.state, row.mailbox, row.finished_us is not None

    assert await state() == ("recording", "", False)
    (row,) = await Recordings(database).of("main", "i-1")
    assert row.started_us == round(begun.at_s * 1e6)
    await diary.write(call.entry(DigitPressed(call.leg, "2"), [], [StopTalkRecording(call.leg, "i-1.r1"), keep]))
    await diary.write(call.entry(RecordingFinished(call.leg, "i-1.r1", 3.0, "stopped"), []))
    assert await state() == ("kept", "talk.sales", True)
    rejected = CommandRejected(call.id, "5.1", "KeepRecording", "no room", call.leg, "i-1.r1")
    await diary.write(call.hangs_up(), Entry(call.id, call.contact, call.at_s + 1.0, rejected))
    assert (await state())[0] == "failed"
    await diary.write(Entry(call.id, call.contact, call.at_s + 60.0, RecordingKept(call.leg, "i-1.r1")))
    assert (await state())[0] == "kept"


async def test_another_tenant_sees_nothing_of_it(projected: Database) -> None:
    assert await Interactions(projected).get("acme", "i-1") is None
    assert await Interactions(projected).between("acme") == []
    assert await Segments(projected).totals("acme") == {}
    for repository in (Legs, Segments, NodeVisits, Recordings):
        assert await repository(projected).of("acme", "i-1") == []
    assert await Recordings(projected).in_mailbox("acme", "sales") == []


async def test_newest_first_within_a_time(diary: Diary, database: Database) -> None:
    for n in range(5):
        await diary.write(Call(f"i-{n}", at_s=NOW_S + n).arrives())
    await Projector(diary.reader, database, pytest.fail).catch_up()
    found = await Interactions(database).between("main", us(2), us(5), limit=2)
    assert [each.interaction_id for each in found] == ["i-3", "i-2"]


# -- once, whoever dies when ------------------------------------------------------------------------------
async def test_replaying_from_the_beginning_gives_identical_tables(
    diary: Diary, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await diary.write(*many_calls(70))
    first = Projector(diary.reader, database, pytest.fail)
    await first.catch_up()
    expected = await contents(database)
    assert len(expected["interactions"]) == 70
    assert all(expected.values())

    await first.rebuild()
    assert not any((await contents(database)).values())
    monkeypatch.setattr(projector_module, "BATCH", 23)
    while await Projector(diary.reader, database, pytest.fail).step():
        """A projector that dies after each batch and remembers nothing."""
    assert await contents(database) == expected

    async with database.begin() as connection:
        await connection.execute(update(ProjectionStateRow).values(seq=0))
    await Projector(diary.reader, database, pytest.fail).catch_up()
    assert await contents(database) == expected, "replayed over the rows that are there"


async def test_two_projectors_on_the_same_tables_count_nothing_twice(
    diary: Diary, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await diary.write(*many_calls(60))
    alone = Projector(diary.reader, database, pytest.fail)
    await alone.catch_up()
    expected = await contents(database)
    await alone.rebuild()
    monkeypatch.setattr(projector_module, "BATCH", 11)
    monkeypatch.setattr(projector_module, "IDLE_S", 0.01)
    both = [Projector(diary.reader, database, lambda _: None) for _ in range(2)]
    tasks = [asyncio.ensure_future(each.run()) for each in both]
    try:
        async with asyncio.timeout(30):
            while any(each.seq != diary.journal.last_seq for each in both):
                await asyncio.sleep(0.05)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await contents(database) == expected


async def test_a_transaction_that_dies_half_way_leaves_no_half(
    diary: Diary, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await diary.write(*many_calls(40))
    chance = random.Random(3)
    apply = projector_module._apply

    async def dies_sometimes(*arguments: object) -> None:
        await apply(*arguments)  # type: ignore[arg-type]
        if chance.random() < 0.5:
            raise OSError("the connection broke")

    monkeypatch.setattr(projector_module, "_apply", dies_sometimes)
    monkeypatch.setattr(projector_module, "BATCH", 13)
    projector = Projector(diary.reader, database, pytest.fail)
    while projector.seq != diary.journal.last_seq:
        try:
            await projector.step()
        except OSError:
            continue
    broken = await contents(database)
    monkeypatch.undo()
    await projector.rebuild()
    await projector.catch_up()
    assert await contents(database) == broken


# -- what does not fit ------------------------------------------------------------------------------------
async def test_awkward_text_and_numbers_stop_nobody(diary: Diary, database: Database) -> None:
    problems: list[str] = []
    call, other = Call("i-1"), Call("i-2")
    await diary.write(
        call.arrives(caller="+34\0600", caller_name="\0"),
        call.entry(LegEnded(call.leg, EndReason.BUSY, 2**63), []),
        other.arrives(),
        call.entry(DigitPressed(call.leg, "1"), [NodeEntered("f\0", "n", 2**63)]),
        call.entry(DigitPressed(call.leg, "1"), [], [KeepRecording("i-1", "l", "never-started", "m\0", {"a": "\0"})]),
        other.hangs_up(),
    )
    projector = Projector(diary.reader, database, problems.append)
    await projector.catch_up()
    assert (projector.seq, projector.lag_events) == (6, 0)
    assert projector.skipped == len(problems) == 2
    assert "event 2 does not fit the tables" in problems[0]
    closed = await Interactions(database).get("main", "i-2")
    assert closed is not None
    assert closed.outcome == "completed"


async def test_the_erased_leave_no_rows_when_the_tables_are_rebuilt(diary: Diary, database: Database) -> None:
    await diary.write(*whole_call(Call("i-1", contact="ana")), *whole_call(Call("i-2", contact="eva")))
    projector = Projector(diary.reader, database, pytest.fail)
    await projector.catch_up()
    diary.cipher.erase("ana")
    assert await Interactions(database).erase("ana") == ["i-1-r"]
    blanked = await Interactions(database).get("main", "i-1")
    assert blanked is not None
    assert (blanked.caller, blanked.called, blanked.outcome) == ("", "", "completed")
    assert blanked.erased_us is not None
    (recording,) = await Recordings(database).of("main", "i-1")
    assert recording.labels == "{}"
    kept = await Interactions(database).get("main", "i-2")
    assert kept is not None
    assert kept.caller == "+34600112233"
    await projector.rebuild()
    await projector.catch_up()
    assert [each.interaction_id for each in await Interactions(database).between("main")] == ["i-2"]
    assert projector.lag_events == 0


async def test_entries_of_nobody_s_interaction_pass_by(diary: Diary, database: Database) -> None:
    await diary.write(Entry("", "", NOW_S, DigitPressed("l", "1")), Entry("ghost", "", NOW_S, DigitPressed("l", "1")))
    projector = Projector(diary.reader, database, pytest.fail)
    assert await projector.catch_up() == 2
    assert not any((await contents(database)).values())
