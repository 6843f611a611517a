"""A configuration that was checked: everything admins defined, as the rest of the engine uses it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.setup import Key, Setup
from core.media import Speech
from definitions.problems import Problems
from dialer.compliance.loader import FiledPack
from dialer.setup import DialerSetup
from engine.config import models
from engine.config.compliance import Pack
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.config.queue_prompts import Queue, QueuePrompts
from engine.config.routing import pins_named, with_pins
from engine.effects.http import AllowedHost
from engine.home import SecretBox
from ivr.model import Release


@dataclass(frozen=True)
class Configuration:
    """Everything admins defined, checked together. `devices`, `trunks`: by their name inside Asterisk."""

    release_id: str
    sources: Mapping[str, str]
    site: models.Site
    numbers: NumberPlan
    outbound: OutboundRules
    emergency: models.Emergency
    devices: Mapping[str, models.Device]
    trunks: Mapping[str, models.Trunk]
    queues: Mapping[Key, Queue]
    hosts: tuple[models.HttpHost, ...]
    release: Release
    routing: Setup
    """Declared agents only; a PIN `secret:NAME` is still a name (`routing_with`)."""
    queue_prompts: Mapping[Key, QueuePrompts]
    packs: Mapping[str, tuple[str, Pack]] = field(default_factory=dict)
    """Rule packs for flows: name -> (file, pack)."""
    dialing: Mapping[str, FiledPack] = field(default_factory=dict)
    """Rule packs for campaigns, by name."""
    campaigns: DialerSetup = field(default_factory=DialerSetup)

    def http_hosts(self, box: SecretBox) -> dict[str, AllowedHost]:
        """The hosts flows may ask; a header `secret:NAME` gets its value from the state directory."""

        def value(text: str) -> str:
            return box.get(f"http/{text.removeprefix('secret:')}") if text.startswith("secret:") else text

        return {
            host.host.lower(): AllowedHost(
                host.host.lower(),
                host.port,
                host.private,
                host.http,
                {name: value(text) for name, text in host.headers.items()},
            )
            for host in self.hosts
        }

    def pins_named(self) -> list[tuple[str, str]]:
        """(tenant, name) of every PIN that flows and agents leave to be generated (`pin: secret:name`)."""
        nodes = ((flow.tenant, node) for flow in self.release.flows.values() for node in flow.nodes.values())
        asked = {(tenant, name) for tenant, node in nodes if (name := getattr(node, "secret_pin", ""))}
        return sorted(asked | pins_named(self.routing))

    def pins(self, box: SecretBox) -> dict[tuple[str, str], str]:
        """The generated PINs, six digits each."""
        return {(tenant, name): box.get(f"pin/{tenant}/{name}", _new_pin) for tenant, name in self.pins_named()}

    def routing_with(self, box: SecretBox) -> Setup:
        """The setup with the generated PINs in it."""
        return with_pins(self.routing, self.pins(box))

    def static_speech(self) -> list[Speech]:
        """Every text that is spoken as written, to be rendered before anybody hears it."""
        flows = (flow.static_speech() for flow in self.release.flows.values())
        queues = (prompts.static_speech(self.site.languages) for prompts in self.queue_prompts.values())
        found = frozenset[Speech]().union(*flows, *queues)
        return sorted(found, key=lambda speech: (speech.language, speech.text))


def _new_pin() -> str:
    return f"{secrets.randbelow(10**6):06}"


@dataclass(frozen=True)
class Loaded:
    """`configuration` is None when there is any error among `problems`. `flows`, `time_zone`: what is right of the
    flows in itself, and the site's, to try things out; nobody may be served by that."""

    configuration: Configuration | None
    problems: Problems
    flows: Release
    time_zone: str
