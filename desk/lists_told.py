"""Who hears that lists have changed."""

from __future__ import annotations

import contextlib

from desk.engine_client import EngineAway, EngineClient, EngineRefused
from desk.lists.service import Tell


def telling(engine: EngineClient) -> Tell:
    """Tells the engine that lists have changed; if it is away it looks by itself when it is back."""

    async def tell(tenant: str, campaign: str, leaving: str) -> None:
        with contextlib.suppress(EngineAway, EngineRefused):
            await engine.dial("ListsChanged", {"tenant": tenant, "campaign": campaign, "leaving": leaving})

    return tell
