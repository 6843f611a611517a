"""What can go wrong in what is kept.

StoreError
+-- WireError            a stored message that this release cannot read
+-- Erased               its contact's key was deleted: unreadable on purpose, for ever
+-- KeysUnusable         the keys are missing, foreign or readable by others
+-- JournalLocked        another engine has this journal open
+-- JournalDamaged       the file is not a journal any more; it is never recreated silently
+-- JournalUnavailable   the journal is closed, or could not keep this entry
+-- DatabaseUnusable     the SQL database's tables are not those of this release
"""

from __future__ import annotations

from core.errors import CentralitaError


class StoreError(CentralitaError):
    """The root of everything the store raises on purpose."""


class WireError(StoreError):
    """A stored message of an unknown type, a newer version, or a shape that no release wrote."""


class Erased(StoreError):
    """The contact asked to be forgotten: the key is gone, what it sealed stays unreadable."""


class KeysUnusable(StoreError):
    """The key file or the master key is missing, damaged, foreign, or open to other users."""


class JournalLocked(StoreError):
    """Two engines on one journal would mix up two truths: stop the other one first."""


class JournalDamaged(StoreError):
    """The file was left as it is: restore it from a backup, or move it away to start anew."""


class JournalUnavailable(StoreError):
    """The journal is closed, or ran out of room while the disk was failing."""


class DatabaseUnusable(StoreError):
    """The tables are older or newer than this release: upgrade the one that lags."""
