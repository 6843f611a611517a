"""The softphone's own process: two of its accounts call each other directly, without Asterisk."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone
from telephony.softphone.ear import first_sound_s, load, silence_after_s, tone_spans
from telephony.softphone.errors import CallEnded, CommandRejected, PhoneDied
from tests.phone_fixture import Phones, tone_wav


async def pair(phone: Softphone, **dialling) -> tuple[PhoneCall, PhoneCall]:
    """Ana calls Luis, who picks up at once: both ends of the call."""
    await phone.listen("ana")
    at = await phone.listen("luis")
    await phone.auto_answer(account="luis")
    here = await phone.call(f"sip:luis@{at}", account="ana", **dialling)
    there = await phone.incoming(account="luis")
    await here.until("confirmed")
    await there.until("confirmed")
    return here, there


async def test_each_hears_the_other_and_a_muted_one_is_not_heard(softphone: Softphone, tmp_path: Path) -> None:
    here, there = await pair(softphone)
    recording = await there.record(tmp_path / "luis.wav")
    said = await here.play(tone_wav(tmp_path / "a.wav", 700, seconds=2.0))
    await asyncio.sleep(0.6)
    await here.mute()
    await asyncio.sleep(0.6)
    await here.mute(False)
    assert (await here.played(since=said))["finished"]
    await here.hangup()
    heard = load(await recording.saved())
    assert heard.rate_hz == 16000
    (start_s, muted_s), (unmuted_s, end_s) = tone_spans(heard, 700)
    assert unmuted_s - muted_s == pytest.approx(0.6, abs=0.1)
    assert end_s - start_s == pytest.approx(2.0, abs=0.1)


async def test_times_in_a_recording_are_times_of_the_clock(softphone: Softphone, tmp_path: Path) -> None:
    """What bench and tests measure by ear: said at one end, heard at the other within the path's 60 ms."""
    here, there = await pair(softphone)
    recording = await there.record(tmp_path / "luis.wav")
    await asyncio.sleep(0.3)
    since = softphone.mark()
    await here.play(tone_wav(tmp_path / "a.wav", 700))
    said = await softphone.wait_for("playing", since=since)
    await asyncio.sleep(0.5)
    since = softphone.mark()
    await here.stop_playing()
    stopped = await softphone.wait_for("played", since=since)
    await asyncio.sleep(0.4)
    await there.stop_recording()
    heard = load(await recording.saved())
    start_s, fell_silent_s = first_sound_s(heard), silence_after_s(heard, 0.5)
    assert start_s is not None
    assert fell_silent_s is not None
    assert 0.0 <= recording.t_s + start_s - said.t_s <= 0.08
    assert 0.0 <= recording.t_s + fell_silent_s - stopped.t_s <= 0.08


async def test_digits_arrive_by_both_methods_in_order(softphone: Softphone) -> None:
    here, there = await pair(softphone)
    sent = await here.dtmf("1*#0", duration_ms=60, gap_ms=60)
    assert [event["digit"] for event in sent] == list("1*#0")
    await here.dtmf("59", method="info", duration_ms=60, gap_ms=60)
    await softphone.wait_for("dtmf_received", call=there.name, digit="9", method="info")
    assert there.digits_received == "1*#059"


async def test_rows_of_digits_wait_for_each_other(softphone: Softphone) -> None:
    here, there = await pair(softphone)
    await asyncio.gather(here.dtmf("123", gap_ms=40), here.dtmf("456", gap_ms=40), here.dtmf("7", gap_ms=40))
    await softphone.wait_for("dtmf_received", call=there.name, digit="7")
    assert there.digits_received == "1234567"


async def test_headers_of_a_call_arrive(softphone: Softphone) -> None:
    _, there = await pair(softphone, headers={"X-Centralita": "hola ñ"})
    assert there.headers["X-Centralita"] == "hola ñ"


async def test_holding_silences_both_ways_and_unholding_brings_the_sound_back(
    softphone: Softphone, tmp_path: Path
) -> None:
    here, there = await pair(softphone)
    recording = await there.record(tmp_path / "luis.wav")
    await here.play(tone_wav(tmp_path / "a.wav", 700, seconds=0.5), loop=True)
    await asyncio.sleep(0.5)
    await here.hold()
    await there.until_media("remote_hold")
    await asyncio.sleep(0.6)
    await here.unhold()
    await asyncio.sleep(0.5)
    await here.hangup()
    spans = tone_spans(load(await recording.saved()), 700, at_least_s=0.2)
    assert len(spans) == 2
    assert spans[1][0] - spans[0][1] == pytest.approx(0.6, abs=0.15)


