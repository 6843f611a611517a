"""`centralita phone` as a person and a script use it, at a real terminal and against a real Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.softphone import script
from telephony.softphone.client import Softphone
from telephony.softphone.console import app
from telephony.softphone.ear import Sound, load, tone_spans
from telephony.softphone.loudspeaker import Loudspeaker, endless_header
from tests.calls.phone_exchange import Exchange, exchange
from tests.phone_fixture import tone_wav

pytestmark = pytest.mark.asterisk
__all__ = ["app", "exchange"]

PHONE = [sys.executable, "-c", "from telephony.softphone.console import app; app(prog_name='centralita phone')"]


def arguments(exchange: Exchange, *more: str) -> list[str]:
    return [*PHONE, "--account=main-ana", f"--port={exchange.port}", *more]


def environment(exchange: Exchange, secret: str | None = None) -> dict[str, str]:
    return os.environ | {"CENTRALITA_PHONE_SECRET": secret or exchange.secret("main-ana"), "COLUMNS": "200"}


def run(exchange: Exchange, *more: str, secret: str | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(exchange, *more),
        env=environment(exchange, secret),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


class Person:
    """At a terminal: reads what it shows, presses keys."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process, self._terminal, self.seen = process, terminal, ""

    def sees(self, text: str, within_s: float = 30.0) -> str:
        """The next time this shows up; what was seen before it, which is returned, is over."""
        until_s = time.monotonic() + within_s
        while text not in self.seen:
            assert time.monotonic() < until_s, f"no {text!r} in {self.seen!r}"
            with contextlib.suppress(BlockingIOError):
                self.seen += os.read(self._terminal, 4096).decode()
            time.sleep(0.02)
        before, _, self.seen = self.seen.partition(text)
        return before

    def presses(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())


@pytest.fixture
def person(exchange: Exchange, tmp_path: Path) -> Iterator[Person]:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    process = subprocess.Popen(
        arguments(exchange, "--no-hear", f"--record={tmp_path / 'heard.wav'}"),
        env=environment(exchange) | {"TMPDIR": str(tmp_path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Person(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_person_calls_presses_keys_and_hangs_up(person: Person, tmp_path: Path) -> None:
    person.sees("registered as main-ana")
    person.sees("q  quit")
    person.presses("7")
    person.sees("there is no call: c NUMBER calls")
    person.presses("cechx\x7fo\r")
    person.sees("connected")
    person.presses("5")
    person.sees("the other side pressed 5")
    person.presses("o")
    person.sees("on hold")
    person.presses("o")
    person.sees("off hold")
    person.presses("m")
    person.sees("muted")
    person.presses("s")
    person.sees("PCMA/8000 with 127.0.0.1")
    person.presses("t100\r")
    person.sees("transfer refused: 603")
    person.presses("h")
    person.sees("you hung up")
    person.sees(f"to {tmp_path / 'heard.wav'}")
    person.presses("cbusy\r")
    person.sees("not connected: 486 Busy Here")
    person.presses("q")
    assert person.process.wait(timeout=60) == 0


def test_what_the_phone_refuses_is_told_once(person: Person) -> None:
    person.sees("q  quit")
    person.presses("ca b\r")
    person.sees("is no SIP address")
    person.presses("7")
    assert "is no SIP address" not in person.sees("there is no call: c NUMBER calls")


def test_told_to_end_it_unregisters_and_leaves_nothing_behind(person: Person, tmp_path: Path) -> None:
    person.sees("q  quit")
    assert list(tmp_path.glob("centralita-phone-*"))
    person.process.terminate()
    person.sees("main-ana is no longer registered")
    assert person.process.wait(timeout=60) == 143
    assert not list(tmp_path.glob("centralita-phone-*"))


async def test_a_person_is_called_and_answers(person: Person, exchange: Exchange, softphone: Softphone) -> None:
    await asyncio.to_thread(person.sees, "registered as main-ana")
    await softphone.register("main-luis", exchange.secret("main-luis"), port=exchange.port)
    call = await softphone.call("ana")
    await asyncio.to_thread(person.sees, "calls")
    person.presses("a")
    await call.until("confirmed")
    await call.dtmf("4")
    await asyncio.to_thread(person.sees, "the other side pressed 4")
    await call.hangup()
    await asyncio.to_thread(person.sees, "the other side hung up")
    person.presses("\x04")
    assert await asyncio.to_thread(person.process.wait, 30) == 0


def test_without_a_keyboard_it_makes_its_call_and_tells_the_outcome(exchange: Exchange) -> None:
    refused = run(exchange, "busy", "--json")
    assert refused.returncode == 1
    events = [json.loads(line) for line in refused.stdout.splitlines()]
    assert [event["state"] for event in events if event["event"] == "call_state"] == ["calling", "disconnected"]
    assert "calling" in run(exchange, "echo", stdin="q").stdout, "q ends it although the call goes on"


def test_what_is_wrong_has_its_own_exit_code(exchange: Exchange, tmp_path: Path) -> None:
    wrong_secret = run(exchange, secret="not-the-secret")
    assert (wrong_secret.returncode, "secret is wrong" in wrong_secret.stderr) == (3, True)
    unknown = subprocess.run([*PHONE, "100"], capture_output=True, text=True, timeout=60)
    assert (unknown.returncode, "--account" in unknown.stderr) == (2, True)
    assert run(exchange, f"--script={tmp_path / 'missing'}").returncode == 2


def test_a_script_calls_says_records_and_hangs_up(exchange: Exchange, tmp_path: Path) -> None:
    said, heard = tone_wav(tmp_path / "said.wav", 700, seconds=0.8), tmp_path / "heard.wav"
    steps = [
        {"do": "call", "uri": "echo"},
        {"wait_for": "call_state", "state": "confirmed", "timeout_s": 30},
        {"do": "record", "path": str(heard)},
        {"do": "play", "path": str(said)},
        {"wait_for": "played", "finished": True},
        {"sleep_s": 0.3},
        {"do": "hangup"},
        {"wait_for": "recorded"},
    ]
    path = tmp_path / "script.jsonl"
    path.write_text("# say it\n" + "\n".join(json.dumps(step) for step in steps))
    done = run(exchange, f"--script={path}")
    assert done.returncode == 0, done.stderr
    assert "connected" in done.stdout
    assert tone_spans(load(heard), 700, at_least_s=0.5)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"wait_for": "incoming", "timeout_s": 0.2}, "script.jsonl:1: no incoming within 0.2 s"),
        ({"do": "hangup"}, "script.jsonl:1: there is no call"),
    ],
)
def test_a_step_that_fails_is_named(exchange: Exchange, tmp_path: Path, step, says) -> None:
    path = tmp_path / "script.jsonl"
    path.write_text(json.dumps(step))
    done = run(exchange, f"--script={path}")
    assert done.returncode == 1
    assert says in done.stderr


