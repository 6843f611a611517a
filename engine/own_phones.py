"""Phones of agents whom no file declares: `phone: own` makes one, with a name and a secret of its own.

    eva, phone: own  -->  device eva-k7mp, SIP account main-eva-k7mp  -->  read by Asterisk as those of config/devices/

The name is never given twice: a phone that was taken away, or whose secret was replaced, has an account that nobody
knows any more, however long its registration still stands.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from acd.enrolled import OWN, Fields
from acd.setup import Key
from engine.config import models
from engine.config.configuration import Configuration
from engine.config.sources import asterisk_name
from engine.home import SecretBox
from engine.node_settings import misfits
from telephony.node.settings import new_secret

_LONGEST_NAME, _SUFFIX = 40, 4
_NO_TITLE = re.compile(r"^[\W_]+|[^\w .'-]")
"""What Asterisk's files cannot hold of a name."""


@dataclass(frozen=True, slots=True)
class SipAccount:
    """What a person types into her softphone. `tls_port` None: this site has none."""

    username: str
    password: str
    server: str
    port: int
    tls_port: int | None = None


@dataclass(frozen=True, slots=True)
class OwnPhones:
    """`bring()` has Asterisk read its phones again and says why it did not; `server()`: (address, port, TLS port)."""

    box: SecretBox
    bring: Callable[[], Awaitable[str]]
    server: Callable[[], tuple[str, int, int | None]]

    def account(self, tenant: str, device: str) -> SipAccount:
        """Its secret is made when it is new."""
        name = asterisk_name(tenant, device)
        return SipAccount(name, self.box.get(_secret(name), new_secret), *self.server())

    def forget(self, tenant: str, device: str) -> None:
        self.box.forget(_secret(asterisk_name(tenant, device)))


def new_device(agent_id: str) -> str:
    """A name for a phone of hers that no phone had before."""
    return f"{agent_id[: _LONGEST_NAME - _SUFFIX - 1].rstrip('-_')}-{new_secret(_SUFFIX)}"


def device_of(fields: Fields | None) -> str:
    """The name of her own phone; empty: she has none."""
    return str(fields["device"]) if fields and fields.get("phone") == OWN and fields.get("device") else ""


def own_phones(agents: Mapping[Key, Fields]) -> dict[Key, models.Device]:
    """By (tenant, device)."""
    found = {}
    for (tenant, agent_id), fields in sorted(agents.items()):
        if device := device_of(fields):
            title = _title(str(fields.get("name") or "")) or _title(agent_id)
            found[tenant, device] = models.Device(device=device, title=title)
    return found


def with_phones(configuration: Configuration, agents: Mapping[Key, Fields]) -> Configuration:
    """As if the own phones of those agents stood in `config/devices/`. Who is declared has what her file says, and a
    name that a file uses is the file's."""
    routing = configuration.routing
    beside = {key: fields for key, fields in agents.items() if key not in routing.agents}
    taken = configuration.devices.keys() | configuration.trunks.keys()
    phones = {(tenant, name): each for (tenant, name), each in own_phones(beside).items()}
    named = {asterisk_name(*key): each for key, each in phones.items() if asterisk_name(*key) not in taken}
    if not named:
        return configuration
    tenants = {asterisk_name(*key): key[0] for key in phones}
    site, outbound, numbers = configuration.site, configuration.outbound, configuration.numbers
    homes = {**outbound.homes, **dict.fromkeys(named, site.site)} if site.nodes else outbound.homes
    return replace(
        configuration,
        devices={**configuration.devices, **named},
        outbound=replace(outbound, devices=outbound.devices | named.keys(), homes=homes),
        numbers=replace(numbers, entry_tenants={**numbers.entry_tenants, **{name: tenants[name] for name in named}}),
        routing=replace(routing, devices=routing.devices | named.keys()),
    )


def unfit(configuration: Configuration, tenant: str, device: str, agents: Mapping[Key, Fields]) -> str:
    """Why Asterisk cannot be given this phone beside all the others; empty: it can."""
    name, whole = asterisk_name(tenant, device), with_phones(configuration, agents)
    found = misfits(whole.site, whole.emergency, whole.devices, whole.trunks)
    return "; ".join(what for where, what in found if where in ("", name))


def _secret(name: str) -> str:
    return f"device/{name}"


def _title(name: str) -> str:
    return _NO_TITLE.sub("", name)[:64].strip()
