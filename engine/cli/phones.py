"""Which phones there are: what is configured, with the phones of agents whom no file declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config.configuration import Configuration
    from engine.home import Home


def configured(home: Home) -> Configuration | None:
    """As the files have it; while they are broken, as it serves. A mistake in a flow takes no phone from anybody."""
    from engine.config.loader import load
    from engine.config.sources import read_sources
    from engine.releases import last_good

    return load(read_sources(home.project)).configuration or last_good(home)


def with_kept_phones(home: Home, configuration: Configuration) -> Configuration:
    """As it is where there is no journal yet, or none that can be read: whoever needs it says that."""
    from engine.enrolled import ROWS, agents_from
    from engine.own_phones import with_phones
    from store.cipher import ContactCipher
    from store.errors import StoreError
    from store.journal_reader import JournalReader

    if not home.journal.exists():
        return configuration
    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            try:
                return with_phones(configuration, agents_from(reader.load_states(ROWS)))
            finally:
                reader.close()
    except (StoreError, OSError):
        return configuration
