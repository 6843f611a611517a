"""Files sealed under a contact's key: forget her, and nobody opens them again.

    "CENTRALITA-SEALED-1\\n" | sealed piece | sealed piece ...

Each piece of 1 MiB (the last: up to) is sealed by `ContactCipher` and bound to the file's name, its place, and whether
it is the last: a file that was cut, mixed or renamed does not open. It may be moved to another directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from store.cipher import SEALING_BYTES, ContactCipher
from store.errors import KeysUnusable
from store.files import sync_directory

SUFFIX = ".sealed"
_MAGIC = b"CENTRALITA-SEALED-1\n"
_PIECE_BYTES = 1 << 20
_SEALED_BYTES = _PIECE_BYTES + SEALING_BYTES


def seal_file(cipher: ContactCipher, contact_key_id: str, plain: Path) -> Path:
    """Replaces `plain` by `plain.sealed`, which is on the disk when this returns; until then `plain` is there.

    Raises:
        OSError: disk full, no permission; `plain` stays as it was.
        sqlite3.Error: the key cannot be saved; `plain` stays as it was.
    """
    target = plain.with_name(plain.name + SUFFIX)
    draft = plain.with_name(f".{plain.name}.sealing")
    try:
        with plain.open("rb") as source, open(draft, "wb", opener=_private) as sealed:
            cipher.refresh()
            sealed.write(_MAGIC)
            number, piece = 0, source.read(_PIECE_BYTES)
            while True:
                following = source.read(_PIECE_BYTES)
                sealed.write(cipher.seal(contact_key_id, piece, _bound(target.name, number, not following)))
                if not following:
                    break
                number, piece = number + 1, following
            cipher.persist()
            sealed.flush()
            os.fsync(sealed.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)
    plain.unlink()
    return target


class SealedFile:
    """A sealed file's plain content. `size`: its bytes.

    Raises:
        KeysUnusable: it is no sealed file, or was cut.
        OSError: it cannot be read.
    """

    def __init__(self, cipher: ContactCipher, path: Path) -> None:
        self._cipher, self._path = cipher, path
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
        sealed = path.stat().st_size - len(_MAGIC)
        self._count = -(-sealed // _SEALED_BYTES)
        self.size = sealed - self._count * SEALING_BYTES
        if magic != _MAGIC or self.size < 0 or not self._count:
            raise KeysUnusable(f"{path.name} is no sealed file, or was cut")

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes `start` to before `end`, in pieces.

        Raises:
            Erased: the contact was forgotten.
            KeysUnusable: the file is damaged, was cut or renamed, or the keys are others.
            OSError: it cannot be read.
        """
        end = self.size if end is None else min(end, self.size)
        self._cipher.refresh()
        number = start // _PIECE_BYTES
        with self._path.open("rb") as file:
            file.seek(len(_MAGIC) + number * _SEALED_BYTES)
            while number < self._count and number * _PIECE_BYTES < max(end, 1):
                bound = _bound(self._path.name, number, number == self._count - 1)
                piece = self._cipher.unseal(file.read(_SEALED_BYTES), bound)
                begins = number * _PIECE_BYTES
                yield piece[max(0, start - begins) : end - begins]
                number += 1


def _bound(name: str, number: int, last: bool) -> bytes:
    return f"file {name} {number} {'last' if last else 'more'}".encode()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
