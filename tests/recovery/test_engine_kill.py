"""kill -9 the engine with callers in flows: none drops, each goes on where she was."""

import asyncio
from pathlib import Path

from core.decisions import NodeEntered, NodeLeft, VariablesSet
from telephony.softphone import ear
from tests.callers import so_far
from tests.sipp import Callers

FLOW = """
flow: hold
languages: [es]
start: code
nodes:
  code:
    type: collect
    prompt: "Marque su código."
    digits: "4"
    into: code
    first_digit_s: 100
    no_input: {then: bye}
    no_match: {then: bye}
    next: wait
  wait:
    type: menu
    prompt: "Marque uno para seguir."
    keys: {"1": done}
    first_digit_s: 60
    no_input: {retries: 5, then: bye}
    no_match: {then: bye}
  done: {type: set, values: {served: "{{ code }}-yes"}, next: bye}
  bye: {type: hangup}
"""
CALLS = 50


async def test_fifty_callers_survive_the_engines_death(system, tmp_path: Path):
    running = await system({"hold": FLOW})
    codes = [f"{1000 + n}" for n in range(CALLS)]
    callers = Callers(tmp_path, running.sip, codes, wait_s=14, asks=4)
    await callers.start(rate=25)
    try:
        await running.until(lambda body: sum(row["node"] == "wait" for row in body["interactions"]) == CALLS, 30)
        # A key that was pressed in the journal's last milliseconds is as if it had not been pressed.
        await running.saved()
        killed = running.engine_pid
        running.kill_engine()
        after = await running.until(lambda body: body["ready"] and running.engine_pid != killed)
        # Who presses her key when the engine has just come back is served already, and may be gone.
        assert {row["node"] for row in after["interactions"]} <= {"wait", "done", "bye"}
        served = await callers.served()
    finally:
        await callers.stop()
    assert (served.ok, served.failed) == (CALLS, 0), served.output
    await running.until_idle()

    given = {}
    for interaction_id in running.interactions():
        decisions = running.decisions(interaction_id)
        visits = [d.node for d in decisions if isinstance(d, NodeEntered)]
        assert visits == ["code", "wait", "done", "bye"], "a finished node was asked again"
        assert "1" in [d.branch for d in decisions if isinstance(d, NodeLeft) and d.node == "wait"]
        values = {name: value for d in decisions if isinstance(d, VariablesSet) for name, value in d.values.items()}
        assert values["served"] == f"{values['code']}-yes"
        given[interaction_id] = values["code"]
    assert sorted(given.values()) == codes


async def test_callers_who_arrive_while_no_engine_lives_hear_music_and_are_served(
    system, softphones, tmp_path: Path
) -> None:
    running = await system({"hold": FLOW}, site="absence: {retry_s: 1, tries: 120}")
    phones = [await softphones(rate_hz=8000) for _ in range(2)]
    for phone, name in zip(phones, ("main-1001", "main-1002"), strict=True):
        await phone.register(name, running.account(name), port=running.node.sip_port)
    engines = running.supervisor.engines
    # The one that waits for the lease first, or it would take over.
    for engine in sorted(engines, key=lambda each: each is running.supervisor.engine):
        engine.kill()
        await engine.stop()  # as long as it takes to start again, and longer
    calls = [await phone.call(f"sip:100@{running.sip}") for phone in phones]
    music = [await call.record(tmp_path / f"{number}.wav") for number, call in enumerate(calls)]
    for call, recording in zip(calls, music, strict=True):
        await call.until("confirmed", timeout_s=30)
        async with asyncio.timeout(30):
            while not any(stretch.is_sound for stretch in ear.stretches(so_far(recording.path))):
                await asyncio.sleep(0.1)
    assert running.interactions() == [], "no engine has seen them yet"
    for engine in engines:
        await engine.start()
    await running.until(lambda body: [row["node"] for row in body["interactions"]] == ["code", "code"], 60)
    for number, call in enumerate(calls):
        await call.dtmf(f"123{number}")
    await running.until(lambda body: [row["node"] for row in body["interactions"]] == ["wait", "wait"])
    for call in calls:
        await call.dtmf("1")
        await call.until("disconnected", timeout_s=30)
    await running.until_idle()
    given = []
    for interaction_id in running.interactions():
        decisions = running.decisions(interaction_id)
        assert [d.node for d in decisions if isinstance(d, NodeEntered)] == ["code", "wait", "done", "bye"]
        values = {name: value for d in decisions if isinstance(d, VariablesSet) for name, value in d.values.items()}
        given.append(values["served"])
    assert sorted(given) == ["1230-yes", "1231-yes"]
