"""`GET /v1/surveys`: figures for who watches, of her own tenant."""

from __future__ import annotations

import pytest

from desk.roles import EVERY_TENANT, Role
from store.sql.models import SurveyAnswerRow

MARCH_10_US = 1_773_140_400_000_000
PATH = "/v1/surveys"
DAY = {"from": "2026-03-10", "to": "2026-03-10"}


def row(number, score, kind="csat", tenant="main", agent_id="ana", at_us=MARCH_10_US):
    return SurveyAnswerRow(
        interaction_id=f"i-{number}",
        visit=1,
        question=kind,
        tenant=tenant,
        survey="after",
        kind=kind,
        flow="reception",
        node="reception/opinion",
        language="es",
        queue="sales",
        agent_id=agent_id,
        asked=1,
        at_us=at_us,
        answered_us=at_us if score is not None else None,
        answer="" if score is None else str(score),
        score=score,
    )


@pytest.fixture
async def answered(desk):
    rows = [row(1, 5), row(2, 3, agent_id="bob"), row(3, None), row(4, 10, "nps"), row(5, 1, tenant="acme")]
    async with desk.services.database.session() as session, session.begin():
        session.add_all([*rows, row(6, 1, at_us=MARCH_10_US + 86_400_000_000)])
    return desk


async def test_each_question_with_its_figures(answered):
    body = (await answered.as_role(Role.QUALITY).get(PATH, **DAY)).json()
    assert (body["first"], body["last"], body["by"]) == ("2026-03-10", "2026-03-10", "queue")
    csat, nps = body["questions"]
    assert (csat["kind"], csat["total"]["asked"], csat["total"]["replied"]) == ("csat", 3, 2)
    assert (csat["total"]["mean"], csat["total"]["satisfied_percent"], csat["total"]["nps"]) == (4.0, 50.0, None)
    assert (nps["total"]["nps"], nps["total"]["promoters"], nps["total"]["interval_95"]) == (100.0, 1, [-48.5, 100.0])
    assert [group["name"] for group in csat["groups"]] == ["sales"]


async def test_by_agent_or_of_one(answered):
    sue = answered.as_role(Role.SUPERVISOR)
    csat = (await sue.get(PATH, **DAY, by="agent")).json()["questions"][0]
    assert [(group["name"], group["asked"]) for group in csat["groups"]] == [("ana", 2), ("bob", 1)]
    csat = (await sue.get(PATH, **DAY, agent_id="bob", queue="sales")).json()["questions"][0]
    assert csat["total"]["distribution"] == {"3": 1}
    days = (await sue.get(PATH, **{**DAY, "to": "2026-03-12"}, by="day")).json()["questions"][0]["groups"]
    assert [group["name"] for group in days] == ["2026-03-10", "2026-03-11"]


async def test_of_her_tenant_alone(answered):
    (csat,) = (await answered.as_role(Role.SUPERVISOR, "acme").get(PATH, **DAY)).json()["questions"]
    assert (csat["tenant"], csat["total"]["answers"]) == ("acme", 1)
    everybody = (await answered.as_role(Role.ADMIN, EVERY_TENANT).get(PATH, **DAY, tenant="*")).json()["questions"]
    assert [each["tenant"] for each in everybody] == ["acme", "main", "main"]


async def test_agents_and_clients_do_not_see_them(answered):
    for role in (Role.AGENT, Role.CLIENT_VIEWER):
        assert (await answered.as_role(role).get(PATH, **DAY)).status_code == 403


@pytest.mark.parametrize("wrong", [{"from": "2026-03-11"}, {"from": "soon"}, {"by": "hour"}, {"to": "9999-12-31"}])
async def test_what_cannot_be_asked(answered, wrong):
    assert (await answered.as_role(Role.QUALITY).get(PATH, **{**DAY, **wrong})).status_code == 422
