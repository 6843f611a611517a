"""From a customer's answer to her agent's voice, on the wire; and how many people a second the engine dials.

    python -m bench.connect_latency [--agents 10] [--calls 200] [--load 5] [--dials 1500] [--screen] [--json]

The shipped system: real Asterisk, the engine process, the dialer, its journal and its store of leads. `--agents` phones
hold their lines; a campaign by ratio calls people of whom half answer after 0.3 to 1.5 s and stay 2 s. Everybody says
a tone, so it is known who hears whom. `answer` is the moment in which the customer's phone sends its 200. Beside it
another campaign dials `--load` busy people a second. With `--screen` the detector listens to everybody first: people
say "Hello world" after 0.3 s and wait, and it is also measured from the end of that. Then, with nobody talking, a
third one dials `--dials` busy people as fast as it may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
import wave
from bisect import bisect_left
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.sip_people import AUDIBLE_RMS, RATE_HZ, Person, Voice, alaw, lines, loudness, tone
from core.lead import LeadState
from engine.supervisor import Supervisor
from telephony.node.install import install
from tests.outbound import FILES, HELD, PACK, House, calling, campaign
from tests.system_fixture import systems

HER_HZ, AGENT_HZ = 700.0, 1300.0
MOST_S = 300.0
QUIET_S, WAITS_S = 0.3, 2.5
"""Before somebody says hello, and after it, until her tone: an agent is there by then."""


def _behave(number: str, sound: bytes = b"") -> Person:
    if number.startswith("+3493"):
        return Person("refuse", ring_s=0, status="486 Busy Here")
    chance = random.Random(number)
    if chance.random() < 0.5:
        return Person("refuse", ring_s=chance.uniform(0.3, 1.5), status="486 Busy Here")
    return Person(ring_s=chance.uniform(0.3, 1.5), talk_s=7.0 if sound else 2.0, hz=HER_HZ, sound=sound)


def _hello() -> tuple[bytes, float]:
    """A woman's voice that says something short, silence while she waits, her tone; and when she has said it."""
    place = install().sounds("en")
    assert place is not None, "the private Asterisk has no English sounds"
    with wave.open(str(install().outside(place / "hello-world.wav"))) as file:
        said = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    spoken = np.flatnonzero(np.abs(said) > 0.02 * np.max(np.abs(said)))[-1] / RATE_HZ
    quiet = np.zeros(round(QUIET_S * RATE_HZ), np.int16)
    waits = np.zeros(round(WAITS_S * RATE_HZ), np.int16)
    return alaw(np.concatenate((quiet, said, waits))) + tone(HER_HZ) * 3, QUIET_S + float(spoken)


def first_heard_s(voice: Voice, since_s: float, hz: float) -> float | None:
    """When the first packet with that tone came, at `since_s` or later."""
    start = bisect_left(voice.heard, since_s, key=lambda packet: packet[0])
    for at_s, payload in voice.heard[start : start + 500]:
        if loudness(payload, hz) >= AUDIBLE_RMS:
            return at_s
    return None


