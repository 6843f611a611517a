"""A whole engine, wired: nothing is decided here.

Start: journal -> configuration (the last good one when the files are broken) -> interactions from their snapshots ->
telephony -> reconcile -> ready. The end is the same backwards; those in progress stay in Asterisk, and the next engine
adopts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Literal

from acd.router import Router
from core.events import ReleaseActivated
from core.leg_commands import KeepRecording
from engine import releases, running_node, started
from engine.acd_api import AcdApi
from engine.acd_feed import Feed
from engine.api import Served, control_app, posted, public_app
from engine.book import JournalBook, toggles_from, uses_from
from engine.campaign_files import CampaignFiles
from engine.clock import AnchoredClock
from engine.config.sources import pack
from engine.devices import Devices
from engine.effects.http import HttpEffect
from engine.effects.recordings import Mailboxes
from engine.engine import Engine
from engine.enrolled import ROWS as AGENT_ROWS
from engine.enrolled import Enrolled
from engine.enrolled_api import EnrolledApi
from engine.home import Home, SecretBox
from engine.housekeeping import keep_house
from engine.interaction import Surroundings
from engine.lanes import Lanes
from engine.listeners import LISTENERS, WATCHES
from engine.media import Resolver, Sounds
from engine.metrics import Metrics
from engine.node_connections import ami_settings, ari_settings, remote_managers, remote_nodes
from engine.node_settings import node_settings, sound_directories
from engine.outbound_use import OutboundUse
from engine.outreach import CAMPAIGN, Outreach, dialing, opened_leads
from engine.own_phones import OwnPhones
from engine.pace import Pace
from engine.recovery import Reconciler, load_open, report_unfinished
from engine.routing import ROWS, Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_views import Views
from engine.runtime import Runtime
from engine.speech import opened_renderer
from engine.spool import keep_spools
from engine.transitions import TransitionLog
from engine.trunk_watch import TrunkMetrics
from store.cipher import ContactCipher
from store.journal import Journal
from telephony.ami.client import AmiClient, AmiSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.live_audio.workers import MediaWorkers
from telephony.node.installation import find

log = logging.getLogger("centralita.engine")

LOOP_PROBE_S = 0.25


@contextlib.asynccontextmanager
async def running(home: Home, on_stolen: Callable[[str], None], pace: Pace) -> AsyncIterator[Engine]:
    """A whole engine, torn down in order afterwards. Its calls stay up. `on_stolen(node)`: another one commands it."""
    home.prepare()
    clock, metrics, box = AnchoredClock(), Metrics(), SecretBox(home.state / "secrets.json")
    async with contextlib.AsyncExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(home.state))

        def journal_failed(what: str) -> None:
            metrics.journal_healthy.set(0)
            log.error("journal: %s", what)

        journal = Journal.open(home.journal, cipher, journal_failed, on_awaited=pace.wake)
        stack.push_async_callback(journal.close)
        metrics.journal_healthy.set_function(lambda: float(journal.healthy))
        book = JournalBook(journal, cipher, clock)

        configuration, problems = releases.serving(home, journal)
        installation = find()
        enrolled = Enrolled(
            journal.load_states(AGENT_ROWS),
            book,
            journal.durable,
            lambda: engine.take_agents(),
            lambda: engine.configuration,
            clock.now_s,
            OwnPhones(box, lambda: engine.take_phones(), lambda: engine.sip_server()),
        )
        whole = enrolled.with_phones(configuration)
        wanted = node_settings(home, whole, box)
        before = running_node.saved(home) or wanted
        node = running_node.as_far_as_possible(before, wanted)
        readable, unreadable = load_open(journal.open_snapshots())
        in_use = {configuration.release_id: configuration.release}
        for release_id in {interaction.release_id for interaction in readable} - in_use.keys():
            in_use[release_id] = releases.pinned(journal, release_id, configuration)

        transitions = TransitionLog(home.logs / "transitions.log")
        stack.callback(transitions.flush)
        http = HttpEffect(configuration.http_hosts(box))
        stack.push_async_callback(http.close)
        setup = enrolled.beside(whole.routing_with(box))
        routing = Routing(Router(setup), book, RoutingMetrics(metrics.registry), transitions.write)
        campaigns = dialing(configuration.campaigns, routing, book, metrics, transitions.write)
        runtime = Runtime(
            clock=clock,
            book=book,
            surroundings=Surroundings(
                releases=in_use,
                release_id=configuration.release_id,
                numbers=whole.numbers,
                outbound=whole.outbound,
                time_zone=configuration.site.time_zone,
                toggles=toggles_from(journal.load_state("toggles")),
                pins=configuration.pins(box),
                routing=setup,
                queue_prompts=configuration.queue_prompts,
                detection=configuration.site.detection,
                node=node.name,
            ),
            http=http,
            metrics=metrics,
            max_interactions=configuration.site.max_interactions,
            on_overflow=lambda: reconcile_all(),
            on_transition=transitions.write,
            outbound_use=OutboundUse(uses_from(journal.load_state("outbound_use"))),
            routing=routing,
            campaigns=campaigns,
        )
        views = Views(routing, runtime.interactions)
        feed = Feed(
            f"{os.getpid()}-{clock.now_s():.0f}",
            lambda key, at_s: outreach.view(key, at_s) if key[0] == CAMPAIGN else views.view(key, at_s),
            clock.now_s,
            views.queues_of,
            views.places_in,
        )
        kept = started.database(home)
        database = configuration.site.database if kept is None else kept
        leads = await stack.enter_async_context(opened_leads(home, database))
        outreach = Outreach(runtime, journal, leads, feed, http, box.get)
        stack.push_async_callback(outreach.close)
        runtime.watch(outreach.board_changed)
        routing.metrics.watch(lambda: views.tally(clock.now_s()))
        renderer = await stack.enter_async_context(
            opened_renderer(home, configuration.site.voices, configuration.site.languages)
        )
        resolver = Resolver(Sounds(sound_directories(home, installation)), renderer, node.recordings)

        def on_gap(node_name: str, what: Literal["lost", "back"]) -> None:
            up = what == "back"
            engine.nodes_up[node_name] = up
            metrics.node_up.labels(node_name).set(float(up))
            if up:
                reconciler.node_back(node_name)
            else:
                metrics.gaps.inc()

        remotes = remote_nodes(home, configuration, box)
        managers = [replace(ami_settings(node), quality=False), *remote_managers(configuration, box)]
        watched = [_watched(settings, runtime) for settings in managers]
        recorders = {recorder.node: recorder for recorder, _ in watched}
        devices = [phones for _, phones in watched]
        workers = MediaWorkers(home.media_socket, LISTENERS)
        metrics.media_workers.set_function(lambda: len(workers.pids))
        metrics.legs_heard.set_function(lambda: len(workers))
        calls = AsteriskCallControl(
            [ari_settings(node), *remotes], runtime.put, on_gap, runtime.admit, on_stolen, recorders, workers, WATCHES
        )
        mailboxes = Mailboxes(home.voicemail, calls, cipher, lambda: engine.configuration.site.seal_recordings)

        async def keep(command: KeepRecording) -> None:
            await mailboxes.keep(command, clock.now_s())

        runtime.lanes = Lanes(calls, calls, resolver, runtime.put, keep, calls)
        engine = Engine(
            home=home,
            installation=installation,
            configuration=configuration,
            journal=journal,
            book=book,
            runtime=runtime,
            calls=calls,
            resolver=resolver,
            renderer=renderer,
            http=http,
            clock=clock,
            box=box,
            devices=devices,
            enrolled=enrolled,
            node=before,
            problems=problems,
        )
        reconciler = Reconciler(runtime, calls, clock, lambda _node: engine.settled.set())

        metrics.registry.register(TrunkMetrics(engine.trunks))

        def reconcile_all() -> None:
            for name in calls.connected_nodes():
                reconciler.node_back(name)

        for interaction in readable:
            runtime.adopt(interaction)
        for interaction_id, why in unreadable.items():
            book.write_off(interaction_id, why)
        runtime.restore_routing({row.name: row.body for row in journal.load_states(ROWS) if row.body is not None})
        outreach.restore()
        journal.save_release(configuration.release_id, pack(configuration.sources))
        journal.retire_releases(in_use)
        book.write_state("release", ReleaseActivated(configuration.release_id), clock.now_s(), configuration.release_id)
        releases.note_served(home, configuration)

        public = public_app(engine.health, engine.ready, metrics.registry)
        board = AcdApi(runtime, journal, feed, views, outreach.views)
        routes = [*board.routes(), *outreach.routes(), *CampaignFiles(home.project, engine.reload).routes()]
        routes += EnrolledApi(enrolled).routes()
        routes.append(posted("/secrets", engine.take_secrets))
        control = control_app(public, engine.status, engine.reload, engine.drain, routes)
        served = Served(public, control, "127.0.0.1", configuration.site.api_port, home.control_socket)
        await served.start()
        stack.push_async_callback(served.close)
        stack.callback(feed.close)  # before it, or its streams would keep it open

        await workers.start()
        stack.push_async_callback(workers.close)
        stack.push_async_callback(calls.close)
        stack.push_async_callback(reconciler.close)
        stack.push_async_callback(runtime.lanes.close)
        stack.push_async_callback(runtime.close)
        # Objects of the start-up live for ever: the collector need not look at them during calls.
        gc.collect()
        gc.freeze()
        await calls.start()
        for client in recorders.values():
            stack.push_async_callback(client.close)
        report_unfinished(runtime, book, journal.unfinished_commands())
        engine.spools = spools = [node.recordings, *(remote.recordings_dir for remote in remotes)]
        tasks = [
            asyncio.create_task(
                keep_spools(spools, runtime.interactions.__contains__, journal.show, mailboxes.keep, book.write_after),
                name="spools",
            ),
            asyncio.create_task(engine.bring_node(), name="bring node"),
            *(asyncio.create_task(phones.keep(), name="devices") for phones in devices),
            *(asyncio.create_task(client.start(), name="recorder") for client in recorders.values()),
            asyncio.create_task(_probe_loop(metrics), name="loop probe"),
            asyncio.create_task(engine.look_at_files(), name="look at files"),
            asyncio.create_task(outreach.run(), name="outreach"),
            asyncio.create_task(reconciler.keep_auditing(), name="audit"),
            asyncio.create_task(renderer.prepare(configuration.static_speech()), name="prepare prompts"),
            asyncio.create_task(
                keep_house(home, journal, metrics, clock, lambda: engine.configuration.site, mailboxes.seal_rest),
                name="housekeeping",
            ),
        ]
        try:
            yield engine
        finally:
            runtime.draining = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _watched(settings: AmiSettings, runtime: Runtime) -> tuple[AmiClient, Devices]:
    """A node's manager interface, and what it tells about the phones that register there."""

    def at_home() -> list[str]:
        rules = runtime.surroundings.outbound
        return [device for device in rules.devices if rules.homes.get(device, settings.node) == settings.node]

    manager = AmiClient(settings, lambda fact: devices.heard(fact))
    devices = Devices(manager.contacts, runtime.put, at_home)
    return manager, devices


async def _probe_loop(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + LOOP_PROBE_S
        await asyncio.sleep(LOOP_PROBE_S)
        metrics.loop_delay_s.observe(max(0.0, loop.time() - due_s))
