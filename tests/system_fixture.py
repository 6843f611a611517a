"""A whole Centralita for tests: its own project, ports and state; real Asterisk, real engine process, supervised.

    async def test_something(system):
        await system(flows={"reception": "flow: reception ..."})     # -> System, ready for calls

`system.engine_pid`, `system.status()`, `system.journal(...)`, `system.phone_account(...)` are what tests ask for.
A carrier at 127.0.0.2 (`sipp -i 127.0.0.2`) needs no password; its digits come as SIP INFO.
Afterwards nothing may be left: no channel, no process, no socket. A module whose tests share one system opens it
itself: `async with systems(place) as system: ...`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.commanded import remote_commanded
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home, SecretBox
from engine.node_settings import node_settings
from engine.supervisor import Plan, Supervisor
from store.cipher import ContactCipher
from store.journal_reader import JournalReader
from store.recordings import Recordings
from telephony.node.install import install
from telephony.node.ports import free_settings
from telephony.node.settings import NodeSettings

__all__ = ["System", "system", "systems"]

CARRIER = "127.0.0.2"


@dataclass
class System:
    home: Home
    node: NodeSettings
    supervisor: Supervisor
    told: list[str] = field(default_factory=list)

    @property
    def sip(self) -> str:
        return f"127.0.0.1:{self.node.sip_port}"

    @property
    def engine_pid(self) -> int:
        pid = self.supervisor.engine.pid
        assert pid is not None
        return pid

    def kill_engine(self) -> None:
        """kill -9, as any crash; the supervisor starts it again."""
        os.kill(self.engine_pid, signal.SIGKILL)

    def recordings(self, mailbox: str) -> dict[str, tuple[Path, dict[str, str]]]:
        """The sounds of a mailbox of tenant main, unsealed, with their labels, by interaction."""
        found = {}
        with ContactCipher.open(self.home.state, read_only=True) as cipher:
            kept = Recordings(self.home.voicemail, cipher)
            for recording in kept.find("main", mailbox=mailbox):
                opened = self.home.state / f"{recording.name}.wav"
                opened.write_bytes(b"".join(kept.content(recording)[1]))
                found[recording.interaction_id] = (opened, dict(recording.labels))
        return found

    def account(self, name: str) -> str:
        """The secret of a phone account, `main-1001`."""
        return next(device.secret for device in self.node.devices if device.name == name)

    async def ask(self, method: str, path: str, within_s: float = 60.0) -> dict[str, Any]:
        # Not verifying (there is no TLS) saves reading all certificates of the system: 40 ms for each question.
        transport = httpx.AsyncHTTPTransport(uds=str(self.home.control_socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=within_s) as client:
            body: dict[str, Any] = (await client.request(method, path)).json()
            return body

    async def status(self) -> dict[str, Any]:
        return await self.ask("GET", "/status")

    async def reload(self) -> dict[str, Any]:
        return await self.ask("POST", "/reload", within_s=200.0)  # a process of its own reads the files

    async def until(self, what: Callable[[dict[str, Any]], object], within_s: float = 30.0) -> dict[str, Any]:
        """The first status for which `what` holds."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        body: dict[str, Any] = {}
        while True:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                body = await self.status()
                if what(body):
                    return body
            assert loop.time() < until_s, f"not within {within_s} s: {json.dumps(body)[:2000]}\n{self.log(3000)}"
            await asyncio.sleep(0.05)

    async def saved(self, within_s: float = 30.0) -> None:
        """Everything that has happened is in the journal."""
        await self.until(is_saved, within_s)

    async def until_idle(self, within_s: float = 30.0) -> None:
        await self.until(lambda body: body["ready"] and not body["interactions"] and is_saved(body), within_s)
        await self.channels_gone()

    async def channels_gone(self, within_s: float = 30.0) -> None:
        """No channel and no bridge is left in Asterisk."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while left := [*(await self.ari("channels")), *(await self.ari("bridges"))]:
            assert loop.time() < until_s, f"left behind in Asterisk: {left}"
            await asyncio.sleep(0.1)

    async def ari(self, what: str) -> list[dict[str, Any]]:
        auth = ("supervisor", self.node.secrets.ari_supervisor)
        async with httpx.AsyncClient(
            base_url=self.node.ari_url, auth=auth, trust_env=False, verify=False, timeout=30
        ) as client:
            body: list[dict[str, Any]] = (await client.get(f"/{what}")).json()
            return body

    async def messages(self, mailbox: str, *interaction_ids: str) -> dict[str, tuple[Path, dict[str, str]]]:
        """`recordings` once those of these interactions are filed: that comes after the call's end."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 30.0
        while not (found := self.recordings(mailbox)).keys() >= set(interaction_ids):
            assert loop.time() < until_s, f"in {mailbox}: {sorted(found)}\n{self.log(3000)}"
            await asyncio.sleep(0.1)
        return found

    async def nothing_in_the_spool(self) -> None:
        """Every recording that Asterisk wrote has been filed or thrown away."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + 30.0
        while left := list(self.home.recordings.iterdir()):
            assert loop.time() < until_s, f"left in the spool: {left}"
            await asyncio.sleep(0.05)

    def interactions(self) -> list[str]:
        """Every interaction the journal knows, the newest first."""
        return self._read(lambda reader: reader.newest(100_000))

    def journal(self, interaction_id: str) -> Any:
        return self._read(lambda reader: reader.show(interaction_id))

    def release(self, release_id: str) -> bytes | None:
        """The sources that the journal keeps of it."""
        return self._read(lambda reader: reader.load_release(release_id))

    def decisions(self, interaction_id: str) -> list[Any]:
        return [decision for record in self.journal(interaction_id) for decision in record.decisions]

    def log(self, last_bytes: int = 1_000_000) -> str:
        return self.home.engine_log.read_text(errors="replace")[-last_bytes:]

    def _read(self, what: Callable[[JournalReader], Any]) -> Any:
        with ContactCipher.open(self.home.state, read_only=True) as cipher:
            reader = JournalReader.open(self.home.journal, cipher)
            try:
                return what(reader)
            finally:
                reader.close()


def is_saved(status: dict[str, Any]) -> bool:
    return bool(status["journal"]["durable_seq"] >= status["journal"]["last_seq"])


def write_project(project: Path, flows: Mapping[str, str], files: Mapping[str, str], site: str, ports: Path) -> None:
    """A small project on ports nobody uses: the first flow answers every number."""
    node = free_settings(ports)
    others = free_settings(ports)
    texts = {
        "config/site.yaml": f"""site: test
