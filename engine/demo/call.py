"""The demo's call: a real SIP phone rings the reception in Spanish; halfway the engine is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.config.loader import Configuration, load
from engine.config.sources import read_sources
from engine.demo.watch import Beat, Watcher
from engine.home import Home, SecretBox
from engine.node_settings import LOOPBACK, node_settings
from engine.supervisor import Plan, Supervisor
from speech.audio import wav_bytes
from speech.voices import make_voice
from telephony.node.installation import find
from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone

MESSAGE = "Hola, soy Marta. Mi pedido no ha llegado. Llámenme, por favor. Gracias."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is made of. `wav`: what the caller heard; `away_s`: how long nobody commanded the call."""

    configuration: Configuration
    interaction_id: str
    wav: Path
    began_s: float
    away_s: float
    beats: tuple[Beat, ...]
    path: tuple[tuple[str, str], ...]


async def play(home: Home, on_beat: Callable[[Beat], None], on_step: Callable[[str], None]) -> Shown:
    """Runs the whole scene and tears it down.

    Raises:
        NodeError, OSError: Asterisk or the engine did not start.
        TimeoutError: the call did not go as it should.
    """
    home.prepare()
    loaded = load(read_sources(home.project))
    if loaded.configuration is None:
        raise OSError(f"the shipped definitions have errors:\n{loaded.problems}")
    configuration = loaded.configuration
    box = SecretBox(home.state / "secrets.json")
    node = node_settings(home, configuration, box, LOOPBACK)
    supervisor = Supervisor(Plan(home, node, find(), 30.0, ("projection",)), lambda text: None)
    on_step("starting Asterisk and the engine")
    await supervisor.start()
    try:
        watcher = Watcher(home, on_beat)
        following = asyncio.ensure_future(watcher.follow())
        try:
            async with Softphone.start() as phone:
                device = node.devices[0]
                on_step(f"a SIP phone registers as {device.name}")
                await phone.register(device.name, device.secret, port=node.sip_port)
                on_step("it dials 100")
                call = await phone.call(f"sip:100@127.0.0.1:{node.sip_port}")
                began_s = time.time()
                recording = await call.record(home.state / "heard.wav")
                await call.until("confirmed")
                away_s = await _conversation(call, watcher, supervisor, home)
                await call.until("disconnected", timeout_s=30)
                wav = await recording.saved()
            await asyncio.sleep(0.5)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            watcher.close()
        return Shown(
            configuration, watcher.interaction_id, wav, began_s, away_s, tuple(watcher.beats), tuple(watcher.path)
        )
    finally:
        on_step("stopping everything")
        await supervisor.stop()


async def _conversation(call: PhoneCall, watcher: Watcher, supervisor: Supervisor, home: Home) -> float:
    message = await asyncio.to_thread(_spoken_message, home.state / "message.wav")
    await watcher.entered("main")
    await asyncio.sleep(6)
    await call.dtmf("2")
    await watcher.entered("service")
    await asyncio.sleep(3)
    away_s = await _kill(watcher, supervisor)
    await asyncio.sleep(4)
    await call.dtmf("1")
    await watcher.entered("unavailable")
    await asyncio.sleep(4)
    await call.dtmf("1")
    await watcher.entered("message")
    await watcher.until(lambda: any(beat.kind == "records" for beat in watcher.beats), "until the beep")
    await asyncio.sleep(0.7)
    watcher.tell(Beat(time.time(), "phone", MESSAGE))
    await call.play(message)
    await call.played()
    await asyncio.sleep(0.3)
    await call.dtmf("#")
    await asyncio.sleep(3)
    await call.dtmf("1")
    return away_s


async def _kill(watcher: Watcher, supervisor: Supervisor) -> float:
    """kill -9, and the seconds until a fresh engine has adopted the call."""
    pid = supervisor.engine.pid
    assert pid is not None
    killed_s = time.time()
    os.kill(pid, signal.SIGKILL)
    watcher.tell(Beat(killed_s, "engine", f"kill -9 {pid}: the engine is dead, the call stays up in Asterisk"))

    def adopted() -> list[Beat]:
        return [beat for beat in watcher.beats if beat.kind == "engine" and beat.at_s > killed_s]

    await watcher.until(lambda: bool(adopted()), "until a new engine took the call over", within_s=30)
    return adopted()[0].at_s - killed_s


def _spoken_message(path: Path) -> Path:
    voice = make_voice("espeak")
    path.write_bytes(wav_bytes(voice.synthesise(MESSAGE, "es")))
    return path
