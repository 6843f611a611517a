"""The node's watcher: `python -m engine.node_watch`. AMI says who is registered, how calls sound, whether it is well.

It runs beside the engine because parsing AMI must never make a caller wait. What it knows stands in `node.json`,
which `status` and the metrics read; what changes goes to its log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from core.errors import CommandFailed
from engine import log as logs
from engine import running_node
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home, SecretBox
from engine.node_connections import ami_settings
from engine.node_settings import node_settings
from engine.trunk_watch import TrunkSeen, look, strangers
from telephony.ami.client import AmiClient
from telephony.ami.facts import AmiFact, ContactChanged, LegQuality, NodeBooted, RegistrationChanged
from telephony.node.render import IDENTIFIER
from telephony.node.settings import Trunk

log = logging.getLogger("centralita.node")

_EVERY_S, _AT_MOST_EVERY_S = 5.0, 0.5
_NAMES_EVERY_S = 10.0
_QUALITY_REPORTS = 200
_POOR_LOSS = 0.05


@dataclass(slots=True)
class NodeState:
    """What is known of one node: nothing of its phones and trunks while it is silent. Quality figures are means over
    the last reports of all its legs."""

    node: str
    well: bool = False
    problem: str = "not asked yet"
    answered_in_s: float = 0.0
    calls: int = 0
    version: str = ""
    devices: dict[str, str] = field(default_factory=dict)
    trunks: dict[str, TrunkSeen] = field(default_factory=dict)
    lost_share: float = 0.0
    jitter_s: float = 0.0
    round_trip_s: float = 0.0


class NodeWatch:
    def __init__(
        self, node: str, file: Path, trunks: Callable[[], Sequence[Trunk]], another: Callable[[], AmiClient]
    ) -> None:
        """`trunks`: those that Asterisk has, as a reload changes them. `another`: a connection beside the one that
        looks, for what takes as long as name servers do."""
        self.state = NodeState(node)
        self._trunks = trunks
        self._another = another
        self._strangers: list[str] = []
        self._reading: asyncio.Task[None] | None = None
        self._file = file
        self._reports: deque[LegQuality] = deque(maxlen=_QUALITY_REPORTS)
        self._changed = asyncio.Event()

    def take(self, fact: AmiFact) -> None:
        match fact:
            case ContactChanged():
                if fact.device not in self.state.trunks:
                    log.info("device %s %s", fact.device, fact.status)
                self._changed.set()
            case RegistrationChanged():
                log.log(
                    logging.INFO if fact.status == "registered" else logging.ERROR,
                    "registration at %s: %s %s",
                    fact.server,
                    fact.status,
                    fact.cause,
                )
                self._changed.set()
            case NodeBooted():
                log.info("node %s is fully booted, up for %d s", fact.node, fact.uptime_s)
            case LegQuality():
                self._reports.append(fact)
                if fact.lost_share > _POOR_LOSS:
                    log.warning("leg %s: %.0f %% of the audio is lost on its way", fact.leg_id, fact.lost_share * 100)

    async def run(self, client: AmiClient) -> None:
        """Until cancelled. Looks now and then, and soon after a phone came or went."""
        try:
            await self._run(client)
        finally:
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)

    async def _run(self, client: AmiClient) -> None:
        while True:
            self._changed.clear()
            await self._look(client)
            await asyncio.to_thread(self._write)
            await asyncio.sleep(_AT_MOST_EVERY_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _EVERY_S - _AT_MOST_EVERY_S)

    async def _look(self, client: AmiClient) -> None:
        state = self.state
        was_well = state.well
        try:
            health = await client.health()
            state.devices = {contact.device: contact.status for contact in await client.contacts()}
            self._tell_trunks(await look(client, self._trunks()))
            self._tell_strangers(await strangers(client, self._trunks()))
            state.answered_in_s, state.calls, state.version = health.answered_in_s, health.calls, health.version
            state.well, state.problem = True, ""
        except CommandFailed as failure:
            state.well, state.problem = False, str(failure)
            state.devices, state.trunks = {}, {}
        if state.well is not was_well:
            log.log(logging.INFO if state.well else logging.ERROR, "node %s: %s", state.node, state.problem or "well")
        if self._reports:
            state.lost_share = fmean(report.lost_share for report in self._reports)
            state.jitter_s = fmean(report.jitter_s for report in self._reports)
            state.round_trip_s = fmean(report.round_trip_s for report in self._reports)

    def _tell_trunks(self, seen: dict[str, TrunkSeen]) -> None:
        """Not by AMI's events alone: what was so before we were connected is told by none."""
        for name, trunk in seen.items():
            before = self.state.trunks.get(name)
            if before is None or before.status != trunk.status:
                log.log(logging.ERROR if trunk.ill else logging.INFO, "trunk %s: %s", name, trunk.status)
        self.state.trunks = seen

    def _tell_strangers(self, names: list[str]) -> None:
        for name in names:
            if name not in self._strangers:
                log.error("trunk %s: its host's name cannot be resolved: calls from it are refused until it can", name)
        for name in self._strangers:
            if name not in names:
                log.info("trunk %s: its host's name is resolved", name)
        self._strangers = names
        if names and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read_names(), name="trunks' names")

    async def _read_names(self) -> None:
        """Has Asterisk resolve the hosts' names again, and rests."""
        client = self._another()
        try:
            await client.start()
            await client.reload(IDENTIFIER)
        except CommandFailed as failure:
            log.warning("the trunks' names were not read again: %s", failure)
        finally:
            await client.close()
        await asyncio.sleep(_NAMES_EVERY_S)

    def _write(self) -> None:
        draft = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(asdict(self.state)), encoding="utf-8")
            draft.replace(self._file)


def last_seen(home: Home) -> dict[str, Any]:
    """What the watcher wrote last; empty when there is none."""
    try:
        body: dict[str, Any] = json.loads(home.node_file.read_text(encoding="utf-8"))
        return body
    except (OSError, ValueError):
        return {}


def seen_just_now(home: Home) -> dict[str, Any]:
    """The same, while the watcher runs."""
    try:
        age_s = time.time() - home.node_file.stat().st_mtime
    except OSError:
        return {}
    return last_seen(home) if age_s <= 3 * _EVERY_S else {}


async def serve(home: Home) -> None:
    loaded = load(read_sources(home.project))
    if loaded.configuration is None:
        raise OSError("the configuration has errors: the node cannot be watched until they are mended")
    node = running_node.saved(home) or node_settings(home, loaded.configuration, SecretBox(home.state / "secrets.json"))
    watch = NodeWatch(
        node.name,
        home.node_file,
        lambda: (running_node.saved(home) or node).trunks,
        lambda: AmiClient(ami_settings(node), lambda fact: None),
    )
    client = AmiClient(ami_settings(node), watch.take)
    await client.start()
    work = asyncio.ensure_future(watch.run(client))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await client.close()


def main() -> int:
    home = Home.find()
    home.prepare()
    logs.configure(home.logs / "node.log")
    try:
        asyncio.run(serve(home))
    except Exception:
        log.exception("the watcher ended")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
