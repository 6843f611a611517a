"""The callers' ears and voices: RTP of every call on one socket, as a phone sends and hears it.

    python -m bench.ear ADDRESS PORT NEWS [--known FILE | --learn FILE] [--digit-after-s 0.6]

Who was answered comes line by line over the FIFO at NEWS, written by sipp: `answered|hung_up DATE TIME EPOCH PORT`,
where PORT is Asterisk's for that call. From then on a packet of silence leaves every 20 ms; `--digit-after-s` after the
first audible packet a key is held for 100 ms, told as phones tell it (RFC 4733). Arrivals carry the kernel's time.

What was heard is known by content: `--learn` listens to one call, presses the key when the first prompt is over, and
writes down the packets of both prompts; `--known` recognises them. SIGTERM ends it, and it prints its calls as JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.datagrams import Datagrams

TICK_S = 0.005
"""How often it looks: a phone's own jitter."""
PACKET_S = 0.02
KEY = 1
KEY_PACKETS = 5
AUDIBLE_RMS = 300.0
"""About -40 dB below full scale."""
OVER_S = 0.5
"""Nothing for this long while learning: the prompt is over."""

NEVER_S = float("inf")
FIRST, FIRST_QUIET, SECOND, QUIET = 1, 2, 3, 4
"""What a packet is: of the first prompt, audible or not; of the second, audible; of no account."""

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_SILENCE = b"\xd5" * 160
_ALAW, _TELEPHONE_EVENT, _MARKER = 8, 101, 0x80


class Voice:
    """What one caller sends."""

    __slots__ = ("begun", "key_at_s", "key_packet", "number", "source", "stamp")

    def __init__(self, source: int) -> None:
        self.source = source
        self.number = self.stamp = self.key_packet = 0
        self.key_at_s = NEVER_S
        self.begun = False

    def next(self, now_s: float) -> tuple[list[bytes], bool]:
        """The packets of these 20 ms, and whether the key is let go with them."""
        if now_s < self.key_at_s or self.key_packet > KEY_PACKETS:
            packets = [self._packet(_ALAW, _SILENCE, self.stamp, not self.begun)]
            self.begun = True
            self.stamp += 160
            return packets, False
        self.key_packet += 1
        begun_at = self.stamp - 160 * (self.key_packet - 1)
        held = 160 * min(self.key_packet, KEY_PACKETS)
        last = self.key_packet > KEY_PACKETS
        body = _EVENT.pack(KEY, 0x8A if last else 0x0A, held)
        packets = [
            self._packet(_TELEPHONE_EVENT, body, begun_at, self.key_packet == 1) for _ in range(3 if last else 1)
        ]
        self.stamp += 160
        return packets, last

    def _packet(self, kind: int, body: bytes, stamp: int, marked: bool) -> bytes:
        self.number = (self.number + 1) & 0xFFFF
        return _HEADER.pack(0x80, kind | (_MARKER if marked else 0), self.number, stamp, self.source) + body


@dataclass(slots=True)
class Call:
    """Times in seconds since the epoch, 0 when it did not happen. `key_up_s`: the key was let go."""

    port: int
    answered_s: float
    voice: Voice
    first_word_s: float = 0.0
    first_last_s: float = 0.0
    key_up_s: float = 0.0
    next_word_s: float = 0.0
    unknown: int = 0

    def told(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "voice"}


