"""How carriers stand: with a registration, by their address alone, watched by nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from engine.cli.trunk_words import in_short
from engine.trunk_watch import TrunkMetrics, TrunkSeen, look, of_all, register_again, strangers, told
from telephony.ami.client import AmiClient
from telephony.ami.facts import Contact, ContactStatus, RegistrationStatus
from telephony.ami.facts import Registration as Seen
from telephony.node.settings import Registration, Trunk


class Manager:
    """An AMI that knows the carriers it was given."""

    def __init__(self, contacts: dict[str, ContactStatus], registrations: dict[str, RegistrationStatus]) -> None:
        self.contacts, self.registered = contacts, registrations
        self.asked: list[str] = []
        self.strangers: set[str] = set()

    async def registrations(self) -> Sequence[Seen]:
        return [Seen(f"{name}-registration", "sip:there", status, 0) for name, status in self.registered.items()]

    async def carrier(self, trunk: str) -> Contact | None:
        status = self.contacts.get(trunk)
        return Contact(trunk, "sip:there", status, 0.012) if status else None

    async def recognises(self, trunk: str) -> bool:
        return trunk not in self.strangers

    async def qualify(self, endpoint: str) -> None:
        self.asked.append(f"qualify {endpoint}")

    async def register(self, registration: str) -> None:
        self.asked.append(f"register {registration}")


def client(manager: Manager) -> AmiClient:
    return cast(AmiClient, manager)


def trunk(name: str = "main-a", **more: Any) -> Trunk:
    return Trunk(name=name, host="carrier.example", **more)


@pytest.mark.parametrize(
    ("reach", "registration", "watch_s", "seen"),
    [
        ("reachable", None, 60, TrunkSeen("reachable", None, 0.012)),
        ("unreachable", None, 60, TrunkSeen("unreachable")),
        ("created", None, 60, TrunkSeen("unknown")),
        ("created", None, 0, TrunkSeen("not watched")),
        ("reachable", "registered", 60, TrunkSeen("registered", "registered", 0.012)),
        ("unreachable", "registered", 60, TrunkSeen("unreachable", "registered")),
        ("unreachable", "rejected", 60, TrunkSeen("unreachable", "rejected")),
        ("reachable", "rejected", 60, TrunkSeen("rejected", "rejected", 0.012)),
        ("created", "registered", 0, TrunkSeen("registered", "registered")),
        (None, None, 60, TrunkSeen("unknown")),
    ],
)
async def test_one_word_for_how_a_trunk_stands(
    reach: ContactStatus | None, registration: RegistrationStatus | None, watch_s: int, seen: TrunkSeen
) -> None:
    manager = Manager({"main-a": reach} if reach else {}, {"main-a": registration} if registration else {})
    assert await look(client(manager), [trunk(qualify_s=watch_s)]) == {"main-a": seen}


async def test_a_carrier_that_is_away_is_asked_again_at_each_look_and_no_other() -> None:
    manager = Manager({"main-a": "unreachable", "main-b": "reachable", "main-c": "unreachable"}, {})
    await look(client(manager), [trunk(), trunk("main-b"), trunk("main-c", qualify_s=0)])
    assert manager.asked == ["qualify main-a"]


async def test_a_carrier_whose_name_was_not_resolved_is_a_stranger() -> None:
    manager = Manager({}, {})
    trunks = [
        trunk(),
        trunk("main-b"),
        trunk("main-c", match=("192.0.2.0/24",)),
        trunk("main-d", registration=Registration(username="34911", password="secret")),
        Trunk(name="main-e", host="192.0.2.7"),
    ]
    assert await strangers(client(manager), trunks) == []
    manager.strangers = {each.name for each in trunks} - {"main-b"}
    assert await strangers(client(manager), trunks) == ["main-a"]


async def test_what_was_changed_registers_at_once() -> None:
    def with_password(password: str) -> Trunk:
        return trunk(registration=Registration(username="34911", password=password))

    manager, same = Manager({}, {}), trunk("main-b", registration=Registration(username="b", password="b"))
    await register_again(
        client(manager), [with_password("wrong"), same], [with_password("right"), same, trunk("main-c")]
    )
    assert manager.asked == ["register main-a-registration"]


def test_every_trunk_of_the_site_is_told_and_an_unreadable_file_is_no_trunk() -> None:
    seen = {"main-a": TrunkSeen("registered", "registered", 0.01)}
    body = json.loads(json.dumps({"trunks": {name: asdict(trunk) for name, trunk in seen.items()}}))
    assert told(body) == seen
    assert of_all(["main-far", "main-a"], body) == {**seen, "main-far": TrunkSeen("not watched")}
    assert told({}) == told({"trunks": {"main-a": "registered"}}) == told({"trunks": []}) == {}


def test_in_words() -> None:
    assert in_short("a", TrunkSeen("reachable", None, 0.0124)) == "a reachable (12 ms)"
    assert in_short("a", TrunkSeen("registered", "registered", 0.0004)) == "a registered (0.4 ms)"
    assert in_short("a", TrunkSeen("unreachable", "rejected")) == "a [red]unreachable[/] and [red]rejected[/]"
    assert in_short("a", TrunkSeen("rejected", "rejected")) == "a [red]rejected[/]"
    assert in_short("a", TrunkSeen("not watched")) == "a not watched"


def test_metrics() -> None:
    registry = CollectorRegistry()
    seen = {
        "main-a": TrunkSeen("reachable", None, 0.5),
        "main-b": TrunkSeen("unreachable"),
        "main-c": TrunkSeen("not watched"),
        "main-d": TrunkSeen("unknown"),
    }
    registry.register(TrunkMetrics(lambda: seen))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert lines == [
        'centralita_trunk_up{trunk="main-a"} 1.0',
        'centralita_trunk_up{trunk="main-b"} 0.0',
        'centralita_trunk_round_trip_seconds{trunk="main-a"} 0.5',
    ]
