"""Who is meant by a phone number as people write it, or by the id that their own system gives her; by the store of
leads, without the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.errors import StoreUnavailable
from core.lead_record import LeadRecord
from engine.cli.common import fail

if TYPE_CHECKING:
    from engine.home import Home


def leads_at(home: Home, tenant: str, text: str) -> tuple[list[str], list[LeadRecord]]:
    """(the numbers that `text` may be, the leads meant, by id): whose own system's id it is, else who have one of the
    numbers, as written in the site's country, or in one that a rule pack is for. Ends the command when the store is
    away."""
    numbers = list(dict.fromkeys(_numbers(text, _countries(home))))
    try:
        return numbers, asyncio.run(_found(home, tenant, text, numbers))
    except StoreUnavailable as failure:
        fail(str(failure))


def nobody_alone(text: str, numbers: list[str], leads: list[LeadRecord]) -> str:
    """In words: nobody is meant, or several are."""
    if leads:
        whose = f"the number {' or '.join(numbers)}" if numbers else f"the id {text}"
        return f"{len(leads)} leads have {whose}: give the id of one"
    ids = "`centralita lists export LIST` has the ids"
    if not numbers:
        return f"there is no lead '{text}', and it is no phone number: {ids}"
    listed = f"`centralita dnc show {numbers[0]}` says whether it must not be called"
    return f"there is no lead '{text}', and no lead has the number {' or '.join(numbers)}: {ids}, {listed}"


def _countries(home: Home) -> list[str]:
    from dialer.compliance.loader import read_packs
    from engine.cli.site import site_of
    from engine.config.sources import read_sources

    packs = read_packs(read_sources(home.project)).filed.values()
    theirs = {country for filed in packs for country in filed.pack.countries}
    return list(dict.fromkeys([site_of(home).country, *sorted(theirs)]))


def _numbers(text: str, countries: Iterable[str]) -> Iterable[str]:
    from dialer.importing.phones import Phone, PhoneReader

    for country in countries:
        read = PhoneReader(country).read(text)
        if isinstance(read, Phone):
            yield read.number


async def _found(home: Home, tenant: str, text: str, numbers: Iterable[str]) -> list[LeadRecord]:
    from engine.cli.campaign_results import database_of
    from store.sql.lead_imports import SqlListStore

    database = database_of(home)
    try:
        store, now_s = SqlListStore(database), time.time()
        theirs = await store.known(tenant, (), (text,))
        found = {each.record.lead_id: each.record for each in theirs} or {
            each.record.lead_id: each.record
            for number in numbers
            for each in await store.by_number(tenant, number, now_s)
        }
        return [found[lead_id] for lead_id in sorted(found)]
    finally:
        await database.close()
