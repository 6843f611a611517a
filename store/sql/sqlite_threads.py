"""SQLite's connections, each a thread of aiosqlite's that tells the event loop how its work ended."""

from __future__ import annotations

import asyncio
from typing import Any

import aiosqlite


async def connected(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """`aiosqlite.connect`, and when the file cannot be opened, not before its thread has ended: aiosqlite leaves it
    running, and the loop it tells of its end may be closed by then.

    Raises:
        sqlite3.OperationalError: the file cannot be opened.
    """
    connection = aiosqlite.connect(*arguments, **options)
    connection._thread.daemon = True  # as SQLAlchemy has it: nobody waits for one that is never closed
    try:
        return await connection
    except BaseException:
        # However often we are cancelled meanwhile, it is soon.
        await asyncio.shield(asyncio.to_thread(connection._thread.join))
        raise
