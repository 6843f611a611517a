"""Reading do-not-call lists: tenants' and campaigns' from the store, national registers from their files."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from core.lead_store import LeadStore
from dialer.dnc import DoNotCall, NumberSet, number_key
from dialer.do_not_call import DoNotCallBook

log = logging.getLogger("centralita.leads")

_BREATH = 5_000
"""So many numbers are read before others get the loop."""

Registers = Callable[[], Mapping[str, DoNotCall]]
"""The national registers at hand, by name. Reads files: called in a thread."""


async def read_lists(store: LeadStore, registers: Registers, now_s: float) -> DoNotCallBook:
    """Every list at hand. Raises StoreUnavailable."""
    keys: dict[tuple[str, str], array[int]] = {}
    count = 0
    async for listed in store.listed():
        try:
            keys.setdefault((listed.tenant, listed.campaign), array("Q")).append(number_key(listed.called))
        except ValueError as reason:
            log.error("a number on the do-not-call list of %s is left out: %s", listed.tenant, reason)
        count += 1
        if count % _BREATH == 0:
            await asyncio.sleep(0)
    return await asyncio.to_thread(_book, keys, registers, now_s)


def _book(keys: Mapping[tuple[str, str], array[int]], registers: Registers, now_s: float) -> DoNotCallBook:
    def built(name: str, level: Literal["tenant", "campaign"], found: array[int]) -> DoNotCall:
        return DoNotCall(name, level, now_s, NumberSet.of_keys(np.array(found, dtype=np.uint64)))

    return DoNotCallBook(
        tenants={tenant: built(tenant, "tenant", found) for (tenant, campaign), found in keys.items() if not campaign},
        campaigns={
            (tenant, campaign): built(f"{tenant}/{campaign}", "campaign", found)
            for (tenant, campaign), found in keys.items()
            if campaign
        },
        national=registers(),
        built_s=now_s,
    )
