"""An agent without a screen, at a real phone: *45 logs her in, her call reaches her, what came of it is keyed, and a
line that stays open rings nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.commands import AskAgent
from core.decisions import StayEnded, WorkEnded
from telephony.softphone import ear
from tests.callers import so_far
from tests.phone_fixture import tone_wav

ROOT = Path(__file__).parents[2]
WAIT = "flow: wait\nstart: q\nnodes:\n  q: {type: queue, queue: sales, next: bye}\n  bye: {type: hangup}\n"
FILES = {
    "config/agents.yaml": 'agents:\n  ana: {name: Ana, device: "1001", code: 2001, pin: "471147"}\n',
    "config/dispositions.yaml": "dispositions:\n  s: {sold: {choices: {new: {digits: 11}}}, no: {digits: 2}}\n",
    "config/not_ready.yaml": "reasons: {lunch: {digits: 1}}\n",
    "config/queues/sales.yaml": "queue: sales\nno_agents: wait\nwrap_up_s: 120\ndispositions: s\n"
    "disposition_required: yes\nprompts: {whisper: {tone: beep}}\n",
    **{f"config/numbers/star{code}.yaml": f'number: "*{code}"\nflow: agent_phone\n' for code in (45, 452, 455)},
}
FLOWS = {"wait": WAIT, "agent_phone": (ROOT / "flows/agent_phone.yaml").read_text()}


class Desk:
    """What the board says of the one agent."""

    def __init__(self, running):
        self.running = running

    async def agent(self):
        snapshot = await self.running.ask("GET", "/acd/snapshot")
        return snapshot["agents"][0]

    async def until(self, what, within_s=30.0):
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not what(agent := await self.agent()):
            assert loop.time() < until_s, f"{agent}\n{self.running.log(4000)}"
            await asyncio.sleep(0.05)
        return agent


async def test_a_day_at_the_phone(system, softphones, tmp_path):
    running = await system(FLOWS, files=FILES)
    desk = Desk(running)
    ana, caller = await softphones(), await softphones()
    for phone, name in ((ana, "main-1001"), (caller, "main-1002")):
        await phone.register(name, running.account(name), port=running.node.sip_port)
    await desk.until(lambda agent: agent["reachable"])

    # *452 from her own phone, while somebody waits: nobody asks who she is, and she is not rung before she hangs up.
    await ana.auto_answer()
    here = await caller.call(f"sip:500@{running.sip}")
    await here.until("confirmed")
    call = await ana.call(f"sip:*452@{running.sip}")
    await desk.until(lambda agent: agent["presence"] == "ready")
    ended = await call.until("disconnected")

    # Her phone rings, they hear each other, and the caller leaves.
    there = await ana.incoming()
    assert there.events[0].t_s > ended.t_s, "nobody is put through to a phone that is in use"
    await there.until("confirmed")
    await ana.auto_answer_off()
    await desk.until(lambda agent: agent["looks"] == "talking")
    await _hear_each_other(here, there, tmp_path, "rung")
    await here.hangup()
    await there.until("disconnected")
    await desk.until(lambda agent: agent["looks"] == "wrap_up")

    # *45: the result by its digits, done with it, and ready again.
    menu = await ana.call(f"sip:*45@{running.sip}")
    await menu.until("confirmed")
    await menu.dtmf("3")
    await menu.dtmf("11#")
    await _until(running, lambda event: getattr(event, "ok", False), menu)
    await menu.dtmf("4")
    await desk.until(lambda agent: agent["looks"] == "ready" and not agent["assignments"])
    await menu.hangup()

    # *455: the line stays open; the next caller is there after a beep, and no phone rings.
    line = await ana.call(f"sip:*455@{running.sip}")
    await line.until("confirmed")
    await desk.until(lambda agent: agent["line"])
    mark = ana.mark()
    here = await caller.call(f"sip:500@{running.sip}")
    await desk.until(lambda agent: agent["looks"] == "talking")
    assert not [event for event in ana.events[mark:] if event.name == "incoming"]
    await _hear_each_other(here, line, tmp_path, "line")
    await here.hangup()
    await desk.until(lambda agent: agent["looks"] == "wrap_up")
    assert line.state == "confirmed"
    assert (await desk.agent())["line"]

    # The result, done, and ready for the next one: with the keys of the line that stays open.
    await line.dtmf("2#")
    await _until(running, lambda event: bool(getattr(event, "disposition", "")), line)
    await line.dtmf("*4")
    await desk.until(lambda agent: agent["looks"] == "ready" and not agent["assignments"])

    # A break; somebody waits meanwhile, and is there with the key that ends it.
    await line.dtmf("*31#")
    await desk.until(lambda agent: agent["looks"] == "not_ready")
    here = await caller.call(f"sip:500@{running.sip}")
    await running.until(lambda body: any(row["state"] == "queued" for row in body["interactions"]))
    await line.dtmf("*2")
    await desk.until(lambda agent: agent["looks"] == "talking")
    await _hear_each_other(here, line, tmp_path, "break")
    await here.hangup()
    await desk.until(lambda agent: agent["looks"] == "wrap_up")
    await line.dtmf("2#")
    await line.dtmf("*4")
    await desk.until(lambda agent: agent["looks"] == "ready" and not agent["assignments"])
    await line.hangup()
    await desk.until(lambda agent: not agent["line"])

    # Logging out over the line that is open ends its call.
    line = await ana.call(f"sip:*455@{running.sip}")
    await line.until("confirmed")
    await desk.until(lambda agent: agent["line"])
    await line.dtmf("*0")
    await line.until("disconnected")
    await desk.until(lambda agent: not agent["line"] and agent["presence"] == "logged_out")

    # From a phone that is nobody's she says who she is, and goes home. Her PIN is written down nowhere.
    menu = await caller.call(f"sip:*45@{running.sip}")
    await menu.until("confirmed")
    await menu.dtmf("2001#")
    await menu.dtmf("471147#")
    await _until(running, lambda event: getattr(event, "ok", False) and event.values["agent_id"] == "ana", menu)
    await menu.dtmf("0")
    await desk.until(lambda agent: agent["pending"] or agent["presence"] == "logged_out")
    await menu.hangup()
    await running.until_idle()
    asked = [c for i in running.interactions() for r in running.journal(i) for c in r.commands if type(c) is AskAgent]
    assert "2001" in {command.agent_id for command in asked}
    assert {command.pin for command in asked} == {""}

    decisions = [decision for i in running.interactions() for decision in running.decisions(i)]
    assert [d.how for d in decisions if isinstance(d, StayEnded)] == ["answered"] * 3
    work = [(d.agent_id, d.disposition) for d in decisions if isinstance(d, WorkEnded)]
    assert sorted(work) == [("ana", "no"), ("ana", "no"), ("ana", "sold/new")]
    assert "471147" not in running.log()


async def _until(running, what, menu):
    """Until the journal holds such an event of one of the two newest interactions."""
    for _ in range(600):
        if any(what(record.event) for i in running.interactions()[:2] for record in running.journal(i)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(menu.state)


async def _hear_each_other(here, there, place, name):
    recordings = await here.record(place / f"{name}-here.wav"), await there.record(place / f"{name}-there.wav")
    for call, hz in ((here, 700.0), (there, 1300.0)):
        await call.play(tone_wav(place / f"{hz:g}.wav", hz, seconds=1.5), loop=True)
    async with asyncio.timeout(30):
        while not all(
            ear.tone_spans(so_far(recording.path), hz)
            for recording, hz in zip(recordings, (1300.0, 700.0), strict=True)
        ):
            await asyncio.sleep(0.1)
    for call in (here, there):
        await call.stop_playing()
        await call.stop_recording()
