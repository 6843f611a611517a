"""Snapshots: every released version loads for ever, nothing secret gets in, damage is said."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest

from core.commands import CancelTimer
from core.events import LegEnded
from core.leg import EndReason
from ivr import interpreter, snapshot
from ivr.nodes import VERBS
from ivr.run import plain
from ivr.scenario.promises import Given
from ivr.scenario.tiny import tiny_call

FIXTURES = Path(__file__).with_name("snapshots")
END = {"type": "hangup", "prompt": "Adiós"}
RETRY = {"retries": "2", "prompt": "Otra vez", "then": "end"}
NODES = {
    "menu": {"type": "menu", "prompt": "Marque", "keys": {"1": "end", "12": "end"}, "no_input": RETRY},
    "collect": {
        "type": "collect",
        "prompt": "Número",
        "digits": "2-9",
        "into": "n",
        "next": "end",
        "confirm": {"prompt": "¿{{ value }}?"},
    },
    "secret": {"type": "collect", "prompt": "Clave", "digits": "4", "into": "pin", "sensitive": "yes", "next": "menu"},
    "record": {"type": "record", "mailbox": "m", "prompt": "Hable", "review": {"prompt": "1 2 3"}, "next": "end"},
    "http": {
        "type": "http",
        "url": "https://x.example/",
        "method": "POST",
        "hold": "music",
        "next": "end",
        "error": "end",
    },
    "queue": {"type": "queue", "queue": "q", "next": "end"},
    "transfer": {"type": "transfer", "to": "device:1001", "next": "end"},
    "toggle": {"type": "toggle", "toggle": "t", "mode": "flip", "pin": "4711", "prompt": "Clave", "next": "end"},
    "play": {"type": "play", "prompt": "Hola", "next": "end"},
    "wait": {"type": "wait", "seconds": "9", "music": "default", "next": "end"},
    "sub": {"type": "subflow", "flow": "other", "next": "end"},
    "end": END,
}
OTHER = {"nodes": {"menu": NODES["menu"], "end": {"type": "return"}}}


def at(node: str, keys: str = ""):
    """A call resting at this node, after these keys."""
    caller = tiny_call(
        NODES, start=node, flows={"other": OTHER}, variables={"name": "Ana"}, given=Given(recordings=[(9.0, "silence")])
    )
    if keys:
        caller.listen()
        caller.press(keys)
    return caller


MOMENTS = {
    "menu": at("menu"),
    "menu_typed": at("menu", "1"),
    "collect_typed": at("collect", "123"),
    "collect_confirming": at("collect", "12#"),
    "secret_typed": at("secret", "12"),
    "secret_given": at("secret", "1234"),
    "record_prompt": at("record"),
    "record_review": at("record", "7"),
    "http": at("http"),
    "queue": at("queue"),
    "transfer": at("transfer"),
    "toggle": at("toggle", "47"),
    "play": at("play"),
    "wait": at("wait"),
    "subflow": at("sub"),
}


@pytest.mark.parametrize("moment", sorted(MOMENTS))
def test_a_run_is_the_same_after_a_round_trip_but_for_its_secrets(moment):
    run = MOMENTS[moment].run
    loaded = snapshot.load(snapshot.dump(run))
    if moment.startswith(("secret", "toggle")):
        assert loaded != run
        assert b"1234" not in snapshot.dump(run).replace(b"+34911234567", b"")
        assert b"47" not in snapshot.dump(run).replace(b"+34911234567", b"")
    else:
        assert loaded == run
        assert type(loaded.memory) is type(run.memory)


@pytest.mark.parametrize("version", sorted(path.stem for path in FIXTURES.glob("*.json")))
@pytest.mark.parametrize("moment", sorted(MOMENTS))
def test_every_released_version_loads_and_goes_on(version, moment):
    saved = json.loads((FIXTURES / f"{version}.json").read_text())
    run = snapshot.load(base64.b64decode(saved[moment]))
    caller = MOMENTS[moment]
    step = interpreter.resume(caller.world, run, caller.now_s + 60)
    assert step.ended is None
    assert step.run.node_id == run.node_id
    assert step.run.variables["name" if moment != "subflow" else "caller"]


def test_the_present_version_has_a_fixture():
    """After a change of the format: raise VERSION, add an upcast, and write the new one with `write_fixture`."""
    assert (FIXTURES / f"v{snapshot.VERSION}.json").exists()


def write_fixture() -> None:
    saved = {moment: base64.b64encode(snapshot.dump(caller.run)).decode() for moment, caller in MOMENTS.items()}
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"v{snapshot.VERSION}.json").write_text(json.dumps(saved, indent=1) + "\n")


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x93\x01\x01\x80", b"not a snapshot", msgspec.msgpack.encode([1, 1, {"x": 1}])]
)
def test_damage_is_said(body):
    with pytest.raises(snapshot.SnapshotUnreadable, match="cannot be read"):
        snapshot.load(body)


def test_a_newer_version_is_said():
    with pytest.raises(snapshot.SnapshotUnreadable, match="version 99"):
        snapshot.load(msgspec.msgpack.encode([99, 1, {}]))
    raw = msgspec.msgpack.decode(snapshot.dump(MOMENTS["collect_typed"].run))
    with pytest.raises(snapshot.SnapshotUnreadable, match="memory of version 7"):
        snapshot.load(msgspec.msgpack.encode([raw[0], 7, raw[2]]))


def test_a_memory_is_brought_up_to_date(monkeypatch):
    from dataclasses import replace

    collect = replace(VERBS["collect"], version=2, upcasts={1: lambda old: {**old, "typed": old["typed"] + "9"}})
    old = snapshot.dump(MOMENTS["collect_typed"].run)
    monkeypatch.setitem(snapshot.VERBS, "collect", collect)
    assert snapshot.load(old).memory.typed == "1239"


def test_a_node_type_that_is_gone_is_entered_again(monkeypatch):
    body = snapshot.dump(MOMENTS["collect_typed"].run)
    monkeypatch.setattr(snapshot, "VERBS", {name: verb for name, verb in VERBS.items() if name != "collect"})
    assert snapshot.load(body).memory is None


@pytest.mark.parametrize("moment", sorted(MOMENTS))
def test_a_hangup_ends_it_at_any_moment(moment):
    caller = MOMENTS[moment]
    for run in (caller.run, snapshot.load(snapshot.dump(caller.run))):
        step = interpreter.handle(caller.world, run, LegEnded("leg-1", EndReason.HUNG_UP), caller.now_s)
        assert step.ended == interpreter.Ended("caller_hung_up", "hung_up")
        assert {command.timer_id for command in step.commands if isinstance(command, CancelTimer)} == set(run.timers)


def test_it_is_small():
    assert len(snapshot.dump(MOMENTS["collect_typed"].run)) < 800


def test_values_a_snapshot_can_hold():
    from datetime import date
    from decimal import Decimal

    given = {
        "a": Decimal("1.50"),
        "b": date(2026, 3, 1),
        "c": (1, 2),
        "d": {"x": None},
        "e": 2**70,
        "f": True,
        "g": object,
    }
    kept = plain(given)
    assert kept == {**kept, "a": "1.50", "b": "2026-03-01", "c": [1, 2], "d": {"x": None}, "e": str(2**70), "f": True}
    assert isinstance(kept["g"], str)
    msgspec.msgpack.encode(kept)