voices: [fake]
sip:
  port: {node.sip_port}
  rtp_first: {node.rtp_start}
  rtp_last: {node.rtp_end}
  phone_vanished_s: 0  # some phones of the tests speak no audio
  trunk_vanished_s: 0
asterisk_http_port: {node.http_port}
asterisk_manager_port: {node.ami_port}
api_port: {others.http_port}
desk_port: {others.ami_port}
{site}
""",
        "config/devices/1001.yaml": 'device: "1001"\n',
        "config/devices/1002.yaml": 'device: "1002"\n',
        "config/trunks/carrier.yaml": f"trunk: carrier\nhost: {CARRIER}\ndtmf: info\n",
        "config/queues/sales.yaml": "queue: sales\n",
        "config/numbers/default.yaml": f"default: yes\nflow: {next(iter(flows))}\n",
        **{f"flows/{name}.yaml": text for name, text in flows.items()},
        **files,
    }
    for name, text in texts.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


Systems = Callable[..., Awaitable[System]]


@contextlib.asynccontextmanager
async def systems(place: Path) -> AsyncIterator[Systems]:
    """What the fixture gives, for as long as the block lasts. `place`: an empty directory of its own.

    The function's arguments: `flows` by name; `files` beside them by path; `site`: more lines of config/site.yaml;
    `prepare(home)` is called before anything starts, `before_start(supervisor)` just before; `env`: for the engine's
    processes.
    """
    async with contextlib.AsyncExitStack() as running:

        async def up(
            flows: Mapping[str, str],
            files: Mapping[str, str] | None = None,
            site: str = "",
            absence_s: float = 30.0,
            workers: tuple[str, ...] = (),
            prepare: Callable[[Home], None] = lambda home: None,
            env: Mapping[str, str] | None = None,
            before_start: Callable[[Supervisor], Awaitable[None]] | None = None,
        ) -> System:
            installation = await asyncio.to_thread(install)
            project = place / "project"
            write_project(project, flows, files or {}, site, place / "ports")
            home = Home.find(project, place / "var")
            prepare(home)
            home.prepare()
            loaded = load(read_sources(project))
            assert loaded.configuration is not None, str(loaded.problems)
            box = SecretBox(home.state / "secrets.json")
            node = node_settings(home, loaded.configuration, box)
            others = remote_commanded(loaded.configuration, box)
            told: list[str] = []
            with pytest.MonkeyPatch.context() as environment:
                for name, value in (env or {}).items():
                    environment.setenv(name, value)
                supervisor = Supervisor(Plan(home, node, installation, absence_s, workers, others=others), told.append)
            if before_start is not None:
                await before_start(supervisor)
            await supervisor.start()
            running.push_async_callback(supervisor.stop)
            return System(home, node, supervisor, told)

        yield up


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[Systems]:
    async with systems(tmp_path) as up:
        yield up
