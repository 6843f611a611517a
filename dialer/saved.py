"""Records as bytes: a version, then the record. A record saved by an earlier version is lifted when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.errors import CentralitaError
from dialer.records import Attempt, Campaign, Identity, Lead, Learnt, Word

VERSION = 1
UPCASTERS: Mapping[int, Callable[[str, dict[str, Any]], dict[str, Any]]] = {}
"""Version -> what turns a record of it (kind, fields) into one of the next."""

Record = Campaign | Lead | Attempt | Identity | Word | Learnt
KINDS: Mapping[str, type[Record]] = {
    "campaign": Campaign,
    "lead": Lead,
    "attempt": Attempt,
    "identity": Identity,
    "dnc": Word,
    "pacer": Learnt,
}
_decoders = {kind: msgspec.msgpack.Decoder(type_) for kind, type_ in KINDS.items()}
_head = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_encode = msgspec.msgpack.Encoder().encode
_HEAD = bytes([0x92, VERSION])
"""An array of two: the version and the record."""


class SavedUnreadable(CentralitaError):
    """A saved record cannot be read: it was damaged, or written by a newer release."""


def dump(record: Record) -> bytes:
    return _HEAD + _encode(record)


def load(kind: str, body: bytes) -> Record:
    """Raises SavedUnreadable."""
    try:
        version, raw = _head.decode(body)
        if version == VERSION:
            return _decoders[kind].decode(raw)
        if version > VERSION:
            raise SavedUnreadable(f"{kind}: saved by a newer release (version {version}, we read up to {VERSION})")
        fields: dict[str, Any] = msgspec.msgpack.decode(raw)
        for old in range(version, VERSION):
            fields = UPCASTERS[old](kind, fields)
        return msgspec.convert(fields, KINDS[kind])
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
        raise SavedUnreadable(f"{kind}: {error}; it is left out") from error
