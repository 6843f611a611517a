"""`centralita up` and `reload`: the running system."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.belongings import prepared
from engine.cli.client import ask, if_running
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
from engine.cli.status import status
from engine.cli.welcome import account, welcome

if TYPE_CHECKING:
    from definitions.problems import Problems
    from engine.config.configuration import Configuration
    from engine.home import Home

_PORT_KEYS = {
    "sip_port": "sip.port",
    "tls_port": "sip.tls_port",
    "http_port": "asterisk_http_port",
    "ami_port": "asterisk_manager_port",
}
"""A node's setting -> the key of config/site.yaml that it comes from."""
_LOOK_EVERY_S = 0.3
_RELOADS_WITHIN_S = 3600.0
"""A thousand new texts and a slow machine; an engine that hangs is killed long before, which ends the wait."""


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
    from engine import fork_server

    fork_server.warm_up()
    from engine import log as logs
    from engine import started
    from engine.cli.phones import with_kept_phones
    from engine.commanded import remote_commanded
    from engine.config.absence import absence_warnings
    from engine.config.loader import load
    from engine.config.outbound_file import emergency_warnings
    from engine.config.sources import read_sources
    from engine.desk_file import save_for_desk
    from engine.home import SecretBox
    from engine.left_data import MEND, left_behind
    from engine.node_settings import LOOPBACK, lan_address, node_settings
    from engine.supervisor import AlreadyUp, Plan, Supervisor
    from telephony.node.errors import NodeError, PortTaken
    from telephony.node.installation import find

    home = prepared(project)
    logs.configure(home.logs / "supervisor.log")
    loaded = load(read_sources(home.project))
    if loaded.configuration is not None:
        loaded.problems.extend(emergency_warnings(loaded.configuration))
        loaded.problems.extend(absence_warnings(loaded.configuration))
    print_problems(loaded.problems)
    configuration = loaded.configuration or _last_good(home, loaded.problems)
    site = configuration.site
    try:
        address = bind or (lan_address() if lan else LOOPBACK)
        box = SecretBox(home.state / "secrets.json")
        node = node_settings(home, with_kept_phones(home, configuration), box, address)
        others = remote_commanded(configuration, box)
        after_s = site.absence.overflow_after_s
        plan = Plan(home, node, find(), after_s, media_workers=site.media_workers, others=others)
        if not started.is_up(home):
            save_for_desk(home, configuration)
            started.save(home, site)
        greeting = welcome(home, node, configuration, configuration.pins(box))
        if left := left_behind(home, site.database):
            err.print(f"[bold red]data was left behind[/]: {left}. {MEND}", soft_wrap=True)
    except (OSError, ValueError, NodeError) as failure:
        fail(str(failure), CANNOT_START)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        supervisor = Supervisor(plan, lambda text: err.print(f"[yellow]{text}[/]"))
        with out.status("starting Asterisk and the engine"):
            await supervisor.start(
                {"api_port": (LOOPBACK, site.api_port), "desk_port": (site.desk_bind, site.desk_port)}
            )
        out.print(greeting)
        telling = asyncio.create_task(_tell_of_prompts(home))
        await _tell_of_first_admin(home, stop)
        await stop.wait()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await _drain(home, site.drain_s, stop)
        with out.status("stopping"):
            await supervisor.stop()
        out.print("stopped; nothing is left running")

    try:
        asyncio.run(run())
    except AlreadyUp as failure:
        fail(str(failure), RUNS_ALREADY)
    except PortTaken as taken:
        lines = (
            f"{what}: stop what uses it, or set another {_PORT_KEYS.get(setting, setting)} in config/site.yaml"
            for setting, what in taken.taken
        )
        fail("\n".join(lines), CANNOT_START)
    except (NodeError, OSError) as failure:
        fail(str(failure), CANNOT_START)


def _last_good(home: Home, problems: Problems) -> Configuration:
    """What served before somebody mistyped: a machine that starts anew at night must not stay silent for it.

    Not when config/site.yaml itself is wrong: other processes read it too.
    """
    from engine.releases import last_good

    in_site = any(problem.file == "config/site.yaml" for problem in problems.errors)
    configuration = last_good(home) if not in_site else None
    if configuration is None:
        fail("the configuration has errors: mend the lines above, then start again", CANNOT_START)
    err.print("[yellow]none of this is loaded: the last good release serves; mend it, then `centralita reload`[/]")
    return configuration


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


async def _tell_of_prompts(home: Home) -> None:
    """How far the texts that nobody has spoken yet are; callers hear them meanwhile, later than they should."""
    import httpx

    from engine.cli.prompts import PromptBar

    transport = httpx.AsyncHTTPTransport(uds=str(home.control_socket))
    with PromptBar(out) as bar:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=5.0) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError, OSError, ValueError):
                    status = (await client.get("/status")).json()
                    if status["prompts"] is None:
                        bar.done()
                        return
                    bar.show(status)
                await asyncio.sleep(_LOOK_EVERY_S)


async def _drain(home: Home, drain_s: int, stop: asyncio.Event) -> None:
    """Takes no more callers and waits for those in progress; another Ctrl-C stops at once."""
    import httpx

    transport = httpx.AsyncHTTPTransport(uds=str(home.control_socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=2.0) as client:
        with contextlib.suppress(httpx.HTTPError, OSError, ValueError, TimeoutError):
            open_now = (await client.post("/drain")).json()["open"]
            if not open_now:
                return
            calls = counted(open_now, "call")
            out.print(f"{calls} in progress: waiting up to {drain_s} s for the end; Ctrl-C again stops now")
            stop.clear()
            async with asyncio.timeout(drain_s):
                while open_now and not stop.is_set():
                    await asyncio.sleep(0.3)
                    open_now = (await client.post("/drain")).json()["open"]


def _reloaded(home: Home, quietly: bool) -> dict[str, Any]:
    """The engine's answer, however long its voices need; shown meanwhile: what it is at."""
    from concurrent.futures import ThreadPoolExecutor

    from engine.cli.prompts import PromptBar

    with ThreadPoolExecutor(1) as pool, PromptBar(err, transient=True) as bar:
        asked = pool.submit(ask, home, "POST", "/reload", _RELOADS_WITHIN_S)
        while True:
            try:
                return asked.result(timeout=_LOOK_EVERY_S)
            except TimeoutError:
                if not quietly:
                    bar.show(if_running(home, "/status"))


def reload(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Load flows/ and config/ into the running system: all of it, or none of it when anything is wrong.

    Calls in progress finish on the version they began with. New texts are spoken first, which takes about a third of
    their length each; how far it is is shown, and nothing changes before.
    """
    from engine.home import SecretBox

    home = home_of(project)
    secrets = home.state / "secrets.json"
    known = SecretBox(secrets).named("device/")
    body = _reloaded(home, quietly=json)
    if json:
        print_json(body)
    else:
        for problem in body["problems"]:
            out.print(problem, soft_wrap=True, markup=False)
        if body["reloaded"]:
            out.print(f"[green]loaded[/]: release {body['release']} serves new calls")
            for name, secret in SecretBox(secrets).named("device/").items():
                if name not in known:
                    out.print(f"a new phone: {account(name, secret)}")
        else:
            err.print(f"[bold red]nothing changed[/]: release {body['release']} goes on serving")
    if not body["reloaded"]:
        raise typer.Exit(1)
