"""Whose number is seen: a caller's when she comes in over a trunk, ours when somebody calls out over it."""

from __future__ import annotations

import asyncio

import pytest

from core.decisions import Noted
from core.events import LegArrived
from telephony.node.installation import Installation
from telephony.node.ports import free_port
from telephony.node.settings import Device, Emergency, Route, Trunk
from telephony.softphone.client import Softphone
from tests.ari_listener import AriListener, ari
from tests.asterisk_fixture import started
from tests.recovery.test_engine_kill import FLOW
from tests.sip_raw import RawSip, offer

pytestmark = pytest.mark.asterisk

OURS = "+34911000111"


def test_a_trunk_with_a_number_of_its_own_still_tells_who_calls(asterisk_installation: Installation, tmp_path) -> None:
    trunk = Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0, caller_number=OURS)
    node = started(asterisk_installation, tmp_path / "node", trunks=(trunk,))
    try:
        with AriListener(node) as engine, RawSip(node.settings.sip_port, "127.0.0.2") as carrier:
            carrier.send(carrier.message("INVITE", "sip:911@127.0.0.1", user="34600111222", body=offer("127.0.0.2")))
            assert engine.next("StasisStart")["channel"]["caller"]["number"] == "34600111222"
    finally:
        node.launcher.stop()


@pytest.mark.parametrize(
    ("asked", "known"), [("", "+34600111222"), ("Privacy: none\r\n", "+34600111222"), ("Privacy: id\r\n", "anonymous")]
)
def test_a_number_that_is_withheld_is_known_to_nobody_although_the_carrier_tells_it(
    asterisk_installation: Installation, tmp_path, asked: str, known: str
) -> None:
    trunk = Trunk(name="main-carrier", host="127.0.0.2", qualify_s=0)
    node = started(asterisk_installation, tmp_path / "node", trunks=(trunk,))
    headers = f'P-Asserted-Identity: "Eva" <sip:+34600111222@127.0.0.2>\r\n{asked}'
    try:
        with AriListener(node) as engine, RawSip(node.settings.sip_port, "127.0.0.2") as carrier:
            carrier.send(
                carrier.message(
                    "INVITE", "sip:911@127.0.0.1", user="anonymous", headers=headers, body=offer("127.0.0.2")
                )
            )
            caller = engine.next("StasisStart")["channel"]["caller"]
            assert (caller["number"], caller["name"]) == (known, "Eva" if known != "anonymous" else "")
    finally:
        node.launcher.stop()


@pytest.mark.parametrize(("its_own", "shown"), [("1001", OURS), ("+34911000222", "+34911000222")])
async def test_without_an_engine_help_and_overflow_see_a_number_that_can_be_called_back(
    asterisk_installation: Installation, tmp_path, its_own: str, shown: str
) -> None:
    async with Softphone.start() as carrier, Softphone.start() as ana:
        port = int((await carrier.listen("carrier")).rpartition(":")[2])
        trunk = Trunk(
            name="main-carrier", host="127.0.0.1", port=port, match=("127.0.0.9",), qualify_s=0, caller_number=OURS
        )
        node = started(
            asterisk_installation,
            tmp_path / "node",
            devices=(Device(name="main-ana", caller_name="Ana", caller_number=its_own),),
            trunks=(trunk,),
            emergency=Emergency(trunk="main-carrier", numbers=("112",)),
            overflow=Route(endpoint="main-carrier", number="911222333"),
            apology="silence/1",
        )
        try:
            await ana.register("main-ana", node.device("main-ana").secret, port=node.settings.sip_port)
            call = await ana.call("112")
            helper = await carrier.incoming()
            assert shown in str(helper.incoming)
            assert "Ana" not in str(helper.incoming)
            await call.hangup()
            await helper.until("disconnected")
            with AriListener(node) as engine:
                call = await ana.call("900100100")
                leg = (await asyncio.to_thread(engine.next, "StasisStart"))["channel"]["id"]
                ari(node, "POST", f"channels/{leg}/continue", context="overflow", extension="s", priority="1")
                overflow = await carrier.incoming()
            assert OURS in str(overflow.incoming)
            await call.hangup()
        finally:
            node.launcher.stop()


