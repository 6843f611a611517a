"""Campaigns call people over a trunk: real Asterisk, real engine, and what everybody heard. One system for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.sip_people import Person
from bench.sip_phones import Behaviour
from core.decisions import Noted
from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import AttemptRecord
from tests.callers import pitch_hz, prompt
from tests.outbound import IDENTITY, LEAST_RING_S, House, calling, campaign
from tests.system_fixture import systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

PEOPLE = {
    "486": Person("refuse", status="486 Busy Here"),
    "600": Person("refuse", status="600 Busy Everywhere"),
    "480": Person("refuse", ring_s=0.5, status="480 Temporarily Unavailable"),
    "404": Person("refuse", ring_s=0, status="404 Not Found"),
    "503": Person("refuse", ring_s=0, status="503 Service Unavailable"),
    "603": Person("refuse", status="603 Decline"),
    "403": Person("refuse", ring_s=0, status="403 Forbidden"),
    "183": Person("refuse", ring_s=1.0, status="486 Busy Here", early=True),
    "184": Person("ring", early=True),
    "180": Person("ring"),
    "200": Person(),
    "201": Person(talk_s=0.05),
    "487": Person("crossing"),
}
"""Who has a number that ends so does this."""
OUTCOMES = {
    "486": "busy",
    "600": "busy",
    "480": "no_answer",
    "404": "invalid",
    "503": "failed",
    "603": "failed",
    "403": "failed",
    "183": "busy",
    "184": "no_answer",
    "180": "no_answer",
    "200": "completed",
    "201": "completed",
}
HER_HZ, AGENT_HZ, RINGBACK_HZ = 700.0, 1300.0, 425.0
DROP = "drop: {action: message, flow: sorry}"
CAMPAIGNS = {
    "reminders": campaign("reminders", "agentless", "ring_s: 5"),
    "endless": campaign("endless", "agentless", "ring_s: 30"),
    "asks": campaign("asks", "agentless", "dispositions: {other_day: {then: retry, after: 1d}}").replace(
        "notice", "asks"
    ),
    "talks": campaign("talks", "progressive", DROP),
    "crowd": campaign("crowd", "power", DROP).replace("queue: sales", "queue: sales\npacing: {ratio: 3}"),
    "held": campaign("held", "progressive", DROP, "ring_s: 30"),
    "instant": campaign("instant", "progressive", DROP),
    "by_hand": campaign("by_hand", "manual", DROP),
}
FLOWS = {
    "asks": f"""
flow: asks
languages: [es]
start: ask
nodes:
  ask:
    type: menu
    prompt: "{prompt("victor", 2.0)}"
    keys: {{"3": other_day}}
    no_input: {{then: bye}}
    no_match: {{then: bye}}
  other_day: {{type: disposition, value: other_day, next: thanks}}
  thanks: {{type: play, prompt: "{prompt("eco", 20.0)}", next: bye}}
  bye: {{type: hangup}}
"""
}
FILES = {"config/dispositions.yaml": "dispositions: {asked: {other_day: {title: Another day}}}\n"}


def behave(number: str) -> Person:
    return PEOPLE[number[-3:]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    place: Path = tmp_path_factory.mktemp("outbound")
    async with systems(place) as up, calling(up, CAMPAIGNS, behave, flows=FLOWS, files=FILES) as house:
        await house.line("ana", AGENT_HZ)
        yield house


@pytest.fixture(autouse=True)
async def nothing_left(house: House) -> AsyncIterator[None]:
    yield
    for name in CAMPAIGNS:
        await house.act(name, "stop")
    await house.idle()


@pytest.fixture(autouse=True)
def _loop() -> None:
    """The fixtures above live in the module's loop."""


async def test_every_answer_of_a_network_becomes_its_outcome(house: House) -> None:
    numbers = {code: f"+34911000{code}" for code in OUTCOMES}
    await house.leads("reminders", *numbers.values())
    await house.act("reminders", "start")
    found: dict[str, AttemptRecord] = {code: await house.attempt(number) for code, number in numbers.items()}
    assert {code: attempt.state for code, attempt in found.items()} == OUTCOMES
    assert found["486"].cause == 17
    assert found["603"].why == "rejected (SIP 603)"
    assert found["183"].answered_s is None, "early media is heard, and no answer"
    shown = {call.shown for call in house.people.calls}
    assert all(f"<sip:{IDENTITY}@" in header for both in shown for header in both), shown
    (call,) = house.people.of(numbers["200"])
    assert call.heard_hz() == pytest.approx(pitch_hz("victor"), abs=20)


