"""Forgetting a contact: her key is deleted, so what it sealed can never be read again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import phonenumbers

from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home
from engine.projection import database_url
from store.cipher import ContactCipher
from store.recordings import Recordings
from store.sql.database import Database
from store.sql.repositories import Interactions


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


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much was forgotten: keys deleted, interactions in SQL blanked, recordings deleted."""

    keys: int = 0
    interactions: int = 0
    recordings: int = 0


def erase_contact(home: Home, tenant: str, number: str) -> Erasure:
    """Works beside a running engine. Raises OSError: a recording cannot be deleted; what it said is sealed for ever."""
    configuration = load(read_sources(home.project)).configuration
    country = configuration.site.country if configuration is not None else "ES"
    with ContactCipher.open(Path(home.state)) as cipher:
        ids = {cipher.contact_key_id(tenant, spelling, "") for spelling in spellings(number, country)}
        erased = sum(cipher.erase(contact) for contact in ids)
        interactions = asyncio.run(_blank(home, ids))
        return Erasure(erased, interactions, Recordings(home.voicemail, cipher).forget(tenant, ids))


async def _blank(home: Home, contacts: set[str]) -> int:
    database = Database(database_url(home))
    try:
        await database.upgrade()
        interactions = Interactions(database)
        return sum([len(await interactions.erase(contact)) for contact in contacts])
    finally:
        await database.close()
