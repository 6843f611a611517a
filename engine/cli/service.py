"""`centralita up`, `status`, `reload`: the running system."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.client import ask
from engine.cli.common import (
    CANNOT_START,
    RUNS_ALREADY,
    JsonOption,
    ProjectOption,
    counted,
    err,
    fail,
    home_of,
    out,
    print_json,
    print_problems,
)
from engine.cli.welcome import account, welcome

if TYPE_CHECKING:
    from engine.home import Home

_PORT_KEYS = {
    "sip_port": "sip.port",
    "tls_port": "sip.tls_port",
    "http_port": "asterisk_http_port",
    "ami_port": "asterisk_manager_port",
}
"""A node's setting -> the key of config/site.yaml that it comes from."""


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("status")(status)
    app.command("reload")(reload)


def up(
    project: ProjectOption = None,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let phones on this network reach us, not only programs on this machine.")
    ] = False,
    bind: Annotated[
        str, typer.Option(help="The address to bind instead; implies --lan.", metavar="ADDRESS", show_default=False)
    ] = "",
) -> None:
    """Start everything and keep it running: Asterisk, the engine, its workers. Ctrl-C stops it all.

    Asterisk and the engine are started again when they die; calls survive the engine's death.
    """
    from engine import log as logs
    from engine.config.loader import load
    from engine.config.sources import read_sources
    from engine.desk_file import save_for_desk
    from engine.home import SecretBox
    from engine.node_settings import LOOPBACK, lan_address, node_settings
    from engine.supervisor import AlreadyUp, Plan, Supervisor
    from telephony.node.errors import NodeError, PortTaken
    from telephony.node.installation import find

    home = home_of(project)
    home.prepare()
    logs.configure(home.logs / "supervisor.log")
    loaded = load(read_sources(home.project))
    print_problems(loaded.problems)
    configuration = loaded.configuration
    if configuration is None:
        fail("the configuration has errors: mend the lines above, then start again", CANNOT_START)
    site = configuration.site
    try:
        address = bind or (lan_address() if lan else LOOPBACK)
        box = SecretBox(home.state / "secrets.json")
        node = node_settings(home, configuration, box, address)
        plan = Plan(home, node, find(), site.absence.overflow_after_s, media_workers=site.media_workers)
        save_for_desk(home, configuration)
        greeting = welcome(home, node, configuration, configuration.pins(box))
    except (OSError, ValueError, NodeError) as failure:
        fail(str(failure), CANNOT_START)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        supervisor = Supervisor(plan, lambda text: err.print(f"[yellow]{text}[/]"))
        with out.status("starting Asterisk and the engine"):
            await supervisor.start()
        out.print(greeting)
        await _tell_of_first_admin(home, stop)
        await stop.wait()
        await _drain(home, site.drain_s, stop)
        with out.status("stopping"):
            await supervisor.stop()
        out.print("stopped; nothing is left running")

    try:
        asyncio.run(run())
    except AlreadyUp as failure:
        fail(str(failure), RUNS_ALREADY)
    except PortTaken as taken:
        key = _PORT_KEYS[taken.setting]
        fail(f"{taken.what}: stop what uses it, or set another {key} in config/site.yaml", CANNOT_START)
    except (NodeError, OSError) as failure:
        fail(str(failure), CANNOT_START)


async def _tell_of_first_admin(home: Home, stop: asyncio.Event) -> None:
    """Nobody can log in to the desk yet: whoever sees this terminal may."""
    from engine.desk_file import ANSWERS_WITHIN_S, admin_link

    patient_until_s: float | None = asyncio.get_running_loop().time() + ANSWERS_WITHIN_S
    while not stop.is_set():
        link = admin_link(home)
        if link is not None:
            if link:
                out.print(f"first admin: open [bold]{link}[/] within a day; it works once")
            return
        if patient_until_s is not None and asyncio.get_running_loop().time() > patient_until_s:
            patient_until_s = None
            err.print(f"[yellow]the desk does not answer yet; its log is {home.logs / 'desk.log'}[/]")
        await asyncio.sleep(0.2 if patient_until_s is not None else 1.0)
