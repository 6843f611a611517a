"""Forgetting a contact: her key is deleted, so what it sealed can never be read again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import phonenumbers

from desk.lists.forgetting import forget_rows
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.databases import bring_up_to_date, database_url, leads_url
from engine.home import Home
from store.cipher import ContactCipher
from store.recordings import Recordings
from store.sql.database import LEADS, Database
from store.sql.lead_erasure import ErasedLeads, erase_leads, jobs_of
from store.sql.repositories import Interactions

T = TypeVar("T")


def spellings(number: str, country: str) -> set[str]:
    """The forms in which carriers and phones may have said this number."""
    found = {number}
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return found
    form = phonenumbers.PhoneNumberFormat
    for kind in (form.E164, form.NATIONAL, form.INTERNATIONAL):
        found.add(phonenumbers.format_number(parsed, kind))
    return found | {str(parsed.national_number)}


def e164s(number: str, country: str) -> set[str]:
    """The one form in which leads have it; empty for what is no number."""
    return {spelling for spelling in spellings(number, country) if re.fullmatch(r"\+\d{7,15}", spelling)}


def national(number: str, country: str) -> set[str]:
    """Its digits as they stand in any spelling of it; empty for what is no number."""
    try:
        return {str(phonenumbers.parse(number, country).national_number)}
    except phonenumbers.NumberParseException:
        return set()


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much was forgotten: keys deleted, interactions in SQL blanked, recordings deleted, leads and attempts
    blanked, rows taken out of what imports refused. Not yet: `in_hand`, leads that a campaign dials right now, and
    `open_imports`, those that may go on."""

    keys: int = 0
    interactions: int = 0
    recordings: int = 0
    leads: int = 0
    attempts: int = 0
    rejected_rows: int = 0
    in_hand: tuple[str, ...] = ()
    open_imports: tuple[str, ...] = ()


def erase_contact(home: Home, tenant: str, number: str) -> Erasure:
    """Works beside a running engine. Her numbers on do-not-call lists stay: they keep her from being called.

    Raises:
        DatabaseUnknown, OtherRelease: nothing was forgotten.
        SQLAlchemyError, ConnectionError: a database does not answer; do it again when it does.
        OSError: a recording or a file of refused rows cannot be deleted; what recordings said is sealed for ever.
    """
    configuration = load(read_sources(home.project)).configuration
    country = configuration.site.country if configuration is not None else "ES"
    databases = database_url(home), leads_url(home)
    _asked(_brought_up_to_date(home, *databases))
    with ContactCipher.open(Path(home.state)) as cipher:
        ids = {cipher.contact_key_id(tenant, spelling, "") for spelling in spellings(number, country)}
        erased = sum(cipher.erase(contact) for contact in ids)
        interactions = _asked(_blank(databases[0], ids))
        leads, over, open_ = _asked(_blank_leads(databases[1], tenant, e164s(number, country)))
        recordings = Recordings(home.voicemail, cipher).forget(tenant, ids)
    files = [home.state / "imports" / f"{job_id}.csv" for job_id in over]
    rows = forget_rows(files, national(number, country))
    held = tuple(job_id for job_id in open_ if (home.state / "imports" / f"{job_id}.csv").exists())
    return Erasure(erased, interactions, recordings, len(leads.leads), leads.attempts, rows, leads.in_hand, held)


def _asked(asking: Coroutine[Any, Any, T]) -> T:
    """Of a database. A machine that is not found, or not reached, is no file that cannot be deleted."""
    try:
        return asyncio.run(asking)
    except OSError as failure:
        raise ConnectionError(str(failure)) from failure


async def _brought_up_to_date(home: Home, projected: str, leads: str) -> None:
    """Before anything is forgotten: whose database is away begins anew when it is back."""
    for database in (Database(projected), Database(leads, LEADS)):
        try:
            await bring_up_to_date(home, database)
        finally:
            await database.close()


async def _blank(url: str, contacts: set[str]) -> int:
    database = Database(url)
    try:
        interactions = Interactions(database)
        return sum([len(await interactions.erase(contact)) for contact in contacts])
    finally:
        await database.close()


async def _blank_leads(url: str, tenant: str, numbers: set[str]) -> tuple[ErasedLeads, list[str], list[str]]:
    """(what was blanked, imports that are over, imports that may go on)."""
    database = Database(url, LEADS)
    try:
        return await erase_leads(database, tenant, numbers), *await jobs_of(database, tenant)
    finally:
        await database.close()
