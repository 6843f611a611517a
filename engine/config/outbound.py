"""What may be dialed, over which trunk, how often. Pure: asked again at the moment of every dialing.

Emergency numbers come first and always reach their trunk. Then the longest prefix decides; what no rule
names is refused. Numbers are compared in E.164, so `00`, `+` and national forms of one number are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import phonenumbers

from core.leg_commands import Way
from engine.config.public_number import e164

_DIALABLE = re.compile(r"\A\+?[0-9]{2,20}\Z")
_SEPARATORS = re.compile(r"[\s().\-/]")


@dataclass(frozen=True, slots=True)
class OutboundRule:
    """`prefixes`: E.164 beginnings (`+349`) or internal digits. `hourly` 0: no cap. `trunk` empty: forbidden.
    `failover`: trunks that take its calls, in this order, while those before are away."""

    name: str
    prefixes: tuple[str, ...]
    trunk: str
    caller: str = ""
    hourly: int = 0
    failover: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permitted:
    """`caller`: the number that is shown when nothing says another; so each of `failover`, the ways that are left while
    a trunk is away."""

    endpoint: str
    rule: str
    caller: str = ""
    failover: tuple[Way, ...] = ()

    def ways_left(self, caller: str) -> tuple[Way, ...]:
        """`failover` for who shows `caller`; empty: nothing says which."""
        return tuple([replace(way, caller=caller) for way in self.failover] if caller else self.failover)


@dataclass(frozen=True, slots=True)
class Refused:
    why: str


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """`country`: how national numbers are read (`ES`). `devices`: phones, by their name inside Asterisk.
    `limit_s`: how long a leg lives at most. `homes`: device -> the node it registers at. `trunk_callers`: the number
    that calls over a trunk show when nothing says another."""

    country: str = "ES"
    rules: Sequence[OutboundRule] = ()
    emergency_numbers: frozenset[str] = frozenset()
    emergency_trunk: str = ""
    emergency_failover: tuple[str, ...] = ()
    devices: frozenset[str] = frozenset()
    limit_s: float = 7200.0
    tenant_callers: Mapping[str, str] = field(default_factory=dict)
    trunk_callers: Mapping[str, str] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)

    def permit(self, target: str, tenant: str, dialed: Mapping[str, int]) -> Permitted | Refused:
        """`target`: `device:1001` or a number as a person writes it. `dialed`: rule -> legs in the last hour."""
        if target.startswith("device:"):
            name = f"{tenant}-{target.removeprefix('device:')}"
            if name in self.devices:
                return Permitted(f"device:{name}", "devices")
            return Refused(f"tenant {tenant} has no device '{target.removeprefix('device:')}'")
        number = _SEPARATORS.sub("", target)
        if number in self.emergency_numbers:
            if not self.emergency_trunk:
                return Refused("emergency numbers have no trunk: set emergency.trunk in config/outbound.yaml")
            return self._over((self.emergency_trunk, *self.emergency_failover), number, "emergency")
        if not _DIALABLE.match(number):
            return Refused("not a number that can be dialed")
        if f"{tenant}-{number}" in self.devices:
            return Permitted(f"device:{tenant}-{number}", "devices")
        number = self.normalise(number)
        if number.startswith("+") and not _is_possible(number):
            return Refused("no public number looks like this")
        rule = self._longest(number)
        if rule is None:
            return Refused("no rule in config/outbound.yaml allows this number")
        if not rule.trunk:
            return Refused(f"rule {rule.name} forbids it")
        if rule.hourly and dialed.get(rule.name, 0) >= rule.hourly:
            return Refused(f"rule {rule.name} allows {rule.hourly} an hour and they are used up")
        shown = rule.caller or self.tenant_callers.get(tenant, "")
        return self._over((rule.trunk, *rule.failover), number, rule.name, shown)

    def _over(self, trunks: tuple[str, ...], number: str, rule: str, caller: str = "") -> Permitted:
        first, *others = (
            Way(f"trunk:{trunk}/{number}", caller or self.trunk_callers.get(trunk, "")) for trunk in trunks
        )
        return Permitted(first.endpoint, rule, first.caller, tuple(others))

    def seen_from(self, endpoint: str, node: str) -> str:
        """How a node reaches an endpoint: another node's phone by relay, `relay:madrid-2/main-1001`."""
        kind, _, device = endpoint.partition(":")
        home = self.homes.get(device, node) if kind == "device" else node
        return endpoint if home == node else f"relay:{home}/{device}"

    def normalise(self, number: str) -> str:
        """E.164 when it is a possible public number in `country`, else as it is."""
        return e164(number, self.country)

    def is_public(self, number: str) -> bool:
        """Whether anybody's telephone could have it, or it is an emergency's."""
        if number in self.emergency_numbers:
            return True
        number = self.normalise(number)
        return number.startswith("+") and _is_possible(number)

    def _longest(self, number: str) -> OutboundRule | None:
        best: tuple[int, OutboundRule] | None = None
        for rule in self.rules:
            for prefix in rule.prefixes:
                if number.startswith(prefix) and (best is None or len(prefix) > best[0]):
                    best = (len(prefix), rule)
        return best[1] if best else None


def _is_possible(number: str) -> bool:
    """Whether a number with `+` could exist: carriers make something of the others, and a prefix alone does not say
    what."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
