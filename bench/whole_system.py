"""The shipped system for benchmarks: its own project and ports, real Asterisk, the real engine process.

Two carriers reach it: calls from `ENGINE_SIDE` are the engine's, calls from `DIALPLAN_SIDE` go to the dialplan's
context `bench`, which does the same without an engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from engine.config.loader import load
from engine.config.sources import read_sources
from engine.desk_file import save_for_desk
from engine.home import Home, SecretBox
from engine.node_settings import node_settings
from engine.supervisor import Plan, Supervisor
from telephony.node.install import install
from telephony.node.ports import free_settings
from telephony.node.settings import Trunk

ENGINE_SIDE, DIALPLAN_SIDE = "127.0.0.15", "127.0.0.16"
FIRST_PROMPT, SECOND_PROMPT = "vm-enter-num-to-call", "vm-goodbye"
SHIPPED_WORKERS, SHIPPED_MEDIA_WORKERS = ("projection", "node_watch", "desk"), 2
"""What `centralita up` runs beside Asterisk and the engine."""
_AT_REST_S = 0.1
"""Of CPU within a second, all workers together."""
SIP_PORTS = range(15500, 15600)
RTP_FIRST, RTP_LAST = 29_000, 30_998

FLOW = f"""flow: bench
languages: [en]
start: ask
nodes:
  ask:
    type: menu
    prompt: {{sound: {FIRST_PROMPT}}}
    keys: {{"1": goodbye}}
    first_digit_s: 10
    no_input: {{retries: 0, then: goodbye}}
    no_match: {{retries: 0, then: goodbye}}
  goodbye: {{type: hangup, prompt: {{sound: {SECOND_PROMPT}}}}}
"""


@dataclass(frozen=True, slots=True)
class WholeSystem:
    supervisor: Supervisor
    folder: Path

    @property
    def sip(self) -> str:
        return f"127.0.0.1:{self.supervisor.plan.node.sip_port}"

    def cpu_s(self) -> tuple[float, float]:
        """Seconds of CPU that Asterisk and the engine have used, all threads, user and system."""
        asterisk, engine = self.supervisor.launcher.pid, self.supervisor.engine.pid
        assert asterisk is not None
        assert engine is not None
        return cpu_s(asterisk), cpu_s(engine)

    def workers_cpu_s(self) -> float:
        """The same of everything else that runs beside them: projection, watcher, desk, media workers, standby."""
        serving = self.supervisor.engine
        others = [engine for engine in self.supervisor.engines if engine is not serving]
        return sum(cpu_s(child.pid) for child in (*self.supervisor.workers, *others) if child.pid is not None)

    def pids(self) -> list[int | None]:
        """Of every process that leads a session of its own."""
        children = (*self.supervisor.engines, *self.supervisor.workers)
        return [self.supervisor.launcher.pid, *(child.pid for child in children)]

    async def settled(self, within_s: float = 60.0) -> None:
        """All have started, tables and imports included, and want little of the CPU."""
        loop = asyncio.get_running_loop()
        until_s, before_s = loop.time() + within_s, self.workers_cpu_s()
        while loop.time() < until_s:
            await asyncio.sleep(1.0)
            now_s = self.workers_cpu_s()
            if now_s - before_s < _AT_REST_S:
                return
            before_s = now_s

    @property
    def engine_pid(self) -> int:
        assert self.supervisor.engine.pid is not None
        return self.supervisor.engine.pid


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port(ports: range = SIP_PORTS) -> int:
    """One nobody uses now, UDP and TCP.

    Raises:
        OSError: all are taken.
    """
    for port in ports:
        with contextlib.suppress(OSError), socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind(("", port))
            udp.bind(("", port))
            return port
    raise OSError(f"every port from {ports.start} to {ports.stop - 1} is in use")


@contextlib.asynccontextmanager
async def whole_system(
    flow: str = FLOW,
    files: Mapping[str, str] | None = None,
    queue_devices: tuple[str, ...] = (),
    workers: tuple[str, ...] = (),
    media_workers: int = 0,
) -> AsyncIterator[WholeSystem]:
    """Ready for calls; gone afterwards with everything it wrote. State lies on the disk of the home directory.

    `files`: more of the project. `queue_devices`: those that serve the dialplan's own queue. `workers`,
    `media_workers`: what runs beside the engine, as `centralita up` has it; nothing unless given.
    """
    installation = install()
    with tempfile.TemporaryDirectory(prefix="centralita-bench-", dir=Path.home()) as made:
        folder = Path(made)
        node = free_settings(folder / "ports", sip_port=free_port())
        others = free_settings(folder / "ports")
        api, desk = others.http_port, others.ami_port
        texts = {
            "config/site.yaml": f"site: bench\nvoices: [fake]\nlanguages: [en]\nmax_interactions: 5000\n"
            f"sip: {{port: {node.sip_port}, rtp_first: {RTP_FIRST}, rtp_last: {RTP_LAST}, "
            "phone_vanished_s: 0, trunk_vanished_s: 0}\n"  # not all that call here send audio
            f"asterisk_http_port: {node.http_port}\nasterisk_manager_port: {node.ami_port}\n"
            f"api_port: {api}\ndesk_port: {desk}\n",
            "config/trunks/carrier.yaml": f"trunk: carrier\nhost: {ENGINE_SIDE}\n",
            "config/numbers/default.yaml": "default: yes\nflow: bench\n",
            "flows/bench.yaml": flow,
            **(files or {}),
        }
        for name, text in texts.items():
            path = folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        home = Home.find(folder / "project", folder / "var")
        home.prepare()
        loaded = load(read_sources(home.project))
        assert loaded.configuration is not None, str(loaded.problems)
        settings = node_settings(home, loaded.configuration, SecretBox(home.state / "secrets.json"))
        settings = settings.model_copy(
            update={
                "bench_trunk": Trunk(name="main-dialplan", host=DIALPLAN_SIDE, context="bench"),
                "bench_prompts": (FIRST_PROMPT, SECOND_PROMPT),
                "bench_queue": queue_devices,
                "media_address": ip_address("127.0.0.1"),
            }
        )
        save_for_desk(home, loaded.configuration)
        plan = Plan(home, settings, installation, absence_s=60.0, workers=workers, media_workers=media_workers)
        supervisor = Supervisor(plan)
        await supervisor.start()
        try:
            yield WholeSystem(supervisor, folder)
        finally:
            await supervisor.stop()
