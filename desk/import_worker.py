"""`python -m desk.import_worker STATE TENANT JOB`: carries one import out. What became of it stands in the job."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import traceback
from pathlib import Path

from core.errors import StoreUnavailable
from core.list_store import ImportState, ImportStopped
from desk.clock import WallClock
from desk.engine_client import EngineClient
from desk.lists.service import Lists
from desk.lists.tables import FileUnusable
from desk.lists_told import telling
from desk.settings import Settings
from store.sql.database import LEADS, Database
from store.sql.lead_imports import SqlListStore

_NICE = 5
"""Who answers telephones goes first."""


async def work(settings: Settings, tenant: str, job_id: str) -> int:
    """0: it is finished, or somebody else's by now."""
    store = SqlListStore(Database(settings.leads_url, LEADS))
    async with EngineClient(settings.engine_socket) as engine:
        lists = Lists(store, settings.state, WallClock().now_s, telling(engine))
        try:
            # Cancelled before we came: whoever wants it to go on says so, and it is running again.
            if (await lists.job(tenant, job_id)).state is ImportState.RUNNING:
                await lists.resume(tenant, job_id)
        except ImportStopped as stopped:
            sys.stderr.write(f"{job_id}: {stopped}\n")
        except (FileUnusable, StoreUnavailable, OSError) as failure:
            sys.stderr.write(f"{job_id}: {failure}\n")
            return await _failed(store, tenant, job_id, str(failure))
        except Exception:
            sys.stderr.write(f"{job_id}: {traceback.format_exc()}\n")
            return await _failed(store, tenant, job_id, "something of ours broke; it is in imports.log")
        finally:
            await store.close()
    return 0


async def _failed(store: SqlListStore, tenant: str, job_id: str, why: str) -> int:
    with contextlib.suppress(ImportStopped, StoreUnavailable):
        await store.end_job(tenant, job_id, ImportState.FAILED, WallClock().now_s(), why)
    return 1


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        sys.stderr.write("usage: python -m desk.import_worker STATE TENANT JOB\n")
        return 2
    os.nice(_NICE)
    return asyncio.run(work(Settings.read(Path(arguments[0])), *arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
