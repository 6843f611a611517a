"""A run as bytes and back.

Taken with every event, so it must be small and quick: MessagePack, defaults left out. What is sensitive never gets in:
neither the memory of a node that listens to secret digits, nor the values of secret variables, nor digits nobody has
taken yet. A run without any of these is the same after a round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.errors import CentralitaError
from ivr.nodes import VERBS
from ivr.run import FlowRun, Frame

VERSION = 1

_UPCASTS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Version -> from its plain dict to that of the next version."""


class SnapshotUnreadable(CentralitaError):
    """Damaged, or written by a newer version of the program: install that version, or give this call up."""


class _Saved(msgspec.Struct, array_like=True):
    """`memory`: the version of the present verb's memory."""

    version: int
    memory: int
    run: FlowRun


class _Read(msgspec.Struct, array_like=True):
    version: int
    memory: int
    run: dict[str, Any]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Read).decode


def dump(run: FlowRun) -> bytes:
    if run.secret or run.typed or any(frame.secrets for frame in run.frames):
        run = _without_secrets(run)
    verb = VERBS.get(run.verb)
    return _encode(_Saved(VERSION, verb.version if verb else 0, run))


def load(body: bytes) -> FlowRun:
    """Raises SnapshotUnreadable."""
    try:
        read = _decode(body)
        plain, version = read.run, read.version
        if version > VERSION:
            raise SnapshotUnreadable(f"written as version {version}; this program knows {VERSION}")
        for older in range(version, VERSION):
            plain = _UPCASTS[older](plain)
        run = msgspec.convert(plain, FlowRun)
        memory = _memory(run.verb, read.memory, run.memory)
        frames = tuple(_with_memories(frame) for frame in run.frames)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as failure:
        raise SnapshotUnreadable(f"the snapshot of a flow cannot be read: {failure}") from failure
    return msgspec.structs.replace(run, memory=memory, frames=frames)


def _memory(verb_name: str, version: int, memory: Any) -> Any:
    """What a node remembered, as its verb knows it today; None when that verb is gone: the node is entered again."""
    verb = VERBS.get(verb_name)
    if memory is None or verb is None:
        return None
    if version > verb.version:
        raise SnapshotUnreadable(f"{verb_name}: memory of version {version}; this program knows {verb.version}")
    for older in range(version, verb.version):
        memory = verb.upcasts[older](memory)
    return msgspec.convert(memory, verb.memory)


def _with_memories(frame: Frame) -> Frame:
    if not frame.detours:
        return frame
    detours = tuple(
        msgspec.structs.replace(d, memory=_memory(d.verb, d.version, d.memory), version=_version_now(d.verb))
        for d in frame.detours
    )
    return msgspec.structs.replace(frame, detours=detours)


def _version_now(verb_name: str) -> int:
    verb = VERBS.get(verb_name)
    return verb.version if verb else 0


def _without_secrets(run: FlowRun) -> FlowRun:
    return msgspec.structs.replace(
        run,
        frames=tuple(map(_frame_without_secrets, run.frames)),
        memory=None if run.secret else run.memory,
        typed="",
    )


def _frame_without_secrets(frame: Frame) -> Frame:
    if not frame.secrets:
        return frame
    variables = {name: value for name, value in frame.variables.items() if name not in frame.secrets}
    return msgspec.structs.replace(frame, variables=variables)
