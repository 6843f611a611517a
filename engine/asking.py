"""What people ask of a running engine over the control socket: a fact by its name, checked before anybody sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.durably import DURABLE_WITHIN_S
from store.errors import StoreError
from store.journal import Journal

_MOST_BYTES = 64 * 1024
F = TypeVar("F")


class Asked(msgspec.Struct):
    fact: str
    fields: dict[str, Any]


async def read_fact(request: Request, kinds: Mapping[str, type[F]], not_typed: Collection[str] = ()) -> F | Response:
    """The fact that the body asks for, or the answer that says what is wrong with it. `not_typed`: fields that nobody
    may give."""
    if int(request.headers.get("content-length") or 0) > _MOST_BYTES:
        return refused(422, "the request is too long")
    try:
        asked = msgspec.json.decode(await request.body(), type=Asked)
        kind: Any = kinds.get(asked.fact)
        if kind is None:
            return refused(422, f"'{asked.fact}' cannot be asked for; only {', '.join(sorted(kinds))}")
        if unknown := sorted(asked.fields.keys() - (set(kind.__dataclass_fields__) - set(not_typed))):
            return refused(422, f"{asked.fact} has no {', '.join(unknown)}")
        fact: F = msgspec.convert(asked.fields, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        return refused(422, str(error))
    return fact


async def done(why: str, journal: Journal, told: str = "") -> Response:
    """`why` not, in words; else that it is done, once it is on disk, and what is to be `told` with it."""
    if why:
        return refused(409, why)
    try:
        async with asyncio.timeout(DURABLE_WITHIN_S):
            await journal.durable(journal.last_seq)
    except (TimeoutError, StoreError):
        return refused(503, "it is done, but the journal does not reach the disk: free space on its disk")
    return answer({"ok": True, "told": told} if told else {"ok": True})


def answer(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def refused(status: int, why: str) -> Response:
    return answer({"ok": False, "why": why}, status)
