"""Legs that are judged without their audio, on a real Asterisk: by TALK_DETECT, and by its own AMD()."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import CommandFailed
from core.events import AudioVerdict, LegEnded, LegUp, ListenerLost, PlaybackFinished
from core.leg import EndReason, LegRole
from core.leg_commands import ListenToLeg, OriginateLeg
from telephony.control.asterisk import AsteriskCallControl
from telephony.softphone.client import Softphone
from tests.asterisk_fixture import AsteriskNode
from tests.contract.control_stage import DEADLINE_S, Facts, ari_settings
from tests.contract.live_audio_stage import WorkerProcesses, live_stage, originate, worker_processes
from tests.contract.test_live_audio import TRIES, told
from tests.media_listeners import WATCHES

pytestmark = pytest.mark.asterisk

either = pytest.mark.parametrize("listener", ["talk_detect", "app_amd"])


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcesses]:
    with worker_processes(tmp_path_factory.mktemp("media")) as running:
        yield running


@pytest.fixture
async def stage(asterisk_node: AsteriskNode, processes: WorkerProcesses, tmp_path: Path) -> AsyncIterator[Any]:
    async with live_stage("talk", asterisk_node, processes, tmp_path) as stage:
        yield stage


async def dialed(stage: Any, tmp_path: Path, listener: str, *spurts_s: float, **options: str) -> tuple[str, Any]:
    """Somebody is called, and is up; she says tones that long, one second apart. Her call comes as well."""
    phone = await stage.phone("main-ana")
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def behave() -> None:
        call = await phone.incoming()
        await call.answer(180)
        await call.answer(200)
        answered.set_result(call)
        for seconds in spurts_s:
            await asyncio.sleep(0.2)
            await call.play(stage._tone(500.0, seconds))
            await asyncio.sleep(seconds)

    stage.behaving = asyncio.create_task(behave())
    leg_id = f"out.x{tmp_path.name}"
    await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l1", listener, options)))
    await stage.facts.next(LegUp, leg_id)
    return leg_id, await answered


def verdicts(stage: Any, leg_id: str) -> list[str]:
    return [each.label for each in stage.facts.of(AudioVerdict, leg_id)]


@either
async def test_who_says_hello_and_waits_is_a_person_and_the_leg_is_ours(
    stage: Any, tmp_path: Path, listener: str
) -> None:
    leg_id, _ = await dialed(stage, tmp_path, listener, 0.6)
    (survey,) = await stage.control.survey()
    assert [(leg.leg_id, leg.inbound) for leg in survey.legs] == [(leg_id, False)]
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    up = await stage.facts.next(LegUp, leg_id)
    assert stage.facts.told.index(up) < stage.facts.told.index(verdict), "she is up before anybody knows"
    assert (verdict.label, verdict.final, verdict.listener) == ("human", True, listener), verdict.evidence
    assert verdict.heard_s > 0.6
    assert verdict.answered_s == verdict.heard_s
    assert len(stage.facts.of(LegUp, leg_id)) == 1
    assert stage.facts.of(ListenerLost, leg_id) == []
    await stage.control.play(leg_id, f"{leg_id}.p", [stage.sound(0.3)])
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP_BY_US


@either
async def test_who_goes_on_talking_is_a_machine_while_it_still_does(stage: Any, tmp_path: Path, listener: str) -> None:
    leg_id, call = await dialed(stage, tmp_path, listener, 9.0)
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert verdict.label == "machine", verdict.evidence
    assert verdict.heard_s < 9.0
    await call.hangup()
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP


@either
async def test_dead_air_is_told_apart(stage: Any, tmp_path: Path, listener: str) -> None:
    leg_id, _ = await dialed(stage, tmp_path, listener)
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert verdict.label == "silence", verdict.evidence
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id)


@either
@pytest.mark.parametrize("by_us", [True, False])
async def test_who_hangs_up_meanwhile_has_hung_up(stage: Any, tmp_path: Path, listener: str, by_us: bool) -> None:
    leg_id, call = await dialed(stage, tmp_path, listener, profile="asterisk")  # it bears dead air for longest
    if by_us:
        await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    else:
        await call.hangup()
    ended = await stage.facts.next(LegEnded, leg_id)
    assert ended.reason is (EndReason.HUNG_UP_BY_US if by_us else EndReason.HUNG_UP)
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert verdicts(stage, leg_id) == ["not_sure"]
    assert stage.facts.told.index(ended) < stage.facts.told.index(verdict), "or somebody would be sent to her"


@either
async def test_nobody_waits_longer_than_was_asked(stage: Any, tmp_path: Path, listener: str) -> None:
    leg_id, _ = await dialed(stage, tmp_path, listener, limit_s="1.2", speaks_on_s="1.2")
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert verdict.label == "not_sure", "0.8 s later it would have been dead air"
    assert verdict.heard_s > 0.6, "1.2 s, less what passed until we heard of the answer"
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id)


@either
async def test_options_that_make_no_sense_lose_the_verdict_and_not_the_call(
    stage: Any, tmp_path: Path, listener: str
) -> None:
    leg_id, call = await dialed(stage, tmp_path, listener, profile="mine")
    assert "no profile 'mine'" in stage.facts.of(ListenerLost, leg_id)[0].why
    await stage.control.play(leg_id, f"{leg_id}.p", [stage.sound(0.2)])
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"
    await call.hangup()
    await stage.facts.next(LegEnded, leg_id)


# -- TALK_DETECT -------------------------------------------------------------------------------------------------
async def test_talk_is_told_when_it_was(stage: Any) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    for once in range(1, TRIES + 1):
        await stage.control.listen(ListenToLeg(leg_id, f"l{once}", "talk_notebook"))
        await asyncio.sleep(0.5)
        await stage.say(caller, 440.0, 0.8)
        await asyncio.sleep(1.8)
        await stage.control.dismiss(leg_id, f"l{once}")
        talks = told(await stage.facts.next(AudioVerdict, leg_id, count=once))["talks"]
        if [end_s - start_s for start_s, end_s in talks] == [pytest.approx(0.8, abs=0.15)]:
            break
    else:
        pytest.fail(f"never told when it was: {talks}")
    assert await stage.left() == []
    # Nor does the node go on telling of it.
    told_of: list[str] = []
    stage.control._talk = lambda leg_id, lasted_s: told_of.append(leg_id)
    await stage.say(caller, 440.0, 0.4)
    await asyncio.sleep(0.8)
    assert told_of == []


async def test_beside_a_talk_the_leg_alone_is_judged(stage: Any) -> None:
    customer, agent = await stage.caller(), await stage.caller()
    leg_id, talk = customer.leg_id, f"talk-{customer.leg_id}"
    for person in (customer, agent):
        await stage.control.answer(person.leg_id)
    await stage.control.bridge(talk, [leg_id, agent.leg_id])
    await stage.control.listen(ListenToLeg(leg_id, "l1", "talk_notebook"))
    assert "beside" in (await stage.facts.next(ListenerLost, leg_id)).why
    for once in range(1, TRIES + 1):
        listening = ListenToLeg(leg_id, f"beside{once}", "talk_notebook", beside=True)
        await stage.control.listen(listening)
        await asyncio.sleep(0.4)
        await stage.say(agent, 700.0, 1.2)
        await asyncio.sleep(1.5)
        await stage.say(customer, 440.0, 0.5)
        await asyncio.sleep(1.5)
        await stage.control.dismiss(leg_id, listening.listening_id)
        talks = told(await stage.facts.next(AudioVerdict, leg_id, count=once))["talks"]
        if [end_s - start_s for start_s, end_s in talks] == [pytest.approx(0.5, abs=0.15)]:
            break
    else:
        pytest.fail(f"never the customer alone: {talks}")
    await stage.control.destroy_bridge(talk)


# -- AMD() -------------------------------------------------------------------------------------------------------
async def test_what_is_asked_of_a_leg_waits_until_amd_is_done_with_it(stage: Any, tmp_path: Path) -> None:
    leg_id, call = await dialed(stage, tmp_path, "app_amd", 0.6)
    playing = asyncio.create_task(stage.control.play(leg_id, f"{leg_id}.p", [stage.sound(0.2)]))
    music = asyncio.create_task(stage.control.start_music(leg_id, "waiting"))
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    await asyncio.gather(playing, music)
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"
    assert verdict.label == "human", verdict.evidence
    await call.hangup()
    await stage.facts.next(LegEnded, leg_id)


async def test_amd_hears_those_alone_who_are_dialed_with_it(stage: Any) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.listen(ListenToLeg(caller.leg_id, "l1", "app_amd"))
    assert "dialed with it" in (await stage.facts.next(ListenerLost, caller.leg_id)).why


@contextlib.asynccontextmanager
async def engine(node: AsteriskNode, facts: Facts) -> AsyncIterator[AsteriskCallControl]:
    settings = ari_settings(node.settings, deadline_s=DEADLINE_S)
    control = AsteriskCallControl([settings], facts.sink, lambda name, what: None, watches=WATCHES)
    await control.start(timeout_s=30.0)
    try:
        yield control
    finally:
        await control.close()


class Unanswered(Exception):
    """Somebody stood still for seconds: AMD() is over by then, and nothing has been learnt."""


@pytest.mark.parametrize("comes_back", [True, False])
async def test_who_is_with_amd_when_the_engine_goes_meets_the_next_one_or_is_told_who_called(
    asterisk_node: AsteriskNode, tmp_path: Path, comes_back: bool
) -> None:
    for again in range(2):
        with contextlib.suppress(Unanswered):
            await _engine_goes(asterisk_node, f"out.x{tmp_path.name}{again}", comes_back)
            return
    await _engine_goes(asterisk_node, f"out.x{tmp_path.name}last", comes_back)


async def _engine_goes(asterisk_node: AsteriskNode, leg_id: str, comes_back: bool) -> None:
    before, after = Facts(), Facts()
    async with Softphone.start(rate_hz=8000) as phone:
        await phone.register("main-ana", asterisk_node.device("main-ana").secret, port=asterisk_node.settings.sip_port)
        await phone.auto_answer(100)
        async with engine(asterisk_node, before) as control:
            listen = ListenToLeg(leg_id, "l1", "app_amd", {"profile": "asterisk"})  # it bears dead air for longest
            node = asterisk_node.settings.name
            ring = OriginateLeg(leg_id, "i1", node, LegRole.CUSTOMER, "device:main-ana", "+34911234567", 10.0, 60.0)
            await control.originate(replace(ring, listen=listen))
            await before.next(LegUp, leg_id)
        call = await phone.incoming()
        if not comes_back:
            await call.until("disconnected", timeout_s=60)
        async with engine(asterisk_node, after) as control:
            try:
                (survey,) = await control.survey()
            except CommandFailed as stalled:
                raise Unanswered from stalled
            if not comes_back:
                assert leg_id in survey.harboured
                return
            if leg_id in survey.harboured or leg_id not in {leg.leg_id for leg in survey.legs}:
                raise Unanswered
            assert [(leg.leg_id, leg.up, leg.away) for leg in survey.legs] == [(leg_id, False, True)]
            await control.park(leg_id)  # waits until she comes
            assert [fact.leg_id for fact in after.of(LegUp, leg_id)] == [leg_id]
            await control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
            await after.next(LegEnded, leg_id)
