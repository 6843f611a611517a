"""Personal data sealed under a key per contact: to forget somebody, delete the key.

    master.key (0600) --HKDF--> wrapping key: protects the data keys in keys.db
                      --HKDF--> pseudonym key: turns tenant + number into a `contact_key_id`

A sealed body is `key number (8) | nonce (12) | AES-256-GCM ciphertext`. Key numbers are never used twice, so
what was written before an erasure stays unreadable when the same person calls again. The text a body is
`bound` to (its place in the journal) must be given again to open it.

New keys live in memory until `persist`, which the journal calls before it commits what they sealed. Erasing
deletes the key, overwrites its page (secure_delete) and empties the write-ahead log; copies in backups and in
the disk's own spare blocks are out of reach, so encrypt disks and let backups of keys.db expire.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from store.errors import Erased, KeysUnusable
from store.files import sync_directory

HOUSE = ""
"""The `contact_key_id` of what belongs to nobody: toggles, counters."""

_CACHED_KEYS = 10_000
"""Of 2.8 KB each: more than have a contact open at once, and not a year of callers."""
_NONCE_BYTES = 12
_HEADER_BYTES = 8 + _NONCE_BYTES
SEALING_BYTES = _HEADER_BYTES + 16
"""A sealed body is longer than the plain one by this much."""
_SCHEMA = """
CREATE TABLE keys (
    key_no INTEGER PRIMARY KEY, contact_key_id TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL, created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class ContactCipher:
    """Seals and opens bodies. Every method may be called from any thread. `identity` names this set of keys."""

    def __init__(self, connection: sqlite3.Connection, master: bytes) -> None:
        self._db = connection
        self._lock = threading.RLock()
        self._wrapping = AESGCM(_derive(master, b"centralita wrapping key"))
        self._pseudonym = _derive(master, b"centralita contact pseudonym")
        self._check = _derive(master, b"centralita key check").hex()
        self._current: dict[str, tuple[bytes, Callable[..., bytes]]] = {}
        self._by_number: dict[int, AESGCM] = {}
        self._unsaved: dict[str, tuple[int, str, bytes, int]] = {}
        about: dict[str, str] = dict(self._db.execute("SELECT name, value FROM about"))
        if not hmac.compare_digest(about.get("check", ""), self._check):
            raise KeysUnusable(
                "master.key does not belong to keys.db: put back the master.key that was saved together with it"
            )
        self.identity = about["identity"]
        self._next_no = int(about["next_key_no"])
        self._seen_version = self._data_version()

    @classmethod
    def open(cls, directory: Path, read_only: bool = False) -> Self:
        """The keys of a state directory; created when neither key file is there and not `read_only`.

        Raises:
            KeysUnusable: one of the two files is missing, damaged or foreign, or others may read master.key.
        """
        keys, master = directory / "keys.db", directory / "master.key"
        try:
            if not read_only and not master.exists() and not _holds_keys(keys):
                _create(keys, master)
            if not master.exists() and not keys.exists():
                raise KeysUnusable(
                    f"nothing has been kept in {directory} yet: `centralita up` begins. "
                    "If something was, restore keys.db and master.key from the backup"
                )
            for needed, other in ((master, keys), (keys, master)):
                if not needed.exists():
                    raise KeysUnusable(
                        f"{needed} is missing: restore it from the backup that holds {other.name}; "
                        "without it nothing that was saved about contacts can be read"
                    )
            if master.stat().st_mode & 0o077:
                raise KeysUnusable(f"{master} can be read by other users: chmod 600 {master}")
            return cls(_connect(keys, read_only), master.read_bytes())
        except sqlite3.Error as error:
            raise KeysUnusable(f"{keys} cannot be used ({error}): restore it from a backup") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def contact_key_id(self, tenant: str, number: str, otherwise: str) -> str:
        """A pseudonym for a caller: the same number gives the same one, and it does not lead back to the number.

        Args:
            number: as telephony gave it; only its digits count (`+34 600` and `0034600` are the same).
            otherwise: what tells this contact apart when there are no digits (withheld): the interaction's id.
        """
        digits = "".join(filter(str.isdecimal, number)).removeprefix("00")
        who = f"{tenant}\0{digits}" if digits else f"{tenant}\0\0{otherwise}"
        return hmac.new(self._pseudonym, who.encode("utf-8", "replace"), sha256).hexdigest()[:32]

    def seal(self, contact_key_id: str, plain: bytes, bound: bytes) -> bytes:
        """Creates the contact's key when there is none."""
        found = self._current.get(contact_key_id) or self._find_or_create(contact_key_id)
        nonce = os.urandom(_NONCE_BYTES)
        return found[0] + nonce + found[1](nonce, plain, bound)

    def unseal(self, sealed: bytes, bound: bytes) -> bytes:
        """Raises:
        Erased: the key was deleted.
        KeysUnusable: the key is there and does not open this body: the body is damaged or belongs elsewhere.
        """
        number = int.from_bytes(sealed[:8], "big")
        key = self._by_number.get(number) or self._load(number)
        try:
            return key.decrypt(sealed[8:_HEADER_BYTES], sealed[_HEADER_BYTES:], bound)
        except (InvalidTag, ValueError):
            raise KeysUnusable("a sealed body was changed after it was written, or moved to another place") from None

    def refresh(self) -> None:
        """Notices keys that another process erased. Cheap: call it before each batch."""
        with self._lock:
            version = self._data_version()
            if version != self._seen_version:
                self._seen_version = version
                self._current.clear()
                self._by_number.clear()

    def persist(self) -> None:
        """New keys are on disk when this returns. Raises sqlite3.Error; the keys then wait for the next try."""
        if not self._unsaved:
            return
        with self._lock:
            rows = list(self._unsaved.values())
            with _transaction(self._db):
                self._db.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", rows)
                self._db.execute("UPDATE about SET value = ? WHERE name = 'next_key_no'", (str(self._next_no),))
            for _, contact, _, _ in rows:
                self._unsaved.pop(contact, None)

    def erase(self, contact_key_id: str) -> bool:
        """Forgets the contact for ever; False when there was nothing to forget."""
        with self._lock:
            unsaved = self._unsaved.pop(contact_key_id, None)
            with _transaction(self._db):
                deleted = self._db.execute(
                    "DELETE FROM keys WHERE contact_key_id = ? RETURNING key_no", (contact_key_id,)
                ).fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._current.pop(contact_key_id, None)
            for (number,) in deleted if unsaved is None else [*deleted, unsaved[:1]]:
                self._by_number.pop(number, None)
            return bool(deleted) or unsaved is not None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _find_or_create(self, contact_key_id: str) -> tuple[bytes, Callable[..., bytes]]:
        with self._lock:
            row = self._db.execute(
                "SELECT key_no, wrapped FROM keys WHERE contact_key_id = ?", (contact_key_id,)
            ).fetchone()
            waiting = self._unsaved.get(contact_key_id)
            if waiting is not None:
                row = (waiting[0], waiting[2])
            if row is not None:
                return self._remember(row[0], contact_key_id, self._unwrap(*row))
            number, self._next_no = self._next_no, self._next_no + 1
            secret, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
            wrapped = nonce + self._wrapping.encrypt(nonce, secret, number.to_bytes(8, "big"))
            self._unsaved[contact_key_id] = (number, contact_key_id, wrapped, int(time.time() * 1e6))
            return self._remember(number, contact_key_id, AESGCM(secret))

    def _load(self, number: int) -> AESGCM:
        with self._lock:
            row = self._db.execute("SELECT contact_key_id, wrapped FROM keys WHERE key_no = ?", (number,)).fetchone()
            if row is None:
                raise Erased("the contact asked to be forgotten: this cannot be read any more")
            key = self._unwrap(number, row[1])
            self._remember(number, row[0], key)
            return key

    def _unwrap(self, number: int, wrapped: bytes) -> AESGCM:
        try:
            plain = self._wrapping.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], number.to_bytes(8, "big"))
        except InvalidTag:
            raise KeysUnusable(f"key {number} in keys.db is damaged: restore keys.db from a backup") from None
        return AESGCM(plain)

    def _remember(self, number: int, contact_key_id: str, key: AESGCM) -> tuple[bytes, Callable[..., bytes]]:
        if len(self._by_number) >= _CACHED_KEYS:
            self._by_number.clear()
            self._current.clear()
        self._by_number[number] = key
        found = self._current[contact_key_id] = (number.to_bytes(8, "big"), key.encrypt)
        return found

    def _data_version(self) -> int:
        version: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return version


