"""An event loop whose time passes only when nobody has anything to do: hours in milliseconds, always the same.

    def test_something():
        run(scenario())

    async def scenario():
        await asyncio.sleep(3600)      # returns at once
        loop_clock().now_s()           # an hour later

For code without threads, sockets and processes: these live in real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
BEGAN_S = 1_767_225_600.0
"""2026-01-01 00:00 UTC."""


class _Selector(selectors.SelectSelector):
    """Waits for nothing: the loop's clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits and no timer is set: nothing will ever happen")
        self.now_s += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


class LoopClock:
    """`Clock` by the running loop's time."""

    def now_s(self) -> float:
        return BEGAN_S + asyncio.get_running_loop().time()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end; tasks that are left over are a mistake of the code under test.

    Raises:
        AssertionError: naming what was left running.
    """
    with asyncio.Runner(loop_factory=_Loop) as runner:

        async def scenario() -> T:
            result = await main
            await asyncio.sleep(0)
            left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            assert not left, f"still running: {left}"
            return result

        return runner.run(scenario())