async def test_what_she_chooses_in_a_flow_is_what_follows_for_her(house: House) -> None:
    number = "+34911091200"
    await house.leads("asks", number)
    await house.act("asks", "start")
    call = await house.called(number)
    await house.until(lambda: call.voice.audible_s(0, pitch_hz("victor")))
    house.people.press(call, "3")
    await house.until(lambda: call.voice.audible_s(0, pitch_hz("eco")))
    house.people.hang_up(call)  # in the middle of our thanks
    attempt = await house.attempt(number)
    assert (attempt.state, attempt.disposition, attempt.agent_id) == ("completed", "other_day", "")

    async def waits() -> bool:
        lead = await house.store.lead("main", number.lstrip("+"), time.time())
        return lead is not None and lead.record.state is LeadState.WAITING

    await house.until_async(waits, 30, "the lead does not wait for another day")
    lead = await house.store.lead("main", number.lstrip("+"), time.time())
    assert lead is not None
    assert (lead.record.reason, lead.record.disposition) == ("other_day", "other_day")
    assert lead.record.not_before_s > time.time() + 80_000


async def test_held_line_and_customer_hear_each_other_at_once(house: House) -> None:
    line = house.held["ana"]
    for number in ("+34911001200", "+34911002200"):  # the line is given back, and lent again
        await house.leads("talks", number)
        await house.act("talks", "start")
        call = await house.called(number)
        await house.until(lambda call=call: call.answered_s)
        await house.until(lambda call=call: call.voice.audible_s(call.answered_s, AGENT_HZ))
        await house.until(lambda call=call: line.voice.audible_s(call.answered_s, HER_HZ))
        heard_s = (
            call.voice.audible_s(call.answered_s, AGENT_HZ) - call.answered_s,
            line.voice.audible_s(call.answered_s, HER_HZ) - call.answered_s,
        )
        assert max(heard_s) < 10.0, f"{heard_s}; `bench.connect_latency` measures how soon"
        await asyncio.sleep(0.5)
        assert call.heard_hz(call.answered_s + 0.3) == pytest.approx(AGENT_HZ, abs=10)
        house.people.hang_up(call)
        attempt = await house.attempt(number)
        assert (attempt.state, attempt.agent_id, attempt.disposition) == ("completed", "ana", "not_given")
        await house.quiet(line)  # silence between two conversations


async def test_who_answers_beyond_the_agents_hears_who_called_and_may_say_never_again(house: House) -> None:
    numbers = [f"+3491100{index}200" for index in (3, 4, 5)]
    await house.leads("crowd", *numbers)
    await house.act("crowd", "start")
    calls = [await house.called(number) for number in numbers]
    await house.until(lambda: all(call.answered_s for call in calls))
    sierra = pitch_hz("sierra")
    await house.until(lambda: sum(bool(call.voice.audible_s(0, sierra)) for call in calls) == 2)
    dropped = [call for call in calls if call.voice.audible_s(0, sierra)]
    (served,) = [call for call in calls if call not in dropped]
    for call in dropped:
        after_s = call.voice.audible_s(0, sierra) - call.answered_s
        assert after_s > 1.9, "the law's two seconds, and then the message"
    first, second = dropped
    house.people.press(first, "9")
    await house.until(lambda: first.voice.audible_s(0, pitch_hz("eco")))

    async def on_list() -> list[NumberListed]:
        return [each async for each in house.store.listed()]

    listed = await house.until_async(on_list, 30, "her wish was not saved")
    assert [(each.called.lstrip("+"), each.by) for each in listed] == [(first.number.lstrip("+"), "caller")]
    await house.until(lambda: first.is_over and second.is_over)
    await house.until(lambda: second.voice.audible_s(0, pitch_hz("nueve")))  # who says nothing hears it to its end
    house.people.hang_up(served)
    states = {(await house.attempt(f"+{call.number.lstrip('+')}")).state for call in dropped}
    assert states == {"abandoned"}
    assert (await house.attempt(f"+{served.number.lstrip('+')}")).state == "completed"
    told = await house.post(
        "/dialer/do",
        "ManualAsked",
        tenant="main",
        campaign="crowd",
        agent_id="ana",
        called=f"+{first.number.lstrip('+')}",
    )
    assert told["ok"] is False


async def test_who_dials_by_hand_hears_it_ring_and_then_her(house: House) -> None:
    await house.act("by_hand", "start")
    line = house.held["ana"]
    for number, answers in (("+34911013180", False), ("+34911014180", True)):
        asked = {"tenant": "main", "campaign": "by_hand", "agent_id": "ana", "called": number}
        asked_s = asyncio.get_running_loop().time()
        told = await house.post("/dialer/do", "ManualAsked", **asked)
        assert told == {"ok": True}, told
        call = await house.called(number)
        await house.until(lambda since_s=asked_s: line.voice.audible_s(since_s, RINGBACK_HZ))
        assert await house.looks("ana") == "reserved"
        if answers:
            house.people.answer(call)
            await house.until(lambda call=call: line.voice.audible_s(call.answered_s, HER_HZ))
            await house.until(lambda call=call: call.voice.audible_s(call.answered_s, AGENT_HZ))
            house.people.hang_up(call)
        else:
            await house.act("by_hand", "stop")
            await house.until(lambda call=call: call.is_over)
            await house.act("by_hand", "start")
        assert (await house.attempt(number)).state == ("completed" if answers else "cancelled")
        await house.quiet(line)  # silence until the next


