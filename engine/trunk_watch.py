"""How each carrier stands: registered, there, away, or watched by nobody. An IP trunk has no registration that could
fail: only the answers to the OPTIONS that Asterisk sends it tell whether it is there, and Asterisk dials no carrier
that owes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from telephony.ami.client import AmiClient
from telephony.node.settings import Trunk

NOT_WATCHED, UNREACHABLE, UNKNOWN = "not watched", "unreachable", "unknown"
WELL = frozenset({"registered", "reachable"})
_REGISTRATION = "-registration"
"""After the name of its trunk, in pjsip.conf."""


@dataclass(frozen=True, slots=True)
class TrunkSeen:
    """`status` in one word; a carrier that does not answer is `unreachable`, whatever became of a registration there.
    `registration`: how ours stands, None without one. `round_trip_s`: of its last answer, 0.0 when there is none."""

    status: str
    registration: str | None = None
    round_trip_s: float = 0.0

    @property
    def ill(self) -> bool:
        return self.status not in WELL and self.status not in (NOT_WATCHED, UNKNOWN)


async def look(client: AmiClient, trunks: Iterable[Trunk]) -> dict[str, TrunkSeen]:
    """Asks Asterisk for each. One that is away is asked for an answer again at once: Asterisk itself would not for a
    minute, and refuses every call to it until then.

    Raises:
        CommandFailed: AMI is away.
    """
    ours = {each.name.removesuffix(_REGISTRATION): each.status for each in await client.registrations()}
    seen: dict[str, TrunkSeen] = {}
    for trunk in trunks:
        contact = await client.carrier(trunk.name)
        reach = contact.status if contact else UNKNOWN
        seen[trunk.name] = TrunkSeen(
            _status(ours.get(trunk.name), reach, trunk.qualify_s > 0),
            ours.get(trunk.name),
            contact.round_trip_s if contact and reach == "reachable" else 0.0,
        )
        if reach == UNREACHABLE and trunk.qualify_s:
            await client.qualify(trunk.name)
    return seen


def _status(registration: str | None, reach: str, watched: bool) -> str:
    if watched and reach == UNREACHABLE:
        return UNREACHABLE
    if registration is not None:
        return registration
    if not watched:
        return NOT_WATCHED
    return "reachable" if reach == "reachable" else UNKNOWN


async def strangers(client: AmiClient, trunks: Iterable[Trunk]) -> list[str]:
    """Trunks whose calls are refused: they are known by their host's address, and when Asterisk read its name no name
    server answered. It does not ask again by itself.

    Raises:
        CommandFailed: AMI is away.
    """
    by_name = [trunk.name for trunk in trunks if not (trunk.registration or trunk.match or _is_address(trunk.host))]
    return [name for name in by_name if not await client.recognises(name)]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def register_again(client: AmiClient, before: Sequence[Trunk], now: Sequence[Trunk]) -> None:
    """Where a trunk that registers is new or was changed: Asterisk's reload does not try a new password before the next
    attempt is due, which after a refusal is minutes away.

    Raises:
        CommandFailed: AMI is away, or would not.
    """
    for trunk in now:
        if trunk.registration is not None and trunk not in before:
            await client.register(trunk.name + _REGISTRATION)


def told(body: Mapping[str, Any]) -> dict[str, TrunkSeen]:
    """From what the watcher wrote (`node.json`)."""
    found = {}
    trunks = body.get("trunks")
    for name, row in sorted(trunks.items()) if isinstance(trunks, dict) else ():
        if isinstance(row, dict) and "status" in row:
            found[name] = TrunkSeen(str(row["status"]), row.get("registration"), float(row.get("round_trip_s", 0.0)))
    return found


def of_all(names: Iterable[str], body: Mapping[str, Any]) -> dict[str, TrunkSeen]:
    """Of every trunk: at other nodes, and while the watcher is away, nobody watches them."""
    seen = told(body)
    return {name: seen.get(name, TrunkSeen(NOT_WATCHED)) for name in sorted({*names, *seen})}


class TrunkMetrics(Collector):
    def __init__(self, seen: Callable[[], Mapping[str, TrunkSeen]]) -> None:
        self._seen = seen

    def describe(self) -> list[Metric]:
        """Nothing is asked before there is somebody to answer."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "centralita_trunk_up", "1 while the carrier answers, and keeps our registration", labels=["trunk"]
        )
        round_trip = GaugeMetricFamily(
            "centralita_trunk_round_trip_seconds", "How long the carrier takes to answer", labels=["trunk"]
        )
        for name, trunk in self._seen().items():
            if trunk.status in WELL or trunk.ill:
                up.add_metric([name], float(not trunk.ill))
            if trunk.round_trip_s:
                round_trip.add_metric([name], trunk.round_trip_s)
        yield from (up, round_trip)
