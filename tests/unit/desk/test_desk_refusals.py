"""What a page refuses is said in the page's language, whoever refuses it."""

from __future__ import annotations

import pytest

from desk.engine_client import EngineClient
from desk.roles import Role

SPANISH = {"Accept-Language": "es-ES"}
ALREADY_THERE = {"login": "ana", "role": "agent", "password": "three green bottles"}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (ALREADY_THERE, "el usuario ana ya existe: elige otro"),
        ({**ALREADY_THERE, "login": "a na"}, "un usuario tiene de 2 a 64 signos: a-z, 0-9 y . _ @ + -"),
        ({**ALREADY_THERE, "login": "eva", "password": "aaaaaaaaaaaa"}, "la contraseña se repite"),
        ({**ALREADY_THERE, "login": "eva", "password": "evaevaevaeva1"}, "la contraseña contiene el usuario"),
    ],
)
async def test_an_account_that_cannot_be_is_refused_in_the_admins_language(desk, form, said):
    await desk.account("ana")
    root = desk.as_role(Role.ADMIN)
    refused = await root.http.post("/people", data=form, headers=SPANISH)
    assert (refused.status_code in (409, 422), said in refused.json()["detail"]) == (True, True), refused.text


async def test_an_account_that_is_gone_is_refused_in_the_admins_language(desk):
    root = desk.as_role(Role.ADMIN)
    for path, form in (("/people/nobody", {"disabled": "yes"}), ("/people/nobody/password", {})):
        assert (await root.http.post(path, data=form, headers=SPANISH)).json()["detail"] == "esa cuenta no existe"


async def test_a_supervisors_board_refuses_in_her_language(desk):
    sue = desk.as_role(Role.SUPERVISOR)
    await desk.heard()
    desk.fake.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "log_out"})
    refused = await sue.http.post("/board/agents/ana", data={"action": "ready"}, headers=SPANISH)
    assert refused.json()["detail"] == "entra antes en las colas"


async def test_the_first_admin_is_told_in_her_language_what_is_wrong(desk):
    first, clock = desk.services.first_admin, desk.services.clock
    await desk.until(lambda: first.link(clock.now_s()))
    path = first.link(clock.now_s()).removeprefix(desk.base)
    form = {"login": "root", "password": "aaaaaaaaaaaa"}
    assert "la contraseña se repite" in (await desk.nobody().http.post(path, data=form, headers=SPANISH)).text


async def test_while_the_engine_is_away_an_agent_is_told_so_in_her_language(desk, monkeypatch, tmp_path):
    ana = desk.agent("ana")
    await desk.heard()
    monkeypatch.setattr(desk.services, "engine", EngineClient(tmp_path / "nobody.sock"))
    for language, said in (("es", "la centralita"), ("en", "the telephone system")):
        answer = await ana.http.post(
            "/agent/presence", data={"action": "log_in"}, headers={"Accept-Language": language}
        )
        assert (answer.status_code, said in answer.json()["detail"]) == (503, True), answer.text


async def test_an_agent_whose_login_is_nobodys_is_told_who_mends_that(desk):
    await desk.heard()
    nobodys = desk.as_role(Role.AGENT)
    nobodys.http.follow_redirects = True
    page = await nobodys.http.get("/", headers={**SPANISH, "Accept": "text/html"})
    assert "Un administrador" in page.text, page.text
