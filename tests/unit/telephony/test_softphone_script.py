"""Scripts are read whole before the first step; sentences are for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from telephony.softphone import console, protocol
from telephony.softphone.console import app
from telephony.softphone.events import Event
from telephony.softphone.narrate import party, sentence
from telephony.softphone.protocol import usage
from telephony.softphone.script import ScriptFailed, parse


def test_steps_are_read_with_their_lines():
    steps = parse('# greet\n\n{"do": "call", "uri": "100"}\n{"sleep_s": 0.5}\n{"wait_for": "recorded"}', "s.jsonl")
    assert [step.line for step in steps] == [3, 4, 5]
    assert steps[0].words == {"do": "call", "uri": "100"}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose phone 1001 is at a port of its own."""
    known = console.KnownAccount("main-1001", "kept", port=25060)
    monkeypatch.setattr(console, "_lookup", lambda name: known if name in (None, "1001") else None)


@pytest.mark.parametrize(
    ("account", "secret", "host", "expected"),
    [
        ("1001", None, None, ("main-1001", "kept", "127.0.0.1", 25060)),
        ("1001", "given", None, ("main-1001", "given", "127.0.0.1", 25060)),
        ("1001", "given", "192.0.2.7", ("1001", "given", "192.0.2.7", 5060)),
        ("4711", "given", None, ("4711", "given", "127.0.0.1", 5060)),
    ],
)
def test_a_secret_that_is_given_leaves_a_phone_of_this_machine_at_its_port(here, account, secret, host, expected):
    known = console._known(account, secret, host, None, None, None, needed=True)
    assert known is not None
    assert (known.account, known.secret, known.host, known.registers_at) == expected


def test_an_account_may_be_reached_otherwise_than_it_is_set_up(monkeypatch: pytest.MonkeyPatch):
    known = console.KnownAccount("main-1008", "kept", tls_port=25061, transport="tls", srtp=True)
    monkeypatch.setattr(console, "_lookup", lambda name: known)
    as_it_is = console._known("1008", None, None, None, None, None, needed=True)
    assert (as_it_is.registers_at, as_it_is.srtp) == (25061, True)
    in_the_open = console._known("1008", None, None, None, console.Transport.UDP, False, needed=True)
    assert (in_the_open.registers_at, in_the_open.transport, in_the_open.srtp) == (5060, "udp", False)
    assert console._known("1008", None, None, 7, None, None, needed=True).registers_at == 7


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("call 100", "not JSON"),
        ("[]", "exactly one of do, wait_for, sleep_s"),
        ('{"do": "call", "uri": "1", "sleep_s": 1}', "exactly one of"),
        ('{"do": "cal", "uri": "1"}', "did you mean 'call'"),
        ('{"sleep_s": "long"}', "number of seconds"),
        ('{"sleep_s": true}', "number of seconds"),
        ('{"sleep_s": 1e9}', "number of seconds"),
        ('{"wait_for": 5}', "names an event"),
        ('{"wait_for": "call_stat", "state": "confirmed"}', "did you mean 'call_state'"),
        ('{"wait_for": "lunch"}', "events are ready, done"),
        ('{"wait_for": "recorded", "timeout_s": -1}', "number of seconds"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_wrong_step_is_told_by_file_and_line(line, says):
    with pytest.raises(ScriptFailed) as failed:
        parse(f"# first line\n{line}", "s.jsonl")
    assert str(failed.value).startswith("s.jsonl:2: ")
    assert says in str(failed.value)


def test_every_event_that_is_described_can_be_waited_for():
    described = re.findall(r"^    ([a-z_]+)\(|· ([a-z_]+)\(", protocol.__doc__ or "", re.MULTILINE)
    assert {name or other for name, other in described} == set(protocol.EVENTS)


def test_what_a_script_does_itself_is_refused_beside_it(tmp_path: Path):
    script = tmp_path / "s.jsonl"
    script.write_text('{"sleep_s": 0}\n')
    refused = CliRunner().invoke(app, ["--script", str(script), "--play", "a.wav", "100"], env={"COLUMNS": "400"})
    assert refused.exit_code == 2
    assert "a number and --play do nothing beside --script" in refused.output
    assert '{"do": "call", "uri": "100"}, {"do": "play", "path": "a.wav", "loop": true}' in refused.output


def test_the_help_names_every_steps_fields():
    lines = usage().splitlines()
    assert "play            [call]  path  loop=false" in lines
    assert "quit" in lines
    assert max(map(len, lines)) <= 78


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_script_failed(text):
    try:
        parse(text, "s")
    except ScriptFailed as failed:
        # Not an assertion about the exception only: its message must name the place.
        message = str(failed)
    else:
        message = "s:"
    assert message.startswith("s:")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Event("registered", 0, {"account": "1000", "expires_s": 120}), "registered as 1000"),
        (Event("incoming", 0, {"from": '"Ana" <sip:1000@h>;tag=x'}), "Ana (1000) calls"),
        (Event("call_state", 0, {"state": "early", "code": 180, "reason": "Ringing"}), "it rings"),
        (Event("call_state", 0, {"state": "confirmed", "code": 200, "reason": "OK"}), "connected"),
        (
            Event("call_state", 0, {"state": "disconnected", "code": 486, "reason": "Busy Here", "by": "them"}),
            "not connected: 486 Busy Here: the other side is busy",
        ),
        (
            Event(
                "call_state", 0, {"state": "disconnected", "code": 503, "reason": "Service Unavailable", "by": "them"}
            ),
            "not connected: 503 Service Unavailable: this phone's connection works; "
            "the far end, or the carrier there, refused or cannot be reached",
        ),
        (
            Event(
                "call_state", 0, {"state": "disconnected", "code": 503, "reason": "Connection refused", "by": "them"}
            ),
            "not connected: 503 Connection refused: "
            "nothing listens there, or it is overloaded: check host, port and transport",
        ),
        (
            Event("call_state", 0, {"state": "disconnected", "code": 200, "reason": "OK", "by": "them"}),
            "the other side hung up",
        ),
        (Event("call_state", 0, {"state": "disconnected", "code": 487, "reason": "", "by": "us"}), "you hung up"),
        (
            Event("transfer_status", 0, {"code": 603, "reason": "Decline", "final": True}),
            "transfer refused: 603 Decline",
        ),
        (Event("done", 0, {"do": "call"}), None),
        (Event("something new", 0, {}), None),
    ],
)
def test_events_are_told_as_a_person_would(event, says):
    assert sentence(event) == says


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("<sip:1000@127.0.0.1>;tag=abc", "1000"),
        ("sip:1000@127.0.0.1", "1000"),
        ("Ana Gil <sip:1000@h>", "Ana Gil (1000)"),
        ('"1000" <sip:1000@h>', "1000"),
        ("", "somebody"),
        ("tel:112", "tel:112"),
    ],
)
def test_parties_are_named(address, who):
    assert party(address) == who


@given(st.text(max_size=60))
def test_any_address_has_some_name(address):
    assert party(address)