async def test_a_phone_that_calls_out_shows_the_trunks_number_and_who_calls_in_shows_hers(system, softphones):
    carrier, ana = await softphones(), await softphones()
    port = int((await carrier.listen("carrier")).rpartition(":")[2])
    running = await system(
        {"hold": FLOW},
        {
            "config/trunks/carrier.yaml": f'trunk: carrier\nhost: 127.0.0.1\nport: {port}\ncaller: "{OURS}"\n'
            "addresses: [127.0.0.2]\n",
            "config/devices/1001.yaml": 'device: "1001"\ntitle: Ana\n',
            "config/devices/1002.yaml": 'device: "1002"\ntitle: Luis\ncaller: "+34911000222"\n',
            "config/outbound.yaml": 'emergency: {numbers: ["112"], trunk: carrier}\n'
            'rules: [{name: spain, prefixes: ["+34"], trunk: carrier}]\n',
        },
    )
    for device, shown in (("main-1001", OURS), ("main-1002", "+34911000222")):
        await ana.register(device, running.account(device), port=running.node.sip_port)
        for number in ("600100100", "112"):
            call = await ana.call(f"sip:{number}@{running.sip}", account=device)
            helper = await carrier.incoming()
            assert shown in str(helper.incoming), number
            await helper.answer()
            await call.until("confirmed")
            await call.hangup()
            await helper.until("disconnected")
    await running.until_idle()
    with RawSip(running.node.sip_port, "127.0.0.2") as caller:
        caller.send(caller.message("INVITE", "sip:100@127.0.0.1", user="+34600111222", body=offer("127.0.0.2")))
        body = await running.until(lambda body: body["interactions"])
        await running.saved()
        events = [each.event for each in running.journal(body["interactions"][0]["id"])]
        assert [each.caller for each in events if isinstance(each, LegArrived)] == ["+34600111222"]


async def test_calls_go_over_the_next_trunk_while_the_first_is_away(system, softphones):
    spare, ana = await softphones(), await softphones()
    port = int((await spare.listen("carrier")).rpartition(":")[2])
    running = await system(
        {"hold": FLOW},
        {
            "config/trunks/gone.yaml": f'trunk: gone\nhost: 127.0.0.1\nport: {free_port()}\ncaller: "+34911000777"\n'
            "addresses: [127.0.0.7]\n",
            "config/trunks/spare.yaml": f'trunk: spare\nhost: 127.0.0.1\nport: {port}\ncaller: "{OURS}"\nwatch_s: 0\n'
            "addresses: [127.0.0.8]\n",
            "config/devices/1001.yaml": 'device: "1001"\ntitle: Ana\n',
            "config/outbound.yaml": 'emergency: {numbers: ["112"], trunk: gone, failover: [spare]}\n'
            'rules: [{name: spain, prefixes: ["+34"], trunk: gone, failover: [spare]}]\n',
        },
        workers=("node_watch",),
    )

    def away(body):
        return body["node"].get("trunks", {}).get("main-gone", {}).get("status") == "unreachable"

    await running.until(away, 60)
    await ana.register("main-1001", running.account("main-1001"), port=running.node.sip_port)
    for number in ("600100100", "112"):
        call = await ana.call(f"sip:{number}@{running.sip}")
        helper = await spare.incoming()
        assert OURS in str(helper.incoming), "each trunk shows its own number"
        await helper.answer()
        await call.until("confirmed")
        await call.hangup()
        await helper.until("disconnected")
    await running.until_idle()


async def test_a_call_that_a_carrier_refuses_goes_over_the_next_one_and_the_story_says_so(system, softphones):
    full, spare, ana = await softphones(), await softphones(), await softphones()
    ports = [int((await each.listen("carrier")).rpartition(":")[2]) for each in (full, spare)]
    trunks = {
        f"config/trunks/{name}.yaml": f"trunk: {name}\nhost: 127.0.0.1\nport: {port}\nwatch_s: 0\n"
        f"addresses: [127.0.0.{number}]\n"
        for number, (name, port) in enumerate(zip(("full", "spare"), ports, strict=True), 7)
    }
    running = await system(
        {"hold": FLOW},
        {
            **trunks,
            "config/devices/1001.yaml": 'device: "1001"\ntitle: Ana\n',
            "config/outbound.yaml": 'rules: [{name: spain, prefixes: ["+34"], trunk: full, failover: [spare], '
            'caller: "+34911000111"}]\n',
        },
    )
    await ana.register("main-1001", running.account("main-1001"), port=running.node.sip_port)
    for status in (503, 403):
        await full.auto_reject(status)
        call = await ana.call(f"sip:600100100@{running.sip}")
        helper = await spare.incoming()
        assert OURS in str(helper.incoming)
        await helper.answer()
        await call.until("confirmed")
        body = await running.until(lambda body: body["interactions"])
        await running.saved()
        told = [each for entry in running.journal(body["interactions"][0]["id"]) for each in entry.decisions]
        assert [each.why for each in told if isinstance(each, Noted) and each.what == "failover"] == [
            f"main-full did not take the call ({status}): over main-spare"
        ]
        await call.hangup()
        await helper.until("disconnected")
        await running.until_idle()
    await full.auto_reject(486)
    call = await ana.call(f"sip:600100100@{running.sip}")
    assert (await call.until("disconnected"))["code"] == 486, "whom the carrier reached is not called twice"
    await running.until_idle()
