"""Opening the journal for a command that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.common import fail, home_of

if TYPE_CHECKING:
    from store.journal_reader import JournalReader


@contextmanager
def reading(project: Path | None) -> Iterator[JournalReader]:
    """The journal; ends the command when it cannot be read."""
    from store.cipher import ContactCipher
    from store.errors import StoreError
    from store.journal_reader import JournalReader

    home = home_of(project)
    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            try:
                yield reader
            finally:
                reader.close()
    except StoreError as failure:
        fail(str(failure))
