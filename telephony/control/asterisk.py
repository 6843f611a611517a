"""`AsteriskCallControl`: all ports over any number of Asterisk nodes.

Requests about one leg must be awaited one after another, as lanes do; different legs do not wait for each other.

The freeze rule: Asterisk's `answer` and `addChannel` wait for the leg's own thread, which a playback or a
recording occupies. So whatever occupies it is stopped first, and its end is awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.live_audio import WatchKind
from core.ports import EventSink
from telephony.ari.node_client import GapListener
from telephony.ari.settings import AriSettings
from telephony.control.dead_lines import DeadLines
from telephony.control.desk import Admission
from telephony.control.talks import TalkRecorder, Talks
from telephony.live_audio.app_amd import NodeAmd
from telephony.live_audio.workers import MediaWorkers


class AsteriskCallControl(DeadLines, NodeAmd, Talks):
    """`sink` gets every fact; `on_gap(node, "lost"|"back")` says when a node's events stop and flow again
    ("back" also for the first connection: the answer to it is `survey`). `admit` may turn an arriving leg away
    at the door: no fact is told about it, and the dialplan's overflow context takes it. `on_stolen(node)`:
    another engine connected under our application name; this one will not hear of that node again. `recorders`: what
    records conversations on each node. `watches`: the listeners that need no audio.
    """

    def __init__(
        self,
        nodes: Sequence[AriSettings],
        sink: EventSink,
        on_gap: GapListener,
        admit: Admission | None = None,
        on_stolen: Callable[[str], None] | None = None,
        recorders: Mapping[str, TalkRecorder] | None = None,
        workers: MediaWorkers | None = None,
        watches: Mapping[str, WatchKind] | None = None,
    ) -> None:
        super().__init__(nodes, sink, on_gap, admit, on_stolen)
        self.recorders = recorders or {}
        self.workers = workers
        self.watches = watches or {}