class Ear:
    """Every caller's. `known`: what each packet is; `heard`: everything, while learning."""

    def __init__(self, address: str, port: int, news: Path, known: dict[bytes, int], digit_after_s: float) -> None:
        self.wire = Datagrams(address, port, "127.0.0.1")
        # Opened for writing too, so that it does not end when a sipp does.
        self.news = os.open(news, os.O_RDWR | os.O_NONBLOCK)
        self.known = known
        self.digit_after_s = digit_after_s
        self.stopping = False
        self.calls: dict[int, Call] = {}
        self.done: list[Call] = []
        self.early: dict[int, list[tuple[float, bytes]]] = {}
        self.speaking: deque[tuple[float, Call]] = deque()
        self.heard: list[tuple[float, bytes]] | None = None
        self._to_send: list[tuple[int, bytes]] = []
        self._rest = b""

    def run(self) -> None:
        next_s = time.time()
        while not self.stopping:
            next_s = max(next_s + TICK_S, time.time())
            time.sleep(max(0.0, next_s - time.time()))
            self._read_news()
            self._listen()
            self._speak()
        self.done += self.calls.values()

    # -- hearing
    def _listen(self) -> None:
        calls = self.calls
        for port, at_s, packet in self.wire.receive():
            call = calls.get(port)
            if call is None:
                self.early.setdefault(port, []).append((at_s, packet))
            else:
                self._hear(call, at_s, packet[12:])

    def _hear(self, call: Call, at_s: float, sound: bytes) -> None:
        if self.heard is not None:
            self.heard.append((at_s, sound))
            return
        what = self.known.get(sound)
        if what == FIRST:
            if not call.first_word_s:
                call.first_word_s = at_s
                call.voice.key_at_s = at_s + self.digit_after_s
            call.first_last_s = at_s
        elif what == FIRST_QUIET:
            call.first_last_s = at_s
        elif what == SECOND:
            if not call.next_word_s:
                call.next_word_s = at_s
        elif what is None:
            call.unknown += 1

    # -- speaking
    def _speak(self) -> None:
        now_s = time.time()
        speaking = self.speaking
        while speaking and speaking[0][0] <= now_s:
            due_s, call = speaking.popleft()
            if self.calls.get(call.port) is not call:
                continue
            self._say(call, now_s)
            speaking.append((due_s + PACKET_S, call))
        if self._to_send:
            self.wire.send(self._to_send)
            self._to_send = []

    def _say(self, call: Call, now_s: float) -> None:
        voice = call.voice
        if self.heard and voice.key_at_s == NEVER_S and now_s - self.heard[-1][0] > OVER_S:
            voice.key_at_s = now_s
        packets, key_up = voice.next(now_s)
        if key_up:
            call.key_up_s = time.time()
        self._to_send += [(call.port, packet) for packet in packets]

    # -- who there is
    def _read_news(self) -> None:
        try:
            data = os.read(self.news, 65536)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            words = line.split()
            if len(words) == 5:
                what, at_s, port = words[0], float(words[3]), int(words[4])
                if what == b"answered":
                    self._answered(port, at_s)
                elif (call := self.calls.pop(port, None)) is not None:
                    self.done.append(call)

    def _answered(self, port: int, at_s: float) -> None:
        if (old := self.calls.pop(port, None)) is not None:
            self.done.append(old)
        call = self.calls[port] = Call(port, at_s, Voice(port))
        for heard_s, packet in self.early.pop(port, ()):
            if heard_s > at_s - 0.2:
                self._hear(call, heard_s, packet[12:])
        now_s = time.time()
        self._say(call, now_s)
        self.speaking.append((now_s + PACKET_S, call))


# -- knowing what was heard ------------------------------------------------------------------------------
def learned(call: Call, heard: list[tuple[float, bytes]]) -> dict[bytes, int]:
    """Which packet belongs to which prompt. What both have, and silence, is of no account."""
    first = {sound for at_s, sound in heard if at_s < call.key_up_s}
    second = {sound for at_s, sound in heard if at_s >= call.key_up_s}
    known = {sound: FIRST if audible(sound) else FIRST_QUIET for sound in first - second}
    known |= {sound: SECOND if audible(sound) else QUIET for sound in second - first}
    return known | dict.fromkeys(first & second, QUIET)


def audible(sound: bytes) -> bool:
    code = np.frombuffer(sound, np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 15).astype(np.int64)
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent, 1) - 1)
    return bool(np.sqrt(np.mean(size.astype(float) ** 2)) > AUDIBLE_RMS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("news", type=Path)
    parser.add_argument("--known", type=Path)
    parser.add_argument("--learn", type=Path)
    parser.add_argument("--digit-after-s", type=float, default=0.6)
    given = parser.parse_args()
    known = {bytes.fromhex(k): v for k, v in json.loads(given.known.read_text()).items()} if given.known else {}
    ear = Ear(given.address, given.port, given.news, known, given.digit_after_s)
    if given.learn:
        ear.heard = []
    signal.signal(signal.SIGTERM, lambda *_: setattr(ear, "stopping", True))
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    ear.run()
    if given.learn and ear.done and ear.heard:
        known = learned(ear.done[0], ear.heard)
        given.learn.write_text(json.dumps({sound.hex(): what for sound, what in known.items()}))
    print(
        json.dumps({"calls": [call.told() for call in ear.done], "cpu_s": time.process_time()}),
        flush=True,
    )


if __name__ == "__main__":
    main()
