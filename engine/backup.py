"""A copy of all that cannot be made again, taken while calls go on. `restore` puts it back.

    journal, then the keys it needs, then the other databases -> recordings -> configuration -> manifest (last)

Databases are copied by SQLite itself, each as it is at one moment, and no writer waits. The manifest tells size and
SHA-256 of every file; an archive without it was cut off. What is made anew (prompts, Asterisk's files, logs) is left
out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from core.errors import CentralitaError
from engine.home import Home
from store.files import sync_directory

FORMAT = 1
MANIFEST = "manifest.json"
DATABASES = ("journal.db", "keys.db", "centralita.db", "dialer.db")
"""In this order: a contact whom the copied journal mentions has her key in the copy made after it."""
SECRETS = ("master.key", "secrets.json", "desk.key")
RECORDINGS = ("voicemail", "recordings")
CONFIGURATION = ("config", "flows", "tenants")

Part = Literal["database", "secret", "recording", "configuration"]
Told = Callable[[int, int], None]
"""(bytes done, bytes in all)."""


class BackupFailed(CentralitaError):
    """It was not made, or not put back; the message says why. Nothing half-made stays."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`name`: in the archive, below `state/` or `project/`."""

    name: str
    part: Part
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`elsewhere`: databases that are not in it, without their passwords: their own tools copy those."""

    made_at: str
    files: tuple[Kept, ...]
    elsewhere: tuple[str, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(file.bytes for file in self.files)


def take(home: Home, to: Path, elsewhere: tuple[str, ...], recordings: bool, told: Told) -> Manifest:
    """Writes the archive `to`, readable by its owner only.

    Raises:
        BackupFailed: there is nothing to copy, no room, or `to` is there already.
    """
    if to.exists():
        raise BackupFailed(f"{to} is there already: name another file")
    if not to.parent.is_dir():
        raise BackupFailed(f"there is no directory {to.parent}")
    if not home.journal.exists():
        raise BackupFailed(f"{home.state} has no journal yet: nothing has run here")
    files = list(_files(home, recordings))
    total = sum(_size(home.state / name) for name in DATABASES) + sum(_size(place) for _, _, place in files)
    copied = sum(_size(home.state / name) for name in DATABASES)
    if (free := shutil.disk_usage(to.parent).free) < total + copied:
        raise BackupFailed(f"{to.parent} has {free // 10**6} MB free and {(total + copied) // 10**6 + 1} MB are needed")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=to.parent) as folder:
            partial = Path(folder) / "archive"
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                manifest = _write(home, out, Path(folder), files, elsewhere, lambda done: told(done, max(total, done)))
                out.flush()
                os.fsync(out.fileno())
            os.link(partial, to)  # refuses what somebody has put there meanwhile
        sync_directory(to.parent)
    except FileExistsError:
        raise BackupFailed(f"{to} is there already: name another file") from None
    except (OSError, sqlite3.Error) as failure:
        raise BackupFailed(f"{to}: {failure}") from failure
    return manifest


def _files(home: Home, recordings: bool) -> Iterator[tuple[str, Part, Path]]:
    for name in SECRETS:
        if (home.state / name).is_file():
            yield f"state/{name}", "secret", home.state / name
    if recordings:
        for name in RECORDINGS:
            for place in sorted((home.state / name).rglob("*")):
                if place.is_file() and not place.is_symlink():
                    yield f"state/{place.relative_to(home.state).as_posix()}", "recording", place
    for name in CONFIGURATION:
        for place in sorted((home.project / name).rglob("*")):
            if place.is_file():
                yield f"project/{place.relative_to(home.project).as_posix()}", "configuration", place


def _write(
    home: Home,
    out: IO[bytes],
    folder: Path,
    files: list[tuple[str, Part, Path]],
    elsewhere: tuple[str, ...],
    told: Callable[[int], None],
) -> Manifest:
    made_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept: list[Kept] = []
    done = 0

    def add(name: str, part: Part, place: Path) -> None:
        nonlocal done
        try:
            file = place.open("rb")
        except FileNotFoundError:  # a recording's time was over, or its contact has asked to be forgotten
            return
        with file:
            info = archive.gettarinfo(arcname=name, fileobj=file)
            info.mode, info.uid, info.gid, info.uname, info.gname = 0o600, 0, 0, "", ""
            hashed = _Hashed(file, info.size)
            archive.addfile(info, hashed)
        kept.append(Kept(name, part, info.size, hashed.sha256.hexdigest()))
        done += info.size
        told(done)

    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name in DATABASES:
            if (home.state / name).exists():
                copy = folder / name
                _copied(home.state / name, copy)
                add(f"state/{name}", "database", copy)
                copy.unlink()
        for name, part, place in files:
            add(name, part, place)
        manifest = Manifest(made_at, tuple(kept), elsewhere)
        body = json.dumps(_plain(manifest), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(body), 0o600
        with tempfile.TemporaryFile() as written:
            written.write(body)
            written.seek(0)
            archive.addfile(info, written)
    return manifest


class _Hashed:
    """A file of so many bytes, whatever is appended to it meanwhile."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self.sha256 = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self.sha256.update(piece)
        return piece


def _copied(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _size(place: Path) -> int:
    try:
        return place.stat().st_size
    except OSError:
        return 0


def _plain(manifest: Manifest) -> dict[str, Any]:
    files = [{"name": f.name, "part": f.part, "bytes": f.bytes, "sha256": f.sha256} for f in manifest.files]
    return {"format": FORMAT, "made_at": manifest.made_at, "elsewhere": list(manifest.elsewhere), "files": files}
