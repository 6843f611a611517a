"""The demo's call: Marta rings the reception, waits for sales and talks with Ana. While she waits the engine is killed.

Two real SIP phones; what each of them heard is kept.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from engine.config.loader import Configuration, load
from engine.config.sources import read_sources
from engine.demo.stage import CALLER
from engine.demo.watch import Beat, Watcher
from engine.home import Home, SecretBox
from engine.node_settings import LOOPBACK, node_settings
from engine.supervisor import Plan, Supervisor
from speech.audio import wav_bytes
from speech.voices import make_voice
from telephony.node.installation import find
from telephony.node.settings import NodeSettings
from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone

AGENT, AGENT_DEVICE, DISPOSITION = "ana", "main-1001", "sold/new"
AGENT_SAYS = "Ventas, buenos días, soy Ana. ¿En qué puedo ayudarle?"
CALLER_SAYS = "Hola, soy Marta. Quiero contratar una línea nueva. Muchas gracias."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is made of. `wav`, `agent_wav`: what caller and agent heard; `agent_began_s`: when hers begins.
    `away_s`: how long nobody commanded the call."""

    configuration: Configuration
    interaction_id: str
    wav: Path
    agent_wav: Path
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
            async with Softphone.start() as phone, Softphone.start() as desk:
                for account, handset in ((CALLER, phone), (AGENT_DEVICE, desk)):
                    on_step(f"a SIP phone registers as {account}")
                    await handset.register(account, _secret(node, account), port=node.sip_port)
                scene = _Scene(home, watcher, supervisor, desk)
                await scene.agent("log_in")
                watcher.tell(Beat(time.time(), "agent", "Ana has logged in; she is not ready yet"))
                on_step("Marta dials 100")
                call = await phone.call(f"sip:100@127.0.0.1:{node.sip_port}")
                began_s = time.time()
                recording = await call.record(home.state / "heard.wav")
                await call.until("confirmed")
                await scene.play(call)
                await call.until("disconnected", timeout_s=30)
                wav = await recording.saved()
            await asyncio.sleep(0.5)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            watcher.close()
        return Shown(
            configuration=configuration,
            interaction_id=watcher.interaction_id,
            wav=wav,
            agent_wav=home.state / "agent.wav",
            began_s=began_s,
            away_s=scene.away_s,
            beats=tuple(watcher.beats),
            path=tuple(watcher.path),
        )
    finally:
        on_step("stopping everything")
        await supervisor.stop()


def _secret(node: NodeSettings, account: str) -> str:
    return next(device.secret for device in node.devices if device.name == account)


class _Scene:
    """What caller and agent do, step by step."""

    def __init__(self, home: Home, watcher: Watcher, supervisor: Supervisor, desk: Softphone) -> None:
        self._home = home
        self._watcher = watcher
        self._supervisor = supervisor
        self._desk = desk
        self.away_s = 0.0

    async def play(self, call: PhoneCall) -> None:
        home, watcher = self._home, self._watcher
        agent_words = await asyncio.to_thread(_spoken, AGENT_SAYS, home.state / "agent_says.wav")
        caller_words = await asyncio.to_thread(_spoken, CALLER_SAYS, home.state / "caller_says.wav")
        await watcher.entered("main")
        await asyncio.sleep(2.5)
        await call.dtmf("1")
        await watcher.entered("sales")
        await asyncio.sleep(2)
        self.away_s = await self._kill()
        await asyncio.sleep(2)
        await self.agent("ready")
        watcher.tell(Beat(time.time(), "agent", "Ana is ready"))
        conversation = await self._desk.incoming(account=AGENT_DEVICE)
        await asyncio.sleep(1.5)
        hers = await conversation.record(home.state / "agent.wav")
        await conversation.answer()
        await conversation.until("confirmed")
        await self._says(conversation, "agent", f"Ana: {AGENT_SAYS}", agent_words)
        await self._says(call, "phone", CALLER_SAYS, caller_words)
        await asyncio.sleep(0.5)
        await conversation.hangup()
        await hers.saved()
        await self._ask("WrapUpActed", interaction_id=watcher.interaction_id, disposition=DISPOSITION, finish=True)
        watcher.tell(Beat(time.time(), "agent", f"Ana writes down: {DISPOSITION}; her wrap-up is over"))
        await watcher.entered("intro")
        await asyncio.sleep(2)
        await call.dtmf("1")
        await watcher.entered("opinion")
        for answer in ("5", "1", "9"):
            await asyncio.sleep(2)
            await call.dtmf(answer)

    async def agent(self, action: str) -> None:
        await self._ask("AgentActed", action=action)

    async def _ask(self, fact: str, **fields: object) -> None:
        """Raises OSError with the engine's words when it refuses."""
        transport = httpx.AsyncHTTPTransport(uds=str(self._home.control_socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=10.0) as engine:
            asked = {"fact": fact, "fields": {"tenant": "main", "agent_id": AGENT, **fields}}
            answer = await engine.post("/acd/do", json=asked)
        if answer.status_code != 200:
            raise OSError(f"Ana cannot: {answer.text}")

    async def _says(self, call: PhoneCall, kind: str, text: str, words: Path) -> None:
        self._watcher.tell(Beat(time.time(), kind, text))
        await call.play(words)
        await call.played()
        await asyncio.sleep(0.4)

    async def _kill(self) -> float:
        """kill -9, and the seconds until a fresh engine has adopted the call."""
        pid, watcher = self._supervisor.engine.pid, self._watcher
        assert pid is not None
        killed_s = time.time()
        os.kill(pid, signal.SIGKILL)
        watcher.tell(Beat(killed_s, "engine", f"kill -9 {pid}: the engine is dead, the call stays up in Asterisk"))

        def adopted() -> list[Beat]:
            return [beat for beat in watcher.beats if beat.kind == "engine" and beat.at_s > killed_s]

        await watcher.until(lambda: bool(adopted()), "until a new engine took the call over", within_s=30)
        return adopted()[0].at_s - killed_s


def _spoken(text: str, path: Path) -> Path:
    path.write_bytes(wav_bytes(make_voice("espeak").synthesise(text, "es")))
    return path
