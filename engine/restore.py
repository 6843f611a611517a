"""Puts back what `backup` copied: into a state directory that keeps nothing yet, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from engine.backup import (
    CONFIGURATION,
    DATABASES,
    FORMAT,
    MANIFEST,
    RECORDINGS,
    SECRETS,
    BackupFailed,
    Kept,
    Manifest,
    Told,
)
from engine.home import Home
from store.files import sync_directory

_PIECE = 1 << 20


def put_back(archive: Path, home: Home, configuration: bool, told: Told) -> Manifest:
    """Fills the state directory; with `configuration`, `config/`, `flows/` and `tenants/` too: those that were there
    are kept beside them, `config.before-…`.

    Raises:
        BackupFailed: it is no whole backup, something runs, or there is something to lose.
    """
    with _nothing_runs(home):
        there = [name for name in (*DATABASES, *SECRETS) if (home.state / name).exists()]
        there += [name for name in RECORDINGS if _has_files(home.state / name)]
        if there:
            raise BackupFailed(
                f"{home.state} keeps {', '.join(there)} already: move it away first, "
                f"mv {home.state} {home.state}.before"
            )
        home.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with _beside(home.state) as state, _beside(home.project) as project:
                manifest = _read(archive, {"state": state, "project": project}, told)
                _check_databases(state)
                if configuration:
                    _exchange(project, home.project, manifest.made_at)
                _move_in(state, home.state)
        except (OSError, sqlite3.Error, tarfile.TarError) as failure:
            raise BackupFailed(f"{archive}: {failure}") from failure
    return manifest


@contextmanager
def _nothing_runs(home: Home) -> Iterator[None]:
    home.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with home.up_lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed(f"Centralita runs on {home.state}: stop it first") from None
        yield


@contextmanager
def _beside(directory: Path) -> Iterator[Path]:
    """On its disk, so that what is in it has only to be renamed."""
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=directory) as folder:
        yield Path(folder)


def _read(archive: Path, into: Mapping[str, Path], told: Told) -> Manifest:
    """Everything the manifest names, and nothing else, checked. `into`: by the first part of its name."""
    try:
        with tarfile.open(archive, mode="r:") as opened:
            try:
                found = opened.extractfile(MANIFEST)
            except KeyError:
                found = None
            if found is None:
                raise BackupFailed(f"{archive} is no whole backup: its end, which says what is in it, is missing")
            manifest = _manifest(archive, json.loads(found.read()))
            done = 0
            for kept in manifest.files:
                member = opened.getmember(kept.name)
                source = opened.extractfile(member) if member.isreg() else None
                where, _, name = kept.name.partition("/")
                if source is None or not _written(source, into[where] / name, kept):
                    raise BackupFailed(f"{archive} is damaged: {kept.name} is not what was written")
                done += kept.bytes
                told(done, manifest.size)
    except FileNotFoundError:
        raise BackupFailed(f"there is no file {archive}") from None
    except (tarfile.TarError, json.JSONDecodeError, KeyError, EOFError) as failure:
        raise BackupFailed(f"{archive} is no backup of Centralita, or damaged: {failure}") from failure
    return manifest


def _manifest(archive: Path, said: dict[str, Any]) -> Manifest:
    if said.get("format") != FORMAT:
        raise BackupFailed(f"{archive} is of another Centralita: restore it with the one that made it")
    files = tuple(Kept(**one) for one in said["files"])
    for kept in files:
        way = PurePosixPath(kept.name).parts
        allowed = {"state": (*DATABASES, *SECRETS, *RECORDINGS), "project": CONFIGURATION}.get(way[0], ())
        if len(way) < 2 or way[1] not in allowed or ".." in way:
            raise BackupFailed(f"{archive} is no backup of Centralita: it holds {kept.name[:100]}")
    return Manifest(said["made_at"], files, tuple(said["elsewhere"]))


def _written(source: IO[bytes], place: Path, kept: Kept) -> bool:
    sha256, is_written_by_people = hashlib.sha256(), kept.part == "configuration"
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if is_written_by_people else 0o700)
    mode = 0o644 if is_written_by_people else 0o600
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        while piece := source.read(_PIECE):
            sha256.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return sha256.hexdigest() == kept.sha256


def _check_databases(state: Path) -> None:
    for name in DATABASES:
        if (state / name).exists():
            with closing(sqlite3.connect(state / name)) as database:
                said = database.execute("PRAGMA quick_check").fetchone()[0]
            if said != "ok":
                raise BackupFailed(f"{name} in it is damaged: {said}")


def _move_in(source: Path, state: Path) -> None:
    for each in source.iterdir():
        target = state / each.name
        if target.is_dir():
            shutil.rmtree(target)  # it has no files: that was looked at
        each.rename(target)
    sync_directory(state)


def _exchange(source: Path, project: Path, made_at: str) -> None:
    for each in source.iterdir():
        target = project / each.name
        if target.exists():
            target.rename(project / f"{each.name}.before-{made_at}")
        each.rename(target)
    sync_directory(project)


def _has_files(place: Path) -> bool:
    return any(each.is_file() for each in place.rglob("*"))