async def test_the_numbers_of_the_audio_stream(softphone: Softphone) -> None:
    here, _ = await pair(softphone)
    await asyncio.sleep(1.0)
    stats = await here.stats()
    assert stats["codec"] == "PCMA/8000"
    assert 40 <= stats["heard"]["packets"] <= 70, "a phone sends 50 packets a second, silence included"
    assert stats["heard"]["lost"] == 0


async def test_early_media_is_heard_before_the_answer(softphone: Softphone, tmp_path: Path) -> None:
    await softphone.listen("ana")
    at = await softphone.listen("luis")
    here = await softphone.call(f"sip:luis@{at}", account="ana")
    recording = await here.record(tmp_path / "ana.wav")
    there = await softphone.incoming(account="luis")
    await there.answer(183)
    await there.play(tone_wav(tmp_path / "b.wav", 1200))
    await asyncio.sleep(0.8)
    assert here.state == "early"
    await there.answer(200)
    await here.until("confirmed")
    await here.hangup()
    heard = load(await recording.saved())
    start_s = first_sound_s(heard)
    assert start_s is not None
    assert start_s < 0.4


async def test_a_call_nobody_answers_can_be_refused_or_given_up(softphone: Softphone) -> None:
    await softphone.listen("ana")
    at = await softphone.listen("luis")
    here = await softphone.call(f"sip:luis@{at}", account="ana")
    there = await softphone.incoming()
    await there.hangup(code=486)
    with pytest.raises(CallEnded, match="486 Busy Here") as ended:
        await here.until("confirmed")
    assert (ended.value.code, ended.value.by) == (486, "them")

    here = await softphone.call(f"sip:luis@{at}", account="ana")
    there = await softphone.incoming()
    await here.hangup()
    assert (await there.until("disconnected"))["by"] == "them"


async def test_what_cannot_be_done_is_refused_with_a_remedy(softphone: Softphone, tmp_path: Path) -> None:
    with pytest.raises(CommandRejected, match="register it first"):
        await softphone.call("100")
    await softphone.listen("ana")
    for uri in ("", "two words", "mailto:a@b"):
        with pytest.raises(CommandRejected, match=r"SIP address|only sip"):
            await softphone.call(uri)
    with pytest.raises(CommandRejected, match="header"):
        await softphone.call("100", headers={"X-Evil": "1\r\nVia: me"})
    with pytest.raises(CommandRejected, match="no call c9"):
        await softphone.send("hangup", call="c9")
    with pytest.raises(CommandRejected, match="did you mean 'hangup'"):
        await softphone.send("hang_up")
    here, _ = await pair(softphone)
    with pytest.raises(CommandRejected, match="cannot read"):
        await here.play(tmp_path / "missing.wav")
    (tmp_path / "noise.wav").write_bytes(b"RIFF of nothing")
    with pytest.raises(CommandRejected, match=r"no PCM wav file.*sox"):
        await here.play(tmp_path / "noise.wav")
    with pytest.raises(CommandRejected, match="choose a directory that exists"):
        await here.record(tmp_path / "nowhere" / "a.wav")
    with pytest.raises(CommandRejected, match=r"end the name in \.wav"):
        await here.record(tmp_path / "a.mp3")
    with pytest.raises(CommandRejected, match="digits"):
        await here.dtmf("hola")
    await here.hangup()
    with pytest.raises(CommandRejected, match="no call"):
        await here.hold()


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
        await softphone.wait_for("call_state", call=call, state="disconnected", timeout_s=3)
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
    waiting = asyncio.ensure_future(softphone.wait_for("registered", timeout_s=10))
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
    await here.play(tone_wav(tmp_path / "a.wav", 700))
    await asyncio.sleep(1.0)
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
def test_it_leaves_within_two_seconds_and_hangs_up_first(how: str) -> None:
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
        asked_s = time.monotonic()
        if how == "end of input":
            process.stdin.close()
        elif how == "quit":
            tell(do="quit")
        else:
            process.send_signal(getattr(signal, how))
        until(event="call_state", call="x", state="disconnected")
        until(event="stopped")
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - asked_s < 2.0


def test_what_libraries_print_stays_out_of_the_events() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telephony.softphone", "--log-level=5"],
        input=b'{"do": "register", "account": "ana", "registrar": false}\n',
        capture_output=True,
        timeout=20,
        check=True,
    )
    names = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert names == ["ready", "done", "stopped"]
    assert b"pjsua" in done.stderr


def test_an_unknown_codec_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telephony.softphone", "--codecs=MP3"], input=b"", capture_output=True, timeout=20
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
