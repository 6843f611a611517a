"""The listeners there are, by the name that `ListenToLeg` says. Those of `LISTENERS` are imported in media workers
alone; those of `WATCHES` get no audio, so the engine itself has them."""

from __future__ import annotations

from collections.abc import Mapping

from core.live_audio import ListenerKind, WatchKind
from dialer.amd import app_amd, talk_timing

LISTENERS: Mapping[str, ListenerKind] = {
    "amd": ListenerKind("dialer.amd.screener:make"),
    "mailbox": ListenerKind("dialer.mailbox:make"),
    "level": ListenerKind("telephony.live_audio.level:Level"),
}
WATCHES: Mapping[str, WatchKind] = {
    "talk_detect": WatchKind(by_talk=talk_timing.make),
    "app_amd": WatchKind(by_node=app_amd.make),
}
