"""Questions of surveys and their answers in the tables, over SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

import store.sql.projector as projector_module
from core.events import DigitPressed
from core.survey import SurveyAnswered
from store.sql.database import Database
from store.sql.models import SurveyAnswerRow
from store.sql.projector import Projector
from store.sql.repositories import Interactions
from store.sql.surveys import Counted, SurveyAnswers
from tests.contract.projection_stage import NOW_S, Call, Diary, contents, many_calls


def us(seconds: float) -> int:
    return int((NOW_S + seconds) * 1e6)


async def project(diary: Diary, database: Database) -> None:
    await Projector(diary.reader, database, pytest.fail).catch_up()


async def surveyed(diary: Diary, call: Call) -> None:
    """Served by eva of sales, asked three things; she answers two."""
    await diary.write(
        *(call.arrives(), call.answered(), call.queues(), call.rings("a"), call.talks("a"), call.answers("a")),
        call.advises("luis"),
        *(call.is_asked("csat", language="en"), call.opines("csat", "4", "en")),
        *(call.is_asked("nps", "solved"), call.opines("solved", "yes"), call.hangs_up()),
    )


def shown(row: SurveyAnswerRow) -> tuple[Any, ...]:
    return (row.survey, row.question, row.kind, row.node, row.language, row.asked, row.answer, row.score)


async def test_each_question_is_a_row_with_its_answer_and_who_had_served(diary: Diary, database: Database) -> None:
    await surveyed(diary, Call("i-1"))
    await project(diary, database)
    rows = await SurveyAnswers(database).of("main", "i-1")
    assert [shown(row) for row in rows] == [
        ("after", "csat", "csat", "reception/opinion", "en", 1, "4", 4),
        ("after", "nps", "nps", "reception/opinion", "es", 1, "", None),
        ("after", "solved", "yes_no", "reception/opinion", "es", 1, "yes", 1),
    ]
    assert [(row.at_us, row.answered_us) for row in rows] == [(us(8), us(9)), (us(10), None), (us(10), us(11))]
    assert {(row.tenant, row.flow, row.queue, row.agent_id) for row in rows} == {("main", "reception", "sales", "eva")}
    assert await SurveyAnswers(database).of("acme", "i-1") == []


async def test_a_projector_that_remembers_nothing_writes_the_same(
    diary: Diary, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = list(many_calls(40, seed=5))
    await diary.write(*entries)
    await project(diary, database)
    before = await contents(database)
    assert len(before["survey_answers"]) > 5
    projector = Projector(diary.reader, database, pytest.fail)
    await projector.rebuild()
    monkeypatch.setattr(projector_module, "BATCH", 3)
    while await projector.step():
        projector._stories.clear()
    assert await contents(database) == before


async def test_journals_of_earlier_releases_say_only_what_was_answered(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    answered = SurveyAnswered("after", "nps", "nps", "10")
    await diary.write(
        call.arrives(), call.answered(), call.answers("a"), call.entry(DigitPressed(call.leg, "1"), [answered])
    )
    await project(diary, database)
    (row,) = await SurveyAnswers(database).of("main", "i-1")
    assert shown(row) == ("after", "nps", "nps", "reception/menu", "es", 0, "10", 10)
    assert (row.at_us, row.answered_us, row.agent_id, row.queue) == (us(4), us(4), "eva", "sales")


async def test_what_is_no_number_has_no_score_and_stops_nothing(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    values = ("9" * 30, "²", "maybe\0", "-1")
    told = [SurveyAnswered("after\0", f"q{n}", "csat", value) for n, value in enumerate(values)]
    await diary.write(call.arrives(), call.entry(DigitPressed(call.leg, "1"), list(told)))
    await project(diary, database)
    rows = await SurveyAnswers(database).of("main", "i-1")
    assert [(row.answer, row.score) for row in rows] == [(value.rstrip("\0"), None) for value in values]


async def test_who_is_asked_again_later_has_two_rows(diary: Diary, database: Database) -> None:
    call = Call("i-1")
    await diary.write(call.arrives(), call.is_asked("csat"), call.opines("csat", "1"), call.is_asked("csat"))
    await diary.write(call.opines("csat", "5"))
    await project(diary, database)
    assert [row.score for row in await SurveyAnswers(database).of("main", "i-1")] == [1, 5]


async def test_counts_by_what_is_asked_for(diary: Diary, database: Database) -> None:
    await surveyed(diary, Call("i-1"))
    await surveyed(diary, Call("i-2", at_s=NOW_S + 3600))
    await surveyed(diary, Call("i-3", tenant="acme"))
    await project(diary, database)
    answers = SurveyAnswers(database)
    found = await answers.counts("queue", tenant="main")
    assert found == [
        Counted("main", "after", "csat", "csat", "sales", 1, 4, "4", 2),
        Counted("main", "after", "nps", "nps", "sales", 1, None, "", 2),
        Counted("main", "after", "solved", "yes_no", "sales", 1, 1, "yes", 2),
    ]
    assert {each.tenant for each in await answers.counts("agent")} == {"acme", "main"}
    quarters = [each.group for each in await answers.counts("quarter", tenant="main") if each.question == "csat"]
    assert quarters == [int(NOW_S + 7) // 900, int(NOW_S + 3607) // 900]
    assert [each.count for each in await answers.counts("flow", us(3600), tenant="main")] == [1, 1, 1]
    assert await answers.counts("queue", queue="nobody") == []
    assert await answers.counts("queue", agent_id="ana") == []
    assert len(await answers.counts("queue", queue="sales", agent_id="eva", tenant="main")) == 3


async def test_erasing_a_contact_leaves_opinions_that_are_nobodys(diary: Diary, database: Database) -> None:
    contact = diary.cipher.contact_key_id("main", "+34600112233", "")
    await surveyed(diary, Call("i-1", contact=contact))
    await project(diary, database)
    diary.cipher.erase(contact)
    assert list(await Interactions(database).erase(contact)) == []
    interaction = await Interactions(database).get("main", "i-1")
    assert interaction is not None
    assert interaction.caller == ""
    rows = await SurveyAnswers(database).of("main", "i-1")
    assert [row.score for row in rows] == [4, None, 1]
    tables = await contents(database)
    assert "600112233" not in str(tables["survey_answers"] + tables["interactions"])


async def test_an_upgrade_brings_in_the_answers_of_earlier_calls_and_changes_nothing_else(
    diary: Diary, url: str
) -> None:
    """Tables as the release before had them, with all that the journal says but for surveys."""
    await diary.write(*many_calls(60, seed=9))
    database = Database(url)
    await database.upgrade()
    await project(diary, database)
    before = await contents(database)
    async with database.begin() as connection:
        await connection.execute(text("DROP TABLE survey_answers"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    await database.upgrade()
    await project(diary, database)
    after = await contents(database)
    await database.close()
    assert after["survey_answers"]
    assert after == before
