"""What the engine and its media workers say to each other: JSON lines over a Unix socket.

    worker                       engine
      Hello             ->         .
      .                 <-       Begin
      Bound (RTP)       ->         .              (its port; the engine makes the media leg that sends there)
      .                 <-       Peer (RTP)       (where that leg listens)
      Connected         ->         .              (audio may flow)
      .                 <-       Answered, End
      Found ...         ->         .
      Found(final) or Failed ->    .              (and the stream is over in the worker)
      Alive, every second    ->    .

`number` is one stream's for as long as the connection lasts. Either side gone, all its streams are over.
"""

from __future__ import annotations

from typing import Literal

import msgspec

TransportName = Literal["websocket", "rtp"]


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Any of them."""


class Begin(Message, frozen=True):
    """`host`, `port`, `path`: of the node's WebSocket, and nothing for RTP. `limit_s`: when it must end."""

    number: int
    leg_id: str
    listener: str
    transport: TransportName
    rate_hz: int
    limit_s: float
    options: dict[str, str] = {}
    answered: bool = False
    host: str = ""
    port: int = 0
    path: str = ""


class Peer(Message, frozen=True):
    number: int
    host: str
    port: int


class Answered(Message, frozen=True):
    number: int


class End(Message, frozen=True):
    number: int


class Hello(Message, frozen=True):
    pid: int


class Alive(Message, frozen=True):
    """One that stops saying so hangs."""


class Bound(Message, frozen=True):
    number: int
    port: int


class Connected(Message, frozen=True):
    number: int


class Found(Message, frozen=True):
    """A `Verdict`, and when in the audio it came."""

    number: int
    label: str
    confidence: float
    evidence: str
    final: bool
    at_s: float
    heard_s: float
    answered_s: float


class Failed(Message, frozen=True):
    number: int
    why: str


ToWorker = Begin | Peer | Answered | End
ToEngine = Hello | Alive | Bound | Connected | Found | Failed

_encoder = msgspec.json.Encoder()
to_worker = msgspec.json.Decoder(ToWorker)
to_engine = msgspec.json.Decoder(ToEngine)

LONGEST_LINE = 64 * 1024


def line(message: Message) -> bytes:
    return _encoder.encode(message) + b"\n"
