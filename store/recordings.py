"""Kept recordings - messages and conversations - as files: `<tenant>/<mailbox>/<when>-<recording>.wav`, labels beside.

Sealed, the sound is `….wav.sealed` (see `store.sealed_file`), and of the labels only what names no customer can be read
without her key; the rest is in `_sealed`. `contact` is her pseudonym, so that she can be forgotten.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.cipher import ContactCipher
from store.errors import Erased, KeysUnusable
from store.files import sync_directory
from store.sealed_file import SUFFIX, SealedFile

CONVERSATION, MESSAGE = "conversation", "message"
WHEN = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-[A-Za-z0-9_.-]+")
_PIECE_BYTES = 1 << 18
_SEALED, _FORGOTTEN = "_sealed", "_forgotten"
_IMPERSONAL = frozenset({"interaction_id", "mailbox", "at", "contact"})
_OF_A_CONVERSATION = frozenset({"kind", "queue", "agents"})


@dataclass(frozen=True, slots=True)
class Recording:
    """`name`: its files' without what follows the dot. `kind`: `conversation` or `message`. `labels`: what else was
    noted, `caller` and `called` among it; empty when she was forgotten. `sound`: None when there is none."""

    tenant: str
    mailbox: str
    name: str
    at_s: float
    kind: str
    interaction_id: str
    queue: str = ""
    agents: tuple[str, ...] = ()
    contact: str = ""
    forgotten: bool = False
    sound: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Recordings:
    """What lies below `root`. Blocking: ask it in a thread. Links are not followed, other names are not ours."""

    def __init__(self, root: Path, cipher: ContactCipher) -> None:
        self._root, self._cipher = root, cipher

    def find(
        self,
        tenant: str,
        *,
        mailbox: str = "",
        queue: str = "",
        agent_id: str = "",
        interaction_id: str = "",
        before: str = "",
        limit: int = 100,
    ) -> list[Recording]:
        """Newest first. `before`: names that sort below this one (the last of the page before)."""
        found: list[Recording] = []
        for name, directory in self._names(tenant, mailbox):
            if before and name >= before:
                continue
            recording = self._read(directory, name)
            if recording is None or not _fits(recording, queue, agent_id, interaction_id):
                continue
            found.append(recording)
            if len(found) == limit:
                break
        return found

    def get(self, tenant: str, mailbox: str, name: str) -> Recording | None:
        directory = self._root / tenant / mailbox
        if not all(map(_is_plain, (tenant, mailbox))) or not _NAME.fullmatch(name) or not _is_directory(directory):
            return None
        return self._read(directory, name)

    def content(self, recording: Recording) -> tuple[int, Iterator[bytes]]:
        """(bytes, pieces) of its sound. Raises Erased, KeysUnusable, OSError."""
        return self.part(recording, 0, None)

    def part(self, recording: Recording, start: int, end: int | None) -> tuple[int, Iterator[bytes]]:
        """(bytes of the whole, pieces from byte `start` to before `end`). Raises as `content`."""
        if recording.sound is None:
            raise FileNotFoundError(2, "its sound is gone", recording.name)
        if recording.sound.name.endswith(SUFFIX):
            sealed = SealedFile(self._cipher, recording.sound)
            return sealed.size, sealed.read(start, end)
        return recording.sound.stat().st_size, _plain(recording.sound, start, end)

    def forget(self, tenant: str, contacts: set[str]) -> int:
        """Deletes what is of these contacts, labels and all; how many recordings. Raises OSError."""
        gone = 0
        for name, directory in self._names(tenant, ""):
            recording = self._read(directory, name)
            if recording is not None and (recording.contact in contacts or self._is_theirs(recording, contacts)):
                for file in (recording.sound, directory / f"{name}.json"):
                    if file is not None:
                        file.unlink(missing_ok=True)
                gone += 1
        return gone

    def _is_theirs(self, recording: Recording, contacts: set[str]) -> bool:
        """Of labels from before contacts were noted there."""
        numbers = (recording.labels.get("caller", ""), recording.labels.get("called", ""))
        tenant = recording.tenant
        return not recording.contact and any(
            self._cipher.contact_key_id(tenant, number, "") in contacts for number in numbers if number
        )

    def _names(self, tenant: str, mailbox: str) -> Iterator[tuple[str, Path]]:
        """(name, directory), newest first."""
        place = self._root / tenant
        if not _is_plain(tenant) or not _is_directory(place) or (mailbox and not _is_plain(mailbox)):
            return
        boxes = [place / mailbox] if mailbox else list(place.iterdir())
        found = [
            (file.stem, box)
            for box in boxes
            if _is_directory(box)
            for file in box.glob("*.json")
            if _NAME.fullmatch(file.stem)
        ]
        yield from sorted(found, reverse=True)

    def _read(self, directory: Path, name: str) -> Recording | None:
        try:
            labels = read_labels(directory / f"{name}.json", self._cipher)
            at_s = datetime.strptime(name.partition("-")[0], WHEN).replace(tzinfo=UTC).timestamp()
        except (OSError, ValueError):
            return None
        talk = {name: labels.pop(name, "") for name in _OF_A_CONVERSATION} if labels.get("kind") == CONVERSATION else {}
        sounds = (directory / f"{name}.wav", directory / f"{name}.wav{SUFFIX}")
        return Recording(
            tenant=directory.parent.name,
            mailbox=directory.name,
            name=name,
            at_s=at_s,
            kind=talk.get("kind", MESSAGE),
            interaction_id=labels.pop("interaction_id", ""),
            queue=talk.get("queue", ""),
            agents=tuple(filter(None, talk.get("agents", "").split(","))),
            contact=labels.pop("contact", ""),
            forgotten=bool(labels.pop(_FORGOTTEN, "")),
            sound=next((sound for sound in sounds if sound.is_file()), None),
            labels={name: value for name, value in labels.items() if name not in ("mailbox", "at")},
        )


def write_labels(path: Path, labels: Mapping[str, str], cipher: ContactCipher | None) -> None:
    """On the disk when it returns, except for the directory's entry. `cipher`: seals them under their `contact`.

    Raises OSError, sqlite3.Error.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    labels = {name: value for name, value in labels.items() if name not in (_SEALED, _FORGOTTEN)}
    body = labels
    if cipher is not None:
        clear = _IMPERSONAL | (_OF_A_CONVERSATION if labels.get("kind") == CONVERSATION else frozenset())
        body = {name: value for name, value in labels.items() if name in clear}
        rest = {name: value for name, value in labels.items() if name not in clear}
        cipher.refresh()
        sealed = cipher.seal(labels["contact"], json.dumps(rest, ensure_ascii=False).encode(), _bound(path))
        cipher.persist()
        body[_SEALED] = base64.b64encode(sealed).decode("ascii")
    draft = path.with_name(f".{path.name}.new")
    try:
        with open(draft, "w", encoding="utf-8", opener=_private) as file:
            json.dump(body, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_labels(path: Path, cipher: ContactCipher) -> dict[str, str]:
    """All of them; of a forgotten contact the impersonal ones and `_forgotten`.

    Raises OSError; ValueError: they are damaged.
    """
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict):
        raise ValueError("labels are no mapping")
    sealed = body.pop(_SEALED, "")
    found: dict[str, str] = {str(name): str(value) for name, value in body.items()}
    if sealed:
        try:
            cipher.refresh()
            rest: dict[str, Any] = json.loads(cipher.unseal(base64.b64decode(sealed), _bound(path)))
            found.update(rest)
        except (Erased, KeysUnusable):
            found[_FORGOTTEN] = "yes"
    return found


def are_sealed(path: Path) -> bool:
    """Whether these labels are. Raises OSError; ValueError: they are damaged."""
    return _SEALED in json.loads(path.read_text(encoding="utf-8"))


def sync(*files: Path) -> None:
    """They and their names survive a power cut when this returns. Raises OSError."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for directory in {file.parent for file in files}:
        sync_directory(directory)


def _fits(recording: Recording, queue: str, agent_id: str, interaction_id: str) -> bool:
    return (
        queue in ("", recording.queue)
        and (not agent_id or agent_id in recording.agents)
        and interaction_id in ("", recording.interaction_id)
    )


def _plain(path: Path, start: int, end: int | None) -> Iterator[bytes]:
    left = (path.stat().st_size if end is None else end) - start
    with path.open("rb") as file:
        file.seek(start)
        while left > 0 and (piece := file.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            yield piece


def _bound(path: Path) -> bytes:
    return f"labels {path.name}".encode()


def _is_plain(name: str) -> bool:
    return bool(name) and "/" not in name and not name.startswith(".")


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