class _transaction:  # noqa: N801 - reads as a verb
    """`with` around statements that are committed together; sqlite3's own starts no transaction in autocommit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master)


def _connect(path: Path, read_only: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=5.0,
    )
    if not read_only:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
    return db


def _holds_keys(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    db = _connect(path, read_only=True)
    try:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return "keys" in tables and db.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None
    finally:
        db.close()


def _create(keys: Path, master: Path) -> None:
    """The master key appears last: a crash on the way leaves no key in use, and the next start begins again."""
    keys.parent.mkdir(parents=True, exist_ok=True)
    for old in (keys, keys.with_name("keys.db-wal"), keys.with_name("keys.db-shm")):
        old.unlink(missing_ok=True)
    secret = os.urandom(32)
    os.close(os.open(keys, os.O_CREAT | os.O_WRONLY, 0o600))
    db = _connect(keys)
    try:
        db.executescript(_SCHEMA)
        check = _derive(secret, b"centralita key check").hex()
        rows = [("check", check), ("identity", os.urandom(8).hex()), ("next_key_no", "1")]
        with _transaction(db):
            db.executemany("INSERT INTO about VALUES (?, ?)", rows)
    finally:
        db.close()
    draft = master.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, secret)
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.replace(master)
    sync_directory(master.parent)
