"""Events, commands and decisions as bytes: `{type, version, fields}` in MessagePack.

The dataclasses of `core` are the schema. A field added with a default needs nothing more. Any other change
raises the type's number in `store/upcasters.py` and adds a function there that lifts the older fields, so
what an earlier release wrote is read for ever (`tests/unit/store/fixtures` holds one sample per release).

MessagePack and not JSON: as fast, a fifth smaller, and `inf` survives. A field whose type is a union of
dataclasses (`Play.parts`) carries each member as `{type, ...its fields}`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import partial
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from core.commands import COMMAND_TYPES, Command
from core.decisions import DECISION_TYPES, Decision
from core.events import EVENT_TYPES, Event
from store.errors import WireError
from store.upcasters import UPCASTERS, VERSIONS, Upcaster


def _as_plain(value: object) -> object:
    """A mapping is a mapping, whatever its class."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a value that travels")


_encode = msgspec.msgpack.Encoder(enc_hook=_as_plain).encode
_CANNOT_DECODE = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, TypeError, ValueError, KeyError)


class _Envelope(msgspec.Struct):
    type: str
    version: int
    fields: msgspec.Raw


class _Packed(msgspec.Struct):
    event: _Envelope
    decisions: list[_Envelope] = []
    commands: list[_Envelope] = []


class _Member(msgspec.Struct):
    type: str


_MEMBER_HEADS: dict[type, bytes] = {}
"""Member of a union -> how its encoding begins."""

_packed = msgspec.msgpack.Decoder(_Packed)
_envelope = msgspec.msgpack.Decoder(_Envelope)
_member = msgspec.msgpack.Decoder(_Member)
_plain = msgspec.msgpack.Decoder()


