"""From the site's configuration and the generated secrets to what one Asterisk node must know."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from engine.commanded import supervisor_secret
from engine.config.absence import absence_at
from engine.config.models import Device as DeviceFile
from engine.config.models import Emergency as EmergencyRules
from engine.config.models import Overflow, Site
from engine.config.models import Trunk as TrunkFile
from engine.config.sources import asterisk_name
from engine.home import Home, SecretBox
from engine.media import SoundDirectory
from engine.music import music_of
from telephony.node.installation import Installation
from telephony.node.settings import (
    Device,
    Emergency,
    Music,
    NodeSettings,
    Registration,
    Relay,
    Route,
    Secrets,
    Trunk,
    new_secret,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from engine.config.loader import Configuration

T = TypeVar("T")
_LANGUAGE = re.compile(r"\A[a-z]{2}(?:[-_][A-Z]{2})?\Z")
_TONES = {"AR": "ar", "CA": "us", "CL": "cl", "DO": "us", "GB": "uk", "IE": "uk", "MX": "mx", "PR": "us", "US": "us"}
"""Country -> whose tones its callers know, where they are not those of Spain, which are most countries' (425 Hz)."""
LOOPBACK = "127.0.0.1"
_YAML_KEYS = {
    "caller_name": "title",
    "caller_number": "caller",
    "match": "addresses",
    "qualify_s": "watch_s",
    "apology": "absence.apology",
    "safe_harbour": "absence.safe_harbour",
}


def node_settings(home: Home, configuration: Configuration, box: SecretBox, bind: str = "") -> NodeSettings:
    """`bind`: where SIP and audio listen; else where `up` last chose to, else loopback.

    Raises pydantic's ValidationError when the state directory's path does not suit; `misfits` are found before.
    """
    if not bind:
        bind = home.bind_file.read_text().strip() if home.bind_file.exists() else LOOPBACK
    ari_secrets = Secrets(
        ari_engine=box.get("ari/engine", lambda: new_secret(32)),
        ari_supervisor=box.get("ari/supervisor", lambda: new_secret(32)),
        ami=box.get("ami", lambda: new_secret(32)),
        relay=_relay_secret(box),
    )
    return NodeSettings.model_validate(
        {
            **_site(configuration.site, configuration.emergency),
            **_absence(configuration, configuration.site.site),
            "state_dir": home.asterisk,
            "bind": ip_address(bind),
            "sounds_dirs": (home.sounds, home.prompts),
            "recordings_dir": home.recordings,
            "music": tuple(Music(name=name, directory=directory) for name, directory in music_of(home).items()),
            "secrets": ari_secrets,
            "devices": _devices(configuration, configuration.site.site, box),
            "trunks": _trunks(configuration, configuration.site.site, box),
            "relays": _relays(configuration.site, configuration.site.site),
        }
    )


def remote_node_settings(configuration: Configuration, node: str, box: SecretBox) -> NodeSettings:
    """What another node of the site runs on: its own addresses, phones and trunks, everything else as here.

    Raises:
        KeyError: the site has no such node.
        ValidationError: an address or a directory does not suit.
    """
    site = configuration.site
    remote = next((each for each in site.nodes if each.node == node), None)
    if remote is None:
        raise KeyError(node)
    return NodeSettings.model_validate(
        {
            **_site(site, configuration.emergency),
            **_absence(configuration, node),
            "name": remote.node,
            "state_dir": Path(remote.state),
            "bind": ip_address(remote.bind),
            "sip_port": remote.relay_port,
            "tls_port": None,
            "http_port": remote.port,
            "ami_port": remote.manager_port or site.asterisk_manager_port,
            "rtp_start": remote.rtp_first,
            "rtp_end": remote.rtp_last,
            "external_address": None,
            "secrets": Secrets(
                ari_engine=box.get(f"ari/{node}", lambda: new_secret(32)),
                ari_supervisor=supervisor_secret(box, node),
                ami=box.get(f"ami/{node}", lambda: new_secret(32)),
                relay=_relay_secret(box),
            ),
            "devices": _devices(configuration, node, box),
            "trunks": _trunks(configuration, node, box),
            "relays": _relays(site, node),
        }
    )


def _devices(configuration: Configuration, node: str, box: SecretBox) -> tuple[Device, ...]:
    return tuple(
        _device(name, device, box.get(f"device/{name}", new_secret))
        for name, device in sorted(configuration.devices.items())
        if (device.node or configuration.site.site) == node
    )


def _trunks(configuration: Configuration, node: str, box: SecretBox) -> tuple[Trunk, ...]:
    return tuple(
        _trunk(name, trunk, partial(box.get, f"trunk/{name}"))
        for name, trunk in sorted(configuration.trunks.items())
        if (trunk.node or configuration.site.site) == node
    )


def _relays(site: Site, node: str) -> tuple[Relay, ...]:
    """The site's other nodes, as `node` reaches them."""
    places = [(site.site, site.sip.relay_host, site.sip.port)]
    places += [(remote.node, remote.relay_host, remote.relay_port) for remote in site.nodes]
    return tuple(Relay(name=name, host=host, port=port) for name, host, port in places if host and name != node)


def _absence(configuration: Configuration, node: str) -> dict[str, Any]:
    """Where its dialplan leads callers without the engine."""
    at, numbers = absence_at(configuration, node), configuration.emergency.numbers
    return {
        "overflow": at.overflow and _route(at.overflow),
        "emergency": _emergency(at.emergency_trunks, numbers),
    }


