"""UDP in batches: `recvmmsg` and `sendmmsg`, so that thousands of small packets a second cost Python little.

Linux, IPv4, 64 bits. Arrivals carry the kernel's time, so it does not matter when they are read.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator, Sequence

import numpy as np

BATCH = 256
MOST_BYTES = 256
"""Longer packets are cut: RTP of 20 ms has 172."""

_SO_TIMESTAMPNS = 35
_CONTROL_BYTES = 64
_MESSAGE = np.dtype(
    {
        "names": ["name", "name_bytes", "parts", "part_count", "control", "control_bytes", "flags", "bytes"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
_PART = np.dtype([("base", "u8"), ("bytes", "u8")])
_NAME = np.dtype([("family", "u2"), ("port", ">u2"), ("address", "S4"), ("zero", "u8")])
_libc = ctypes.CDLL(None, use_errno=True)


class _Batch:
    """Room for `BATCH` messages, and the kernel's view of it."""

    def __init__(self, address: str) -> None:
        self.data = np.zeros((BATCH, MOST_BYTES), np.uint8)
        self.names = np.zeros(BATCH, _NAME)
        self.names["family"], self.names["address"] = socket.AF_INET, socket.inet_aton(address)
        self.control = np.zeros((BATCH, _CONTROL_BYTES // 8), np.int64)
        self.parts = np.zeros(BATCH, _PART)
        self.messages = np.zeros(BATCH, _MESSAGE)
        index = np.arange(BATCH, dtype=np.uint64)
        self.parts["base"] = self.data.ctypes.data + index * MOST_BYTES
        self.parts["bytes"] = MOST_BYTES
        self.messages["name"] = self.names.ctypes.data + index * _NAME.itemsize
        self.messages["name_bytes"] = _NAME.itemsize
        self.messages["parts"] = self.parts.ctypes.data + index * _PART.itemsize
        self.messages["part_count"] = 1


class Datagrams:
    """One socket. `peer`: the address everything is sent to, on whatever port."""

    def __init__(self, address: str, port: int, peer: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((address, port))
        self._in, self._out = _Batch(peer), _Batch(peer)
        self._in.messages["control"] = self._in.control.ctypes.data + np.arange(BATCH, dtype=np.uint64) * _CONTROL_BYTES

    def receive(self) -> Iterator[tuple[int, float, bytes]]:
        """What has arrived: (port it came from, when in seconds since the epoch, the packet). Never blocks."""
        batch = self._in
        count = BATCH
        while count == BATCH:
            batch.messages["control_bytes"] = _CONTROL_BYTES
            count = self._call(_libc.recvmmsg, batch, BATCH, socket.MSG_DONTWAIT, None)
            if count <= 0:
                return
            # The kernel's time stands behind the 16 bytes of the control message's header.
            at = batch.control[:count, 2] + batch.control[:count, 3] * 1e-9
            ports = batch.names["port"][:count].tolist()
            sizes = batch.messages["bytes"][:count].tolist()
            whole = batch.data[:count].tobytes()
            for n, (port, at_s, size) in enumerate(zip(ports, at.tolist(), sizes, strict=True)):
                yield port, at_s, whole[n * MOST_BYTES : n * MOST_BYTES + size]

    def send(self, packets: Sequence[tuple[int, bytes]]) -> None:
        """(port, packet) each; what the kernel has no room for is lost, as on any network."""
        batch = self._out
        for start in range(0, len(packets), BATCH):
            chunk = packets[start : start + BATCH]
            batch.names["port"][: len(chunk)] = [port for port, _ in chunk]
            batch.parts["bytes"][: len(chunk)] = [len(packet) for _, packet in chunk]
            padded = b"".join([packet.ljust(MOST_BYTES) for _, packet in chunk])
            batch.data[: len(chunk)] = np.frombuffer(padded, np.uint8).reshape(-1, MOST_BYTES)
            sent = 0
            while sent < len(chunk):
                done = self._call(_libc.sendmmsg, batch, len(chunk) - sent, 0, first=sent)
                sent += max(done, 1)

    def _call(self, function: object, batch: _Batch, count: int, flags: int, *more: object, first: int = 0) -> int:
        messages = ctypes.c_void_p(batch.messages.ctypes.data + first * _MESSAGE.itemsize)
        done: int = function(self._socket.fileno(), messages, count, flags, *more)  # type: ignore[operator]
        if done < 0 and (error := ctypes.get_errno()) not in (11, 111):  # nothing there; nobody there
            raise OSError(error, os.strerror(error))
        return done
