"""Files that people send, on their way to an import: streamed to the state directory, never held in memory.

    POST, multipart --chunks--> uploads/TENANT/ID.part --whole--> ID/name.csv + ID.json --a week later--> gone

Of a form, the first part with a file name counts. Names are what the browser says: shown, never a path.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from desk.problems import NotFound, Problem, Unprocessable

KEPT_S = 7 * 24 * 3600.0
KINDS = (".csv", ".txt", ".tsv", ".xlsx")
_ID = re.compile(r"u-[0-9a-z]{16}")
_WRITE_BYTES = 1 << 20


class TooLarge(Problem):
    status, kind = 413, "too_large"


@dataclass(frozen=True, slots=True)
class Upload:
    """`name`: as the person calls it; `at_s`: UTC seconds."""

    upload_id: str
    name: str
    bytes: int
    at_s: float


class Uploads:
    """`most_bytes`: of one file."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory = directory
        self.most_bytes = most_bytes

    async def take(self, tenant: str, content_type: str, chunks: AsyncIterator[bytes], now_s: float) -> Upload:
        """
        Raises:
            Unprocessable: there is no file in it, or it is of a kind nobody reads.
            TooLarge: nothing of it is kept.
            OSError: the disk is full.
        """
        folder = self._folder(tenant)
        await asyncio.to_thread(self._tidy, folder, now_s)
        upload_id = f"u-{secrets.token_hex(8)}"
        draft = folder / f"{upload_id}.part"
        try:
            with draft.open("xb") as file:
                form = _Form(content_type, file, self.most_bytes)
                async for chunk in chunks:
                    form.feed(chunk)
                    if form.waiting >= _WRITE_BYTES:
                        await asyncio.to_thread(form.write)
                await asyncio.to_thread(form.write)
            name = form.end()
            (folder / upload_id).mkdir(mode=0o700)
            draft.replace(folder / upload_id / name)
        finally:
            draft.unlink(missing_ok=True)
        made = Upload(upload_id, name, form.written, now_s)
        (folder / f"{upload_id}.json").write_text(json.dumps(asdict(made)), encoding="utf-8")
        return made

    def get(self, tenant: str, upload_id: str) -> tuple[Upload, Path]:
        """What it is, and where. Raises NotFound."""
        folder = self._folder(tenant)
        try:
            if not _ID.fullmatch(upload_id):
                raise ValueError(upload_id)
            upload = Upload(**json.loads((folder / f"{upload_id}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise NotFound("this file is no longer here: upload it again") from None
        return upload, folder / upload_id / upload.name

    def _folder(self, tenant: str) -> Path:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", tenant):
            raise NotFound("there is no such tenant")
        folder = self._directory / tenant
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def _tidy(self, folder: Path, now_s: float) -> None:
        """Until then an import that was stopped can be resumed."""
        for path in folder.iterdir():
            if path.suffix in (".json", ".part") and now_s - path.stat().st_mtime > KEPT_S:
                path.unlink(missing_ok=True)
                shutil.rmtree(folder / path.stem, ignore_errors=True)


class _Form:
    """The file in a multipart form. What was fed waits in memory until `write`."""

    def __init__(self, content_type: str, file: BinaryIO, most_bytes: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise Unprocessable("send the file as multipart/form-data")
        callbacks = {
            "on_part_begin": self._part,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
        }
        self._parser = MultipartParser(options[b"boundary"], callbacks)  # type: ignore[arg-type]
        self._file, self._most = file, most_bytes
        self._pieces: list[bytes] = []
        self._field, self._value, self._disposition = b"", b"", b""
        self._name: str | None = None
        self._wanted = False
        self.waiting = self.written = 0

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Unprocessable(f"this is no multipart form: {error}") from None
        if self.written + self.waiting > self._most:
            raise TooLarge(f"a file has at most {self._most // 1_000_000} MB: split it, or import it on the server")

    def write(self) -> None:
        self._file.write(b"".join(self._pieces))
        self.written += self.waiting
        self._pieces, self.waiting = [], 0

    def end(self) -> str:
        """The file's name."""
        if self._name is None or not self.written:
            raise Unprocessable("there is no file in the form, or it is empty")
        return self._name

    def _part(self) -> None:
        self._disposition, self._wanted = b"", False

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        named = options.get(b"filename")
        if named is None or self._name is not None:
            return
        name = re.split(r"[\\/]", named.decode("utf-8", "replace"))[-1].strip()
        name = "".join(c for c in name if c.isprintable())
        if _kind(name) not in KINDS:
            raise Unprocessable(f"'{name[:80]}' is no list we read: save it as {', '.join(KINDS)}")
        self._name, self._wanted = f"{Path(name).stem[:40] or 'list'}{_kind(name)}", True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._pieces.append(data[start:end])
            self.waiting += end - start


def _kind(name: str) -> str:
    return Path(name).suffix.lower()
