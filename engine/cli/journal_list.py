"""`centralita journal list`: past interactions, so that one of them can be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from engine.cli.common import JsonOption, ProjectOption, fail, home_of, out, print_json
from engine.cli.journal_open import reading
from engine.cli.site import site_of

if TYPE_CHECKING:
    from engine.home import Home
    from engine.past_contacts import PastContact

_LONGEST_NUMBER = 21


def list_(
    since: Annotated[
        str, typer.Option(help="Begun then or later: 2026-11-22, or 2026-11-22T09:30; the site's time.", metavar="WHEN")
    ] = "",
    number_of: Annotated[
        str,
        typer.Option("--number-of", help="Only of this customer's number, however it is written.", metavar="NUMBER"),
    ] = "",
    tenant: Annotated[str, typer.Option(help="Whose number that is.")] = "main",
    own: Annotated[
        bool, typer.Option("--own", help="Also what agents do at their own phones, with no customer.")
    ] = False,
    numbers: Annotated[bool, typer.Option("--numbers", help="Show customers' numbers.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 20,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Past interactions, the newest first; `explain` and `journal show` take their ids.

    Customers' numbers are not shown unless `--numbers` asks for them.
    """
    from engine.past_contacts import past_contacts

    home = home_of(project)
    site = site_of(home)
    zone = ZoneInfo(site.time_zone)
    since_s = _moment(since, zone)
    keys = _keys(home, tenant, number_of, site.country) if number_of else ()
    with reading(project) as reader:
        found = list(islice(past_contacts(reader, since_s, keys, own), limit))
    if json:
        print_json([row(contact, numbers) for contact in found])
        return
    if not found:
        out.print("There is no such interaction.")
        return
    out.print(_table(found, zone, numbers))
    if len(found) == limit:
        out.print(f"[dim]The newest {limit}; --limit shows more.[/dim]")


def row(contact: PastContact, numbers: bool) -> dict[str, Any]:
    """For programs. A number that may be a person's is None unless `numbers`."""
    plain: dict[str, Any] = {
        "id": contact.interaction_id,
        "at_s": contact.began_s,
        "tenant": contact.tenant,
        "direction": contact.direction,
        "called": contact.called if numbers or not contact.called_is_personal else None,
        "flow": contact.flow,
        "queues": list(contact.queues),
        "outcome": contact.outcome,
        "open": not contact.outcome and not contact.why_unread,
        "own": contact.is_own,
        "unreadable": contact.why_unread,
    }
    return {**plain, "caller": contact.caller} if numbers else plain


def _table(found: Sequence[PastContact], zone: ZoneInfo, numbers: bool) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    # Who called and what was called stand below one another, and so does the time: eighty columns hold no more.
    table.add_column("when", no_wrap=not numbers, min_width=12)
    for name in ("caller, called" if numbers else "called", "flow", "queue", "outcome"):
        table.add_column(name, overflow="fold", no_wrap=name not in ("flow", "queue", "outcome"), min_width=5)
    for contact in found:
        plain = row(contact, numbers)
        when = datetime.fromtimestamp(contact.began_s, zone).strftime("%b %d %H:%M:%S %Z")
        called = contact.direction if plain["called"] is None else plain["called"]
        called = shorten(called)
        cells = [f"{shorten(contact.caller)}\n{called}" if numbers else called, contact.flow, ", ".join(contact.queues)]
        cells.append(contact.why_unread or contact.outcome or "in progress")
        table.add_row(contact.interaction_id, when, *map(Text, cells))
    return table


def shorten(number: str) -> str:
    """Who calls may send what she likes: no junk takes the room of ids."""
    return number if len(number) <= _LONGEST_NUMBER else f"{number[: _LONGEST_NUMBER - 1]}…"


def _moment(text: str, zone: ZoneInfo) -> float:
    """UTC seconds; 0 for no text."""
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"'{text[:40]}' is no time: write it like 2026-11-22 or 2026-11-22T09:30", 2)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _keys(home: Home, tenant: str, number: str, country: str) -> set[str]:
    """Under which her contacts are sealed: each way her number may have arrived has its own."""
    from engine.erasure import spellings
    from store.cipher import ContactCipher
    from store.errors import StoreError

    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            return {cipher.contact_key_id(tenant, spelling, "") for spelling in spellings(number, country)}
    except StoreError as failure:
        fail(str(failure))