async def test_an_agent_without_a_held_line_is_rung_before_her_customer(house: House) -> None:
    await house.act("by_hand", "start")
    async with house.phone("eva", Behaviour(ring_s=0.5, talk_s=60.0)) as phone:

        async def dial(number: str) -> None:
            asked = {"tenant": "main", "campaign": "by_hand", "agent_id": "eva", "called": number}
            told = await house.post("/dialer/do", "ManualAsked", **asked)
            assert told == {"ok": True}, told

        await dial("+34911010200")
        call = await house.called("+34911010200")
        assert phone.answered == 1, "her phone was up before the other rang"
        assert await house.looks("eva") in ("reserved", "talking"), "nobody else is put through to her"
        await house.until(lambda: call.answered_s)
        await house.until_async(lambda: house.talks("eva"), 30.0, "she talks with nobody")
        house.people.hang_up(call)
        attempt = await house.attempt("+34911010200")
        assert (attempt.state, attempt.agent_id, attempt.disposition) == ("completed", "eva", "not_given")
        assert attempt.connected_s is not None
        assert attempt.answered_s is not None
        assert attempt.connected_s - attempt.answered_s < 10.0
        await house.until(lambda: not phone._calls)  # hung up with the conversation
        await dial("+34911011486")
        await house.attempt("+34911011486")
        await house.until(lambda: phone.answered == 2 and not phone._calls)
        (view,) = [each for each in (await house.campaigns()) if each["campaign"] == "by_hand"]
        (told,) = [each for each in view["in_person"] if each["agent_id"] == "eva"]
        assert (told["phase"], told["why"]) == ("over", "the number is busy")


async def test_nobody_is_cancelled_before_the_least_ring(house: House) -> None:
    await house.leads("endless", "+34911006180")
    await house.act("endless", "start")
    call = await house.called("+34911006180")
    await asyncio.sleep(0.5)
    await house.act("endless", "stop")
    await house.until(lambda: call.cancelled_s)
    assert call.cancelled_s - call.invited_s > LEAST_RING_S
    assert (await house.attempt("+34911006180")).state == "cancelled"


async def test_agents_who_vanish_leave_nobody_with_silence(house: House) -> None:
    """She goes on a break while a phone rings, and the person answers all the same."""
    await house.leads("held", "+34911007180")
    await house.act("held", "start")
    call = await house.called("+34911007180")
    await house.presence("ana", "not_ready")
    house.people.answer(call)
    try:
        await house.until(lambda: call.voice.audible_s(0, pitch_hz("sierra")))
        assert call.voice.audible_s(0, pitch_hz("sierra")) - call.answered_s < 20.0
        house.people.hang_up(call)
        attempt = await house.attempt("+34911007180")
        assert (attempt.state, attempt.connected_s) == ("abandoned", None)
    finally:
        await house.presence("ana", "ready")


async def test_both_hang_up_in_the_same_instant(house: House) -> None:
    await house.leads("instant", "+34911008200")
    await house.act("instant", "start")
    call = await house.called("+34911008200")
    await house.until(lambda: call.voice.audible_s(0, AGENT_HZ))
    interaction_id = (await house.system.status())["interactions"]
    hers = [each["id"] for each in interaction_id if each["id"].startswith("dial-")] if interaction_id else []
    house.people.hang_up(call)
    for each in hers:
        await house.post(
            "/acd/do", "ConversationActed", interaction_id=each, agent_id="ana", action="hang_up", target="", values={}
        )
    assert (await house.attempt("+34911008200")).state == "completed"
    refused = [
        d.why
        for i in house.system.interactions()
        for d in house.system.decisions(i)
        if isinstance(d, Noted) and d.what == "event_refused"
    ]
    assert refused == []


async def test_an_answer_that_crosses_our_cancel_on_the_wire_is_hung_up_at_once(house: House) -> None:
    """Asterisk ends such a call by itself and tells nobody: we cannot know that she answered."""
    await house.leads("endless", "+34911009487")
    await house.act("endless", "start")
    call = await house.called("+34911009487")
    await house.act("endless", "stop")
    await house.until(lambda: call.is_over)
    assert call.ended_s - call.answered_s < 20.0
    assert call.ended_by == "them"
    assert (await house.attempt("+34911009487")).state == "cancelled"