async def test_every_event_satisfies_one_wait_only(softphone: Softphone) -> None:
    await softphone.listen("ana")
    at = await softphone.listen("luis")
    await softphone.auto_answer(account="luis")
    steps = [
        {"do": "call", "uri": f"sip:luis@{at}", "account": "ana"},
        {"wait_for": "call_state", "state": "confirmed"},
        {"wait_for": "call_state", "state": "confirmed"},
        {"wait_for": "incoming"},
        {"wait_for": "incoming", "timeout_s": 0.1},
    ]
    parsed = script.parse("\n".join(json.dumps(step) for step in steps), "s")
    with pytest.raises(script.ScriptFailed, match="s:5: no incoming"):
        await script.run(softphone, parsed, "s")


async def test_what_is_recorded_is_played_as_it_grows(softphone: Softphone, tmp_path: Path) -> None:
    """The player here is one that writes down what it is given."""
    await softphone.listen("ana")
    at = await softphone.listen("luis")
    await softphone.auto_answer(account="luis")
    call = await softphone.call(f"sip:luis@{at}", account="ana")
    there = await softphone.incoming()
    await call.until("confirmed")
    await there.play(tone_wav(tmp_path / "said.wav", 700), loop=True)
    recording = await call.record(tmp_path / "heard.wav")
    async with Loudspeaker(recording.path, 16000, ["/bin/sh", "-c", f"cat > {tmp_path / 'played.raw'}"]) as speaker:
        async with asyncio.timeout(30):
            while not tone_spans(_played(tmp_path), 700, at_least_s=0.7):
                await asyncio.sleep(0.1)
        assert not speaker.silent
    await call.hangup()


def _played(place: Path) -> Sound:
    """What the player was given so far."""
    raw = place / "played.raw"
    played = raw.read_bytes() if raw.exists() else b""
    played = played[: len(played) // 2 * 2]  # a sample may be on its way
    (place / "played.wav").write_bytes(endless_header(16000)[:40] + len(played).to_bytes(4, "little") + played)
    return load(place / "played.wav")


async def test_a_machine_without_sound_keeps_the_call(tmp_path: Path) -> None:
    async with Loudspeaker(tmp_path / "never.wav", 16000, ["/bin/false"]) as speaker:
        async with asyncio.timeout(30):
            while not speaker.silent:
                await asyncio.sleep(0.02)
