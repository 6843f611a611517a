"""The softphone against a real Asterisk: registering, digits, audio, transports, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.node.installation import Installation
from telephony.node.settings import Device
from telephony.softphone.calls import DtmfMethod, PhoneCall
from telephony.softphone.client import Softphone
from telephony.softphone.ear import Sound, first_sound_s, load, strongest_tone, tone_spans
from telephony.softphone.errors import CallEnded, RegistrationFailed
from tests.asterisk_fixture import started
from tests.callers import heard_for_s, so_far
from tests.calls.phone_exchange import TRANSFERS, Exchange, exchange
from tests.phone_fixture import Phones, tone_wav

pytestmark = pytest.mark.asterisk
__all__ = ["exchange"]


async def until(what: Callable[[], object], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not what():
            await asyncio.sleep(0.05)


async def shows(exchange: Exchange, command: str, text: str, there: bool = True) -> None:
    """Returns when Asterisk's console shows that text, or shows it no more."""
    async with asyncio.timeout(30):
        while (text in await asyncio.to_thread(exchange.command, command)) is not there:
            await asyncio.sleep(0.1)


async def transferred(phone: Softphone, call: PhoneCall, to: str | PhoneCall) -> None:
    """Asterisk tells the caller of the answer before it has joined the two; a transfer in between is refused."""
    async with asyncio.timeout(30):
        while not (await call.transfer(to)).accepted:
            assert call.state == "confirmed", phone.history.tail(30)
            await asyncio.sleep(0.2)


async def echoes(phone: Softphone, call: PhoneCall, digit: str) -> None:
    """Returns when a key that is pressed comes back: the other side is the echo by now."""
    async with asyncio.timeout(30):
        while digit not in call.digits_received:
            await call.dtmf(digit)
            await asyncio.sleep(0.5)


async def registered(phone: Softphone, exchange: Exchange, name: str) -> Softphone:
    await phone.register(name, exchange.secret(name), port=exchange.port)
    return phone


@pytest.fixture
async def ana(softphones: Phones, exchange: Exchange) -> Softphone:
    return await registered(await softphones(), exchange, "main-ana")


@pytest.fixture
async def luis(softphones: Phones, exchange: Exchange) -> Softphone:
    return await registered(await softphones(rate_hz=8000), exchange, "main-luis")


async def test_it_registers_and_unregisters(softphone: Softphone, exchange: Exchange) -> None:
    told = await softphone.register("main-ana", exchange.secret("main-ana"), port=exchange.port)
    assert told["expires_s"] > 0
    await shows(exchange, "pjsip show contacts", "main-ana")
    await softphone.unregister("main-ana")
    await shows(exchange, "pjsip show contacts", "main-ana", False)


async def test_a_wrong_secret_and_an_unknown_account_are_told_apart_from_silence(
    softphone: Softphone, exchange: Exchange
) -> None:
    with pytest.raises(RegistrationFailed, match="secret is wrong") as failed:
        await softphone.register("main-ana", "not-the-secret", port=exchange.port)
    assert failed.value.code == 401
    with pytest.raises(RegistrationFailed):
        await softphone.register("main-nobody", "secret", port=exchange.port)
    with pytest.raises(RegistrationFailed, match="nothing listens there"):
        await softphone.register("main-ana", "x", port=1, transport="tcp")
    with pytest.raises(RegistrationFailed, match=r"does Asterisk listen at 127\.0\.0\.1:1 "):
        await softphone.register("main-luis", "x", port=1, timeout_s=1.0)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_every_transport_registers_calls_and_is_called(
    softphone: Softphone, luis: Softphone, exchange: Exchange, transport
) -> None:
    port = exchange.tls_port if transport == "tls" else exchange.port
    await softphone.register("main-ana", exchange.secret("main-ana"), port=port, transport=transport)
    call = await softphone.call("echo")
    await call.until("confirmed")
    await call.hangup()
    incoming = await luis.call("ana")
    offered = await softphone.incoming()
    await offered.answer()
    await incoming.until("confirmed")
    await incoming.hangup()


