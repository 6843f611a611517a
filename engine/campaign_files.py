"""A campaign somebody wrote over the API becomes a file under `config/campaigns/`, and is in force; or nothing changes.

POST /dialer/files {tenant, campaign, text, replace}   {ok, file, problems}, or 409 {ok, why}

    text --draft beside it, renamed--> NAME.yaml --reload: everything is checked together--> in force
                                         | refused
                                         v
                                       what was there before is there again
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.asking import answer, refused

log = logging.getLogger("centralita.campaigns")

MOST_BYTES = 200_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TOLD = 5
"""So many problems are told; `centralita check` tells them all."""

Reload = Callable[[], Awaitable[dict[str, Any]]]
"""As `/reload` answers: {reloaded, problems}."""


class Asked(msgspec.Struct):
    tenant: str
    campaign: str
    text: str
    replace: bool = False


@dataclass(slots=True)
class CampaignFiles:
    """`project`: where `config/` is."""

    project: Path
    reload: Reload
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[Route]:
        return [Route("/dialer/files", self.write, methods=["POST"])]

    async def write(self, request: Request) -> Response:
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return refused(422, "the campaign is too long")
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            return refused(422, str(error))
        # Whoever asked may go away: what was begun is brought to its end.
        return await asyncio.shield(self.put(asked))

    async def put(self, asked: Asked) -> Response:
        """One at a time."""
        async with self._alone:
            return await self._written(asked)

    async def _written(self, asked: Asked) -> Response:
        if not (_NAME.fullmatch(asked.tenant) and _NAME.fullmatch(asked.campaign)):
            return refused(409, f"'{asked.campaign[:60]}' is no name: write a-z, 0-9, _ and -")
        root = self.project if asked.tenant == "main" else self.project / "tenants" / asked.tenant
        if not root.is_dir():
            return refused(409, f"there is no tenant '{asked.tenant}'")
        path = root / "config" / "campaigns" / f"{asked.campaign}.yaml"
        name = path.relative_to(self.project).as_posix()
        try:
            before = await asyncio.to_thread(_read, path)
            if before is not None and not asked.replace:
                return refused(409, f"{name} is there already: say that it is to be replaced, or choose another name")
            await asyncio.to_thread(_put, path, asked.text.encode())
        except OSError as failure:
            return refused(409, f"{name} cannot be written: {failure.strerror or failure}")
        told = await self._taken(path, before)
        if not told["reloaded"]:
            return refused(409, "; ".join(told["problems"][:_TOLD]) or "it cannot be loaded")
        log.info("%s was written over the API", name)
        return answer({"ok": True, "file": name, "problems": told["problems"]})

    async def _taken(self, path: Path, before: bytes | None) -> dict[str, Any]:
        """The reload's answer; what was not taken does not stay."""
        taken = False
        try:
            told = await self.reload()
            taken = bool(told["reloaded"])
            return told
        finally:
            if not taken:
                await asyncio.to_thread(_put, path, before)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _put(path: Path, body: bytes | None) -> None:
    """The whole file or none of it is there, whenever the power fails. `body` None: no file."""
    if body is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
