"""The softphone's process: its limits, junk and any order of commands, its death, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from telephony.softphone.client import Softphone
from telephony.softphone.ear import load, tone_spans
from telephony.softphone.errors import CommandRejected, PhoneDied
from tests.callers import heard_for_s, so_far
from tests.phone_fixture import Phones, pair, tone_wav


async def test_limits_are_told_before_they_are_reached(softphone: Softphone) -> None:
    at = await softphone.listen("a0")
    for number in range(1, 8):
        await softphone.listen(f"a{number}")
    with pytest.raises(CommandRejected, match=r"at most 8 accounts.*another phone"):
        await softphone.listen("a8")
    for _ in range(2):
        await softphone.call(f"sip:a0@{at}", account="a1")
        await softphone.incoming()
    with pytest.raises(CommandRejected, match="at most 4 calls"):
        await softphone.call(f"sip:a0@{at}", account="a1")
    await softphone.send("hangup", all=True)


async def test_an_account_that_registers_anew_is_not_deleted_with_its_former_self(softphone: Softphone) -> None:
    """pjsua gives the account's number away again: the old object must not delete the new account."""
    await softphone.listen("ana")
    at = await softphone.listen("luis")
    call = await softphone.call(f"sip:luis@{at}", account="ana")
    await call.hangup()
    await asyncio.gather(softphone.listen("luis"), softphone.listen("luis"))
    at = await softphone.listen("luis")
    call = await softphone.call(f"sip:luis@{at}", account="ana")
    await call.until("early")
    await call.hangup()


async def test_a_call_that_ended_does_not_take_the_next_one_with_it(softphone: Softphone, softphones: Phones) -> None:
    """pjsua gives the call's number away at once: the old object must not hang up the new call."""
    caller, called = await softphones(), await softphones()
    at, called_at = await softphone.listen("ana"), await called.listen("luis")
    await caller.listen("eva")
    await called.auto_answer(100)
    for _ in range(4):
        await caller.call(f"sip:ana@{at}")
    offered = [await softphone.incoming() for _ in range(4)]
    # In one breath, so that nothing comes between: the one number that is free goes to the new call.
    refuse = json.dumps({"do": "hangup", "call": offered[1].name})
    await softphone.send_line(f'{refuse}\n{{"do": "call", "uri": "sip:luis@{called_at}", "call": "new"}}')
    await softphone.wait_for("call_state", call=offered[1].name, state="disconnected")
    await softphone.wait_for("call_state", call="new", state="confirmed")
    assert [call.state for call in offered] == ["early", "disconnected", "early", "early"]


async def test_junk_lines_are_answered_and_forgotten(softphone: Softphone) -> None:
    junk = [
        "hello",
        "[]",
        "{}",
        '{"do": []}',
        "\x00\x01",
        "nul\\u0000l",
        "9" * 500_000,
        '{"do":"dtmf","digits":"' + "1" * 5000,
    ]
    for line in junk:
        await softphone.send_line(line)
    await softphone.listen("ana")
    assert sum(event.name == "error" for event in softphone.events) == len(junk)


@pytest.mark.parametrize("seed", [11, 26, 42])
async def test_any_commands_in_any_order_leave_a_phone_that_works(softphone: Softphone, tmp_path: Path, seed) -> None:
    """Whatever is asked: every command is answered, the process lives, and every call comes to its end."""
    chance = random.Random(seed)
    ports = [await softphone.listen(f"a{number}") for number in range(3)]
    said = str(tone_wav(tmp_path / "a.wav", 700))

    def anything() -> dict:
        account, target = f"a{chance.randrange(3)}", f"sip:a{chance.randrange(3)}@{chance.choice(ports)}"
        command = chance.choice(
            [
                {"do": "call", "account": account, "uri": target},
                {"do": "call", "account": account, "uri": target},
                {
                    "do": "call",
                    "account": account,
                    "uri": chance.choice([f"sip:x@{ports[0]}", "sip:;@;", "*9#", "a@b@c"]),
                },
                {"do": "auto_answer", "account": account, "after_ms": chance.choice([0, 30, "off"]), "code": 200},
                {"do": "auto_answer", "account": account, "after_ms": chance.choice([0, 30]), "code": 486},
                {"do": "register", "account": f"a{chance.choice([0, 3])}", "registrar": False},
                {"do": "register", "account": "a3", "port": 9, "transport": chance.choice(["udp", "tcp", "tls"])},
                {"do": "unregister", "account": account},
                *({"do": do} for do in ("hold", "unhold", "stats", "stop_playing", "stop_recording")),
                {"do": "answer", "code": chance.choice([180, 183, 200, 200, 404]), "after_ms": chance.choice([0, 40])},
                {"do": "hangup", "code": chance.choice([486, 603])},
                {"do": "hangup", "all": chance.random() < 0.1},
                {"do": "dtmf", "digits": "1*#D", "method": chance.choice(["info", "rfc4733"]), "gap_ms": 0},
                {"do": "play", "path": said, "loop": chance.random() < 0.5},
                {"do": "record", "path": str(tmp_path / f"{chance.randrange(3)}.wav")},
                {"do": "transfer", "to": "sip:z@127.0.0.1:9"},
                {"do": "mute", "on": chance.random() < 0.5},
            ]
        )
        calls = [event["call"] for event in softphone.events if event.name == "call_state"]
        names_call = command["do"] not in ("call", "register", "unregister", "auto_answer")
        return command | ({"call": chance.choice(calls[-6:])} if calls and names_call and chance.random() < 0.6 else {})

    for number in range(120):
        await softphone.send_line(json.dumps(anything() | {"id": f"n{number}"}))
        if chance.random() < 0.5:
            await asyncio.sleep(chance.choice([0, 0.005, 0.03, 0.1]))
    await softphone.send("hangup", all=True)
    answers = [event.get("id") for event in softphone.events if event.name in ("done", "error")]
    assert {f"n{number}" for number in range(120)} <= set(answers)
    for call in {event["call"] for event in softphone.events if event.name == "call_state"}:
        await softphone.wait_for("call_state", call=call, state="disconnected", timeout_s=60)
    for account in ("a1", "a2"):
        await softphone.auto_answer_off(account=account)
    await asyncio.sleep(0.5)
    since = softphone.mark()
    call = await softphone.call(f"sip:a2@{ports[2]}", account="a1")
    offered = await softphone.wait_for("incoming", account="a2", since=since)
    await softphone.send("answer", call=offered["call"])
    await call.until("confirmed")


