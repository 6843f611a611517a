"""Bytes become messages, however they are cut up on the way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.uri import WebSocketURI

from telephony.ari.wire import MAX_MESSAGE_BYTES, Wire

URI = WebSocketURI(False, "127.0.0.1", 8088, "/ari/events", "app=x", "engine", "secret")


class Pipe(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class Peer:
    """The other end of a `Wire`, byte by byte."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.lost: list[str] = []
        self.opened: list[Wire] = []
        self.wire = Wire(URI, self.opened.append, self.texts.append, self.lost.append)
        self.pipe = Pipe()
        self.wire.connection_made(self.pipe)
        key = next(line for line in self.pipe.written.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key"))
        accepted = hashlib.sha1(f"{key.split(': ')[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        self.greeting = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {base64.b64encode(accepted).decode()}\r\n\r\n"
        ).encode()


def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


TEXTS = st.lists(
    st.one_of(st.binary(max_size=40), st.integers(100, 140).map(bytes), st.integers(65_500, 65_600).map(bytes)),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 9), st.randoms(use_true_random=False))
def test_messages_survive_any_cut(texts: list[bytes], pieces: int, chance: Any) -> None:
    async def run() -> None:
        peer = Peer()
        stream = peer.greeting
        for text in texts:
            if chance.random() < 0.3:
                stream += frame(Opcode.PING, b"still there?")
            if chance.random() < 0.3 and text:
                middle = chance.randrange(len(text))
                stream += frame(Opcode.TEXT, text[:middle], fin=False) + frame(Opcode.CONT, text[middle:])
            else:
                stream += frame(Opcode.TEXT, text)
        cuts = sorted(chance.randrange(len(stream) + 1) for _ in range(pieces))
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            peer.wire.data_received(stream[start:end])
        assert peer.texts == texts
        assert peer.opened == [peer.wire]
        assert peer.wire.is_open
        await peer.wire.opened

    asyncio.run(run())


async def test_a_ping_is_answered_and_all_that_is_read_is_a_sign_of_life() -> None:
    peer = Peer()
    peer.wire.data_received(peer.greeting)
    peer.pipe.written = b""
    peer.wire.data_received(frame(Opcode.PING, b"hello") + frame(Opcode.PONG, b""))
    assert peer.pipe.written[0] == 0x8A
    assert peer.wire.reads == 2


async def test_when_the_peer_says_good_bye_we_do_too() -> None:
    peer = Peer()
    peer.wire.data_received(peer.greeting)
    peer.wire.data_received(frame(Opcode.CLOSE, b"\x03\xe8"))
    assert not peer.wire.is_open
    peer.wire.connection_lost(None)
    assert peer.lost == ["closed by the peer"]
    with pytest.raises(ConnectionError):
        peer.wire.send(b"too late")


async def test_who_declines_says_why_before_any_frame() -> None:
    peer = Peer()
    for byte in b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nbody":
        peer.wire.data_received(bytes([byte]))
    with pytest.raises(ConnectionError, match="401"):
        await peer.wire.opened
    assert peer.texts == []


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x81\x85aaaa12345",
        b"\x81\x7f" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big"),
        b"\xff\x00",
        b"\x80\x01x",
        b"\x83\x01x",
    ],
)
async def test_what_is_no_websocket_ends_the_connection_and_nothing_else(nonsense: bytes) -> None:
    peer = Peer()
    peer.wire.data_received(peer.greeting + frame(Opcode.TEXT, b"before"))
    peer.wire.data_received(nonsense)
    assert peer.texts == [b"before"]
    assert peer.pipe.aborted or not peer.wire.is_open


async def test_endless_headers_are_given_up() -> None:
    peer = Peer()
    for _ in range(100):
        peer.wire.data_received(b"X: " + b"y" * 1000 + b"\r\n")
    assert not peer.wire.is_open
    assert peer.pipe.closed or peer.pipe.aborted
