"""A running engine: what it answers when asked, and how it takes a new configuration."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.errors import CommandFailed
from core.events import ReleaseActivated
from engine import running_node, spool, started, trunk_watch
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.loader import Configuration, load
from engine.config.sources import pack, read_sources
from engine.config.trial import try_out
from engine.devices import Devices
from engine.durably import DURABLE_WITHIN_S
from engine.effects.http import HttpEffect
from engine.enrolled import Enrolled
from engine.home import Home, SecretBox
from engine.housekeeping import projected
from engine.media import Resolver, Sounds
from engine.node_connections import ami_settings
from engine.node_reload import reload_node
from engine.node_settings import lan_address, node_settings, sound_directories
from engine.node_watch import last_seen, seen_just_now
from engine.runtime import Runtime
from engine.speech import PromptRenderer
from engine.trunk_watch import TrunkSeen
from store.errors import StoreError
from store.journal import Journal
from telephony.ami.client import AmiClient
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.entered import replaced
from telephony.node.errors import NodeError
from telephony.node.installation import Installation
from telephony.node.render import render
from telephony.node.settings import NodeSettings

log = logging.getLogger("centralita.engine")


class NothingChanged(Exception):
    """A new configuration was not taken over; the message says why."""


@dataclass(slots=True)
class Engine:
    """A running engine and what `status` tells about it."""

    home: Home
    installation: Installation
    configuration: Configuration
    journal: Journal
    book: JournalBook
    runtime: Runtime
    calls: AsteriskCallControl
    resolver: Resolver
    renderer: PromptRenderer
    http: HttpEffect
    clock: AnchoredClock
    box: SecretBox
    devices: Sequence[Devices]
    enrolled: Enrolled
    node: NodeSettings
    """What the local Asterisk runs on."""
    nodes_up: dict[str, bool] = field(default_factory=dict)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    bringing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while Asterisk's files are written and read."""
    doing: str = ""
    """How far a reload is: checking, speaking, taking over; empty: there is none."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with the files on disk while an older configuration serves."""
    spools: Sequence[Path] = ()
    """Where each Asterisk records."""

    # -- answers --------------------------------------------------------------------------------------
    async def health(self) -> dict[str, Any]:
        return {"healthy": self.journal.healthy, "journal": "ok" if self.journal.healthy else "not writing"}

    async def ready(self) -> dict[str, Any]:
        """`ready`: new calls are taken in. `commanding`: those in progress are looked after, whatever else is wrong."""
        commanding = self.settled.is_set() and any(self.nodes_up.values())
        draining = self.runtime.draining
        return {
            "ready": commanding and not draining and self.journal.healthy,
            "commanding": commanding,
            "nodes": self.nodes_up,
            "draining": draining,
        }

    async def status(self) -> dict[str, Any]:
        """All of it is of one moment: the journal's numbers count the end of an interaction that is not listed."""
        in_spool = await spool.left(self.spools, self.runtime.interactions.__contains__)
        now_s = self.clock.now_s()
        return {
            **await self.ready(),
            "site": self.configuration.site.site,
            "release": self.configuration.release_id,
            "problems": self.problems,
            "doing": self.doing,
            "prompts": self.renderer.progress(),
            "clock_drift_s": round(self.clock.drift_s(), 3),
            "journal": {"last_seq": self.journal.last_seq, "durable_seq": self.journal.durable_seq},
            "node": self.seen_node(),
            "work": {**self.runtime.work(), "http": len(self.http), "tasks": len(asyncio.all_tasks())},
            "floor": self.runtime.routing.floor(),
            "projection": {"lag_events": projected(self.home)[1]},
            "recordings": {"lost": self.runtime.lost_recordings.count, "in_spool": in_spool},
            "interactions": [
                {
                    "id": interaction.interaction_id,
                    "tenant": interaction.tenant,
                    "state": interaction.state.value,
                    "flow": interaction.run.flow_id if interaction.run else "",
                    "node": interaction.run.node_id if interaction.run else "",
                    "language": interaction.run.language if interaction.run else "",
                    "age_s": round(now_s - interaction.opened_s, 1),
                    "legs": len(interaction.legs),
                }
                for interaction in self.runtime.interactions.values()
            ],
        }

    def trunks(self) -> dict[str, TrunkSeen]:
        """How each carrier stands."""
        return trunk_watch.of_all(self.configuration.trunks, seen_just_now(self.home))

    def seen_node(self) -> dict[str, Any]:
        """What the watcher saw last of the local node, and every trunk of the site; empty before it has looked."""
        seen = last_seen(self.home)
        trunks = {name: asdict(trunk) for name, trunk in self.trunks().items()}
        return {**seen, "trunks": trunks} if seen else {}

    async def reload(self) -> dict[str, Any]:
        """Takes the files on disk if all of them are right; otherwise nothing changes. One at a time."""
        async with self.reloading:
            try:
                return await self._reload()
            finally:
                self.doing = ""

    async def _reload(self) -> dict[str, Any]:
        self.doing = "checking"
        problems = await asyncio.to_thread(try_out, self.home.project)
        told, configuration = [str(problem) for problem in problems], None
        if not problems.errors:
            sources = await asyncio.to_thread(read_sources, self.home.project)
            configuration = (await asyncio.to_thread(load, sources)).configuration
        if configuration is not None:
            try:
                told += await self.activate(configuration)
            except NothingChanged as why:
                told, configuration = [*told, str(why)], None
        if configuration is not None:
            self.problems = []
        return {"reloaded": configuration is not None, "release": self.configuration.release_id, "problems": told}

    async def look_at_files(self) -> None:
        """Says what is wrong with the files on disk, which may not be what serves."""
        found = await asyncio.to_thread(try_out, self.home.project)
        self.problems = [str(problem) for problem in found.errors]

    async def drain(self) -> dict[str, Any]:
        self.runtime.draining = True
        on_the_line = sum(not each.is_away for each in self.runtime.interactions.values())
        return {"draining": True, "open": on_the_line}

    async def activate(self, configuration: Configuration) -> list[str]:
        """New interactions use it from now on; those in progress finish on theirs. Returns what needs a new start.

        Raises:
            NothingChanged: and why.
        """
        self.doing = "speaking"
        spoken = await self.renderer.prepare(configuration.static_speech())
        self.doing = "taking over"
        try:
            self.box.read_again()
            wanted = node_settings(self.home, self.enrolled.with_phones(configuration), self.box)
            node, later = running_node.reloaded(self.node, wanted), running_node.waits_for_start(self.node, wanted)
            async with asyncio.timeout(DURABLE_WITHIN_S):
                await self.journal.save_release(configuration.release_id, pack(configuration.sources))
            if node != self.node:
                async with self.bringing:
                    await asyncio.to_thread(render, node, self.installation)
        except (ValidationError, NodeError, StoreError, OSError) as failure:
            why = "the journal does not reach the disk" if isinstance(failure, TimeoutError) else str(failure)
            raise NothingChanged(f"nothing was changed: {why}") from failure
        around = self.runtime.surroundings
        pinned = {i.release_id for i in self.runtime.interactions.values()} | {configuration.release_id}
        releases = {key: release for key, release in around.releases.items() if key in pinned}
        whole = self.enrolled.with_phones(configuration)
        routing = self.enrolled.beside(whole.routing_with(self.box))
        self.runtime.surroundings = replace(
            around,
            releases={**releases, configuration.release_id: configuration.release},
            release_id=configuration.release_id,
            numbers=whole.numbers,
            outbound=whole.outbound,
            time_zone=configuration.site.time_zone,
            pins={**around.pins, **configuration.pins(self.box)},
            routing=routing,
            queue_prompts=configuration.queue_prompts,
            detection=configuration.site.detection,
        )
        self.resolver.sounds = Sounds(sound_directories(self.home, self.installation))
        self.runtime.max_interactions = configuration.site.max_interactions
        self.http.hosts = configuration.http_hosts(self.box)
        self.configuration = configuration
        event = ReleaseActivated(configuration.release_id)
        self.book.write_state("release", event, self.clock.now_s(), configuration.release_id)
        refused = self.runtime.change_routing(routing)
        kept = self.runtime.settle(self.runtime.campaigns.change(configuration.campaigns, self.clock.now_s()))
        self.journal.retire_releases(pinned)
        log.warning("release %s serves new interactions", configuration.release_id)
        later += started.waiting(self.home, configuration.site)
        later = ["country" if name == "tones" else name for name in later]
        told = [f"config/site.yaml: {name} is taken over when `centralita up` starts again" for name in later]
        if why := await self.take_phones():
            told.append(f"Asterisk keeps its old phones and trunks until the next reload: {why}")
        if spoken.failed:
            line, why = spoken.failed[0]
            told.append(f"no voice could say {len(spoken.failed)} of the texts, as '{line.text[:60]}': {why}")
        if refused:
            told.append(f"queues, skills and agents stay as they were: {refused}")
        told += self.enrolled.notes
        told += [
            f"{path} is another directory than the one Asterisk entered: its sounds are silent until a new start of up"
            for path in replaced(self.node.state_dir)
        ]
        return [*told, f"campaigns stay as they were: {kept}"] if kept else told

    def take_agents(self) -> str:
        """Who is enrolled by now is in force beside who is declared, with her phone; or else: why not."""
        whole = self.enrolled.with_phones(self.configuration)
        routing = self.enrolled.beside(whole.routing_with(self.box))
        why = self.runtime.change_routing(routing)
        if not why:
            self.runtime.surroundings = replace(
                self.runtime.surroundings, routing=routing, numbers=whole.numbers, outbound=whole.outbound
            )
        return why

    async def take_phones(self) -> str:
        """Asterisk has the phones of who is enrolled by now; or else: why not."""
        why = await self.bring_node()
        for phones in self.devices:
            phones.look_again()
        return why

    async def take_secrets(self) -> dict[str, Any]:
        """Phones and trunks have the secrets of the file by now; definitions stay as they are. `why` not, or empty."""
        try:
            self.box.read_again()
        except OSError as failure:
            return {"why": str(failure)}
        return {"why": await self.take_phones()}

    def sip_server(self) -> tuple[str, int, int | None]:
        """Where phones register: (address, port, TLS port)."""
        host = str(self.node.bind)
        if self.node.bind.is_unspecified:
            with contextlib.suppress(OSError):
                host = lan_address()
        return host, self.node.sip_port, self.node.tls_port

    async def bring_node(self) -> str:
        """New phones, trunks and dialplan, when they changed; calls go on. Returns why Asterisk keeps the old ones."""
        async with self.bringing:
            whole = self.enrolled.with_phones(self.configuration)
            node = running_node.as_far_as_possible(self.node, node_settings(self.home, whole, self.box))
            if node == self.node:
                return ""
            client = AmiClient(ami_settings(self.node), lambda fact: None)
            try:
                await reload_node(self.home, client, self.installation, self.node, node)
                self.node = node
                log.warning("the node has read its phones, trunks and dialplan again")
            except (CommandFailed, NodeError, OSError) as failure:
                log.error("the node keeps its old phones and trunks until the next reload: %s", failure)
                return str(failure)
            finally:
                await client.close()
            return ""
