"""How many attempts to start now: one file a method, all of them pure.

pacer = METHODS["predictive"](PacingSettings(method="predictive"))
due = pacer.dials_due(pool, now_s)
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from dialer.pacing.adaptive_ratio import AdaptiveRatio
from dialer.pacing.common import NO_AGENT
from dialer.pacing.method import (
    Abandoned,
    CannotRestore,
    Due,
    Ended,
    Outcome,
    Pacer,
    PacingSettings,
    Served,
    TalkEnded,
    WrapUpEnded,
)
from dialer.pacing.pool import BusyAgent, Pool
from dialer.pacing.predictive import Predictive
from dialer.pacing.preview import Preview
from dialer.pacing.progressive import Progressive
from dialer.pacing.ratio import Ratio

METHODS: Mapping[str, Callable[[PacingSettings], Pacer]] = MappingProxyType(
    {
        "preview": Preview,
        "progressive": Progressive,
        "ratio": Ratio,
        "adaptive_ratio": AdaptiveRatio,
        "predictive": Predictive,
    }
)

__all__ = [
    "METHODS",
    "NO_AGENT",
    "Abandoned",
    "BusyAgent",
    "CannotRestore",
    "Due",
    "Ended",
    "Outcome",
    "Pacer",
    "PacingSettings",
    "Pool",
    "Predictive",
    "Preview",
    "Progressive",
    "Ratio",
    "Served",
    "TalkEnded",
    "WrapUpEnded",
]
