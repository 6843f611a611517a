"""The softphone is an extra (its library is GPL): without it the command says how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from telephony.softphone.console import KnownAccount


def phone_app() -> typer.Typer:
    """`centralita phone`, which knows this installation's accounts."""
    try:
        from telephony.softphone import console
    except ImportError:
        return _missing()
    console.accounts_from(_account)
    return console.app


def _missing() -> typer.Typer:
    app = typer.Typer(help="A SIP phone in the terminal (needs the extra `phone`).")

    @app.callback(invoke_without_command=True)
    def phone() -> None:
        typer.echo("the softphone is not installed: pip install 'centralita[phone]'", err=True)
        raise typer.Exit(1)

    return app


def _account(name: str | None) -> KnownAccount | None:
    """A device of this installation, by its name in `config/devices/`, where the main tenant's is meant if several have
    it, or inside Asterisk. None: the one to try things with, else one that is no agent's, else the first."""
    from engine.cli.common import fail
    from engine.cli.phones import configured, with_kept_phones
    from engine.home import Home, SecretBox
    from engine.node_settings import node_settings
    from telephony.softphone.console import KnownAccount

    try:
        home = Home.find()
    except FileNotFoundError:
        return None
    configuration = configured(home)
    if configuration is None or not (home.state / "secrets.json").exists():
        return None
    declared = configuration.devices.keys()
    configuration = with_kept_phones(home, configuration)
    made = configuration.devices.keys() - declared
    node = node_settings(home, configuration, SecretBox(home.state / "secrets.json"))
    devices = sorted(node.devices, key=lambda each: not each.name.startswith("main-"))
    if name is None:
        agents = {agent.device for agent in configuration.routing.agents.values()} | made
        found = configuration.devices
        devices = [each for each in devices if not each.webrtc]
        devices.sort(key=lambda each: (not found[each.name].trial, each.name in agents))
    for device in devices:
        if name not in (None, device.name, device.name.partition("-")[2]):
            continue
        if device.webrtc:
            fail(f"{device.name} is a browser's phone (webrtc: yes): it registers through the desk", 2)
        at = (str(node.bind), node.sip_port, node.tls_port or node.sip_port)
        return KnownAccount(device.name, device.secret, *at, device.transport or "udp", device.srtp)
    return None
