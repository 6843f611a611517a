"""Where a node is and how we talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class AriSettings:
    """One Asterisk node.

    `node`: its name, said in every `LegArrived`. `recordings_dir`: Asterisk's spool directory `recording`, as this
    process sees it; recordings are kept from there. `scratch_dir`: a directory that Asterisk reads under the same
    path and we may write (silence is played from there). `inbound_limit_s`: the absolute limit that the dialplan
    sets on arriving legs, 0 when it sets none. `deadline_s`: how long a request may take; `rescue_s`: how much
    longer once its leg's playback was stopped over the rescue socket. `reconnect_max_s`: the longest pause
    between attempts to connect. `live_audio`: how audio comes to media workers; a node that cannot do `websocket` is
    asked for `rtp`. `line_vanished_s`: a held line whose phone sent all the time and sends nothing any more is ended
    after so long; 0: nobody counts.
    """

    node: str
    user: str
    password: str = field(repr=False)
    recordings_dir: Path
    scratch_dir: Path
    host: str = "127.0.0.1"
    port: int = 8088
    app: str = "centralita"
    request_sockets: int = 3
    overflow_context: str = "overflow"
    inbound_limit_s: float = 0.0
    deadline_s: float = 3.0
    rescue_s: float = 1.0
    ping_s: float = 5.0
    reconnect_max_s: float = 5.0
    live_audio: Literal["websocket", "rtp"] = "websocket"
    line_vanished_s: float = 0.0