@dataclass(frozen=True, slots=True)
class _Union:
    """`several`: the field is a tuple of members."""

    members: Mapping[str, type]
    several: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one class travels. `keys`: field -> its encoded name; `unions`: fields that are unions of dataclasses."""

    prefix: bytes
    version: int
    cls: type
    decoder: msgspec.msgpack.Decoder[Any]
    unions: Mapping[str, _Union]
    keys: Mapping[str, bytes]


class Wire:
    """A registry of classes that can be written and read.

    Raises (while it is built):
        TypeError: a version above 1 has no upcaster leading up to it.
    """

    def __init__(
        self,
        classes: Iterable[type],
        versions: Mapping[str, int] | None = None,
        upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    ) -> None:
        self._upcasters = dict(upcasters or {})
        versions = versions or {}
        self._by_class = {cls: _shape(cls, versions.get(cls.__name__, 1)) for cls in classes}
        self._by_name = {shape.cls.__name__: shape for shape in self._by_class.values()}
        for name, shape in self._by_name.items():
            if missing := [v for v in range(1, shape.version) if (name, v) not in self._upcasters]:
                raise TypeError(f"{name} is at version {shape.version} but has no upcaster from {missing}")

    def encode(self, thing: object) -> bytes:
        """Text that UTF-8 cannot carry is written with `?` in its place.

        Raises:
            WireError: the type is not registered, or a field holds what MessagePack cannot carry.
        """
        shape = self._by_class.get(type(thing))
        if shape is None:
            raise WireError(f"{type(thing).__name__} cannot be stored: add it to core's registry of its kind")
        try:
            body = _with_members(thing, shape) if shape.unions else _encode(thing)
        except (UnicodeEncodeError, OverflowError):
            body = _encode(_storable({name: getattr(thing, name) for name in shape.keys}))
        except TypeError as error:
            raise WireError(f"{type(thing).__name__} cannot be stored: {error}") from None
        return shape.prefix + body

    def decode(self, data: bytes) -> Any:
        """Raises WireError."""
        try:
            envelope = _envelope.decode(data)
        except _CANNOT_DECODE as error:
            raise WireError(f"not a stored message: {error}") from None
        return self._open(envelope)

    def pack(self, event: object, decisions: Sequence[object] = (), commands: Sequence[object] = ()) -> bytes:
        """One event with what came of it. Raises WireError."""
        encode = self.encode
        return b"".join(
            (
                _EVENT,
                encode(event),
                _DECISIONS,
                _array_header(len(decisions)),
                *map(encode, decisions),
                _COMMANDS,
                _array_header(len(commands)),
                *map(encode, commands),
            )
        )

    def unpack(self, data: bytes) -> tuple[Any, list[Any], list[Any]]:
        """The opposite of `pack`. Raises WireError."""
        try:
            packed = _packed.decode(data)
        except _CANNOT_DECODE as error:
            raise WireError(f"not a stored entry: {error}") from None
        read = self._open
        return read(packed.event), [*map(read, packed.decisions)], [*map(read, packed.commands)]

    def _open(self, envelope: _Envelope) -> Any:
        name, version = envelope.type, envelope.version
        try:
            shape = self._by_name.get(name)
            if shape is not None and version == shape.version and not shape.unions:
                return shape.decoder.decode(envelope.fields)
            if shape is not None and version == shape.version:
                return _from_members(shape, envelope.fields)
            return self._lift(name, version, _plain.decode(envelope.fields))
        except _CANNOT_DECODE as error:
            raise WireError(f"{name} version {version} cannot be read: {error}") from None

    def _lift(self, name: str, version: int, values: dict[str, Any]) -> Any:
        """Upcasts step by step, across renames too, until a current version is reached."""
        for _ in range(1000):
            shape = self._by_name.get(name)
            if shape is not None and version == shape.version:
                data = _encode(values)
                return _from_members(shape, data) if shape.unions else shape.decoder.decode(data)
            upcaster = self._upcasters.get((name, version))
            if upcaster is None:
                newer = shape is not None and version > shape.version
                hint = "it was written by a newer release: upgrade this one" if newer else "no release of ours wrote it"
                raise WireError(f"{name} version {version} is unknown: {hint}")
            name, version, values = upcaster(values)
        raise WireError(f"{name}: its upcasters run in a circle")


def _array_header(size: int) -> bytes:
    return bytes((0x90 | size,)) if size < 16 else b"\xdd" + size.to_bytes(4, "big")


def _map_header(size: int) -> bytes:
    return bytes((0x80 | size,)) if size < 16 else b"\xde" + size.to_bytes(2, "big")


_EVENT = b"\x83" + _encode("event")
_DECISIONS, _COMMANDS = _encode("decisions"), _encode("commands")


def _shape(cls: type, version: int) -> _Shape:
    hints = get_type_hints(cls)
    keys = {field.name: _encode(field.name) for field in fields(cls)}
    unions = {name: found for name in keys if (found := _union(hints[name])) is not None}
    target: Any = cls
    if unions:
        columns: list[Any] = []
        for field in fields(cls):
            kind: Any = hints[field.name]
            if field.name in unions:
                kind = tuple[msgspec.Raw, ...] if unions[field.name].several else msgspec.Raw
            if field.default_factory is not MISSING:
                columns.append((field.name, kind, msgspec.field(default_factory=field.default_factory)))
            else:
                columns.append(
                    (field.name, kind, field.default) if field.default is not MISSING else (field.name, kind)
                )
        target = msgspec.defstruct(cls.__name__, columns, kw_only=True)
    prefix = b"\x83" + _encode({"type": cls.__name__, "version": version})[1:] + _encode("fields")
    return _Shape(prefix, version, cls, msgspec.msgpack.Decoder(target), unions, keys)


def _union(hint: Any) -> _Union | None:
    """The members when `hint` is a union of dataclasses, or a tuple of such."""
    several = get_origin(hint) is tuple and len(get_args(hint)) == 2
    inner = get_args(hint)[0] if several else hint
    if get_origin(inner) not in (Union, types.UnionType):
        return None
    members = get_args(inner)
    if sum(map(is_dataclass, members)) < 2:
        return None
    for member in members:
        size = len(fields(member))
        if size > 14:
            raise TypeError(f"{member.__name__} has {size} fields; a member of a union may have 14")
        _MEMBER_HEADS[member] = _map_header(size + 1) + _encode("type") + _encode(member.__name__)
    return _Union({member.__name__: member for member in members}, several)


def _with_members(thing: object, shape: _Shape) -> bytes:
    """The fields as `_encode` would write them, union members with their names inside."""
    written = [_map_header(len(shape.keys))]
    for name, key in shape.keys.items():
        value = getattr(thing, name)
        union = shape.unions.get(name)
        written.append(key)
        if union is None:
            written.append(_encode(value))
        elif union.several:
            written.append(_array_header(len(value)))
            written.extend([_named(member) for member in value])
        else:
            written.append(_named(value))
    return b"".join(written)


def _named(member: Any) -> bytes:
    """`{type, ...fields}`: its own encoding, with one more pair at the head."""
    return _MEMBER_HEADS[type(member)] + _encode(member)[1:]


def _from_members(shape: _Shape, data: msgspec.Raw | bytes) -> Any:
    raw = shape.decoder.decode(data)
    values = {name: getattr(raw, name) for name in shape.keys}
    for name, union in shape.unions.items():
        value = values[name]
        read = partial(_read_member, union.members)
        values[name] = tuple(map(read, value)) if union.several else read(value)
    return shape.cls(**values)


def _read_member(members: Mapping[str, type], data: Any) -> Any:
    if not isinstance(data, msgspec.Raw):
        return data
    name = _member.decode(data).type
    if name not in members:
        raise WireError(f"{name} is none of {', '.join(members)}")
    return msgspec.msgpack.decode(data, type=members[name])


def _storable(value: Any) -> Any:
    """The slow way, for text with lone surrogates and numbers beyond 64 bits: nothing may stop the journal."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case bool() | float() | None:
            return value
        case int():
            return max(-(2**63), min(value, 2**64 - 1))
        case Mapping():
            return {_storable(key): _storable(each) for key, each in value.items()}
        case tuple() | list():
            return [_storable(each) for each in value]
    if is_dataclass(value):
        plain = {field.name: getattr(value, field.name) for field in fields(value)}
        return _storable({"type": type(value).__name__, **plain} if type(value) in _MEMBER_HEADS else plain)
    return value


_WIRE = Wire((*EVENT_TYPES.values(), *COMMAND_TYPES.values(), *DECISION_TYPES.values()), VERSIONS, UPCASTERS)

encode: Callable[[Event | Command | Decision], bytes] = _WIRE.encode
decode: Callable[[bytes], Any] = _WIRE.decode
pack: Callable[[Event, Sequence[Decision], Sequence[Command]], bytes] = _WIRE.pack
unpack: Callable[[bytes], tuple[Event, list[Decision], list[Command]]] = _WIRE.unpack
