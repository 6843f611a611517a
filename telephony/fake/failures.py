"""What goes wrong on purpose."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from core.errors import CommandFailed


@dataclass(slots=True)
class _Failure:
    method: str
    leg_id: str
    error: CommandFailed | None
    times: int


class Failures:
    """`fail("play", CommandRefused("no"))`: the next play is refused. `hang("answer")`: the next answer waits
    until `release` (or until its caller gives up). `leg_id` narrows it to one leg; `times` repeats it.
    """

    def __init__(self) -> None:
        self._planned: list[_Failure] = []
        self._released = asyncio.Event()

    def fail(self, method: str, error: CommandFailed, leg_id: str = "", times: int = 1) -> None:
        self._planned.append(_Failure(method, leg_id, error, times))

    def hang(self, method: str, leg_id: str = "", times: int = 1) -> None:
        self._released.clear()
        self._planned.append(_Failure(method, leg_id, None, times))

    def release(self) -> None:
        """What hangs goes on as if nothing had been."""
        self._released.set()

    async def meet(self, method: str, leg_id: str = "") -> None:
        """Raises the planned error, or waits, when this call is the one it was planned for."""
        for failure in self._planned:
            if failure.method == method and failure.leg_id in ("", leg_id):
                failure.times -= 1
                if not failure.times:
                    self._planned.remove(failure)
                if failure.error is not None:
                    raise failure.error
                await self._released.wait()
                return