def _spread(values: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(1000 * value for value in values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": round(ordered[-1], 1)}


async def measure(agents: int, calls: int, load: float, dials: int, screen: bool = False) -> dict[str, Any]:
    sound, said_s = _hello() if screen else (b"", 0.0)
    names = [str(1001 + index) for index in range(agents)]
    files = {
        "config/agents.yaml": "agents:\n" + "".join(f'  a{name}: {{device: "{name}"}}\n' for name in names),
        **{f"config/devices/{name}.yaml": f'device: "{name}"\n' for name in names},
        "config/queues/sales.yaml": FILES["config/queues/sales.yaml"],
    }
    pace = "pacing: {max_lines: 20"
    campaigns = {
        "talks": campaign("talks", "power", "drop: {action: message, flow: sorry}").replace(
            "queue: sales", "queue: sales\npacing: {ratio: 1.5}" + ("\nscreen: yes" if screen else "")
        ),
        "load": campaign("load", "agentless").replace(pace, f"pacing: {{calls_per_second: {load:g}, max_lines: 50"),
        "dials": campaign("dials", "agentless").replace(pace, "pacing: {max_lines: 200"),
    }
    with tempfile.TemporaryDirectory(prefix="centralita-bench-", dir=Path.home()) as place:
        options: dict[str, Any] = {"files": files}
        if screen:
            files["config/compliance/tests.yaml"] = PACK.replace("since: answer", "since: greeting_end")
            options["before_start"] = _with_ears
        behave = partial(_behave, sound=sound)
        async with systems(Path(place)) as up, calling(up, campaigns, behave, **options) as house:
            host, _, port = house.system.sip.partition(":")
            accounts = {f"main-{name}": house.system.account(f"main-{name}") for name in names}
            held = await lines(accounts, (host, int(port)), "127.0.0.1", lambda _: AGENT_HZ, HELD)
            house.held = {f"a{name}": line for name, line in zip(names, held, strict=True)}
            for agent_id in house.held:
                await house.presence(agent_id, "log_in")
                await house.presence(agent_id, "ready")
            if screen:
                await house.until_async(lambda: _ears(house), 30, "no media worker came")
            talked = await _talks(house, calls, load, said_s)
            rate = await _dials(house, dials) if dials else {}
            return {**talked, **rate}


async def _with_ears(supervisor: Supervisor) -> None:
    supervisor.workers += [supervisor._child("media_worker-1")]


async def _ears(house: House) -> bool:
    transport = httpx.AsyncHTTPTransport(uds=str(house.system.home.control_socket), verify=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        return "centralita_media_workers 1.0" in (await client.get("/metrics")).text


async def _talks(house: House, calls: int, load: float, said_s: float) -> dict[str, Any]:
    """`said_s`: when a person has said her greeting, after her answer; 0 where nobody listens for it."""
    await house.leads("talks", *(f"+34911{number:06d}" for number in range(calls)))
    if load:
        await house.leads("load", *(f"+34931{number:06d}" for number in range(int(load * MOST_S))))
        await house.act("load", "start")
    began_s = time.monotonic()
    await house.act("talks", "start")
    await house.until_async(lambda: _over(house, "talks", calls), MOST_S, "the calls are not over")
    lasted_s = time.monotonic() - began_s
    await house.act("load", "stop")
    attempts = await house.attempts()
    agent_of = {each.number: each.agent_id for each in attempts if each.agent_id}
    hers, theirs, abandoned, silent = [], [], 0, 0
    for call in house.people.calls:
        if call.person.does != "answer" or not call.answered_s:
            continue
        number = f"+{call.number.lstrip('+')}"
        if number not in agent_of:
            abandoned += 1
            continue
        heard_s = first_heard_s(call.voice, call.answered_s, AGENT_HZ)
        heard_by_s = first_heard_s(house.held[agent_of[number]].voice, call.answered_s, HER_HZ)
        if heard_s is None or heard_by_s is None:
            silent += 1
            continue
        hers.append(heard_s - call.answered_s)
        theirs.append(heard_by_s - call.answered_s)
    beside = sum(call.number.lstrip("+").startswith("3493") for call in house.people.calls)
    return {
        "calls": calls,
        "connected": len(hers),
        "not_connected": abandoned,
        "without_voice": silent,
        "dialed_beside_per_s": round(beside / lasted_s, 1),
        "heard_as": dict(Counter(each.verdict or "nobody" for each in attempts if each.agent_id)),
        "customer_hears_agent_ms": _spread(hers),
        # Her tone comes when she has waited: then it says nothing of how soon her agent heard her.
        **(
            {"after_her_greeting_ms": _spread([each - said_s for each in hers])}
            if said_s
            else {"agent_hears_customer_ms": _spread(theirs)}
        ),
    }


async def _dials(house: House, dials: int) -> dict[str, Any]:
    await house.leads("dials", *(f"+34932{number:06d}" for number in range(dials)))
    before = len(house.people.calls)
    await house.act("dials", "start")
    await house.until_async(lambda: _over(house, "dials", dials), MOST_S, "the dials are not over")
    rung_s = [call.invited_s for call in house.people.calls[before:]]
    seconds = [0] * (int(rung_s[-1] - rung_s[0]) + 1)
    for at_s in rung_s:
        seconds[int(at_s - rung_s[0])] += 1
    return {
        "dials": len(rung_s),
        "twice": len(rung_s) - len({call.number for call in house.people.calls[before:]}),
        "dials_per_s": round(len(rung_s) / (rung_s[-1] - rung_s[0]), 1),
        "best_second": max(seconds),
        "median_second": statistics.median(seconds),
    }


async def _over(house: House, name: str, count: int) -> bool:
    await asyncio.sleep(0.5)
    counts = await house.store.counts("main", [name])
    return counts.get(LeadState.DONE, 0) + counts.get(LeadState.EXHAUSTED, 0) >= count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--load", type=float, default=5.0)
    parser.add_argument("--dials", type=int, default=1500)
    parser.add_argument("--screen", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.agents, asked.calls, asked.load, asked.dials, asked.screen))
    if asked.json:
        print(json.dumps(found))
        return
    table = Table("", "p50 ms", "p95", "p99", "max")
    for name in ("customer_hears_agent_ms", "after_her_greeting_ms", "agent_hears_customer_ms"):
        if name not in found:
            continue
        spread = found.pop(name)
        table.add_row(name.removesuffix("_ms").replace("_", " "), *(str(value) for value in spread.values()))
    console = Console()
    console.print(table)
    console.print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
