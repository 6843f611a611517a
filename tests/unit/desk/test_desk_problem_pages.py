"""Who opens a page that cannot be shown reads why, in the page's language; programs get a problem as ever."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from desk.roles import Role

BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-language": "es-ES"}


async def opened(person, path, **headers):
    answer = await person.http.get(path, headers={**BROWSER, **headers})
    kind = answer.headers["content-type"]
    return answer.status_code, answer.text if kind.startswith("text/html") else kind


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/board", 403, "con el rol de agente no se puede"),
        ("/campaigns", 403, "con el rol de agente no se puede"),
        ("/bord", 404, "No hay ninguna página en esta dirección"),
        ("/static/nothing.js", 404, "No hay ninguna página en esta dirección"),
    ],
)
async def test_a_page_that_is_not_shown_says_why(desk, path, status, words):
    found, page = await opened(desk.agent("ana"), path)
    assert (found, words in page, 'lang="es"' in page) == (status, True, True), page


async def test_a_wrong_address_is_told_to_who_has_not_logged_in_too(desk):
    status, page = await opened(desk.nobody(), "/bord")
    assert (status, "No hay ninguna página" in page) == (404, True)


async def test_a_page_that_needs_a_database_which_is_away_says_so(desk, monkeypatch):
    async def away(*_args, **_more):
        raise OperationalError("select", {}, OSError("gone"))

    monkeypatch.setattr(desk.services.people.accounts, "of", away)
    admin = desk.as_role(Role.ADMIN)
    status, page = await opened(admin, "/people")
    assert (status, "la base de datos no contesta" in page) == (503, True), page


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/v1/nothing", {}), ("/bord", {"accept": "application/json"}), ("/bord", {"hx-request": "true"})],
)
async def test_programs_and_scripts_get_a_problem(desk, path, headers):
    assert await opened(desk.agent("ana"), path, **headers) == (404, "application/problem+json")
