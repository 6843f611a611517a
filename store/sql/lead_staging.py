"""The hopper's query: who of a campaign's lists goes next. Short at any size of list: it reads the heads of an index.

callbacks that are due            first, the oldest promise first
who waited and whose time came    made ready, some thousand at a time
the ready ones                    the first of each list and time zone that is open, then `core.list_mix`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, func, literal, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.lead_record import BY_RULE
from core.lead_store import ASLEEP_S, FREED, Staging
from core.list_mix import ListMix, Place, open_places
from store.sql.database import Database
from store.sql.lead_models import NOT_RELEASED_US, LeadRow, ListZoneRow
from store.sql.lead_rows import AWAKE, among, to_us

_WAKE = 2_000
"""At most so many are made ready in one staging."""
_FREE = 10_000
"""At most so many that a rule held back are freed in one transaction."""
_CALLBACK = "callback"
_ZONES_AT_ONCE = 100
_READY = text("leads.ready = 1")
"""As it stands in the index, or the index is not used."""


class Taken(NamedTuple):
    """`lead_ids`, in order. `more`: there are others. `next_s`: when the next one that waits is due, 0 for never;
    `callback_s`: when to ask again for those who were promised a call, 0 for never."""

    lead_ids: list[str]
    more: bool
    next_s: float
    callback_s: float


async def take_first(database: Database, connection: AsyncConnection, mix: ListMix, wanted: Staging) -> Taken:
    """The leads that are staged now."""
    now_us = to_us(wanted.now_s)
    earliest = await _earliest(connection, wanted, -1)
    due = [place for place, at_us in earliest.items() if at_us <= now_us]
    if wanted.count <= 0 or not wanted.lists:
        chosen, more = list[str](), False
    else:
        chosen, more = await _take(database, connection, mix, wanted, due)
    callbacks = []
    if any(state == _CALLBACK for _, state in due):
        left = await _earliest(connection, wanted, -1)
        # Where it is too early or too late to call, as promised; there it may be otherwise soon.
        if any(state == _CALLBACK and at_us <= now_us for (_, state), at_us in left.items()):
            callbacks.append(to_us(wanted.now_s + ASLEEP_S))
    if due:
        earliest = await _earliest(connection, wanted, now_us)
    callbacks += [at_us for (_, state), at_us in earliest.items() if state == _CALLBACK]
    return Taken(chosen, more, min(earliest.values(), default=0) / 1e6, min(callbacks, default=0) / 1e6)


async def free_some(connection: AsyncConnection, wanted: Staging) -> bool:
    """Leads that a rule holds back, some thousand of them; False: there are none any more."""
    states = [state.value for state in FREED]
    held = (
        select(LeadRow.lead_id)
        .where(
            LeadRow.tenant == wanted.tenant,
            LeadRow.list_id.in_([share.list_id for share in wanted.lists]),
            LeadRow.state.in_(states),
            LeadRow.ready == 0,
            LeadRow.reason.startswith(BY_RULE),
        )
        .limit(_FREE)
    )
    becomes = case({old.value: new.value for old, new in FREED.items()}, value=LeadRow.state)
    freed = await connection.execute(
        update(LeadRow)
        .where(LeadRow.tenant == wanted.tenant, LeadRow.lead_id.in_(held))
        .values(state=becomes, not_before_us=0, ready=1)
    )
    return freed.rowcount > 0


async def _take(
    database: Database, connection: AsyncConnection, mix: ListMix, wanted: Staging, due: Sequence[tuple[str, str]]
) -> tuple[list[str], bool]:
    zones = await _zones(connection, wanted)
    chosen = await _callbacks(connection, wanted, zones) if any(state == _CALLBACK for _, state in due) else []
    places: dict[str, Sequence[Place]] = {}
    if not wanted.promised:
        for list_id, state in due:
            if state != _CALLBACK:
                await _wake(connection, wanted, list_id, state)
        most = wanted.count - len(chosen) + 1
        for share in wanted.lists:
            places[share.list_id] = await _first_of(connection, wanted, share.list_id, zones, most)
    more = len(chosen) + sum(map(len, places.values())) > wanted.count
    chosen = chosen[: wanted.count]
    chosen += mix.choose((wanted.tenant, wanted.campaign), wanted.lists, places, wanted.count - len(chosen))
    if chosen:
        await connection.execute(
            update(LeadRow)
            .where(LeadRow.tenant == wanted.tenant, among(database, "leads.lead_id", chosen))
            .values(staged_from=LeadRow.state, state="staged", ready=0)
        )
    return chosen, more


async def _earliest(connection: AsyncConnection, wanted: Staging, after_us: int) -> dict[tuple[str, str], int]:
    """By list and state: when the first of those that wait is due, later than `after_us`."""
    asked = [
        select(
            literal(share.list_id),
            literal(state),
            select(func.min(LeadRow.not_before_us))
            .where(
                *_waiting(wanted.tenant, share.list_id, state),
                LeadRow.not_before_us > after_us,
                LeadRow.not_before_us < NOT_RELEASED_US,
            )
            .scalar_subquery(),
        )
        for share in wanted.lists
        for state in (*AWAKE, _CALLBACK)
    ]
    rows = await connection.execute(union_all(*asked)) if asked else ()
    return {(list_id, state): at_us for list_id, state, at_us in rows if at_us is not None}


async def _zones(connection: AsyncConnection, wanted: Staging) -> dict[str, dict[str, int]]:
    """By list: its zone keys that are open, with their place in the order."""
    rows = await connection.execute(
        select(ListZoneRow.list_id, ListZoneRow.zone).where(
            ListZoneRow.tenant == wanted.tenant, ListZoneRow.list_id.in_([share.list_id for share in wanted.lists])
        )
    )
    keys: dict[str, list[str]] = {}
    for list_id, zone in rows:
        keys.setdefault(list_id, []).append(zone)
    return {list_id: open_places(sorted(of_list), wanted.zones_open) for list_id, of_list in keys.items()}


async def _callbacks(connection: AsyncConnection, wanted: Staging, zones: dict[str, dict[str, int]]) -> list[str]:
    found: list[tuple[int, str]] = []
    for share in wanted.lists:
        rows = await connection.execute(
            select(LeadRow.not_before_us, LeadRow.lead_id)
            .where(
                *_waiting(wanted.tenant, share.list_id, _CALLBACK),
                LeadRow.not_before_us <= to_us(wanted.now_s),
                LeadRow.zone.in_(sorted(zones.get(share.list_id, ()))),
            )
            .order_by(LeadRow.not_before_us)
            .limit(wanted.count + 1)
        )
        found += [(due_us, lead_id) for due_us, lead_id in rows]
    return [lead_id for _, lead_id in sorted(found)]


async def _wake(connection: AsyncConnection, wanted: Staging, list_id: str, state: str) -> None:
    due = (
        select(LeadRow.lead_id)
        .where(*_waiting(wanted.tenant, list_id, state), LeadRow.not_before_us <= to_us(wanted.now_s))
        .order_by(LeadRow.not_before_us)
        .limit(_WAKE)
    )
    await connection.execute(
        update(LeadRow).where(LeadRow.tenant == wanted.tenant, LeadRow.lead_id.in_(due)).values(ready=1)
    )


async def _first_of(
    connection: AsyncConnection, wanted: Staging, list_id: str, zones: dict[str, dict[str, int]], most: int
) -> Sequence[Place]:
    """The first of a list in each open time zone, in order."""
    opened = zones.get(list_id, {})
    keys = sorted(opened)
    found: list[Place] = []
    for start in range(0, len(keys), _ZONES_AT_ONCE):
        heads: list[Any] = []
        for number, key in enumerate(keys[start : start + _ZONES_AT_ONCE]):
            head = (
                select(LeadRow.turn, LeadRow.rank, LeadRow.lead_id)
                .where(
                    LeadRow.tenant == wanted.tenant,
                    LeadRow.list_id == list_id,
                    LeadRow.zone == bindparam(f"zone_{number}", key),
                    _READY,
                )
                .order_by(LeadRow.turn, LeadRow.rank, LeadRow.lead_id)
                .limit(most)
                .subquery()
            )
            heads.append(select(head.c.turn, head.c.rank, literal(opened[key]).label("zone"), head.c.lead_id))
        if heads and most > 0:
            found += [Place(*row) for row in await connection.execute(union_all(*heads))]
    return sorted(found)[:most] if most > 0 else ()


def _waiting(tenant: str, list_id: str, state: str) -> tuple[Any, ...]:
    return LeadRow.tenant == tenant, LeadRow.list_id == list_id, LeadRow.state == state, LeadRow.ready == 0
