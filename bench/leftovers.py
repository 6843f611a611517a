"""What a system that nobody uses any more has still in hand, and how its memory went meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.whole_system import WholeSystem

SETTLED_WITHIN_S = 30.0
WARM_UP = 0.5
"""Of a run: caches fill, the board holds its last 20,000 changes for who comes back."""
FLAT_MB_PER_HOUR = 20.0


@dataclass
class Leftovers:
    """`idle`: what the engine had in hand before the first caller."""

    system: WholeSystem
    engine: httpx.AsyncClient
    idle: dict[str, int] = field(default_factory=dict)

    async def begin(self) -> None:
        self.idle = await self._in_hand()

    async def _in_hand(self) -> dict[str, int]:
        status: dict[str, Any] = (await self.engine.get("/status")).json()
        asterisk = self.system.supervisor.launcher.pid
        assert asterisk is not None
        node = self.system.supervisor.plan.node
        async with httpx.AsyncClient(
            base_url=node.ari_url, auth=("supervisor", node.secrets.ari_supervisor), trust_env=False, verify=False
        ) as ari:
            channels, bridges = (await ari.get("/channels")).json(), (await ari.get("/bridges")).json()
        return {
            "interactions": len(status["interactions"]),
            **{f"engine: {what}": count for what, count in status["work"].items()},
            "engine: open files": _open_files(self.system.engine_pid),
            "asterisk: channels": len(channels),
            "asterisk: bridges": len(bridges),
            "asterisk: open files": _open_files(asterisk),
            "asterisk: recordings not fetched": len(list(node.recordings.iterdir())),
        }

    async def left(self) -> dict[str, int]:
        """More than before the first caller, when that is still so after `SETTLED_WITHIN_S`."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SETTLED_WITHIN_S
        while True:
            now = await self._in_hand()
            more = {what: count - self.idle[what] for what, count in now.items() if count > self.idle[what]}
            if not more or loop.time() > until_s:
                return more
            await asyncio.sleep(0.5)


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """`slope`: MB per hour after the warm-up, by least squares; its standard error beside it."""

    first_mb: float
    warm_mb: float
    last_mb: float
    slope: float
    error: float


def memory(samples: Sequence[tuple[float, float]]) -> Memory:
    """`samples`: (seconds, MB), at least four of them."""
    times, sizes = (np.asarray(column, dtype=float) for column in zip(*samples, strict=True))
    warm = times >= times[0] + WARM_UP * (times[-1] - times[0])
    (slope, at_0), covariance = np.polyfit(times[warm] / 3600, sizes[warm], 1, cov="unscaled")
    left = sizes[warm] - (slope * times[warm] / 3600 + at_0)
    error = float(np.sqrt(covariance[0, 0] * np.sum(left**2) / max(1, warm.sum() - 2)))
    return Memory(float(sizes[0]), float(sizes[warm][0]), float(sizes[-1]), float(slope), error)
