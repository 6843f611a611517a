"""Leads, numbers and attempts as rows, and back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

import asyncpg  # type: ignore[import-untyped]
import msgspec
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import StoreUnavailable
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadNumber, LeadRecord, Promise
from store.sql.database import Database
from store.sql.lead_models import NOT_RELEASED_US

SAID = (
    *("list_id", "external_id", "name", "language", "region", "zone", "numbers", "basis", "consent_us", "proof"),
    *("turn", "rank", "fields"),
)
"""The columns that lists say."""
HELD = (
    *("state", "reason", "not_before_us", "attempts", "next_number", "number_state", "agent_id", "outcome"),
    *("disposition", "ready", "promise"),
)
"""The columns that are the dialer's."""
AWAKE = ("new", "waiting")
_FAR_US = (1 << 62) - 1

P = ParamSpec("P")
R = TypeVar("R")
AWAY = (DBAPIError, PoolTimeout, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def unavailable(failure: BaseException) -> StoreUnavailable:
    """The failure as the port's; what is our own mistake is raised as it is."""
    if isinstance(failure, IntegrityError | ProgrammingError):
        raise failure
    return StoreUnavailable(f"the database of leads does not answer ({type(failure).__name__}): is it running?")


def answering(ask: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """A database that is away is `StoreUnavailable`."""

    @functools.wraps(ask)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await ask(*args, **kwargs)
        except AWAY as failure:
            raise unavailable(failure) from failure

    return asked


def among(
    database: Database, column: str, values: Collection[str] | Collection[int], name: str = "these"
) -> TextClause:
    """`column IN (values)`, in one parameter: however many they are, it is one statement."""
    listed = list(values)
    if database.kind == "sqlite":
        return text(f"{column} IN (SELECT value FROM json_each(:{name}))").bindparams(  # noqa: S608 - names of ours
            **{name: msgspec.json.encode(listed).decode()}
        )
    kind = "bigint" if listed and isinstance(listed[0], int) else "text"
    return text(f"{column} = ANY(CAST(:{name} AS {kind}[]))").bindparams(**{name: listed})


def insert_into(database: Database, table: Any) -> Any:
    """An insert that can say what to do about a row that is there already."""
    return sqlite.insert(table) if database.kind == "sqlite" else postgresql.insert(table)


def to_us(at_s: float) -> int:
    return min(round(at_s * 1e6), _FAR_US) if at_s < 1e12 else _FAR_US


def to_us_or_none(at_s: float | None) -> int | None:
    return None if at_s is None else to_us(at_s)


def to_s_or_none(at_us: int | None) -> float | None:
    return None if at_us is None else at_us / 1e6


def number_keys(record: LeadRecord) -> list[int]:
    """For `lead_numbers`; what is no E.164 cannot be looked up."""
    return sorted({int(each.number[1:]) for each in record.numbers if each.number[1:].isdecimal()})


def said(record: LeadRecord) -> dict[str, Any]:
    """What lists say of her."""
    return {
        "list_id": record.list_id,
        "external_id": record.external_id,
        "name": record.name,
        "language": record.language,
        "region": record.region,
        "zone": record.zone,
        "numbers": _json([[each.number, each.label, each.time_zone] for each in record.numbers]),
        "basis": record.basis,
        "consent_us": to_us_or_none(record.consent_s),
        "proof": record.proof,
        "turn": -record.priority,
        "rank": record.rank,
        "fields": _json(dict(record.fields)),
    }


def held(record: LeadRecord) -> dict[str, Any]:
    """How far she is, as the dialer knows."""
    tried = {each.number: [each.dead, each.attempts] for each in record.numbers if each.dead or each.attempts}
    following = record.numbers[record.next_number :][:1] if record.next_number or record.attempts else ()
    return {
        "state": record.state.value,
        "reason": record.reason,
        "not_before_us": to_us(record.not_before_s),
        "attempts": record.attempts,
        "next_number": following[0].number if following else "",
        "number_state": _json(tried) if tried else "{}",
        "agent_id": record.agent_id,
        "outcome": record.outcome,
        "disposition": record.disposition,
        "ready": int(record.state.value in AWAKE and record.not_before_s <= 0),
        "promise": _json(record.promise) if record.promise is not None else "",
    }


def lead_row(record: LeadRecord, serial: int = 0, job_id: str = "") -> dict[str, Any]:
    return {
        "tenant": record.tenant,
        "lead_id": record.lead_id,
        **said(record),
        **held(record),
        "serial": serial,
        "staged_from": "",
        "job_id": job_id,
    }


def lead_of(row: RowMapping | Mapping[str, Any]) -> LeadRecord:
    tried: dict[str, list[Any]] = msgspec.json.decode(row["number_state"])
    numbers = tuple(
        LeadNumber(number, label, zone, *tried.get(number, ("", 0)))
        for number, label, zone in msgspec.json.decode(row["numbers"])
    )
    wanted = row["next_number"]
    following = (index for index, each in enumerate(numbers) if wanted and each.number == wanted)
    return LeadRecord(
        lead_id=row["lead_id"],
        tenant=row["tenant"],
        list_id=row["list_id"],
        numbers=numbers,
        name=row["name"],
        language=row["language"],
        region=row["region"],
        zone=row["zone"],
        basis=row["basis"],
        consent_s=to_s_or_none(row["consent_us"]),
        proof=row["proof"],
        priority=-row["turn"],
        rank=row["rank"],
        fields=msgspec.json.decode(row["fields"]),
        state=LeadState(row["state"]),
        reason=row["reason"],
        not_before_s=0.0 if row["not_before_us"] == NOT_RELEASED_US else row["not_before_us"] / 1e6,
        attempts=row["attempts"],
        next_number=next(following, 0),
        agent_id=row["agent_id"],
        outcome=row["outcome"],
        disposition=row["disposition"],
        external_id=row["external_id"],
        promise=msgspec.json.decode(row["promise"], type=Promise) if row["promise"] else None,
    )


_ATTEMPT_TEXTS = (
    *("attempt_id", "interaction_id", "tenant", "campaign", "list_id", "lead_id", "number", "identity", "mode"),
    *("state", "cause", "why", "agent_id", "disposition", "verdict", "evidence", "script"),
)
_ATTEMPT_TIMES = ("ringing", "answered", "greeted", "connected", "ended")


def attempt_row(record: AttemptRecord, serial: int) -> dict[str, Any]:
    return {
        **{name: getattr(record, name) for name in _ATTEMPT_TEXTS},
        "dialed_us": to_us(record.dialed_s),
        **{f"{name}_us": to_us_or_none(getattr(record, f"{name}_s")) for name in _ATTEMPT_TIMES},
        "serial": serial,
        "answers": _json(dict(record.answers)) if record.answers else "",
    }


def attempt_of(row: RowMapping | Mapping[str, Any]) -> AttemptRecord:
    values: dict[str, Any] = {name: row[name] for name in _ATTEMPT_TEXTS}
    values |= {f"{name}_s": to_s_or_none(row[f"{name}_us"]) for name in _ATTEMPT_TIMES}
    answers = msgspec.json.decode(row["answers"]) if row["answers"] else {}
    return AttemptRecord(dialed_s=row["dialed_us"] / 1e6, answers=answers, **values)


def columns_of(names: Iterable[str], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
