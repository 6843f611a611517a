"""How soon an agent on a held line is in a conversation: from the command until Asterisk has both in one bridge.

    python -m bench.held_line [--times 200]

Her leg is parked and silence is sent to it; the caller hears music. Two real phones, the shipped adapter.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from core.events import LegArrived, LegFact, LegUp
from core.leg import LegRole
from core.leg_commands import OriginateLeg
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.install import install
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Device, NodeSettings
from telephony.softphone.client import Softphone

PAUSE_S = 0.05


class Facts:
    """What the adapter tells, for whoever waits for one of a kind."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[LegFact] = asyncio.Queue()

    def __call__(self, fact: LegFact) -> None:
        self._told.put_nowait(fact)

    async def next(self, kind: type[LegFact]) -> LegFact:
        while not isinstance(fact := await self._told.get(), kind):
            pass
        return fact


async def measure(settings: NodeSettings, times: int) -> list[float]:
    """Seconds, one for each time."""
    ari = AriSettings(
        settings.name,
        "engine",
        settings.secrets.ari_engine,
        settings.recordings,
        settings.state_dir / "spool" / "silence",
        port=settings.http_port,
    )
    facts, took_s = Facts(), []
    control = AsteriskCallControl([ari], facts, lambda name, what: None)
    await control.start()
    async with Softphone.start(rate_hz=8000) as phone:
        for device in settings.devices:
            await phone.register(device.name, device.secret, port=settings.sip_port)
        await phone.auto_answer(account="main-ana")
        call = await phone.call("900100200", account="main-caller")
        arrived = await facts.next(LegArrived)
        assert isinstance(arrived, LegArrived)
        await control.answer(arrived.leg_id)
        await call.until("confirmed")
        await control.originate(
            OriginateLeg("ana", "i-1", settings.name, LegRole.AGENT, "device:main-ana", "+34911234567", 10.0, 3600.0)
        )
        while (await facts.next(LegUp)).leg_id != "ana":
            pass
        for n in range(times):
            await control.park("ana")
            await control.start_music(arrived.leg_id, "default")
            await asyncio.sleep(PAUSE_S)
            began_s = time.perf_counter()
            await control.bridge(f"bridge-{n}", [arrived.leg_id, "ana"])
            took_s.append(time.perf_counter() - began_s)
            await control.unbridge(f"bridge-{n}", "ana")
            await control.destroy_bridge(f"bridge-{n}")
        await call.hangup()
    await control.close()
    return took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="centralita-bench-") as made:
        devices = (Device(name="main-caller"), Device(name="main-ana"))
        launcher = Launcher(free_settings(Path(made) / "node", devices=devices), install())
        launcher.start()
        try:
            took_s = sorted(asyncio.run(measure(launcher.settings, times)))
        finally:
            launcher.stop()
    p50, p99 = statistics.median(took_s), took_s[int(0.99 * (len(took_s) - 1))]
    print(f"held line → conversation, {times} times: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")


if __name__ == "__main__":
    main()
