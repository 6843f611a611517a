"""What is configured with the phones of agents whom no file declares, as the journal has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config.configuration import Configuration
    from engine.home import Home


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
