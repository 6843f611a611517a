"""What a caller meets in the thin dialplan, with real phones: handed over, held with music, excused, sent on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from telephony.node.installation import Installation
from telephony.node.settings import Device, Route, Trunk
from telephony.softphone.client import Softphone
from telephony.softphone.ear import load, stretches
from tests.ari_listener import AriListener, ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.sip_raw import RawSip, offer

pytestmark = pytest.mark.asterisk

LIMIT_S = 25


@pytest.fixture(scope="module")
def impatient(asterisk_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskNode]:
    """A node that gives up on the engine after two seconds, and overflows to Luis."""
    node = started(
        asterisk_installation,
        tmp_path_factory.mktemp("impatient"),
        devices=(Device(name="main-ana"), Device(name="main-luis")),
        trunks=(Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0),),
        hold_retry_s=1,
        hold_tries=2,
        absolute_limit_s=LIMIT_S,
        overflow=Route(endpoint="main-luis", ring_s=5),
    )
    yield node
    node.launcher.stop()


async def registered(node: AsteriskNode, name: str) -> Softphone:
    phone = await Softphone.start(rate_hz=8000).__aenter__()
    try:
        await phone.register(name, node.device(name).secret, port=node.settings.sip_port)
    except BaseException:
        await phone.close()
        raise
    return phone


@pytest.fixture
async def ana(impatient: AsteriskNode) -> AsyncIterator[Softphone]:
    phone = await registered(impatient, "main-ana")
    yield phone
    await phone.close()


@pytest.fixture
async def luis(impatient: AsteriskNode) -> AsyncIterator[Softphone]:
    phone = await registered(impatient, "main-luis")
    yield phone
    await phone.close()


async def test_without_an_engine_a_caller_hears_music_then_the_apology_and_reaches_overflow(
    ana: Softphone, luis: Softphone, tmp_path: Path
) -> None:
    call = await ana.call("900123456")
    recording = await call.record(tmp_path / "heard.wav")
    held = await call.until("confirmed")
    offered = await luis.incoming()
    assert offered.incoming is not None
    waited_s = offered.incoming.t_s - held.t_s
    await offered.answer()
    await offered.until("confirmed")
    await call.hangup()
    whole = load(await recording.saved())
    sound = whole.between(held.t_s - recording.t_s, whole.seconds)
    music = [stretch for stretch in stretches(sound.between(0.3, 1.9)) if stretch.is_sound]
    words = [stretch for stretch in stretches(sound.between(2.2, waited_s)) if stretch.is_sound]
    assert sum(stretch.seconds for stretch in music) > 0.8, "the hold is music, not silence"
    assert sum(stretch.seconds for stretch in words) > 1.0, "the apology comes before the overflow"
    assert waited_s > 2.0 + 1.0


async def test_when_overflow_does_not_answer_either_the_call_ends_instead_of_hanging(ana: Softphone) -> None:
    call = await ana.call("900123456")
    await call.until("confirmed")
    ended = await call.until("disconnected")
    assert ended["by"] == "them"


async def test_a_call_is_handed_over_with_what_was_dialled_and_from_where(
    impatient: AsteriskNode, ana: Softphone
) -> None:
    with AriListener(impatient) as engine:
        await ana.call("+34900123456")
        start = await asyncio.to_thread(engine.next, "StasisStart")
    assert start["args"] == ["arrived", "+34900123456", "main-ana", "device"]
    assert start["channel"]["language"] == "es"
    assert start["channel"]["id"].startswith("node-1-")


async def test_an_engine_that_comes_back_gets_the_caller_who_waited(
    asterisk_node: AsteriskNode, softphone: Softphone
) -> None:
    """On a node with the usual patience: the engine takes as long to connect as a busy machine needs."""
    secret = asterisk_node.device("main-caller").secret
    await softphone.register("main-caller", secret, port=asterisk_node.settings.sip_port)
    call = await softphone.call("900123456")
    await call.until("confirmed")
    with AriListener(asterisk_node) as engine:
        start = await asyncio.to_thread(engine.next, "StasisStart")
        assert start["args"][1] == "900123456"
        assert ari(asterisk_node, "DELETE", f"channels/{start['channel']['id']}").status_code == 204
    await call.until("disconnected")


async def test_the_supervisor_sends_the_leg_of_a_lost_engine_to_overflow(
    impatient: AsteriskNode, ana: Softphone, luis: Softphone
) -> None:
    with AriListener(impatient) as engine:
        call = await ana.call("900123456")
        leg = (await asyncio.to_thread(engine.next, "StasisStart"))["channel"]["id"]
        assert ari(impatient, "POST", f"channels/{leg}/answer").status_code == 204
    await call.until("confirmed")
    sent = ari(impatient, "POST", f"channels/{leg}/continue", user="supervisor", context="overflow", extension="s")
    assert sent.status_code == 204
    offered = await luis.incoming()
    await offered.answer()
    await offered.until("confirmed")


async def test_the_supervisor_sends_an_outbound_leg_to_the_safe_harbour(
    impatient: AsteriskNode, luis: Softphone, tmp_path: Path
) -> None:
    await luis.auto_answer()
    with AriListener(impatient) as engine:
        made = ari(impatient, "POST", "channels", endpoint="PJSIP/main-luis", app="centralita")
        assert made.status_code == 200, made.text
        await asyncio.to_thread(engine.next, "StasisStart")
    customer = await luis.incoming()
    recording = await customer.record(tmp_path / "harbour.wav")
    leg = made.json()["id"]
    ari(impatient, "POST", f"channels/{leg}/continue", user="supervisor", context="safe_harbour", extension="s")
    await customer.until("disconnected")
    assert any(stretch.is_sound and stretch.seconds > 0.3 for stretch in stretches(load(await recording.saved())))


async def test_no_leg_outlives_its_limit_even_with_no_engine_to_end_it(impatient: AsteriskNode, ana: Softphone) -> None:
    with AriListener(impatient) as engine:
        call = await ana.call("900123456")
        leg = (await asyncio.to_thread(engine.next, "StasisStart"))["channel"]["id"]
        ari(impatient, "POST", f"channels/{leg}/answer")
        # A short rest of the limit, set the way the engine sets it on the legs it dials.
        ari(impatient, "POST", f"channels/{leg}/variable", variable="TIMEOUT(absolute)", value="2")
    ended = await call.until("disconnected")
    assert ended["by"] == "them"


async def test_a_transfer_by_the_phone_itself_is_refused(ana: Softphone) -> None:
    call = await ana.call("900123456")
    await call.until("confirmed")
    assert (await call.transfer("900654321")).code == 603
    await call.hangup()


@pytest.mark.parametrize(
    ("dialled", "told"),
    [
        ("9%2C1%2Cadmin", "91admin"),
        ("9%24%7BSHELL%28id%29%7D", "9SHELLid"),
        ("9%7C1%26PJSIP%2Fx", "91PJSIPx"),
        ("main-luis", "main-luis"),
        ("*21#", "*21#"),
    ],
)
def test_what_was_dialled_is_one_argument_whatever_it_holds(impatient: AsteriskNode, dialled: str, told: str) -> None:
    with AriListener(impatient) as engine, RawSip(impatient.settings.sip_port, "127.0.0.2") as carrier:
        carrier.send(carrier.message("INVITE", f"sip:{dialled.replace('#', '%23')}@127.0.0.1", body=offer("127.0.0.2")))
        start = engine.next("StasisStart")
        ari(impatient, "DELETE", f"channels/{start['channel']['id']}")
    assert start["args"] == ["arrived", told, "main-carrier", "trunk"]


def test_extensions_that_asterisk_calls_by_itself_cannot_be_dialled(impatient: AsteriskNode) -> None:
    with RawSip(impatient.settings.sip_port, "127.0.0.2") as carrier:
        for name in ("h", "T", "i"):
            assert carrier.request("INVITE", f"sip:{name}@127.0.0.1", body=offer("127.0.0.2")).code == 404
