"""What somebody who wants to call us needs: numbers, accounts with their passwords, a QR code for a phone app."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from engine.cli.common import JsonOption, ProjectOption, err, fail, home_of, out, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.config.loader import Configuration
    from engine.home import Home
    from telephony.node.settings import Device, NodeSettings

_NUMBERS = 8
_ACCOUNTS = 7


def register(app: typer.Typer) -> None:
    app.command("accounts")(accounts)


def welcome(home: Home, node: NodeSettings, configuration: Configuration, pins: Mapping[tuple[str, str], str]) -> Panel:
    """Shown when all is up; what may cost a life comes first."""
    from engine.config.outbound_file import GIVE_ONE, unreachable

    site = configuration.site
    table = _grid()
    if numbers := unreachable(configuration.emergency, configuration.devices):
        alarm = f"[bold red]{', '.join(numbers)} reach nobody[/] from any phone here: {escape(GIVE_ONE)}"
        table.add_row("[bold white on red]emergency[/]", alarm)
    table.add_row("server", _server(node))
    for device in node.devices[:_ACCOUNTS]:
        table.add_row("account", _account(device))
    if len(node.devices) > _ACCOUNTS:
        table.add_row("", f"and {len(node.devices) - _ACCOUNTS} more: [bold]centralita accounts[/]")
    for (tenant, name), pin in sorted(pins.items()):
        whose = _codes(configuration, tenant, name) + ("" if tenant == "main" else f" (tenant {tenant})")
        table.add_row("PIN", f"{name} [bold]{pin}[/]{whose}")
    table.add_row("dial", _numbers(configuration))
    table.add_row("try", "[bold]centralita phone 100[/] from this machine")
    table.add_row("log", str(home.engine_log))
    table.add_row("desk", f"{site.desk_url or f'http://{site.desk_bind}:{site.desk_port}'}")
    table.add_row("API", f"http://127.0.0.1:{site.api_port}/health  /ready  /metrics")
    table.add_row("stop", "Ctrl-C")
    if node.devices:
        known = configuration.devices
        nobodys = next(
            (each for each in node.devices if each.name in known and known[each.name].trial), node.devices[0]
        )
        table.add_row("phone app", _picture(nobodys, node))
        table.add_row("", _reach(nobodys, node))
    return Panel(table, title=f"{site.title or site.site} answers", border_style="green", expand=False)


def _codes(configuration: Configuration, tenant: str, name: str) -> str:
    """The codes of the agents whose PIN this is."""
    agents = configuration.routing.agents.values()
    codes = [agent.code for agent in agents if (agent.tenant, agent.pin) == (tenant, f"secret:{name}") and agent.code]
    return f", agent code {', '.join(sorted(codes))}" if codes else ""


def accounts(
    device: Annotated[
        str, typer.Argument(help="Only this phone, with a QR code for a phone app.", show_default=False)
    ] = "",
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Give this phone another one: it was lost. The old one ends at once.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """The phones of config/devices, and those of agents added over the API or on the desk, with their generated
    passwords, and the server to set in them."""
    from engine.cli.client import if_running, post
    from engine.cli.phones import configured, with_kept_phones
    from engine.home import SecretBox
    from engine.node_settings import node_settings

    home = home_of(project)
    configuration = configured(home)
    if configuration is None:
        fail("the configuration has errors: centralita check")
    home.prepare()
    declared, configuration = configuration.devices, with_kept_phones(home, configuration)
    box = SecretBox(home.state / "secrets.json")
    node = node_settings(home, configuration, box)
    chosen = [one for one in node.devices if device in ("", one.name)]
    chosen = chosen or [one for one in node.devices if device == one.name.partition("-")[2]]
    if not chosen:
        fail(f"there is no phone '{device}': centralita accounts shows all", 1)
    if new_password:
        if not device:
            fail("which phone? centralita accounts 1007 --new-password", 2)
        if len(chosen) > 1:
            fail(f"which of them? centralita accounts {chosen[0].name} --new-password", 2)
        if chosen[0].name not in declared:
            fail(f"{chosen[0].name} is an agent's own phone: the desk's page Agents gives her a new one", 1)
        box.forget(f"device/{chosen[0].name}")
        chosen = [one for one in node_settings(home, configuration, box).devices if one.name == chosen[0].name]
        if if_running(home, "/status") is None:
            err.print("nothing runs here: it counts from the next `centralita up` on")
        elif why := post(home, "/secrets", {})["why"]:
            fail(f"Asterisk does not know it yet: {why}: centralita reload", 1)
    if json:
        server = {"host": str(node.bind), "port": node.sip_port, "tls_port": node.tls_port}
        kept = {"transport", "srtp", "webrtc"}
        print_json(
            [{"user": one.name, "password": one.secret, **server, **one.model_dump(include=kept)} for one in chosen]
        )
        return
    table = _grid()
    table.add_row("server", _server(node))
    for one in chosen:
        table.add_row("account", _account(one))
    if device and not chosen[0].webrtc:
        table.add_row("phone app", _picture(chosen[0], node))
        table.add_row("", _reach(chosen[0], node))
    out.print(table)


def account(name: str, secret: str, title: str | None = None) -> str:
    return f"user [bold]{name}[/]  password [bold]{secret}[/]" + (f"  {escape(title)}" if title else "")


def _account(device: Device) -> str:
    """With what must be set in the phone besides, or it gets no call."""
    must = ["in a browser, through the desk" if device.webrtc else (device.transport or "").upper()]
    must += ["SRTP"] if device.srtp else []
    return f"{account(device.name, device.secret, device.caller_name)}  {', '.join(filter(None, must))}".rstrip()


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _server(node: NodeSettings) -> str:
    return f"[bold]{node.bind}:{node.sip_port}[/] (UDP and TCP)" + (f", TLS {node.tls_port}" if node.tls_port else "")


def _numbers(configuration: Configuration) -> str:
    """Callers' numbers first, then the codes of phones (*45)."""
    listed = sorted(configuration.numbers.exact.items(), key=lambda entry: (not entry[0].isdigit(), entry[0]))
    exact = [f"[bold]{number}[/] {route.flow}" for number, route in listed]
    return ", ".join(_shortened(exact)) or "any number: the default flow answers"


def _shortened(words: list[str]) -> Iterable[str]:
    return words if len(words) <= _NUMBERS else [*words[:_NUMBERS], f"and {len(words) - _NUMBERS} more"]


def _picture(device: Device, node: NodeSettings) -> str:
    import segno

    picture = io.StringIO()
    segno.make(_address(device, node), error="l").terminal(out=picture, compact=True, border=2)
    return picture.getvalue().rstrip("\n")


def _reach(device: Device, node: NodeSettings) -> str:
    where = " (this machine only: make run LAN=1 lets others in)" if node.bind.is_loopback else ""
    return f"{_address(device, node)}{where}"


def _address(device: Device, node: NodeSettings) -> str:
    port = node.tls_port if device.transport == "tls" else node.sip_port
    by = f";transport={device.transport}" if device.transport else ""
    return f"sip:{device.name}@{node.bind}:{port}{by}"
