"""Past interactions as rows: when, whom they reached, how they ended.

What agents do at their own phones is told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from core.commands import AskAgent
from core.decisions import InteractionClosed, InteractionOpened
from core.dialing import DIALER, LineWanted
from core.events import AgentAnswered
from core.queue_facts import QueueJoined
from store.entry import Recorded
from store.journal_reader import JournalReader

_SHORT_DIGITS = 6
"""A longer number may be a person's."""


@dataclass(frozen=True, slots=True)
class PastContact:
    """`began_s`: UTC. `is_own`: an agent works her phone, keeps her line or calls a colleague: no customer is in it.
    `called_is_personal`: it may be a customer's number. `outcome` empty: it goes on. `why_unread`: it was erased, or
    cannot be read; then only id and time are known."""

    interaction_id: str
    began_s: float
    tenant: str = ""
    direction: str = ""
    called: str = ""
    called_is_personal: bool = False
    caller: str = ""
    flow: str = ""
    queues: tuple[str, ...] = ()
    outcome: str = ""
    is_own: bool = False
    why_unread: str = ""


def summarised(records: Sequence[Recorded]) -> PastContact:
    """One interaction, of which there is at least one record."""
    first = records[0]
    decisions = [decision for record in records for decision in record.decisions]
    opened = next((decision for decision in decisions if isinstance(decision, InteractionOpened)), None)
    if opened is None:
        return PastContact(first.interaction_id, first.at_s, why_unread=first.unreadable or "its beginning is gone")
    closed = next((decision for decision in decisions if isinstance(decision, InteractionClosed)), None)
    joined = [record.event.queue for record in records if isinstance(record.event, QueueJoined) and record.event.queue]
    listed = opened.direction == "inbound" and opened.rule.startswith(("number ", "range "))
    return PastContact(
        interaction_id=first.interaction_id,
        began_s=first.at_s,
        tenant=opened.tenant,
        direction=opened.direction,
        called=opened.called,
        called_is_personal=not listed and sum(map(str.isdecimal, opened.called)) > _SHORT_DIGITS,
        caller=opened.caller,
        flow=opened.flow,
        queues=tuple(dict.fromkeys(joined)),
        outcome=closed.outcome if closed is not None else "",
        is_own=opened.direction == "internal" or any(map(_of_an_agent, records)),
    )


def past_contacts(
    reader: JournalReader, since_s: float = 0.0, keys: Collection[str] = (), own: bool = False
) -> Iterator[PastContact]:
    """Those that began at `since_s` (UTC) or later, the newest first.

    Args:
        keys: only of these contacts (`ContactCipher.contact_key_id`); empty for all.
        own: with what agents do at their own phones.
    """
    for interaction_id in reader.begun(reader.seq_before(since_s) if since_s else 0, keys):
        if interaction_id == DIALER:  # its timers, and nobody's contact
            continue
        contact = summarised(reader.show(interaction_id))
        if own or not contact.is_own:
            yield contact


def last_contact(reader: JournalReader) -> str | None:
    """The customer contact that began last."""
    return next((contact.interaction_id for contact in past_contacts(reader)), None)


def _of_an_agent(record: Recorded) -> bool:
    if isinstance(record.event, LineWanted | AgentAnswered):
        return True
    return any(isinstance(command, AskAgent) for command in record.commands)