async def test_a_dead_process_is_told_to_whoever_waits(softphone: Softphone) -> None:
    await softphone.listen("ana")
    waiting = asyncio.ensure_future(softphone.wait_for("registered"))
    await asyncio.sleep(0.05)
    os.kill(softphone.pid, signal.SIGKILL)
    with pytest.raises(PhoneDied, match="exit status -9"):
        await waiting
    with pytest.raises(PhoneDied):
        await softphone.listen("luis")


async def test_a_killed_phone_leaves_nothing(softphone: Softphone, tmp_path: Path) -> None:
    """No process, no thread or task of ours, no port; and what it had recorded can be heard."""
    here, there = await pair(softphone)
    at = await softphone.listen("eva")
    recording = await there.record(tmp_path / "luis.wav")
    await here.play(tone_wav(tmp_path / "a.wav", 700), loop=True)
    async with asyncio.timeout(30):
        while heard_for_s(so_far(recording.path), 700) < 0.8:
            await asyncio.sleep(0.05)
    os.kill(softphone.pid, signal.SIGKILL)
    await softphone.close()
    assert not Path(f"/proc/{softphone.pid}").exists()
    assert not [task for task in asyncio.all_tasks() if "softphone" in task.get_name()]
    host, port = at.rsplit(":", 1)
    async with Softphone.start() as other:
        assert await other.listen("eva", host=host, port=int(port)) == at
    heard = tone_spans(load(recording.path), 700)
    assert heard
    assert heard[-1][1] - heard[0][0] > 0.5


@pytest.mark.parametrize("how", ["end of input", "quit", "SIGTERM", "SIGINT"])
def test_it_leaves_when_told_to_and_hangs_up_first(how: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "telephony.softphone"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def tell(**command) -> None:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            process.stdin.flush()

        def until(**wanted) -> dict:
            for line in process.stdout:
                event = json.loads(line)
                if wanted.items() <= event.items():
                    return event
            raise AssertionError(f"no {wanted}")

        until(event="ready")
        tell(do="register", account="ana", registrar=False)
        tell(do="register", account="luis", registrar=False)
        at = until(event="done", account="luis")["listening"]
        tell(do="auto_answer", account="luis")
        tell(do="call", uri=f"sip:luis@{at}", account="ana", call="x")
        until(event="call_state", call="x", state="confirmed")
        if how == "end of input":
            process.stdin.close()
        elif how == "quit":
            tell(do="quit")
        else:
            process.send_signal(getattr(signal, how))
        until(event="call_state", call="x", state="disconnected")
        until(event="stopped")
        assert process.wait(timeout=30) == 0


def test_what_libraries_print_stays_out_of_the_events() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telephony.softphone", "--log-level=5"],
        input=b'{"do": "register", "account": "ana", "registrar": false}\n',
        capture_output=True,
        timeout=60,
        check=True,
    )
    names = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert names == ["ready", "done", "stopped"]
    assert b"pjsua" in done.stderr


def test_an_unknown_codec_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telephony.softphone", "--codecs=MP3"], input=b"", capture_output=True, timeout=60
    )
    told = json.loads(done.stdout.splitlines()[0])
    assert done.returncode == 4
    assert told["what"] == "no codec mp3"
    assert "PCMA" in told["hint"]


async def test_without_pjsua2_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pjsua2.py").write_text("raise ImportError('No module named pjsua2')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PhoneDied, match=r"pip install 'centralita\[phone\]'"):
        async with Softphone.start():
            raise AssertionError("it started")
