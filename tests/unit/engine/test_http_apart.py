"""What one caller's request leaves behind touches no other caller, no other host and no log."""

import json
import logging

import httpx
import pytest

from core.commands import SendHttp
from engine.effects.http import AllowedHost, HttpEffect
from engine.http_rules import is_public
from tests.http_host import HttpHost, json_reply, reply


@pytest.fixture
async def host():
    async with HttpHost() as running:
        yield running


@pytest.fixture
async def effect():
    hosts = {
        name: AllowedHost(name, private=True, http=True, headers={"X-Token": "of the house"})
        for name in ("localhost", "127.0.0.1")
    }
    http = HttpEffect(hosts)
    yield http
    await http.close()


def ask(host, path, name="localhost", **more):
    return SendHttp("i-1", "r1", "GET", f"http://{name}:{host.port}{path}", timeout_s=30.0, **more)


def asked(host):
    return [{name.lower(): value for name, value in headers.items()} for _, _, headers, _ in host.asked]


async def test_a_cookie_of_one_caller_is_not_sent_for_the_next(host, effect):
    host.answers["/login"] = reply(b"{}", Set_Cookie="session=ana; Path=/")
    host.answers["/me"] = json_reply({})
    await effect.ask(ask(host, "/login"))
    await effect.ask(ask(host, "/me"))
    assert "cookie" not in asked(host)[1]


async def test_hosts_at_one_address_share_no_connection(host, effect):
    host.answers["/a"] = json_reply({})
    await effect.ask(ask(host, "/a"))
    await effect.ask(ask(host, "/a", name="127.0.0.1"))
    assert len(effect._clients) == 2
    assert [headers["host"] for headers in asked(host)] == [f"localhost:{host.port}", f"127.0.0.1:{host.port}"]


async def test_names_with_accents_pass_in_headers(host, effect):
    host.answers["/a"] = json_reply({"ok": "1"})
    answer = await effect.ask(ask(host, "/a", headers={"X-Name": "Íñigo"}, mapping={"ok": "ok"}))
    assert (answer.error, answer.values) == ("", {"ok": "1"})


async def test_the_houses_headers_win_whatever_their_case(host, effect):
    host.answers["/a"] = json_reply({})
    mine = {"x-token": "stolen", "HOST": "elsewhere", "accept-encoding": "gzip", "Transfer-Encoding": "chunked"}
    answer = await effect.ask(ask(host, "/a", headers=mine))
    assert answer.status == 200
    (headers,) = asked(host)
    assert headers["x-token"] == "of the house"
    assert headers["host"] == f"localhost:{host.port}"
    assert headers["accept-encoding"] == "identity"
    assert "transfer-encoding" not in headers


async def test_spaces_around_a_header_are_no_reason_to_fail(host, effect):
    host.answers["/a"] = json_reply({})
    assert (await effect.ask(ask(host, "/a", headers={"X-Card": " 4111\t"}))).status == 200
    assert asked(host)[0]["x-card"] == "4111"


@pytest.mark.parametrize("header", ["4111222233334444\x00", "4111222233334444\r\nX: y"])
async def test_a_header_that_cannot_be_sent_is_not_quoted(host, effect, caplog, header):
    caplog.set_level(logging.INFO)
    host.answers["/a"] = json_reply({})
    answer = await effect.ask(ask(host, "/a", headers={"X-Card": header}))
    assert header[:16] not in json.dumps([answer.error, caplog.text])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_an_address_inside_is_no_public_one_in_whatever_clothes(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_an_address_outside_is_public(address):
    assert is_public(address)


async def test_a_bug_is_not_told_to_the_journal_in_its_own_words(host, effect, monkeypatch):
    async def broken(*_, **__):
        raise KeyError("4111222233334444")

    monkeypatch.setattr(httpx.AsyncClient, "send", broken)
    answer = await effect.ask(ask(host, "/a"))
    assert answer.error == "a fault in asking, which the engine's log tells"
