"""Waiting for a database no longer than a person waits for a page.

A statement that has begun cannot be cut short (its driver waits for the lock all the same), so it is left to end by
itself while we go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_abandoned: set[asyncio.Future[Any]] = set()


async def within(patience_s: float, work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    """What it gives, or raises. Raises TimeoutError: it goes on without us, and nobody is told how it ends."""
    task = work if isinstance(work, asyncio.Task) else asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=patience_s)
    if done:
        return task.result()
    _abandoned.add(task)
    task.add_done_callback(_forget)
    raise TimeoutError(f"no answer within {patience_s:g} s")


def _forget(task: asyncio.Future[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