async def test_a_tls_server_is_checked_when_somebody_is_named_to_trust(softphones: Phones, exchange: Exchange) -> None:
    certificate = exchange.node.settings.state_dir / "etc" / "tls.crt"
    trusting = await softphones(ca_file=str(certificate))
    await trusting.register("main-ana", exchange.secret("main-ana"), port=exchange.tls_port, transport="tls")
    wary = await softphones(ca_file="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(RegistrationFailed):
        await wary.register("main-ana", exchange.secret("main-ana"), port=exchange.tls_port, transport="tls")


async def test_what_is_said_comes_back_from_the_echo_and_is_recognised(ana: Softphone, tmp_path: Path) -> None:
    call = await ana.call("echo")
    await call.until("confirmed")
    recording = await call.record(tmp_path / "heard.wav")
    await call.play(tone_wav(tmp_path / "said.wav", 700, seconds=1.0))
    await call.played()
    await asyncio.sleep(0.3)
    await call.hangup()
    heard = load(await recording.saved())
    start_s = first_sound_s(heard)
    assert start_s is not None
    assert strongest_tone(heard, [440, 700, 1200], start_s, start_s + 0.9) == 700


@pytest.mark.parametrize("method", ["rfc4733", "info"])
async def test_digits_arrive_at_asterisk(ana: Softphone, luis: Softphone, method: DtmfMethod) -> None:
    call = await ana.call("digits")
    await call.until("confirmed")
    await asyncio.sleep(0.2)
    await call.dtmf("15*933", method=method)
    offered = await luis.incoming()
    assert "<sip:15*933@" in offered.headers["From"]


async def test_a_phone_answers_after_the_time_it_was_told(ana: Softphone, luis: Softphone) -> None:
    await luis.auto_answer(700)
    call = await ana.call("luis")
    offered = await luis.incoming()
    assert "main-ana" in offered.headers["From"]
    ringing, up = await call.until("early"), await call.until("confirmed")
    assert ringing["code"] == 180
    assert offered.incoming is not None
    answered = await offered.until("connecting")
    assert answered.t_s - offered.incoming.t_s > 0.65
    assert up.t_s >= answered.t_s - 0.1


async def test_a_phone_that_is_busy_says_so(ana: Softphone, luis: Softphone) -> None:
    await luis.auto_reject(486)
    call = await ana.call("luis")
    with pytest.raises(CallEnded) as ended:
        await call.until("confirmed")
    assert (ended.value.code, ended.value.by) == (486, "them")
    offered = await luis.incoming()
    assert (await offered.until("disconnected"))["code"] == 486


async def test_two_phones_hear_each_other_and_not_themselves(ana: Softphone, luis: Softphone, tmp_path: Path) -> None:
    await luis.auto_answer()
    call = await ana.call("luis")
    other = await luis.incoming()
    await call.until("confirmed")
    at_ana, at_luis = await call.record(tmp_path / "ana.wav"), await other.record(tmp_path / "luis.wav")
    await call.play(tone_wav(tmp_path / "a.wav", 700), loop=True)
    await other.play(tone_wav(tmp_path / "b.wav", 1200), loop=True)
    await until(lambda: heard_for_s(so_far(at_ana.path), 1200) > 0.8 and heard_for_s(so_far(at_luis.path), 700) > 0.8)
    await other.hangup()
    assert (await call.until("disconnected"))["by"] == "them"
    for path, theirs, own in ((await at_ana.saved(), 1200, 700), (await at_luis.saved(), 700, 1200)):
        heard = load(path)
        assert heard_for_s(heard, theirs) > 0.8
        assert not tone_spans(heard, own)


async def test_holding_is_heard_by_the_other_side(ana: Softphone, luis: Softphone, tmp_path: Path) -> None:
    await luis.auto_answer()
    call = await ana.call("luis")
    other = await luis.incoming()
    await call.until("confirmed")
    recording = await other.record(tmp_path / "luis.wav")
    await call.play(tone_wav(tmp_path / "a.wav", 700), loop=True)

    def latest(seconds: float = 0.5) -> Sound:
        sound = so_far(recording.path)
        return sound.between(sound.seconds - seconds, sound.seconds)

    await until(lambda: heard_for_s(latest(), 700) > 0.3)
    await call.hold()
    await until(lambda: latest().seconds > 0.4 and not tone_spans(latest(), 700))
    await call.unhold()
    await until(lambda: heard_for_s(latest(), 700) > 0.3)
    await call.hangup()


async def test_a_transfer_by_the_phone_is_refused_and_the_call_goes_on(ana: Softphone, luis: Softphone) -> None:
    """`allow_transfer = no`: transfers are the engine's to do."""
    await luis.auto_answer()
    call = await ana.call("luis")
    await call.until("confirmed")
    blind = await call.transfer("echo")
    assert (blind.accepted, blind.code) == (False, 603)
    second = await ana.call("echo")
    await second.until("confirmed")
    assert not (await call.transfer(second)).accepted
    assert (call.state, second.state) == ("confirmed", "confirmed")


async def test_where_transfers_are_allowed_the_phone_makes_them_and_leaves_the_call(
    softphone: Softphone, luis: Softphone, exchange: Exchange
) -> None:
    boss = await registered(softphone, exchange, TRANSFERS)
    await luis.auto_answer()
    call = await boss.call("luis")
    await call.until("confirmed")
    await transferred(boss, call, "echo")
    await call.until("disconnected")
    other = await luis.incoming()
    await echoes(luis, other, "5")
    await other.hangup()

    call = await boss.call("luis")
    await call.until("confirmed")
    second = await boss.call("echo")
    await second.until("confirmed")
    await transferred(boss, call, second)
    await call.until("disconnected")
    await second.until("disconnected")
    other = await luis.incoming()
    await echoes(luis, other, "6")


async def test_a_phone_that_ends_leaves_no_call_behind(
    softphone: Softphone, luis: Softphone, exchange: Exchange
) -> None:
    """It says goodbye: Asterisk is left with no channel and no contact."""
    ana = await registered(softphone, exchange, "main-ana")
    await luis.auto_answer()
    call = await ana.call("luis")
    await call.until("confirmed")
    await ana.close()
    other = await luis.incoming()
    assert (await other.until("disconnected"))["by"] == "them"
    await shows(exchange, "pjsip show contacts", "main-ana", False)
    await shows(exchange, "core show channels", "0 active channels")


async def test_it_finds_back_to_an_asterisk_that_was_away(
    softphone: Softphone, asterisk_installation: Installation, tmp_path: Path
) -> None:
    node = started(asterisk_installation, tmp_path / "state", devices=(Device(name="main-ana"),))
    try:
        secret, port = node.device("main-ana").secret, node.settings.sip_port
        await softphone.register("main-ana", secret, port=port, transport="tcp", retry_s=1)
        node.launcher.kill()
        since = softphone.mark()
        await asyncio.to_thread(node.launcher.start)
        # Seldom more than two seconds; but a REGISTER that arrives while Asterisk loads is dropped without an answer,
        # and over TCP the next one follows after SIP's 32 seconds.
        await softphone.wait_for("registered", since=since, timeout_s=45)
    finally:
        node.launcher.stop()
