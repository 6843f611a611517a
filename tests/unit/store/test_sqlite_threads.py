"""A database that cannot be opened leaves nothing behind that speaks to a loop when it is over."""

from __future__ import annotations

import asyncio
import threading
import time
from queue import SimpleQueue
from typing import Any

import aiosqlite.core
import pytest
from sqlalchemy.exc import OperationalError

from store.sql.database import Database

STOPS_S = 0.2


class _Slow:
    """What a connection is asked, handed on with hesitation when it is to end: as by a busy machine."""

    def __init__(self, asked: SimpleQueue[Any]) -> None:
        self._asked = asked

    def get(self) -> Any:
        answer, work = self._asked.get()
        if getattr(work, "__name__", "") == "close_and_stop":
            time.sleep(STOPS_S)
        return answer, work


def test_the_thread_of_a_file_that_cannot_be_opened_ends_before_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    works = aiosqlite.core._connection_worker_thread
    threads: list[threading.Thread] = []
    failed: list[Any] = []

    def slowly(asked: SimpleQueue[Any]) -> None:
        threads.append(threading.current_thread())
        works(_Slow(asked))  # type: ignore[arg-type]

    monkeypatch.setattr(aiosqlite.core, "_connection_worker_thread", slowly)
    monkeypatch.setattr(threading, "excepthook", failed.append)

    async def main() -> None:
        database = Database("sqlite:////nowhere/at/all/c.db")
        with pytest.raises(OperationalError):
            async with database.begin():
                pass
        await database.close()

    asyncio.run(main())
    (thread,) = threads
    thread.join()
    assert failed == []
