"""The engine dies with a campaign's calls in every state: nobody hears silence, nobody is dialed twice, every lead is
accounted for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from bench.sip_people import Person
from core.lead import LeadState
from tests.outbound import calling, campaign

pytestmark = pytest.mark.asterisk
AGENTS_HZ = (1300.0, 1900.0)
DROP = "drop: {action: message, flow: sorry}"
RINGS, ANSWERS_LATER, TALKS = "+34911000001", "+34911000002", "+34911000003"


async def test_kill_with_lines_ringing_answering_and_talking(system) -> None:
    campaigns = {
        "talks": campaign("talks", "progressive", DROP, "ring_s: 60"),
        "rings": campaign("rings", "power", DROP, "ring_s: 60").replace(
            "queue: sales", "queue: sales\npacing: {ratio: 2}"
        ),
    }

    def behave(number: str) -> Person:
        return Person() if number.endswith("3") else Person("ring")

    async with calling(system, campaigns, behave) as house:
        ana, _eva = await house.line("ana", AGENTS_HZ[0]), await house.line("eva", AGENTS_HZ[1])
        await house.leads("talks", TALKS)
        await house.act("talks", "start")
        talking = await house.called(TALKS)
        await house.until(lambda: any(talking.voice.audible_s(0, hz) for hz in AGENTS_HZ))
        await house.leads("rings", RINGS, ANSWERS_LATER)
        await house.act("rings", "start")
        rings, later = await house.called(RINGS), await house.called(ANSWERS_LATER)
        await house.until(lambda: len(house.system.supervisor.engines) == 2)
        await _standby(house)

        pid = house.system.engine_pid
        house.system.kill_engine()
        await asyncio.sleep(0.05)
        house.people.answer(later)  # while nobody lives to hear of it

        # By the next engine, or after two seconds by the node.
        await house.until(lambda: later.voice.audible_s(0))
        heard_hz = await _heard_hz(house, later, later.voice.audible_s(0) + 0.1)
        served = min(abs(heard_hz - hz) for hz in AGENTS_HZ) < 20  # the next engine may be quick enough for an agent
        await house.system.until(lambda body: body["ready"] and house.system.engine_pid != pid, 30)
        if served:
            house.people.hang_up(later)
            await house.attempt(ANSWERS_LATER)
        assert not rings.is_over
        assert not talking.is_over
        house.people.answer(rings)  # an agent is free: she talks
        await house.until(lambda: rings.voice.audible_s(rings.answered_s))
        heard_hz = await _heard_hz(house, rings, rings.voice.audible_s(rings.answered_s) + 0.1)
        assert min(abs(heard_hz - hz) for hz in AGENTS_HZ) < 20, "an agent, not the message"
        since_s = asyncio.get_running_loop().time()
        await house.until(lambda: talking.heard_hz(since_s) > 0)  # they never noticed
        for call in (rings, talking):
            house.people.hang_up(call)
        states = {number: (await house.attempt(number)).state for number in (RINGS, ANSWERS_LATER, TALKS)}
        assert states == {RINGS: "completed", ANSWERS_LATER: "completed" if served else "abandoned", TALKS: "completed"}
        assert [len(house.people.of(number)) for number in states] == [1, 1, 1], "nobody was dialed twice"
        await house.until_async(lambda: _accounted(house, "talks", 1), 30, "a lead is not accounted for")
        await house.until_async(lambda: _accounted(house, "rings", 2), 30, "a lead is not accounted for")
        await house.idle()
        assert ana is not None


async def test_an_engine_that_stays_away_lets_the_node_say_who_called(system, monkeypatch) -> None:
    monkeypatch.setattr("engine.supervisor.HANGS_AFTER_S", 90.0)  # no fresh engine comes and serves her

    def behave(number: str) -> Person:
        return Person("ring")

    campaigns = {"rings": campaign("rings", "agentless", "ring_s: 60")}
    async with calling(system, campaigns, behave) as house:
        await house.leads("rings", RINGS, ANSWERS_LATER)
        await house.act("rings", "start")
        rings, later = await house.called(RINGS), await house.called(ANSWERS_LATER)
        await _standby(house)
        frozen = [child.pid for child in house.system.supervisor.engines]
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            house.people.answer(later)
            await house.until(lambda: later.voice.audible_s(0))
            await house.until(lambda: later.is_over)
            assert not rings.is_over, "a phone that rings is left to ring"
        finally:
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):  # the supervisor kills an engine that hangs for long
                    os.kill(pid, signal.SIGCONT)
        attempt = await house.attempt(ANSWERS_LATER)
        assert attempt.state == "abandoned"
        house.people.answer(rings)
        await house.until(lambda: rings.is_over)
        assert (await house.attempt(RINGS)).state == "completed"
        await house.idle()


async def _heard_hz(house, call, since_s: float) -> float:
    """The tone of ten packets and more that she has heard since."""
    await house.until(lambda: sum(at_s >= since_s for at_s, _ in call.voice.heard) >= 10)
    return call.heard_hz(since_s)


async def _standby(house) -> None:
    """The second engine has everything ready: what is measured is its taking over."""
    out = house.system.home.logs / "engine.out"
    await house.until(lambda: all(child.pid for child in house.system.supervisor.engines), 40)
    await asyncio.sleep(4.0)
    assert out.exists()


async def _accounted(house, name: str, count: int) -> bool:
    counts = await house.store.counts("main", [name])
    return sum(counts.values()) == count and counts.get(LeadState.DONE, 0) + counts.get(LeadState.EXHAUSTED, 0) == count