def _route(overflow: Overflow) -> Route:
    endpoint = asterisk_name("main", overflow.endpoint)
    return Route(endpoint=endpoint, number=overflow.number, ring_s=overflow.ring_s)


def _relay_secret(box: SecretBox) -> str:
    return box.get("relay", lambda: new_secret(32))


def misfits(
    site: Site, emergency: EmergencyRules, devices: Mapping[str, DeviceFile], trunks: Mapping[str, TrunkFile]
) -> list[tuple[str, str]]:
    """(device or trunk by its name inside Asterisk, what is wrong), the name empty for what the site's files say: what
    passed as YAML and cannot stand in Asterisk's own files."""
    found: list[tuple[str, str]] = []

    def tried(name: str, build: Callable[[], T]) -> T | None:
        try:
            return build()
        except ValidationError as refused:
            found.extend((name, _in_words(error)) for error in refused.errors())
            return None

    values: dict[str, Any] = {
        **(tried("", partial(_site, site, emergency)) or {}),
        "state_dir": Path("/srv/centralita"),
        "relays": tried("", partial(_relays, site, site.site)) or (),
        "devices": [tried(name, partial(_device, name, device, new_secret())) for name, device in devices.items()],
        "trunks": [tried(name, partial(_trunk, name, trunk, new_secret)) for name, trunk in trunks.items()],
    }
    if not found:
        tried("", partial(NodeSettings.model_validate, values))
    return found


def _in_words(error: ErrorDetails) -> str:
    where = ".".join(_YAML_KEYS.get(str(key), str(key)) for key in error["loc"])
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "string_pattern_mismatch":
        what = "it has a character, or a length, that Asterisk's files cannot hold"
    return f"{where}: {what}" if where else what


def _site(site: Site, emergency: EmergencyRules) -> dict[str, Any]:
    overflow = site.absence.overflow
    return {
        "name": site.site,
        "sip_port": site.sip.port,
        "tls_port": site.sip.tls_port,
        "http_port": site.asterisk_http_port,
        "ami_port": site.asterisk_manager_port,
        "rtp_start": site.sip.rtp_first,
        "rtp_end": site.sip.rtp_last,
        "external_address": site.sip.external_address,
        "languages": tuple(dict.fromkeys(language.partition("-")[0] for language in site.languages)),
        "tones": _TONES.get(site.country, "es"),
        "absolute_limit_s": site.leg_limit_s,
        "phone_vanished_s": site.sip.phone_vanished_s,
        "trunk_vanished_s": site.sip.trunk_vanished_s,
        "hold_retry_s": site.absence.retry_s,
        "hold_tries": site.absence.tries,
        "apology": site.absence.apology,
        "safe_harbour": site.absence.safe_harbour,
        "overflow": overflow and _route(overflow),
        "emergency": _emergency(
            tuple(asterisk_name("main", name) for name in (emergency.trunk, *emergency.failover) if name),
            emergency.numbers,
        ),
    }


def _emergency(trunks: tuple[str, ...], numbers: tuple[str, ...]) -> Emergency | None:
    return Emergency(trunk=trunks[0], failover=trunks[1:], numbers=numbers) if trunks else None


def _device(name: str, device: DeviceFile, secret: str) -> Device:
    return Device(
        name=name,
        secret=secret,
        caller_name=device.title or None,
        caller_number=device.caller or device.device,
        codecs=device.codecs,
        transport=device.transport,
        language=device.language.replace("-", "_") if device.language else None,
        max_contacts=device.max_contacts,
        srtp=device.srtp,
        webrtc=device.webrtc,
    )


def _trunk(name: str, trunk: TrunkFile, password: Callable[[], str]) -> Trunk:
    registration = trunk.registration
    return Trunk.model_validate(
        {
            "name": name,
            "host": trunk.host,
            "port": trunk.port,
            "transport": trunk.transport,
            "match": trunk.addresses,
            "registration": registration
            and Registration(
                username=registration.username,
                password=registration.password or password(),
                expires_s=registration.expires_s,
            ),
            "codecs": trunk.codecs,
            "caller_number": trunk.shown or None,
            "dialled_from": trunk.dialled_from,
            "dtmf": trunk.dtmf,
            "srtp": trunk.srtp,
            "qualify_s": trunk.watch_s,
        }
    )


def sound_directories(home: Home, installation: Installation) -> list[SoundDirectory]:
    """The project's own sounds first, then Asterisk's (which lie where its rendered configuration links to)."""
    directories = []
    if home.sounds.is_dir():
        for place in sorted(home.sounds.iterdir()):
            if place.is_dir() and _LANGUAGE.match(place.name):
                directories.append(SoundDirectory(place.name.replace("_", "-"), place, place))
    linked = home.asterisk / "data" / "sounds"
    if linked.is_dir():
        for link in sorted(linked.iterdir()):
            if link.is_symlink() and _LANGUAGE.match(link.name):
                directories.append(SoundDirectory(link.name, installation.outside(link.readlink()), link))
    return directories


def lan_address() -> str:
    """The address of the interface that leads out (nothing is sent to find it).

    Raises:
        OSError: there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address: str = probe.getsockname()[0]
    return address
