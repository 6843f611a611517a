"""Full disk, no room, draining: who is inside goes on, who arrives goes to overflow, nothing saved is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.decisions import NodeEntered
from telephony.softphone.client import Softphone
from tests.callers import Caller, prompt, registered
from tests.phone_fixture import tone_wav
from tests.system_fixture import System, systems

pytestmark = pytest.mark.asterisk

FLOW = f"""
flow: desk
languages: [es]
start: door
defaults: {{no_input: {{then: door}}, no_match: {{then: door}}, error: {{prompt: "{prompt("eco")}", then: door}}}}
nodes:
  door: {{type: menu, prompt: "{prompt("hotel")}", first_digit_s: 60, keys: {{"1": more, "2": mail, "3": ring}}}}
  more: {{type: play, prompt: "{prompt("sierra")}", next: door}}
  mail: {{type: record, mailbox: sales, prompt: "{prompt("zulu")}", min_s: 1, silence_s: 0, next: bye}}
  ring: {{type: transfer, to: "device:1003", failed: busy, next: busy}}
  busy: {{type: play, prompt: "{prompt("victor")}", next: door}}
  bye: {{type: hangup, prompt: "{prompt("papa")}"}}
"""
ABSENCE_S = 3.0


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of its own, mounted there."""
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


class Filler:
    """Takes all the room there is, and gives it back."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self) -> None:
        with self._path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
        with self._path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x")

    def free(self) -> None:
        self._path.unlink()


async def overflows(system: System, phone: Softphone, colleague: Softphone) -> None:
    """A caller who arrives now hears an apology, and then rings the colleague's phone."""
    call = await phone.call(f"sip:100@{system.sip}")
    there = await colleague.incoming(timeout_s=30)
    await call.hangup()
    await there.until("disconnected")


async def test_who_is_inside_goes_on_and_who_arrives_goes_to_overflow(tmp_path: Path) -> None:
    ana, luis, eva = (Softphone.start(rate_hz=8000) for _ in range(3))
    with small_disk(tmp_path / "var") as disk:
        async with systems(tmp_path) as up, ana, luis, eva:
            site = 'max_interactions: 2\nabsence: {apology: beep, overflow: {endpoint: "1002", ring_s: 10}}'
            system = await up({"desk": FLOW}, {"config/devices/1003.yaml": 'device: "1003"\n'}, site, ABSENCE_S)
            for phone, account in ((ana, "main-1001"), (luis, "main-1002"), (eva, "main-1003")):
                await registered(system, phone, account)
            inside = await Caller.dial(system, ana, "100", tmp_path)
            await inside.hears("hotel")

            # As many as there is room for.
            second = await Caller.dial(system, ana, "100", tmp_path)
            await overflows(system, ana, luis)
            await second.hang_up()

            # A full disk: the journal takes nothing, recordings cannot be written, nobody is dialed.
            filler = Filler(disk)
            filler.fill()
            await inside.press("1")
            await inside.hears("sierra")
            await system.until(lambda body: not body["ready"])
            assert (await system.ask("GET", "/health"))["healthy"] is False
            await overflows(system, ana, luis)
            await inside.press("2")
            await inside.hears("zulu")
            await asyncio.sleep(0.8)
            await inside.call.play(tone_wav(tmp_path / "says.wav", 700.0, seconds=2.0))
            await inside.call.played()
            await inside.press("#")
            await inside.hears("eco")
            await inside.at("door")
            await inside.press("3")
            await inside.hears("victor")
            assert not [event for event in eva.events if event.name == "incoming"]
            assert not any("overflow" in text for text in system.told), "an engine without disk is not away"

            filler.free()
            await system.until(lambda body: body["ready"])
            again = await Caller.dial(system, ana, "100", tmp_path)
            await again.hears("hotel")
            await again.hang_up()
            await inside.press("1")
            await system.saved()
            visits = [d.node for d in system.decisions(inside.interaction_id) if isinstance(d, NodeEntered)]
            assert visits[:8] == ["door", "more", "door", "mail", "door", "ring", "busy", "door"], "nothing was lost"

            # Draining: the same door.
            await system.ask("POST", "/drain")
            await overflows(system, ana, luis)
            await asyncio.sleep(ABSENCE_S)
            assert inside.call.state == "confirmed"
            assert not any("overflow" in text for text in system.told)
            await inside.press("2")
            await inside.at("mail")
            await inside.hang_up()
            await system.channels_gone()
