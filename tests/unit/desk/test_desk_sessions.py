"""Getting in and staying in."""

from __future__ import annotations

import json

import pytest

from core.clock import VirtualClock
from desk.first_admin import HOLDS_S, SAID_FILE
from desk.logins import GRACE_S
from desk.roles import Role
from desk.tokens import ACCESS_S, REFRESH_S, Tokens, signing_key
from tests.unit.desk.desk_stage import PASSWORD, desks


@pytest.fixture
async def timed(tmp_path, empty_database):
    clock = VirtualClock()
    async with desks(tmp_path, empty_database, clock=clock) as opened:
        yield opened, clock


async def _refresh(desk, token):
    return await desk.nobody().post("/v1/session/refresh", {"refresh_token": token})


async def _me(desk, token):
    return await desk.nobody().http.get("/v1/session/me", headers={"Authorization": f"Bearer {token}"})


async def test_a_login_gives_tokens_that_say_who_and_what_one_may(desk):
    await desk.account("ana@acme", agent_id="ana")
    answer = (await desk.log_in(" Ana@ACME ")).json()
    me = (await _me(desk, answer["access_token"])).json()
    assert me == answer["me"]
    assert (me["login"], me["role"], me["tenant"], me["agent_id"]) == ("ana@acme", "agent", "main", "ana")
    assert me["permissions"] == ["self", "work", "phone", "see_queues"]


async def test_a_wrong_password_and_an_unknown_login_read_alike(desk):
    await desk.account("ana")
    wrong, unknown = await desk.log_in("ana", "not it at all"), await desk.log_in("nobody", PASSWORD)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.headers["content-type"] == "application/problem+json"


async def test_who_guesses_waits_longer_each_time_even_with_the_right_password(timed):
    desk, clock = timed
    await desk.account("ana")
    assert [(await desk.log_in("ana", "guess guess")).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = await desk.log_in("ana")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    form = {"login": "ana", "password": "guess guess"}
    assert "espera 2 segundos." in (await desk.nobody().http.post("/login", data=form)).text
    clock.advance(1.6)
    assert "espera 1 segundo." in (await desk.nobody().http.post("/login", data=form)).text
    clock.advance(0.5)
    assert (await desk.log_in("ana", "guess guess")).status_code == 401
    clock.advance(2.1)
    assert (await desk.log_in("ana")).status_code == 429
    clock.advance(2.1)
    assert (await desk.log_in("ana")).status_code == 200


async def test_a_refresh_token_is_good_once_and_a_copied_one_ends_the_login(timed):
    desk, clock = timed
    await desk.account("ana")
    first = (await desk.log_in("ana")).json()
    second = (await _refresh(desk, first["refresh_token"])).json()
    assert (await _me(desk, second["access_token"])).status_code == 200
    clock.advance(GRACE_S + 1)
    assert (await _refresh(desk, first["refresh_token"])).status_code == 401
    assert (await _refresh(desk, second["refresh_token"])).status_code == 401
    assert (await _me(desk, second["access_token"])).status_code == 401


async def test_two_tabs_that_refresh_at_once_both_stay_in(timed):
    desk, _ = timed
    await desk.account("ana")
    first = (await desk.log_in("ana")).json()["refresh_token"]
    answers = [await _refresh(desk, first) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_tokens_end_with_time(timed):
    desk, clock = timed
    await desk.account("ana")
    tokens = (await desk.log_in("ana")).json()
    clock.advance(ACCESS_S)
    expired = await _me(desk, tokens["access_token"])
    assert (expired.status_code, expired.json()["type"]) == (401, "urn:centralita:expired")
    clock.advance(REFRESH_S)
    assert (await _refresh(desk, tokens["refresh_token"])).status_code == 401


async def test_logging_out_ends_all_of_this_login_and_no_other(desk):
    await desk.account("ana")
    here, there = (await desk.log_in("ana")).json(), (await desk.log_in("ana")).json()
    headers = {"Authorization": f"Bearer {here['access_token']}"}
    assert (await desk.nobody().http.post("/v1/session/logout", headers=headers)).status_code == 200
    assert (await _me(desk, here["access_token"])).status_code == 401
    assert (await _refresh(desk, here["refresh_token"])).status_code == 401
    assert (await _me(desk, there["access_token"])).status_code == 200


async def test_a_disabled_or_changed_account_is_out_at_once(desk):
    admin = desk.as_role(Role.ADMIN)
    for login, change in (("ana", {"disabled": True}), ("bob", {"role": "supervisor"})):
        account_id = await desk.account(login)
        tokens = (await desk.log_in(login)).json()
        assert (await admin.patch(f"/v1/accounts/{account_id}", change)).status_code == 200
        assert (await _me(desk, tokens["access_token"])).status_code == 401
        assert (await _refresh(desk, tokens["refresh_token"])).status_code == 401
    assert (await desk.log_in("ana")).status_code == 401
    assert (await desk.log_in("bob")).json()["me"]["role"] == "supervisor"


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.e30.", "a.b.c"])
def test_what_is_no_token_of_ours_is_refused(tmp_path, token):
    from desk.problems import Unauthenticated

    with pytest.raises(Unauthenticated):
        Tokens(signing_key(tmp_path)).principal(token, 0.0)


def test_the_key_is_made_once_and_for_its_owner(tmp_path):
    assert signing_key(tmp_path) == signing_key(tmp_path)
    assert (tmp_path / "desk.key").stat().st_mode & 0o777 == 0o600


async def test_the_first_admins_link_is_there_until_somebody_can_log_in(timed):
    desk, clock = timed
    first = desk.services.first_admin
    await desk.until(lambda: first.link(clock.now_s()))
    secret = first.link(clock.now_s()).rpartition("/")[2]
    assert not first.holds("other", clock.now_s())
    clock.advance(HOLDS_S + 1)
    assert not first.take(secret, clock.now_s())
    secret = first.make(clock.now_s()).rpartition("/")[2]
    assert [first.take(secret, clock.now_s()) for _ in range(2)] == [True, False]


async def test_who_starts_the_desk_is_told_of_a_link_only_while_nobody_can_log_in(tmp_path, empty_database):
    said = tmp_path / SAID_FILE

    async def told():
        """What a start says; `centralita up` forgets what the one before said."""
        said.unlink(missing_ok=True)
        async with desks(tmp_path, empty_database) as desk:
            await desk.until(lambda: said.exists() and said.read_text().endswith("}"))
            link = json.loads(said.read_text())["link"]
            assert not link or link == desk.services.first_admin.link(desk.services.clock.now_s())
            if link:
                await desk.account("root", Role.ADMIN)
            else:
                desk.services.first_admin.make(desk.services.clock.now_s())
            return bool(link)

    assert [await told() for _ in range(3)] == [True, False, False]
