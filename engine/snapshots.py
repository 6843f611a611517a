"""An interaction as bytes and back: what recovery loads.

Versioned: a field added later gets a default here or an entry in `_UPCASTS`, and `tests` keep one snapshot of
every released version that must load for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.interaction import InteractionState
from core.leg import Leg
from engine.contact import Attempt, Callback, Conversation, Line, Offer, TalkRecording, Waiting
from engine.interaction import Interaction
from engine.transfers import PendingTransfer
from ivr import snapshot as flow_snapshot

VERSION = 3


class _People(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Whom the customer waits for or talks with: most callers never get there, and then it is not written."""

    waiting: Waiting | None = None
    offers: tuple[Offer, ...] = ()
    talk: Conversation | None = None
    line: Line | None = None
    recording: TalkRecording | None = None
    parked: bytes | None = None
    callback: Callback | None = None


class _Saved(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    interaction_id: str
    tenant: str
    channel: str
    called: str
    caller: str
    entry: str
    opened_s: float
    release_id: str
    state: InteractionState
    legs: list[Leg]
    run: bytes | None
    transfer: PendingTransfer | None
    outcome: str
    identity: str
    people: _People | None
    values: dict[str, str]
    serial: int
    attempt: Attempt | None = None


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Only transfers gave numbers then, one to each leg outside."""
    serial = sum(leg["role"] == "external" for leg in plain["legs"])
    return {**plain, "v": 2, "people": None, "values": {}, "serial": serial}


def _from_2(plain: dict[str, Any]) -> dict[str, Any]:
    """Nobody was called by a campaign."""
    return {**plain, "v": 3}


_UPCASTS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1, 2: _from_2}
_encoder = msgspec.msgpack.Encoder()


class SnapshotUnreadable(Exception):
    """The snapshot was written by a newer version, or is damaged; its legs are hung up and it counts as lost."""


def dump(interaction: Interaction) -> bytes:
    return _encoder.encode(
        _Saved(
            VERSION,
            interaction.interaction_id,
            interaction.tenant,
            interaction.channel,
            interaction.called,
            interaction.caller,
            interaction.entry,
            interaction.opened_s,
            interaction.release_id,
            interaction.state,
            list(interaction.legs),
            None if interaction.run is None else flow_snapshot.dump(interaction.run),
            interaction.transfer,
            interaction.outcome,
            interaction.identity,
            _people(interaction),
            interaction.values,
            interaction.serial,
            interaction.attempt,
        )
    )


def _people(interaction: Interaction) -> _People | None:
    waiting, talk, line, recording = interaction.waiting, interaction.talk, interaction.line, interaction.recording
    callback = interaction.callback
    if waiting is None and talk is None and line is None and recording is None and callback is None:
        return None
    parked = None if interaction.parked is None else flow_snapshot.dump(interaction.parked)
    return _People(waiting, interaction.offers, talk, line, recording, parked, callback)


def load(body: bytes) -> Interaction:
    """Raises SnapshotUnreadable."""
    try:
        plain: dict[str, Any] = msgspec.msgpack.decode(body)
        while plain["v"] < VERSION:
            plain = _UPCASTS[plain["v"]](plain)
        saved = msgspec.convert(plain, _Saved)
        run = None if saved.run is None else flow_snapshot.load(saved.run)
        people = saved.people or _People()
        parked = None if people.parked is None else flow_snapshot.load(people.parked)
    except Exception as failure:
        raise SnapshotUnreadable(f"{type(failure).__name__}: {failure}") from failure
    return Interaction(
        interaction_id=saved.interaction_id,
        tenant=saved.tenant,
        channel=saved.channel,
        called=saved.called,
        caller=saved.caller,
        entry=saved.entry,
        opened_s=saved.opened_s,
        release_id=saved.release_id,
        state=saved.state,
        legs=tuple(saved.legs),
        run=run,
        transfer=saved.transfer,
        outcome=saved.outcome,
        identity=saved.identity,
        waiting=people.waiting,
        offers=people.offers,
        talk=people.talk,
        line=people.line,
        recording=people.recording,
        parked=parked,
        values=saved.values,
        serial=saved.serial,
        attempt=saved.attempt,
        callback=people.callback,
    )
