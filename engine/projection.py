"""The projection's process: `python -m engine.projection`. It follows the journal into SQL.

It may lag, be killed, or find its database gone: the journal keeps what happened, and it catches up. How far
behind it is stands in `projection.json` for `status` and in the log when the database refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys

from sqlalchemy.exc import SQLAlchemyError

from engine import log as logs
from engine.databases import DatabaseUnknown, database_url
from engine.home import Home
from store.cipher import ContactCipher
from store.errors import StoreError
from store.journal_reader import JournalReader
from store.sql.database import Database
from store.sql.projector import Projector

log = logging.getLogger("centralita.projection")

_RETRY_S = 1.0
_TELL_EVERY_S = 1.0


async def follow(home: Home) -> None:
    """Until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(home.state, read_only=True))
        reader = JournalReader.open(home.journal, cipher)
        stack.callback(reader.close)
        database = Database(database_url(home))
        stack.push_async_callback(database.close)
        await _upgraded(database)
        projector = Projector(reader, database, log.error)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(projector.run())
            tasks.create_task(_tell(home, projector))


async def _upgraded(database: Database) -> None:
    while True:
        try:
            await database.upgrade()
        except (SQLAlchemyError, OSError, TimeoutError) as failure:
            log.error("the database does not answer (%s): trying again", type(failure).__name__)
            await asyncio.sleep(_RETRY_S)
        else:
            return


async def _tell(home: Home, projector: Projector) -> None:
    path = home.state / "projection.json"
    while True:
        await projector.measure()
        body = {"seq": projector.seq, "lag_events": projector.lag_events, "failing": projector.failing}
        draft = path.with_suffix(".new")
        with contextlib.suppress(OSError):
            draft.write_text(json.dumps(body), encoding="utf-8")
            draft.replace(path)
        await asyncio.sleep(_TELL_EVERY_S)


async def serve(home: Home) -> None:
    work = asyncio.ensure_future(follow(home))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


def main() -> int:
    home = Home.find()
    home.prepare()
    logs.configure(home.logs / "projection.log")
    try:
        asyncio.run(serve(home))
    except DatabaseUnknown as unknown:
        log.error("%s", unknown)
        return 1
    except (StoreError, BaseExceptionGroup) as failure:
        log.exception("the projection ended: %s", failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
