"""The listeners there are, by the name that `ListenToLeg` says. Named here, imported in media workers alone."""

from __future__ import annotations

from collections.abc import Mapping

from core.live_audio import ListenerKind

LISTENERS: Mapping[str, ListenerKind] = {
    "amd": ListenerKind("dialer.amd.screener:make"),
    "mailbox": ListenerKind("dialer.mailbox:make"),
    "level": ListenerKind("telephony.live_audio.level:Level"),
}
