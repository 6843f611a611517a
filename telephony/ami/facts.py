"""What AMI tells, in our words. Status only: nothing here moves a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ContactStatus = Literal["reachable", "unreachable", "created", "removed", "updated", "unknown"]
RegistrationStatus = Literal["registered", "rejected", "unregistered", "unknown"]

_CONTACT: dict[str, ContactStatus] = {
    "reachable": "reachable",
    "unreachable": "unreachable",
    "created": "created",
    "nonqualified": "created",
    "removed": "removed",
    "updated": "updated",
}
_REGISTRATION: dict[str, RegistrationStatus] = {
    "registered": "registered",
    "rejected": "rejected",
    "unregistered": "unregistered",
    "stopped": "unregistered",
}
_CLOCK_HZ = 8000.0


@dataclass(frozen=True, slots=True)
class NodeBooted:
    """Asterisk has read everything. Told after each connection: a restart shows in a small `uptime_s`."""

    node: str
    uptime_s: int


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A phone (by its device's name) can be reached at an address, or no longer. `round_trip_s`: 0.0 when unknown."""

    node: str
    device: str
    status: ContactStatus
    round_trip_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """Our registration at a carrier. `account`: the user we register as; `server`: where."""

    node: str
    account: str
    server: str
    status: RegistrationStatus
    cause: str = ""


@dataclass(frozen=True, slots=True)
class LegQuality:
    """What the far side hears of us, by its RTCP report. `lost_share`: 0 to 1 since the report before;
    `jitter_s` is right for codecs with a clock of 8 kHz (G.711, G.722), six times too long for Opus.
    """

    node: str
    leg_id: str
    round_trip_s: float
    lost_share: float
    lost_packets: int
    jitter_s: float


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """`answered_in_s`: how long AMI took; `calls`: legs that Asterisk counts as calls now."""

    node: str
    answered_in_s: float
    calls: int
    calls_since_start: int
    version: str


@dataclass(frozen=True, slots=True)
class Registration:
    """`name`: the trunk. `next_s`: seconds to the next attempt."""

    name: str
    server: str
    status: RegistrationStatus
    next_s: int


@dataclass(frozen=True, slots=True)
class Contact:
    """`name`: Asterisk's own for this registration."""

    device: str
    uri: str
    status: ContactStatus
    round_trip_s: float
    name: str = ""


AmiFact = NodeBooted | ContactChanged | RegistrationChanged | LegQuality
Headers = Mapping[str, str]


def fact_from(node: str, headers: Headers) -> AmiFact | None:
    """The fact an event tells; None when it is none of ours or lacks what it needs. Header names in lower case."""
    match headers.get("event", ""):
        case "FullyBooted":
            return NodeBooted(node, number(headers.get("uptime", "")))
        case "ContactStatus":
            device = headers.get("endpointname") or headers.get("aor", "")
            round_trip_s = number(headers.get("roundtripusec", "")) / 1e6
            return ContactChanged(node, device, contact_status(headers.get("contactstatus", "")), round_trip_s)
        case "Registry":
            return RegistrationChanged(
                node,
                headers.get("username", ""),
                headers.get("domain", ""),
                registration_status(headers.get("status", "")),
                headers.get("cause", ""),
            )
        case "RTCPReceived" if headers.get("uniqueid") and number(headers.get("reportcount", "")):
            return LegQuality(
                node,
                headers["uniqueid"],
                _float(headers.get("rtt", "")),
                min(1.0, number(headers.get("report0fractionlost", "")) / 256.0),
                number(headers.get("report0cumulativelost", "")),
                number(headers.get("report0iajitter", "")) / _CLOCK_HZ,
            )
        case _:
            return None


def contact_status(text: str) -> ContactStatus:
    return _CONTACT.get(text.lower(), "unknown")


def registration_status(text: str) -> RegistrationStatus:
    return _REGISTRATION.get(text.lower(), "unknown")


def contact_from(headers: Headers) -> Contact:
    """One line of `PJSIPShowContacts`."""
    return Contact(
        headers.get("endpoint", ""),
        headers.get("uri", ""),
        contact_status(headers.get("status", "")),
        number(headers.get("roundtripusec", "")) / 1e6,
        headers.get("objectname", ""),
    )


def carrier_from(headers: Headers) -> Contact:
    """The `ContactStatusDetail` of a trunk's `PJSIPShowEndpoint`."""
    return Contact(
        headers.get("endpointname", ""),
        headers.get("uri", ""),
        contact_status(headers.get("status", "")),
        number(headers.get("roundtripusec", "")) / 1e6,
    )


def registration_from(headers: Headers) -> Registration:
    """One line of `PJSIPShowRegistrationsOutbound`."""
    return Registration(
        headers.get("objectname", ""),
        headers.get("serveruri", ""),
        registration_status(headers.get("status", "")),
        number(headers.get("nextreg", "")),
    )


def number(text: str) -> int:
    """0 when it is none."""
    return int(_float(text))


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if abs(value) < 1e15 else 0.0
