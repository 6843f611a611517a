"""What was written is read back: today, and by every later release."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.commands import COMMAND_TYPES, SendHttp
from core.decisions import DECISION_TYPES, Moved, NodeEntered
from core.events import EVENT_TYPES, DigitPressed, HttpReplied, LegEnded
from core.leg import EndReason
from core.leg_commands import Play
from core.media import Silence, Sound, Speech, Tone
from core.table import Transition
from store import wire
from store.errors import WireError
from store.wire import Wire

FIXTURES = Path(__file__).with_name("fixtures")
EVERYTHING = {**EVENT_TYPES, **COMMAND_TYPES, **DECISION_TYPES}

st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(int, st.integers(-(2**63), 2**64 - 1))

events = st.one_of([st.from_type(cls) for cls in EVENT_TYPES.values()])
commands = st.one_of([st.from_type(cls) for cls in COMMAND_TYPES.values()])
decisions = st.one_of([st.from_type(cls) for cls in DECISION_TYPES.values()])


@pytest.mark.parametrize("cls", EVERYTHING.values(), ids=EVERYTHING)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_every_type_comes_back_as_it_was(cls: type, data: st.DataObject) -> None:
    thing = data.draw(st.from_type(cls))
    back = wire.decode(wire.encode(thing))
    assert back == thing
    assert type(back) is cls


@settings(max_examples=60, deadline=None)
@given(events, st.lists(decisions, max_size=20), st.lists(commands, max_size=20))
def test_an_entry_comes_back_whole(event: Any, decided: list[Any], commanded: list[Any]) -> None:
    assert wire.unpack(wire.pack(event, decided, commanded)) == (event, decided, commanded)


def test_enums_and_nested_values_keep_their_types() -> None:
    assert wire.decode(wire.encode(LegEnded("l", EndReason.BUSY, 17))).reason is EndReason.BUSY
    moved = wire.decode(wire.encode(Moved(Transition("leg", "l", "new", "up", "up"))))
    assert type(moved.transition) is Transition
    play = Play("l", "p", (Sound("hi", "es"), Speech("hola", "es"), Silence(0.5), Tone("beep")))
    assert [type(part) for part in wire.decode(wire.encode(play)).parts] == [Sound, Speech, Silence, Tone]


def test_the_envelope_is_type_version_fields() -> None:
    stored = msgspec.msgpack.decode(wire.encode(DigitPressed("l", "5")))
    assert stored == {"type": "DigitPressed", "version": 1, "fields": {"leg_id": "l", "digit": "5"}}


@pytest.mark.parametrize(
    "awkward",
    [
        DigitPressed("\ud800", "1"),
        HttpReplied("i", "r", 2**90, {"\udfff": "\udc00"}, "x"),
        Play("\ud800", "p", (Speech("\udead", "es"),)),
    ],
    ids=["text", "number", "nested"],
)
def test_what_cannot_be_written_exactly_is_written_nearly(awkward: Any) -> None:
    assert type(wire.decode(wire.encode(awkward))) is type(awkward)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_junk_is_refused_and_nothing_worse(junk: bytes) -> None:
    with pytest.raises(WireError):
        wire.decode(junk)
    with pytest.raises(WireError):
        wire.unpack(junk)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused_and_nothing_worse(at: int, byte: int) -> None:
    good = bytearray(wire.pack(SendTest, [NodeEntered("f", "n", 1)], [Play("l", "p", (Sound("a", "es"),)), REQUEST]))
    good[at % len(good)] = byte
    try:
        wire.unpack(bytes(good))
    except WireError:
        return


SendTest = HttpReplied("i-1", "r-1", 200, {"balance": "12.50"})
REQUEST = SendHttp("i-1", "r-1", "POST", "https://example.org", {"a": "b"}, "{}")


def test_a_type_that_is_not_registered_is_refused_by_name() -> None:
    with pytest.raises(WireError, match="Stranger cannot be stored"):
        wire.encode(Stranger())  # type: ignore[arg-type]


@dataclass(frozen=True)
class Stranger:
    name: str = "x"


# -- earlier and later releases ---------------------------------------------------------------------
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("v*.json")), ids=lambda path: path.stem)
def test_what_an_earlier_release_wrote_is_read(path: Path) -> None:
    for stored in json.loads(path.read_text()):
        name = stored["type"]
        read = wire.decode(msgspec.msgpack.encode(stored))
        assert type(read).__name__ in EVERYTHING
        again = msgspec.msgpack.decode(wire.encode(read))
        if again["version"] == stored["version"] and again["type"] == name:
            kept = {key: again["fields"].get(key) for key in stored["fields"]}
            assert kept == stored["fields"], (
                f"{name} changed: raise its version and add an upcaster (store/upcasters.py)"
            )


@dataclass(frozen=True)
class Greeted:
    """Version 3 of what version 1 called `Hello(name)` and version 2 `Greeted(name)`."""

    who: str
    language: str


LIFTS = {
    ("Hello", 1): lambda values: ("Greeted", 2, values),
    ("Greeted", 1): lambda values: ("Greeted", 2, values),
    ("Greeted", 2): lambda values: ("Greeted", 3, {"who": values["name"], "language": "es"}),
}


@pytest.mark.parametrize(("name", "version"), [("Hello", 1), ("Greeted", 1), ("Greeted", 2)])
def test_upcasters_lift_fields_and_names_step_by_step(name: str, version: int) -> None:
    later = Wire([Greeted], {"Greeted": 3}, LIFTS)
    stored = msgspec.msgpack.encode({"type": name, "version": version, "fields": {"name": "Ana"}})
    assert later.decode(stored) == Greeted("Ana", "es")


def test_an_upcaster_may_change_parts_too() -> None:
    old = {"leg_id": "l", "playback_id": "p", "sound": "hi"}
    lift = {
        ("Play", 1): lambda v: ("Play", 2, {**v, "parts": [{"type": "Sound", "name": v["sound"], "language": "es"}]})
    }
    later = Wire([Play], {"Play": 2}, lift)
    stored = msgspec.msgpack.encode({"type": "Play", "version": 1, "fields": old})
    assert later.decode(stored) == Play("l", "p", (Sound("hi", "es"),))


def test_a_version_without_a_way_up_to_it_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"no upcaster from \[1\]"):
        Wire([Greeted], {"Greeted": 2})


def test_a_newer_release_s_message_says_what_to_do() -> None:
    stored = msgspec.msgpack.encode({"type": "DigitPressed", "version": 99, "fields": {}})
    with pytest.raises(WireError, match="upgrade this one"):
        wire.decode(stored)


def test_a_field_added_with_a_default_is_filled_in_and_an_unknown_one_ignored() -> None:
    older = msgspec.msgpack.encode({"type": "LegEnded", "version": 1, "fields": {"leg_id": "l", "reason": "busy"}})
    assert wire.decode(older) == LegEnded("l", EndReason.BUSY, 0)
    newer = {"type": "DigitPressed", "version": 1, "fields": {"leg_id": "l", "digit": "1", "ms": 80}}
    assert wire.decode(msgspec.msgpack.encode(newer)) == DigitPressed("l", "1")


def test_upcasters_that_run_in_a_circle_are_refused() -> None:
    circle = Wire([Greeted], {"Greeted": 2}, {("Greeted", 1): lambda values: ("Greeted", 1, values)})
    with pytest.raises(WireError, match="circle"):
        circle.decode(msgspec.msgpack.encode({"type": "Greeted", "version": 1, "fields": {}}))
